/* DevOps Projects, Code Repositories, Credentials, Clusters: lists with their one dialog each. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, send } from "../api/client";
import type { Cluster, Credential, Repository } from "../api/types";
import { exact, t } from "../i18n";
import { useLoad } from "../load";
import { nameProblem } from "../model";
import { href, query, setQuery } from "../router";
import { boot, loadBoot } from "../session";
import { Button, Empty, Note, SelectField, Status, TextField } from "../ui/kit";
import { Dialog, Menu, toast } from "../ui/overlay";
import { Loaded } from "./page";
import { Head, Shell } from "./shell";

function Table({
    label,
    heads,
    children,
}: {
    label: string;
    heads: string[];
    children: ComponentChildren;
}) {
    return (
        <div class="scroll">
            <table class="tbl" aria-label={label}>
                <thead>
                    <tr>
                        {heads.map((h) => (
                            <th scope="col" key={h}>
                                {h}
                            </th>
                        ))}
                        <th scope="col" class="last">
                            <span class="vh">{t("common.moreActions")}</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{children}</tbody>
            </table>
        </div>
    );
}

function NameCell({
    name,
    alias,
    sub,
    to,
}: {
    name: string;
    alias?: string | undefined;
    sub?: string | undefined;
    to?: string;
}) {
    return (
        <td style={{ paddingLeft: 0 }}>
            {to ? (
                <a class="name" href={href(to)}>
                    {name}
                </a>
            ) : (
                <span class="name">{name}</span>
            )}{" "}
            {alias && <span class="t3">{alias}</span>}
            {sub && <span class="sub">{sub}</span>}
        </td>
    );
}

/** Create and delete dialogs share their life: busy, refusal, done. */
function useSubmit(done: () => void) {
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState("");
    const submit = async (what: () => Promise<unknown>, message: string) => {
        if (busy) return;
        setBusy(true);
        setError("");
        try {
            await what();
            if (message) toast(message);
            done();
        } catch (e) {
            setError((e as ApiError).message);
        }
        setBusy(false);
    };
    return { busy, error, submit };
}

function OkFooter({
    close,
    label,
    busy,
    onOk,
    danger,
}: {
    close: () => void;
    label: string;
    busy: boolean;
    onOk: () => void;
    danger?: boolean;
}) {
    return (
        <span class="push row">
            <Button onClick={close}>{t("common.cancel")}</Button>
            <Button kind={danger ? "danger" : "primary"} busy={busy} onClick={onOk}>
                {label}
            </Button>
        </span>
    );
}

function ConfirmDelete({
    title,
    help,
    at,
    close,
    done,
}: {
    title: string;
    help: string;
    at: string;
    close: () => void;
    done: () => void;
}) {
    const { busy, error, submit } = useSubmit(() => {
        done();
        close();
    });
    const ok = () => void submit(() => send("DELETE", at), "");
    return (
        <Dialog
            title={title}
            size="s"
            onClose={close}
            error={error || undefined}
            footer={
                <OkFooter close={close} label={t("common.delete")} busy={busy} onOk={ok} danger />
            }
        >
            <div class="body">
                <p class="t2">{help}</p>
            </div>
        </Dialog>
    );
}

/* ---- DevOps Projects ---- */

function CreateDevops({ close }: { close: () => void }) {
    const [name, setName] = useState("");
    const [alias, setAlias] = useState("");
    const [description, setDescription] = useState("");
    const [checked, setChecked] = useState(false);
    const wrong = nameProblem(name);
    const { busy, error, submit } = useSubmit(() => {
        void loadBoot();
        close();
    });
    const ok = () => {
        setChecked(true);
        if (!wrong)
            void submit(
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
            error={error || undefined}
            footer={<OkFooter close={close} label={t("common.create")} busy={busy} onOk={ok} />}
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
    const close = () => setQuery({ do: null });
    useEffect(() => {
        void loadBoot();
    }, []);
    return (
        <Shell crumbs={[{ text: t("devops.title") }]}>
            <Head title={t("devops.title")}>
                <Button
                    kind="primary"
                    icon="i-plus"
                    onClick={() => setQuery({ do: "create" }, false)}
                >
                    {t("devops.create")}
                </Button>
            </Head>
            {all.length === 0 ? (
                <Empty icon="i-folder" title={t("devops.empty")} text={t("devops.emptyHelp")} />
            ) : (
                <Table
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
                </Table>
            )}
            {query.value.get("do") === "create" && <CreateDevops close={close} />}
        </Shell>
    );
}

/* ---- Code Repositories ---- */

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
    const { busy, error, submit } = useSubmit(() => {
        done();
        close();
    });
    const ok = () => {
        setChecked(true);
        if (wrong || !built) return;
        void submit(
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
            error={error || undefined}
            footer={<OkFooter close={close} label={t("common.ok")} busy={busy} onOk={ok} />}
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
    const verb = query.value.get("do");
    const target = query.value.get("on") ?? "";
    const close = () => setQuery({ do: null, on: null });
    const items = load.value?.items ?? [];
    const importButton = (
        <Button kind="primary" icon="i-plus" onClick={() => setQuery({ do: "import" }, false)}>
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
                        <Table
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
                                                    onPick: () =>
                                                        setQuery(
                                                            { do: "delete", on: r.name },
                                                            false,
                                                        ),
                                                },
                                            ]}
                                        />
                                    </td>
                                </tr>
                            ))}
                        </Table>
                    )
                }
            </Loaded>
            {verb === "import" && <ImportDialog devops={devops} close={close} done={load.again} />}
            {verb === "delete" && (
                <ConfirmDelete
                    title={t("repos.deleteTitle", { name: target })}
                    help={t("repos.deleteHelp")}
                    at={`taut/v1/devops/${devops}/repos/${target}`}
                    close={close}
                    done={load.again}
                />
            )}
        </Shell>
    );
}

/* ---- Credentials ---- */

function CreateCredential({
    devops,
    close,
    done,
}: {
    devops: string;
    close: () => void;
    done: () => void;
}) {
    const [name, setName] = useState("");
    const [type, setType] = useState("basic");
    const [username, setUsername] = useState("");
    const [value, setValue] = useState("");
    const [checked, setChecked] = useState(false);
    const wrong = nameProblem(name);
    const { busy, error, submit } = useSubmit(() => {
        done();
        close();
    });
    const ok = () => {
        setChecked(true);
        if (wrong || !value) return;
        void submit(
            () =>
                send("POST", `taut/v1/devops/${devops}/credentials`, {
                    name,
                    type,
                    username,
                    secret: value,
                }),
            t("create.done", { name }),
        );
    };
    const valueLabel =
        type === "basic"
            ? t("credentials.password")
            : type === "ssh"
              ? t("credentials.privateKey")
              : t("credentials.secret");
    return (
        <Dialog
            title={t("credentials.createTitle")}
            size="s"
            onClose={close}
            onPrimary={ok}
            error={error || undefined}
            footer={<OkFooter close={close} label={t("common.ok")} busy={busy} onOk={ok} />}
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
                <SelectField
                    label={t("credentials.type")}
                    value={type}
                    options={[
                        { value: "basic", label: t("credentials.basic") },
                        { value: "ssh", label: t("credentials.ssh") },
                        { value: "token", label: t("credentials.token") },
                    ]}
                    onValue={setType}
                />
                {type !== "token" && (
                    <TextField
                        label={t("credentials.username")}
                        value={username}
                        onValue={setUsername}
                    />
                )}
                <TextField
                    label={valueLabel}
                    required
                    type={type === "ssh" ? "text" : "password"}
                    multiline={type === "ssh"}
                    mono={type === "ssh"}
                    value={value}
                    error={checked && !value ? t("credentials.valueRequired") : undefined}
                    onValue={setValue}
                />
                <Note text={t("credentials.writeOnly")} />
            </div>
        </Dialog>
    );
}

const typeNames: Record<string, () => string> = {
    basic: () => t("credentials.basic"),
    ssh: () => t("credentials.ssh"),
    token: () => t("credentials.token"),
};

export function Credentials({ devops }: { devops: string }) {
    const load = useLoad<{ items: Credential[] }>(`taut/v1/devops/${devops}/credentials`);
    const verb = query.value.get("do");
    const target = query.value.get("on") ?? "";
    const close = () => setQuery({ do: null, on: null });
    const items = load.value?.items ?? [];
    const createButton = (
        <Button kind="primary" icon="i-plus" onClick={() => setQuery({ do: "create" }, false)}>
            {t("credentials.create")}
        </Button>
    );
    return (
        <Shell
            devops={devops}
            crumbs={[
                { text: devops, to: `/devops/${devops}/apps` },
                { text: t("credentials.title") },
            ]}
        >
            <Head title={t("credentials.title")}>{items.length > 0 && createButton}</Head>
            <Loaded ready={load.value !== null} error={load.error} again={load.again}>
                {() =>
                    items.length === 0 ? (
                        <Empty
                            icon="i-key"
                            title={t("credentials.empty")}
                            text={t("credentials.emptyHelp")}
                        >
                            {createButton}
                        </Empty>
                    ) : (
                        <Table
                            label={t("credentials.title")}
                            heads={[t("common.name"), t("credentials.type"), t("common.created")]}
                        >
                            {items.map((c) => (
                                <tr key={c.name}>
                                    <NameCell name={c.name} sub={c.description} />
                                    <td class="t2">{typeNames[c.type]?.() ?? c.type}</td>
                                    <td class="t2">{exact(c.created)}</td>
                                    <td class="last">
                                        <Menu
                                            label={t("common.more", { name: c.name })}
                                            icon="i-more"
                                            items={[
                                                {
                                                    label: t("common.delete"),
                                                    icon: "i-trash",
                                                    risk: true,
                                                    onPick: () =>
                                                        setQuery(
                                                            { do: "delete", on: c.name },
                                                            false,
                                                        ),
                                                },
                                            ]}
                                        />
                                    </td>
                                </tr>
                            ))}
                        </Table>
                    )
                }
            </Loaded>
            {verb === "create" && (
                <CreateCredential devops={devops} close={close} done={load.again} />
            )}
            {verb === "delete" && (
                <ConfirmDelete
                    title={t("credentials.deleteTitle", { name: target })}
                    help={t("credentials.deleteHelp")}
                    at={`taut/v1/devops/${devops}/credentials/${target}`}
                    close={close}
                    done={load.again}
                />
            )}
        </Shell>
    );
}

/* ---- Clusters ---- */

export function Clusters() {
    const load = useLoad<{ items: Cluster[] }>("taut/v1/clusters");
    const items = load.value?.items ?? [];
    return (
        <Shell crumbs={[{ text: t("clusters.title") }]}>
            <Head title={t("clusters.title")} />
            <Loaded ready={load.value !== null} error={load.error} again={load.again}>
                {() =>
                    items.length === 0 ? (
                        <Empty
                            icon="i-cluster"
                            title={t("clusters.empty")}
                            text={t("clusters.emptyHelp")}
                        />
                    ) : (
                        <Table
                            label={t("clusters.title")}
                            heads={[
                                t("common.name"),
                                t("clusters.server"),
                                t("clusters.version"),
                                t("clusters.state"),
                            ]}
                        >
                            {items.map((c) => (
                                <tr key={c.name}>
                                    <NameCell
                                        name={c.name}
                                        sub={c.name === "sandbox" ? t("apps.simulated") : undefined}
                                    />
                                    <td class="t2 wrap-any">{c.server ?? "–"}</td>
                                    <td class="t2">{c.version ?? "–"}</td>
                                    <td>
                                        <Status
                                            look={c.reachable === false ? "outofsync" : "healthy"}
                                            word={
                                                c.reachable === false
                                                    ? t("clusters.unreachable")
                                                    : t("repos.ok")
                                            }
                                            sub={c.message || undefined}
                                        />
                                    </td>
                                    <td class="last" />
                                </tr>
                            ))}
                        </Table>
                    )
                }
            </Loaded>
        </Shell>
    );
}
