/* Code Repositories: list with the state of the connection, import, delete. */
import { useState } from "preact/hooks";
import { send } from "../api/client";
import type { Credential, Repository } from "../api/types";
import { exact, t } from "../i18n";
import { useLoad } from "../load";
import { nameProblem } from "../model";
import { closeDialog, dialog, dialogOn, openDialog } from "../router";
import { ConfirmDelete, Footer, useAction } from "../ui/action";
import { Button, Empty, SelectField, Status, TextField } from "../ui/kit";
import { Dialog, Menu } from "../ui/overlay";
import { Loaded } from "./page";
import { Head, Shell } from "./shell";
import { ListTable, NameCell } from "./table";

const providers = ["git", "github", "gitlab", "bitbucket"] as const;
const providerNames: Record<string, string> = {
    git: "Git",
    github: "GitHub",
    gitlab: "GitLab",
    bitbucket: "Bitbucket",
};
const servers: Record<string, string> = {
    github: "https://github.com",
    gitlab: "https://gitlab.com",
    bitbucket: "https://bitbucket.org",
};

function ImportDialog({
    devops,
    close,
    done,
}: {
    devops: string;
    close: () => void;
    done: () => void;
}) {
    const [form, setForm] = useState({
        name: "",
        alias: "",
        description: "",
        provider: "git",
        url: "",
        server: "",
        owner: "",
        repository: "",
        credential: "",
    });
    const [checked, setChecked] = useState(false);
    const credentials = useLoad<{ items: Credential[] }>(`taut/v1/devops/${devops}/credentials`);
    const change = (to: Partial<typeof form>) => setForm({ ...form, ...to });
    const built =
        form.provider === "git"
            ? form.url
            : form.owner && form.repository
              ? `${form.server || servers[form.provider]}/${form.owner}/${form.repository}`
              : "";
    const wrong = nameProblem(form.name);
    const action = useAction(() => {
        done();
        close();
    });
    const ok = () => {
        setChecked(true);
        if (wrong || !built) return;
        void action.run(
            () =>
                send("POST", `taut/v1/devops/${devops}/repos`, {
                    name: form.name,
                    alias: form.alias,
                    description: form.description,
                    provider: form.provider,
                    url: built,
                    credential: form.credential,
                }),
            t("repos.imported", { name: form.name }),
        );
    };
    return (
        <Dialog
            title={t("repos.importTitle")}
            onClose={close}
            onPrimary={ok}
            error={action.error || undefined}
            footer={<Footer close={close} label={t("common.ok")} busy={action.busy} onOk={ok} />}
        >
            <div class="body col">
                <TextField
                    label={t("common.name")}
                    required
                    autofocus
                    value={form.name}
                    help={t("name.help")}
                    error={checked && wrong ? t(wrong) : undefined}
                    onValue={(name) => change({ name })}
                />
                <div class="two">
                    <TextField
                        label={t("common.alias")}
                        value={form.alias}
                        onValue={(alias) => change({ alias })}
                    />
                    <TextField
                        label={t("common.description")}
                        value={form.description}
                        onValue={(description) => change({ description })}
                    />
                </div>
                <h3 class="h">{t("repos.select")}</h3>
                <span class="seg" role="group" aria-label={t("repos.provider")}>
                    {providers.map((p) => (
                        <button
                            key={p}
                            type="button"
                            aria-pressed={form.provider === p}
                            onClick={() => change({ provider: p })}
                        >
                            {providerNames[p]}
                        </button>
                    ))}
                </span>
                {form.provider === "git" ? (
                    <TextField
                        label={t("repos.url")}
                        required
                        value={form.url}
                        error={checked && !built ? t("repos.urlRequired") : undefined}
                        onValue={(url) => change({ url })}
                    />
                ) : (
                    <>
                        <TextField
                            label={t("repos.server")}
                            value={form.server}
                            placeholder={servers[form.provider] ?? ""}
                            onValue={(server) => change({ server })}
                        />
                        <div class="two">
                            <TextField
                                label={t("repos.owner")}
                                required
                                value={form.owner}
                                onValue={(owner) => change({ owner })}
                            />
                            <TextField
                                label={t("repos.repository")}
                                required
                                value={form.repository}
                                error={checked && !built ? t("repos.urlRequired") : undefined}
                                onValue={(repository) => change({ repository })}
                            />
                        </div>
                        {built && <code>{built}</code>}
                    </>
                )}
                <SelectField
                    label={t("repos.credential")}
                    value={form.credential}
                    help={t("repos.credentialHelp")}
                    options={[
                        { value: "", label: t("common.none") },
                        ...(credentials.value?.items ?? []).map((c) => ({
                            value: c.name,
                            label: c.name,
                        })),
                    ]}
                    onValue={(credential) => change({ credential })}
                />
            </div>
        </Dialog>
    );
}

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

export function Repos({ devops }: { devops: string }) {
    const load = useLoad<{ items: Repository[] }>(`taut/v1/devops/${devops}/repos`);
    const verb = dialog.value;
    const target = dialogOn.value;
    const items = load.value?.items ?? [];
    const importButton = (
        <Button kind="primary" icon="i-plus" onClick={() => openDialog("import")}>
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
                                                    label: t("common.delete"),
                                                    icon: "i-trash",
                                                    risk: true,
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
