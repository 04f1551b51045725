/* Credentials: list with where each is used, create, edit, delete; values are write-only. */
import { useState } from "preact/hooks";
import { send } from "../api/client";
import type { Credential } from "../api/types";
import { exact, t } from "../i18n";
import { useLoad } from "../load";
import { nameProblem } from "../model";
import { closeDialog, dialog, dialogOn, href, openDialog } from "../router";
import { drafts, lacks } from "../session";
import { ConfirmDelete, Footer, useAction } from "../ui/action";
import { Button, Empty, Note, SelectField, TextField } from "../ui/kit";
import { Dialog, Menu } from "../ui/overlay";
import { Loaded } from "./page";
import { Head, Shell } from "./shell";
import { ListTable, NameCell } from "./table";

type Kind = "basic" | "ssh" | "token";

interface Form {
    name: string;
    type: Kind;
    username: string;
    description: string;
}

const valueLabels = {
    basic: "credentials.password",
    ssh: "credentials.privateKey",
    token: "credentials.secret",
} as const;

/** Values are held by the page alone: no draft has them. */
function ValueFields({
    type,
    value,
    onValue,
    passphrase,
    onPassphrase,
    error,
    keep,
}: {
    type: Kind;
    value: string;
    onValue: (to: string) => void;
    passphrase: string;
    onPassphrase: (to: string) => void;
    error: string | undefined;
    keep: boolean;
}) {
    const ssh = type === "ssh";
    return (
        <>
            <TextField
                label={t(valueLabels[type])}
                required={!keep}
                type={ssh ? "text" : "password"}
                multiline={ssh}
                secret={ssh}
                complete="new-password"
                mono={ssh}
                value={value}
                error={error}
                {...(keep ? { help: t("credentials.keep") } : {})}
                onValue={onValue}
            />
            {ssh && (
                <TextField
                    label={t("credentials.passphrase")}
                    type="password"
                    complete="new-password"
                    value={passphrase}
                    help={t("credentials.passphraseHelp")}
                    onValue={onPassphrase}
                />
            )}
        </>
    );
}

function CredentialDialog({
    devops,
    close,
    done,
    credential,
}: {
    devops: string;
    close: () => void;
    done: () => void;
    /** Given: it is edited; name and type stay. */
    credential?: Credential;
}) {
    const key = `credential.${devops}.${credential?.name ?? ""}`;
    const [form, setForm] = useState<Form>(
        () =>
            drafts.load<Form>(key) ?? {
                name: credential?.name ?? "",
                type: (credential?.type ?? "basic") as Kind,
                username: credential?.username ?? "",
                description: credential?.description ?? "",
            },
    );
    const [value, setValue] = useState("");
    const [passphrase, setPassphrase] = useState("");
    const [checked, setChecked] = useState(false);
    const change = (to: Partial<Form>) => {
        const next = { ...form, ...to };
        setForm(next);
        drafts.save(key, next);
    };
    const end = () => {
        drafts.drop(key);
        close();
    };
    const wrong = credential ? null : nameProblem(form.name);
    const noUser = form.type === "basic" && !form.username;
    const action = useAction(() => {
        done();
        end();
    });
    const at = `taut/v1/devops/${devops}/credentials`;
    const ok = () => {
        setChecked(true);
        if (wrong || noUser || (!credential && !value)) return;
        const { name, type, ...rest } = form;
        const body = { ...rest, secret: value, passphrase };
        void action.run(
            () =>
                credential
                    ? send("PATCH", `${at}/${name}`, body)
                    : send("POST", at, { ...body, name, type }),
            credential ? t("common.saved") : t("create.done", { name }),
        );
    };
    return (
        <Dialog
            title={
                credential
                    ? t("credentials.editTitle", { name: credential.name })
                    : t("credentials.createTitle")
            }
            size="s"
            onClose={end}
            onPrimary={ok}
            error={action.error || undefined}
            footer={<Footer close={end} label={t("common.ok")} busy={action.busy} onOk={ok} />}
        >
            <div class="body col">
                <TextField
                    label={t("common.name")}
                    required={!credential}
                    autofocus={!credential}
                    disabled={Boolean(credential)}
                    value={form.name}
                    {...(credential ? {} : { help: t("name.help") })}
                    error={(checked || form.name) && wrong ? t(wrong) : undefined}
                    onValue={(name) => change({ name })}
                />
                {!credential && (
                    <SelectField
                        label={t("credentials.type")}
                        value={form.type}
                        options={(["basic", "ssh", "token"] as const).map((k) => ({
                            value: k,
                            label: t(`credentials.${k}`),
                        }))}
                        onValue={(to) => change({ type: to as Kind })}
                    />
                )}
                {form.type !== "token" && (
                    <TextField
                        label={t("credentials.username")}
                        required={form.type === "basic"}
                        value={form.username}
                        error={checked && noUser ? t("credentials.userRequired") : undefined}
                        onValue={(username) => change({ username })}
                    />
                )}
                <ValueFields
                    type={form.type}
                    value={value}
                    onValue={setValue}
                    passphrase={passphrase}
                    onPassphrase={setPassphrase}
                    error={
                        checked && !credential && !value
                            ? t("credentials.valueRequired")
                            : undefined
                    }
                    keep={Boolean(credential)}
                />
                <TextField
                    label={t("common.description")}
                    value={form.description}
                    onValue={(text) => change({ description: text.slice(0, 256) })}
                />
                <Note title={t("credentials.writeOnly")} />
            </div>
        </Dialog>
    );
}

const typeNames: Record<string, () => string> = {
    basic: () => t("credentials.basic"),
    ssh: () => t("credentials.ssh"),
    token: () => t("credentials.token"),
};

const NAMED = 3;

function UsedBy({ devops, repos }: { devops: string; repos: string[] }) {
    if (repos.length === 0) return <>–</>;
    return (
        <>
            {repos.slice(0, NAMED).map((name, i) => (
                <>
                    {i > 0 && ", "}
                    <a href={href(`/devops/${devops}/repos?dialog=edit&on=${name}`)}>{name}</a>
                </>
            ))}
            {repos.length > NAMED && ` ${t("repos.andMore", { n: repos.length - NAMED })}`}
        </>
    );
}

export function Credentials({ devops }: { devops: string }) {
    const load = useLoad<{ items: Credential[] }>(`taut/v1/devops/${devops}/credentials`);
    const verb = dialog.value;
    const target = dialogOn.value;
    const items = load.value?.items ?? [];
    const chosen = items.find((c) => c.name === target);
    const createButton = (
        <Button
            kind="primary"
            icon="i-plus"
            lacks={lacks("create credentials", devops)}
            onClick={() => openDialog("create")}
        >
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
                        <ListTable
                            label={t("credentials.title")}
                            heads={[
                                t("common.name"),
                                t("credentials.type"),
                                t("credentials.username"),
                                t("credentials.usedBy"),
                                t("common.created"),
                            ]}
                        >
                            {items.map((c) => (
                                <tr key={c.name}>
                                    <NameCell name={c.name} sub={c.description} />
                                    <td class="t2">{typeNames[c.type]?.() ?? c.type}</td>
                                    <td class="t2">{c.username || "–"}</td>
                                    <td class="t2">
                                        <UsedBy devops={devops} repos={c.usedBy ?? []} />
                                    </td>
                                    <td class="t2 nowrap">{exact(c.created)}</td>
                                    <td class="last">
                                        <Menu
                                            label={t("common.more", { name: c.name })}
                                            icon="i-more"
                                            items={[
                                                {
                                                    label: t("credentials.edit"),
                                                    icon: "i-edit",
                                                    lacks: lacks("update credentials", devops),
                                                    onPick: () => openDialog("edit", c.name),
                                                },
                                                {
                                                    label: t("common.delete"),
                                                    icon: "i-trash",
                                                    risk: true,
                                                    lacks: lacks("delete credentials", devops),
                                                    onPick: () => openDialog("delete", c.name),
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
            {verb === "create" && (
                <CredentialDialog devops={devops} close={closeDialog} done={load.again} />
            )}
            {verb === "edit" && chosen && (
                <CredentialDialog
                    devops={devops}
                    credential={chosen}
                    close={closeDialog}
                    done={load.again}
                />
            )}
            {verb === "delete" && (
                <ConfirmDelete
                    title={t("credentials.deleteTitle", { name: target })}
                    help={t("credentials.deleteHelp")}
                    at={`taut/v1/devops/${devops}/credentials/${target}`}
                    close={closeDialog}
                    done={load.again}
                />
            )}
        </Shell>
    );
}
