/* One's own account: the menu at the top right, and its dialogs, which open over any page. */
import { useState } from "preact/hooks";
import { send, type ApiError } from "../api/client";
import type { Token, TokenMade } from "../api/types";
import { exact, language, t, type Key, type Language } from "../i18n";
import { useLoad } from "../load";
import { nameProblem } from "../model";
import { closeDialog, dialog, go, openDialog } from "../router";
import { boot, chooseLanguage, logOut, passwordProblem } from "../session";
import { chooseTheme, theme } from "../theme";
import { Footer, useAction } from "../ui/action";
import { Button, CopyButton, Note, SelectField, Skeleton, TextField } from "../ui/kit";
import { Dialog, Menu, type MenuItem } from "../ui/overlay";
import { Loaded } from "./page";
import { ListTable, NameCell } from "./table";

const languages: { value: Language; key: Key }[] = [
    { value: "en", key: "language.en" },
    { value: "zh-CN", key: "language.zh-CN" },
];

function choices(): MenuItem[] {
    const picks: MenuItem[] = languages.map((l) => ({
        label: t(l.key),
        icon: "i-globe",
        checked: language.value === l.value,
        onPick: () => chooseLanguage(l.value),
    }));
    const themes: MenuItem[] = (["light", "dark", "system"] as const).map((wanted, i) => ({
        label: t(`user.theme.${wanted}` as Key),
        icon: "i-sun",
        line: i === 0,
        checked: theme.value === wanted,
        onPick: () => chooseTheme(wanted),
    }));
    return [...picks, ...themes];
}

export function UserMenu() {
    const user = boot.value?.user;
    if (!user) return null;
    const roles = user.memberships ?? [];
    return (
        <Menu
            label={`${user.name}: ${t("user.menu")}`}
            icon="i-user"
            kind="ghost small"
            about={
                <>
                    <span class="m">{user.name}</span>
                    {user.role && <span class="sub">{t(`users.role.${user.role}` as Key)}</span>}
                    {roles.slice(0, 5).map((m) => (
                        <span class="sub" key={m.devops}>
                            {t("user.roleIn", { role: m.role, devops: m.devops })}
                        </span>
                    ))}
                    {roles.length > 5 && (
                        <span class="sub">{t("user.rolesMore", { n: roles.length - 5 })}</span>
                    )}
                </>
            }
            items={[
                ...choices(),
                {
                    label: t("user.password"),
                    icon: "i-lock",
                    line: true,
                    onPick: () => openDialog("my-password"),
                },
                { label: t("user.tokens"), icon: "i-key", onPick: () => openDialog("my-tokens") },
                {
                    label: t("user.logoutAll"),
                    icon: "i-lock",
                    line: true,
                    onPick: () => openDialog("log-out-everywhere"),
                },
                {
                    label: t("user.logout"),
                    icon: "i-lock",
                    onPick: () => void logOut().then(() => go("/login")),
                },
            ]}
        >
            <span class="hide-s cut">{user.name}</span>
        </Menu>
    );
}

function ChangePassword() {
    const [current, setCurrent] = useState("");
    const [password, setPassword] = useState("");
    const [again, setAgain] = useState("");
    const [checked, setChecked] = useState(false);
    const action = useAction(() => closeDialog());
    const wrong = passwordProblem(boot.value?.user.name ?? "", password);
    const differs = password !== again;
    const ok = () => {
        setChecked(true);
        if (!current || wrong || differs) return;
        void action.run(
            () => send("PUT", "taut/v1/me/password", { current, password }),
            t("user.passwordDone"),
        );
    };
    return (
        <Dialog
            title={t("user.password")}
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
                    label={t("user.passwordCurrent")}
                    type="password"
                    required
                    autofocus
                    value={current}
                    error={checked && !current ? t("user.passwordCurrentRequired") : undefined}
                    onValue={setCurrent}
                />
                <TextField
                    label={t("user.passwordNew")}
                    type="password"
                    required
                    value={password}
                    help={t("users.passwordHelp")}
                    error={checked && wrong ? t(wrong) : undefined}
                    onValue={setPassword}
                />
                <TextField
                    label={t("user.passwordAgain")}
                    type="password"
                    required
                    value={again}
                    error={checked && differs ? t("user.passwordDiffers") : undefined}
                    onValue={setAgain}
                />
                <p class="t3">{t("user.passwordEnds")}</p>
            </div>
        </Dialog>
    );
}

const lives = ["7", "30", "90", "365", "0"];

function NewToken({ done }: { done: (made: TokenMade) => void }) {
    const [name, setName] = useState("");
    const [days, setDays] = useState("30");
    const [checked, setChecked] = useState(false);
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState("");
    const wrong = nameProblem(name);
    const make = async () => {
        setChecked(true);
        if (wrong || busy) return;
        setBusy(true);
        setError("");
        try {
            done(
                await send<TokenMade>("POST", "taut/v1/me/tokens", {
                    name,
                    expiresInDays: Number(days),
                }),
            );
            setName("");
            setChecked(false);
        } catch (e) {
            setError((e as ApiError).message);
        }
        setBusy(false);
    };
    return (
        <form
            class="col"
            onSubmit={(e) => {
                e.preventDefault();
                void make();
            }}
        >
            {error && <Note look="degraded" text={error} />}
            <div class="two">
                <TextField
                    label={t("common.name")}
                    required
                    value={name}
                    error={checked && wrong ? t(wrong) : undefined}
                    onValue={setName}
                />
                <SelectField
                    label={t("tokens.expiry")}
                    value={days}
                    onValue={setDays}
                    options={lives.map((d) => ({
                        value: d,
                        label: d === "0" ? t("common.never") : t("tokens.days", { n: Number(d) }),
                    }))}
                />
            </div>
            <div>
                <Button type="submit" icon="i-plus" busy={busy}>
                    {t("tokens.create")}
                </Button>
            </div>
        </form>
    );
}

function MyTokens() {
    const load = useLoad<{ items: Token[] }>("taut/v1/me/tokens");
    const [made, setMade] = useState<TokenMade | null>(null);
    const [error, setError] = useState("");
    const revoke = (name: string) =>
        send("DELETE", `taut/v1/me/tokens/${encodeURIComponent(name)}`).then(
            () => {
                if (made?.name === name) setMade(null);
                load.again();
            },
            (e: ApiError) => setError(e.message),
        );
    const items = load.value?.items ?? [];
    return (
        <Dialog
            title={t("user.tokens")}
            onClose={closeDialog}
            error={error || undefined}
            footer={
                <span class="push row">
                    <Button onClick={() => closeDialog()}>{t("common.close")}</Button>
                </span>
            }
        >
            <div class="body col">
                <p class="t2">{t("tokens.help")}</p>
                {made && (
                    <div class="secret-once" role="status">
                        <span>
                            <span class="sub">{t("tokens.once", { name: made.name })}</span>
                            <code>{made.token}</code>
                        </span>
                        <span class="push">
                            <CopyButton text={made.token} />
                        </span>
                    </div>
                )}
                <NewToken
                    done={(token) => {
                        setMade(token);
                        load.again();
                    }}
                />
                <Loaded ready={load.value !== null} error={load.error} again={load.again}>
                    {() =>
                        items.length === 0 ? (
                            <p class="t3">{t("tokens.empty")}</p>
                        ) : (
                            <ListTable
                                label={t("user.tokens")}
                                heads={[t("common.name"), t("common.created"), t("tokens.expiry")]}
                            >
                                {items.map((k) => (
                                    <tr key={k.name}>
                                        <NameCell name={k.name} />
                                        <td class="t2">{exact(k.created)}</td>
                                        <td class="t2">
                                            {k.expired
                                                ? t("tokens.expired")
                                                : k.expires
                                                  ? exact(k.expires)
                                                  : t("common.never")}
                                        </td>
                                        <td class="last">
                                            <Button
                                                kind="ghost small"
                                                aria-label={t("tokens.revokeOne", { name: k.name })}
                                                onClick={() => void revoke(k.name)}
                                            >
                                                {t("tokens.revoke")}
                                            </Button>
                                        </td>
                                    </tr>
                                ))}
                            </ListTable>
                        )
                    }
                </Loaded>
                {load.value === null && !load.error && <Skeleton rows={2} />}
            </div>
        </Dialog>
    );
}

function LogOutEverywhere() {
    const action = useAction(() => {
        void logOut().then(() => go("/login"));
    });
    const ok = () => void action.run(() => send("DELETE", "taut/v1/me/sessions"), "");
    return (
        <Dialog
            title={t("user.logoutAll")}
            size="s"
            onClose={closeDialog}
            onPrimary={ok}
            error={action.error || undefined}
            footer={
                <Footer
                    close={closeDialog}
                    label={t("user.logoutAll")}
                    busy={action.busy}
                    onOk={ok}
                />
            }
        >
            <div class="body">
                <p class="t2">{t("user.logoutAllHelp")}</p>
            </div>
        </Dialog>
    );
}

/** The dialogs of the account, by the address, over whatever page is open. */
export function AccountDialogs() {
    switch (dialog.value) {
        case "my-password":
            return <ChangePassword />;
        case "my-tokens":
            return <MyTokens />;
        case "log-out-everywhere":
            return <LogOutEverywhere />;
        default:
            return null;
    }
}
