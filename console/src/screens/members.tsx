/* Members of a DevOps Project: invite, change the role, remove. */
import { useEffect, useState } from "preact/hooks";
import { get, send } from "../api/client";
import type { ListOf, Member, ProjectRole } from "../api/types";
import { t, type Key } from "../i18n";
import { useLoad } from "../load";
import { closeDialog, dialog, dialogOn, openDialog, query, setQuery } from "../router";
import { boot, lacks, loadBoot } from "../session";
import { ConfirmDelete, Footer, useAction } from "../ui/action";
import { Button, Choices, Empty, TextField } from "../ui/kit";
import { Dialog, Menu } from "../ui/overlay";
import { Loaded } from "./page";
import { ListTable, NameCell, SearchBox } from "./table";

const roles: ProjectRole[] = ["viewer", "operator", "admin"];

const roleChoices = () =>
    roles.map((r) => ({
        value: r,
        label: t(`members.role.${r}` as Key),
        help: t(`members.roleHelp.${r}` as Key),
    }));

function Invite({ at, done }: { at: string; done: () => void }) {
    const [name, setName] = useState("");
    const [role, setRole] = useState<string>("operator");
    const [names, setNames] = useState<string[]>([]);
    const [checked, setChecked] = useState(false);
    const action = useAction(() => {
        done();
        closeDialog();
    });
    useEffect(() => {
        const abort = new AbortController();
        get<ListOf<{ name: string }>>(
            `${at}/candidates?search=${encodeURIComponent(name.trim())}`,
            abort.signal,
        ).then(
            (found) => setNames(found.items.map((u) => u.name)),
            () => undefined,
        );
        return () => abort.abort();
    }, [name]);
    const ok = () => {
        setChecked(true);
        if (!name.trim()) return;
        void action.run(
            () => send("POST", at, { name: name.trim(), role }),
            t("members.invited", { name: name.trim() }),
        );
    };
    return (
        <Dialog
            title={t("members.invite")}
            onClose={closeDialog}
            onPrimary={ok}
            error={action.error || undefined}
            footer={
                <Footer close={closeDialog} label={t("common.ok")} busy={action.busy} onOk={ok} />
            }
        >
            <div class="body col">
                <TextField
                    label={t("login.user")}
                    required
                    autofocus
                    value={name}
                    list={names}
                    help={t("members.inviteHelp")}
                    error={checked && !name.trim() ? t("members.nameRequired") : undefined}
                    onValue={setName}
                />
                <Choices
                    label={t("members.role")}
                    value={role}
                    options={roleChoices()}
                    onValue={setRole}
                />
            </div>
        </Dialog>
    );
}

function ChangeRole({ at, member, done }: { at: string; member: Member; done: () => void }) {
    const [role, setRole] = useState<string>(member.role);
    const action = useAction(() => {
        done();
        closeDialog();
    });
    const ok = () =>
        void action.run(
            () => send("PUT", `${at}/${encodeURIComponent(member.name)}`, { role }),
            t("common.saved"),
        );
    return (
        <Dialog
            title={t("members.changeTitle", { name: member.name })}
            onClose={closeDialog}
            onPrimary={ok}
            error={action.error || undefined}
            footer={
                <Footer close={closeDialog} label={t("common.ok")} busy={action.busy} onOk={ok} />
            }
        >
            <div class="body col">
                <Choices
                    label={t("members.role")}
                    value={role}
                    options={roleChoices()}
                    onValue={setRole}
                />
            </div>
        </Dialog>
    );
}

function Row({ devops, member }: { devops: string; member: Member }) {
    const sub = member.kind !== "User" ? member.kind : undefined;
    return (
        <tr>
            <NameCell
                name={member.name}
                sub={
                    member.name === boot.value?.user.name && !sub
                        ? t("users.you")
                        : member.disabled
                          ? t("users.disabled")
                          : sub
                }
            />
            <td>{t(`members.role.${member.role}` as Key)}</td>
            <td class="t2">{t(`members.roleHelp.${member.role}` as Key)}</td>
            <td class="last">
                {!sub && (
                    <Menu
                        label={t("common.more", { name: member.name })}
                        icon="i-more"
                        items={[
                            {
                                label: t("members.change"),
                                icon: "i-edit",
                                lacks: lacks("update members", devops),
                                onPick: () => openDialog("role", member.name),
                            },
                            {
                                label: t("members.remove"),
                                icon: "i-trash",
                                risk: true,
                                line: true,
                                lacks: lacks("delete members", devops),
                                onPick: () => openDialog("remove", member.name),
                            },
                        ]}
                    />
                )}
            </td>
        </tr>
    );
}

export function Members({ devops }: { devops: string }) {
    const at = `taut/v1/devops/${encodeURIComponent(devops)}/members`;
    const load = useLoad<{ items: Member[] }>(at);
    const search = query.value.get("q") ?? "";
    const items = load.value?.items ?? [];
    const shown = items.filter((m) => m.name.includes(search.trim().toLowerCase()));
    const chosen = items.find((m) => m.name === dialogOn.value);
    const done = () => {
        load.again();
        void loadBoot();
    };
    return (
        <Loaded ready={load.value !== null} error={load.error} again={load.again}>
            {() => (
                <>
                    <div class="row between wrap">
                        <SearchBox
                            label={t("members.search")}
                            value={search}
                            onValue={(q) => setQuery({ q })}
                        />
                        <Button
                            kind="primary"
                            icon="i-plus"
                            lacks={lacks("create members", devops)}
                            onClick={() => openDialog("invite")}
                        >
                            {t("members.invite")}
                        </Button>
                    </div>
                    {shown.length === 0 ? (
                        <Empty
                            icon="i-user"
                            title={search ? t("common.noMatch") : t("members.empty")}
                            text={search ? "" : t("members.emptyHelp")}
                        />
                    ) : (
                        <ListTable
                            label={t("members.title")}
                            heads={[t("login.user"), t("members.role"), t("members.may")]}
                        >
                            {shown.map((m) => (
                                <Row key={`${m.kind}/${m.name}`} devops={devops} member={m} />
                            ))}
                        </ListTable>
                    )}
                    {dialog.value === "invite" && <Invite at={at} done={done} />}
                    {dialog.value === "role" && chosen && (
                        <ChangeRole at={at} member={chosen} done={done} />
                    )}
                    {dialog.value === "remove" && chosen && (
                        <ConfirmDelete
                            title={t("members.removeTitle", { name: chosen.name })}
                            help={t("members.removeHelp")}
                            at={`${at}/${encodeURIComponent(chosen.name)}`}
                            close={closeDialog}
                            done={done}
                        />
                    )}
                </>
            )}
        </Loaded>
    );
}
