/* DevOps Projects: list and create. */
import { useEffect } from "preact/hooks";
import { exact, t } from "../i18n";
import { closeDialog, dialog, openDialog } from "../router";
import { boot, lacks, loadBoot } from "../session";
import { Button } from "../ui/kit";
import { CreateDevops } from "./create-devops";
import { NoDevops } from "./no-devops";
import { Head, Shell } from "./shell";
import { ListTable, NameCell } from "./table";

export function DevopsList() {
    const all = boot.value?.devops ?? [];
    useEffect(() => {
        void loadBoot();
    }, []);
    return (
        <Shell crumbs={[{ text: t("devops.title") }]}>
            <Head title={t("devops.title")}>
                <Button
                    kind="primary"
                    icon="i-plus"
                    lacks={lacks("create devopsprojects")}
                    onClick={() => openDialog("create")}
                >
                    {t("devops.create")}
                </Button>
            </Head>
            {all.length === 0 ? (
                <NoDevops />
            ) : (
                <ListTable
                    label={t("devops.title")}
                    heads={[t("common.name"), t("common.description"), t("common.created")]}
                >
                    {all.map((d) => (
                        <tr key={d.name}>
                            <NameCell name={d.name} alias={d.alias} to={`/devops/${d.name}/apps`} />
                            <td class="t2">{d.description ?? ""}</td>
                            <td class="t2">{exact(d.created)}</td>
                            <td class="last" />
                        </tr>
                    ))}
                </ListTable>
            )}
            {dialog.value === "create" && <CreateDevops close={closeDialog} />}
        </Shell>
    );
}
