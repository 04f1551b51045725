/* Credentials: list, create, delete; values are write-only. */
import { useState } from "preact/hooks";
import { send } from "../api/client";
import type { Credential } from "../api/types";
import { exact, t } from "../i18n";
import { useLoad } from "../load";
import { nameProblem } from "../model";
import { closeDialog, dialog, dialogOn, openDialog } from "../router";
import { ConfirmDelete, Footer, useAction } from "../ui/action";
import { Button, Empty, Note, SelectField, TextField } from "../ui/kit";
import { Dialog, Menu } from "../ui/overlay";
import { Loaded } from "./page";
import { Head, Shell } from "./shell";
import { ListTable, NameCell } from "./table";

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
    const action = useAction(() => {
        done();
        close();
    });
    const ok = () => {
        setChecked(true);
        if (wrong || !value) return;
        void action.run(
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
            error={action.error || undefined}
            footer={<Footer close={close} label={t("common.ok")} busy={action.busy} onOk={ok} />}
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
    const verb = dialog.value;
    const target = dialogOn.value;
    const items = load.value?.items ?? [];
    const createButton = (
        <Button kind="primary" icon="i-plus" onClick={() => openDialog("create")}>
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
                <CreateCredential devops={devops} close={closeDialog} done={load.again} />
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
