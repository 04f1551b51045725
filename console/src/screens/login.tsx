/* Log in. The page asked for stays in the address, so that one lands where one wanted to go. */
import { useState } from "preact/hooks";
import { ApiError } from "../api/client";
import { t } from "../i18n";
import { go, path } from "../router";
import { logIn } from "../session";
import { Button, TextField } from "../ui/kit";

export function Login({ again }: { again?: boolean }) {
    const [user, setUser] = useState("");
    const [password, setPassword] = useState("");
    const [error, setError] = useState("");
    const [busy, setBusy] = useState(false);
    document.title = t("login.title");

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
            setError(failed.status === 401 ? t("login.wrong") : failed.message);
        }
        setPassword("");
        setBusy(false);
    };

    return (
        <main class="login" id="main" tabIndex={-1}>
            <div>
                <span class="brand">
                    <svg aria-hidden="true">
                        <use href="#logo" />
                    </svg>
                    {t("app.name")}
                </span>
                <form class="col card pad" onSubmit={(e) => void submit(e)}>
                    <h1 class="login-title">{t("login.title")}</h1>
                    {again && <p class="t2">{t("login.again")}</p>}
                    <TextField label={t("login.user")} value={user} onValue={setUser} autofocus />
                    <TextField
                        label={t("login.password")}
                        type="password"
                        value={password}
                        onValue={setPassword}
                        error={error}
                    />
                    <Button kind="primary big" type="submit" busy={busy}>
                        {t("login.button")}
                    </Button>
                </form>
            </div>
        </main>
    );
}
