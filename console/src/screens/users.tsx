/* Users of the platform: who there is, what they may, where they are members. */
import { useState } from "preact/hooks";
import { send } from "../api/client";
import type { PlatformRole, User } from "../api/types";
import { exact, t, type Key } from "../i18n";
import { useLoad } from "../load";
import { nameProblem } from "../model";
import { closeDialog, dialog, dialogOn, openDialog, query, setQuery } from "../router";
import { boot, lacks, passwordProblem } from "../session";
import { ConfirmDelete, Footer, useAction, useDraft } from "../ui/action";
import { Button, Choices, Empty, Note, SelectField, Status, TextField } from "../ui/kit";
import { Dialog, Menu, toast } from "../ui/overlay";
import { Loaded } from "./page";
import { Head, Shell } from "./shell";
import { ListTable, NameCell, SearchBox } from "./table";

const roles: PlatformRole[] = ["platform-regular", "platform-self-provisioner", "platform-admin"];

const roleChoices = () =>
    roles.map((r) => ({
        value: r,
        label: t(`users.role.${r}` as Key),
        help: t(`users.roleHelp.${r}` as Key),
    }));

const languageOptions = () => [
    { value: "", label: t("users.languageNone") },
    { value: "en", label: t("language.en") },
    { value: "zh-CN", label: t("language.zh-CN") },
];

interface Done {
    done: () => void;
}

function CreateUser({ done }: Done) {
    const draft = useDraft("user.create", { name: "", role: "platform-regular", language: "" });
    const { name, role, language } = draft.value;
    const [password, setPassword] = useState("");
    const [checked, setChecked] = useState(false);
    const end = () => {
        draft.drop();
        closeDialog();
    };
    const wrongName = nameProblem(name);
    const wrongPassword = passwordProblem(name, password);
    const action = useAction(() => {
        done();
        end();
    });
    const ok = () => {
        setChecked(true);
        if (wrongName || wrongPassword) return;
        void action.run(
            () => send("POST", "taut/v1/users", { name, role, language, password }),
            t("create.done", { name }),
        );
    };
    return (
        <Dialog
            title={t("users.createTitle")}
            onClose={end}
            onPrimary={ok}
            error={action.error || undefined}
            footer={<Footer close={end} label={t("common.create")} busy={action.busy} onOk={ok} />}
        >
            <div class="body col">
                <TextField
                    label={t("login.user")}
                    required
                    autofocus
                    value={name}
                    help={t("name.help")}
                    error={checked && wrongName ? t(wrongName) : undefined}
                    onValue={(to) => draft.change({ name: to })}
                />
                <Choices
                    label={t("users.role")}
                    value={role}
                    options={roleChoices()}
                    onValue={(to) => draft.change({ role: to })}
                />
                <div class="two">
                    <TextField
                        label={t("login.password")}
                        type="password"
                        complete="new-password"
                        required
                        value={password}
                        help={t("users.passwordHelp")}
                        error={checked && wrongPassword ? t(wrongPassword) : undefined}
                        onValue={setPassword}
                    />
                    <SelectField
                        label={t("users.language")}
                        value={language}
                        options={languageOptions()}
                        onValue={(to) => draft.change({ language: to })}
                    />
                </div>
            </div>
        </Dialog>
    );
}

function EditUser({ user, done }: Done & { user: User }) {
    const [role, setRole] = useState<string>(user.role ?? "platform-regular");
    const [language, setLanguage] = useState(user.language ?? "");
    const action = useAction(() => {
        done();
        closeDialog();
    });
    const ok = () =>
        void action.run(
            () =>
                send("PATCH", `taut/v1/users/${user.name}`, {
                    language,
                    ...(role === user.role ? {} : { role }),
                }),
            t("common.saved"),
        );
    return (
        <Dialog
            title={t("users.editTitle", { name: user.name })}
            onClose={closeDialog}
            onPrimary={ok}
            error={action.error || undefined}
            footer={
                <Footer close={closeDialog} label={t("common.ok")} busy={action.busy} onOk={ok} />
            }
        >
            <div class="body col">
                <Choices
                    label={t("users.role")}
                    value={role}
                    options={roleChoices()}
                    onValue={setRole}
                />
                <SelectField
                    label={t("users.language")}
                    value={language}
                    options={languageOptions()}
                    onValue={setLanguage}
                />
                {user.memberships && user.memberships.length > 0 && (
                    <section>
                        <h3 class="h">{t("users.memberOf")}</h3>
                        <ul class="goes">
                            {user.memberships.map((m) => (
                                <li key={m.devops}>
                                    {t("user.roleIn", { role: m.role, devops: m.devops })}
                                </li>
                            ))}
                        </ul>
                    </section>
                )}
            </div>
        </Dialog>
    );
}

function ResetPassword({ user, done }: Done & { user: User }) {
    const [password, setPassword] = useState("");
    const [checked, setChecked] = useState(false);
    const wrong = passwordProblem(user.name, password);
    const action = useAction(() => {
        done();
        closeDialog();
    });
    const ok = () => {
        setChecked(true);
        if (wrong) return;
        void action.run(
            () => send("PUT", `taut/v1/users/${user.name}/password`, { password }),
            t("users.passwordDone", { name: user.name }),
        );
    };
    return (
        <Dialog
            title={t("users.passwordTitle", { name: user.name })}
            size="s"
            onClose={closeDialog}
            onPrimary={ok}
            error={action.error || undefined}
            footer={
                <Footer close={closeDialog} label={t("common.ok")} busy={action.busy} onOk={ok} />
            }
        >
            <div class="body col">
                <TextField
                    label={t("user.passwordNew")}
                    type="password"
                    complete="new-password"
                    required
                    autofocus
                    value={password}
                    help={t("users.passwordHelp")}
                    error={checked && wrong ? t(wrong) : undefined}
                    onValue={setPassword}
                />
                <Note text={t("users.passwordEnds")} />
            </div>
        </Dialog>
    );
}

function memberships(user: User): string {
    const all = user.memberships ?? [];
    const shown = all.slice(0, 3).map((m) => `${m.devops} (${m.role})`);
    return all.length > 3
        ? t("users.memberMore", { first: shown.join(", "), n: all.length - 3 })
        : shown.join(", ");
}

function Row({ user, again }: { user: User; again: () => void }) {
    const off = lacks("update users");
    const disable = () =>
        send("PATCH", `taut/v1/users/${user.name}`, { disabled: !user.disabled }).then(
            () => {
                toast(t("common.saved"));
                again();
            },
            (e: Error) => toast(e.message, true),
        );
    return (
        <tr>
            <NameCell
                name={user.name}
                sub={user.name === boot.value?.user.name ? t("users.you") : undefined}
            />
            <td>{user.role && t(`users.role.${user.role}` as Key)}</td>
            <td class="t2 wrap-any">{memberships(user) || "–"}</td>
            <td>
                <Status
                    look={user.disabled ? "suspended" : "healthy"}
                    word={user.disabled ? t("users.disabled") : t("users.active")}
                    sub={
                        user.disabled
                            ? undefined
                            : t("users.sessions", {
                                  n: user.sessions ?? 0,
                                  tokens: user.tokens ?? 0,
                              })
                    }
                />
            </td>
            <td class="t2">{exact(user.created)}</td>
            <td class="last">
                <Menu
                    label={t("common.more", { name: user.name })}
                    icon="i-more"
                    items={[
                        {
                            label: t("users.edit"),
                            icon: "i-edit",
                            lacks: off,
                            onPick: () => openDialog("edit", user.name),
                        },
                        {
                            label: t("users.reset"),
                            icon: "i-lock",
                            lacks: off,
                            onPick: () => openDialog("password", user.name),
                        },
                        {
                            label: user.disabled ? t("users.enable") : t("users.disable"),
                            icon: user.disabled ? "i-check" : "i-close",
                            lacks: off,
                            onPick: () => void disable(),
                        },
                        {
                            label: t("common.delete"),
                            icon: "i-trash",
                            risk: true,
                            line: true,
                            lacks: lacks("delete users"),
                            onPick: () => openDialog("delete", user.name),
                        },
                    ]}
                />
            </td>
        </tr>
    );
}

function Dialogs({ items, again }: { items: User[]; again: () => void }) {
    const user = items.find((u) => u.name === dialogOn.value);
    if (dialog.value === "create") return <CreateUser done={again} />;
    if (!user) return null;
    if (dialog.value === "edit") return <EditUser user={user} done={again} />;
    if (dialog.value === "password") return <ResetPassword user={user} done={again} />;
    if (dialog.value === "delete")
        return (
            <ConfirmDelete
                title={t("users.deleteTitle", { name: user.name })}
                help={t("users.deleteHelp")}
                at={`taut/v1/users/${user.name}`}
                close={closeDialog}
                done={again}
            />
        );
    return null;
}

export function Users() {
    const search = query.value.get("q") ?? "";
    const load = useLoad<{ items: User[] }>("taut/v1/users");
    const items = load.value?.items ?? [];
    const shown = items.filter((u) => u.name.includes(search.trim().toLowerCase()));
    return (
        <Shell crumbs={[{ text: t("nav.users") }]}>
            <Head title={t("nav.users")}>
                <Button
                    kind="primary"
                    icon="i-plus"
                    lacks={lacks("create users")}
                    onClick={() => openDialog("create")}
                >
                    {t("common.create")}
                </Button>
            </Head>
            <Loaded ready={load.value !== null} error={load.error} again={load.again}>
                {() => (
                    <>
                        <SearchBox
                            label={t("users.search")}
                            value={search}
                            onValue={(q) => setQuery({ q })}
                        />
                        {shown.length === 0 ? (
                            <Empty icon="i-search" title={t("common.noMatch")}>
                                <Button onClick={() => setQuery({ q: null })}>
                                    {t("common.clear")}
                                </Button>
                            </Empty>
                        ) : (
                            <ListTable
                                label={t("nav.users")}
                                heads={[
                                    t("login.user"),
                                    t("users.role"),
                                    t("users.memberOf"),
                                    t("users.state"),
                                    t("common.created"),
                                ]}
                            >
                                {shown.slice(0, 200).map((u) => (
                                    <Row key={u.name} user={u} again={load.again} />
                                ))}
                            </ListTable>
                        )}
                        {shown.length > 200 && (
                            <p class="t3 gap-top">
                                {t("users.moreFound", { n: shown.length - 200 })}
                            </p>
                        )}
                    </>
                )}
            </Loaded>
            <Dialogs items={items} again={load.again} />
        </Shell>
    );
}
