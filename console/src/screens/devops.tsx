/* DevOps Projects: list and create. */
import { useEffect, useState } from "preact/hooks";
import { send } from "../api/client";
import { exact, t } from "../i18n";
import { nameProblem } from "../model";
import { closeDialog, dialog, openDialog } from "../router";
import { boot, loadBoot } from "../session";
import { Footer, useAction } from "../ui/action";
import { Button, Empty, TextField } from "../ui/kit";
import { Dialog } from "../ui/overlay";
import { Head, Shell } from "./shell";
import { ListTable, NameCell } from "./table";

function CreateDevops({ close }: { close: () => void }) {
    const [name, setName] = useState("");
    const [alias, setAlias] = useState("");
    const [description, setDescription] = useState("");
    const [checked, setChecked] = useState(false);
    const wrong = nameProblem(name);
    const action = useAction(() => {
        void loadBoot();
        close();
    });
    const ok = () => {
        setChecked(true);
        if (!wrong)
            void action.run(
                () => send("POST", "taut/v1/devops", { name, alias, description }),
                t("create.done", { name }),
            );
    };
    return (
        <Dialog
            title={t("devops.createTitle")}
            size="s"
            onClose={close}
            onPrimary={ok}
            error={action.error || undefined}
            footer={
                <Footer close={close} label={t("common.create")} busy={action.busy} onOk={ok} />
            }
        >
            <div class="body col">
                <TextField
                    label={t("common.name")}
                    required
                    autofocus
                    value={name}
                    help={t("name.help")}
                    error={checked && wrong ? t(wrong) : undefined}
                    onValue={setName}
                />
                <TextField label={t("common.alias")} value={alias} onValue={setAlias} />
                <TextField
                    label={t("common.description")}
                    value={description}
                    onValue={setDescription}
                />
            </div>
        </Dialog>
    );
}

export function DevopsList() {
    const all = boot.value?.devops ?? [];
    useEffect(() => {
        void loadBoot();
    }, []);
    return (
        <Shell crumbs={[{ text: t("devops.title") }]}>
            <Head title={t("devops.title")}>
                <Button kind="primary" icon="i-plus" onClick={() => openDialog("create")}>
                    {t("devops.create")}
                </Button>
            </Head>
            {all.length === 0 ? (
                <Empty icon="i-folder" title={t("devops.empty")} text={t("devops.emptyHelp")}>
                    <Button kind="primary" icon="i-plus" onClick={() => openDialog("create")}>
                        {t("devops.create")}
                    </Button>
                </Empty>
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
