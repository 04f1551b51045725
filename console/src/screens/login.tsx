/*
 * Log in. The page asked for stays in the address, so that one lands where one wanted to go. When a
 * session has ended, the page stays as it is below, with what was typed in it.
 */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/client";
import { language, setLanguage, t } from "../i18n";
import { go, path } from "../router";
import { logIn } from "../session";
import { chooseTheme } from "../theme";
import { Button, TextField } from "../ui/kit";

function Form({ again, user: known }: { again?: boolean; user?: string | undefined }) {
    const [user, setUser] = useState(known ?? "");
    const [password, setPassword] = useState("");
    const [error, setError] = useState("");
    const [busy, setBusy] = useState(false);

    const submit = async (e: Event) => {
        e.preventDefault();
        if (busy) return;
        setBusy(true);
        setError("");
        try {
            await logIn(user, password);
            if (path.value === "/login") go("/", true);
        } catch (x) {
            const failed = x as ApiError;
            setError(
                failed.status === 401
                    ? t("login.wrong")
                    : failed.status === 0
                      ? t("common.offline")
                      : failed.message,
            );
            setPassword("");
            setBusy(false);
        }
    };

    return (
        <form class="col card pad" onSubmit={(e) => void submit(e)}>
            <h1 class="login-title">{t("login.title")}</h1>
            {again && <p class="t2">{t("login.again")}</p>}
            <TextField
                label={t("login.user")}
                value={user}
                onValue={setUser}
                autofocus={!known}
                complete="username"
            />
            <TextField
                label={t("login.password")}
                type="password"
                value={password}
                onValue={(to) => {
                    setPassword(to);
                    setError("");
                }}
                autofocus={known !== undefined}
                error={error}
            />
            <Button kind="primary big" type="submit" busy={busy}>
                {busy ? t("login.busy") : t("login.button")}
            </Button>
        </form>
    );
}

function Choices() {
    const other = language.value === "en" ? "zh-CN" : "en";
    const isDark = document.documentElement.dataset.theme === "dark";
    return (
        <div class="row login-choices">
            <Button
                kind="ghost small"
                icon="i-globe"
                lang={other}
                onClick={() => setLanguage(other)}
            >
                {t("user.language")}
            </Button>
            <Button
                kind="ghost small"
                icon="i-sun"
                onClick={() => chooseTheme(isDark ? "light" : "dark")}
            >
                {t("user.theme")}
            </Button>
        </div>
    );
}

export function Login() {
    document.title = t("login.title");
    return (
        <main class="login" id="main" tabIndex={-1}>
            <div>
                <span class="brand">
                    <svg aria-hidden="true">
                        <use href="#logo" />
                    </svg>
                    {t("app.name")}
                </span>
                <Form />
                <Choices />
            </div>
        </main>
    );
}

/** Over the page that was open when the session ended. */
export function LoginAgain({ user }: { user: string }) {
    const box = useRef<HTMLDialogElement>(null);
    /* Before it is painted: a key that is pressed now must not reach the form below. */
    useLayoutEffect(() => {
        const before = document.activeElement as HTMLElement | null;
        const dialog = box.current!;
        dialog.showModal();
        return () => {
            dialog.close();
            before?.focus?.();
        };
    }, []);
    return (
        <dialog
            ref={box}
            class="dlg s again"
            aria-label={t("login.title")}
            onCancel={(e) => e.preventDefault()}
        >
            <Form again user={user} />
        </dialog>
    );
}
