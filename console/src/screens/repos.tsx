/* Code Repositories: list with the state of the connection, import, delete. */
import { useEffect } from "preact/hooks";
import { send } from "../api/client";
import type { Repository } from "../api/types";
import { exact, t } from "../i18n";
import { useLoad } from "../load";
import { closeDialog, dialog, dialogOn, openDialog } from "../router";
import { lacks } from "../session";
import { ConfirmDelete } from "../ui/action";
import { Button, Empty, Status } from "../ui/kit";
import { Menu } from "../ui/overlay";
import { ImportDialog } from "./import";
import { RepoYaml } from "./repo-yaml";
import { Loaded } from "./page";
import { Head, Shell } from "./shell";
import { ListTable, NameCell } from "./table";

function Connection({ repo }: { repo: Repository }) {
    const c = repo.connection;
    if (!c || !c.state) return <Status look="syncunknown" word={t("repos.unknown")} />;
    const ok = /^(ok|connected|successful)$/i.test(c.state);
    return (
        <Status
            look={ok ? "healthy" : "degraded"}
            word={ok ? t("repos.ok") : t("repos.failed")}
            sub={ok ? undefined : c.message}
        />
    );
}

const FRESH_MS = 60_000;
const AT_ONCE = 4;

/** Tests those whose last answer is old, a few at a time, then reads the list again. */
function useTests(devops: string, items: Repository[], again: () => void) {
    const old = items.filter((r) => {
        const at = r.connection?.checkedAt;
        return !at || Date.now() - Date.parse(at) > FRESH_MS;
    });
    const names = old.map((r) => r.name).join("\n");
    useEffect(() => {
        if (!names) return;
        let over = false;
        const left = names.split("\n");
        const worker = async () => {
            for (let name = left.shift(); name && !over; name = left.shift())
                await send("POST", `taut/v1/devops/${devops}/repos/${name}/test`).catch(
                    () => undefined,
                );
        };
        void Promise.all(Array.from({ length: AT_ONCE }, worker)).then(() => {
            if (!over) again();
        });
        return () => {
            over = true;
        };
    }, [devops, names]);
}

export function Repos({ devops }: { devops: string }) {
    const load = useLoad<{ items: Repository[] }>(`taut/v1/devops/${devops}/repos`);
    const verb = dialog.value;
    const target = dialogOn.value;
    const items = load.value?.items ?? [];
    const chosen = items.find((r) => r.name === target);
    useTests(devops, items, load.again);
    const importButton = (
        <Button
            kind="primary"
            icon="i-plus"
            lacks={lacks("create repositories", devops)}
            onClick={() => openDialog("import")}
        >
            {t("repos.import")}
        </Button>
    );
    return (
        <Shell
            devops={devops}
            crumbs={[{ text: devops, to: `/devops/${devops}/apps` }, { text: t("repos.title") }]}
        >
            <Head title={t("repos.title")}>{items.length > 0 && importButton}</Head>
            <Loaded ready={load.value !== null} error={load.error} again={load.again}>
                {() =>
                    items.length === 0 ? (
                        <Empty icon="i-repo" title={t("repos.empty")} text={t("repos.emptyHelp")}>
                            {importButton}
                        </Empty>
                    ) : (
                        <ListTable
                            label={t("repos.title")}
                            heads={[
                                t("common.name"),
                                t("repos.url"),
                                t("repos.credential"),
                                t("repos.state"),
                                t("common.created"),
                            ]}
                        >
                            {items.map((r) => (
                                <tr key={r.name}>
                                    <NameCell name={r.name} alias={r.alias} sub={r.description} />
                                    <td class="t2 wrap-any">{r.url}</td>
                                    <td class="t2">{r.credential || "–"}</td>
                                    <td>
                                        <Connection repo={r} />
                                    </td>
                                    <td class="t2 nowrap">{exact(r.created)}</td>
                                    <td class="last">
                                        <Menu
                                            label={t("common.more", { name: r.name })}
                                            icon="i-more"
                                            items={[
                                                {
                                                    label: t("repos.edit"),
                                                    icon: "i-edit",
                                                    lacks: lacks("update repositories", devops),
                                                    onPick: () => openDialog("edit", r.name),
                                                },
                                                {
                                                    label: t("apps.editYaml"),
                                                    icon: "i-yaml",
                                                    lacks: lacks("update repositories", devops),
                                                    onPick: () => openDialog("yaml", r.name),
                                                },
                                                {
                                                    label: t("common.delete"),
                                                    icon: "i-trash",
                                                    risk: true,
                                                    lacks: lacks("delete repositories", devops),
                                                    onPick: () => openDialog("delete", r.name),
                                                },
                                            ]}
                                        />
                                    </td>
                                </tr>
                            ))}
                        </ListTable>
                    )
                }
            </Loaded>
            {verb === "import" && (
                <ImportDialog devops={devops} close={closeDialog} done={load.again} />
            )}
            {verb === "edit" && chosen && (
                <ImportDialog devops={devops} repo={chosen} close={closeDialog} done={load.again} />
            )}
            {verb === "yaml" && chosen && (
                <RepoYaml devops={devops} repo={chosen} close={closeDialog} done={load.again} />
            )}
            {verb === "delete" && (
                <ConfirmDelete
                    title={t("repos.deleteTitle", { name: target })}
                    help={t("repos.deleteHelp")}
                    at={`taut/v1/devops/${devops}/repos/${target}`}
                    close={closeDialog}
                    done={load.again}
                />
            )}
        </Shell>
    );
}
