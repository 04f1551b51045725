import { Fragment, render } from "preact";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { effect } from "@preact/signals";
import { expired } from "./api/client";
import type { Bootstrap } from "./api/types";
import { language, t } from "./i18n";
import { Lazy } from "./lazy";
import { go, href, onLink, path } from "./router";
import { useLive } from "./live";
import { match, routes } from "./routes";
import { boot, bootError, lastDevops, loadBoot, signedIn, takeBoot } from "./session";
import { Login, LoginAgain } from "./screens/login";
import { isFirstRun } from "./screens/no-devops";
import { Loaded } from "./screens/page";
import { Shell } from "./screens/shell";
import { focusHeading } from "./ui/focus";
import { Empty } from "./ui/kit";
import { Toasts } from "./ui/overlay";
import sprite from "./ui/icons.svg?raw";
import "./ui/tokens.css";
import "./ui/console.css";
import "./ui/taut.css";
import "./ui/detail.css";
import "./ui/forms.css";

/** After signing in without a page asked for: the last DevOps Project, else the only one, else all. */
function startPage(): string {
    const all = boot.value?.devops ?? [];
    const last = lastDevops.get();
    const first =
        all.find((d) => d.name === last) ??
        all.find((d) => d.name === "demo") ??
        (all.length === 1 && !isFirstRun(all) ? all[0] : undefined);
    return first ? `/devops/${first.name}/apps` : "/devops";
}

function Route() {
    const at = path.value;
    if (at === "/" || at === "/login") {
        go(startPage(), true);
        return null;
    }
    for (const route of routes) {
        const params = match(route.pattern, at);
        if (params) return <Lazy key={at} route={route} params={params} />;
    }
    return (
        <Shell crumbs={[{ text: t("common.notFound") }]}>
            <h1 class="vh">{t("common.notFound")}</h1>
            <Empty icon="i-search" title={t("common.notFound")} text={t("common.notFoundHelp")}>
                <a class="btn primary" href={href("/devops")}>
                    {t("nav.devops")}
                </a>
            </Empty>
        </Shell>
    );
}

/** Before the server has said who this is, or when it could not. */
function Booting() {
    useLayoutEffect(focusHeading, []);
    return (
        <main class="page" id="main">
            <h1 class="vh">{t("app.name")}</h1>
            <Loaded ready={false} error={bootError.value} again={() => void loadBoot()} whole>
                {() => null}
            </Loaded>
        </main>
    );
}

/** Rights and projects change while a page is open. */
function LiveBoot() {
    const told = useLive<Bootstrap>("boot").value.value;
    useEffect(() => {
        if (told) takeBoot(told);
    }, [told]);
    return null;
}

function App() {
    if (signedIn.value === false) return <Login />;
    if (boot.value === null) return <Booting />;
    /* Another user is another console: nothing of what the first one typed stays. */
    const user = boot.value.user.name;
    return (
        <Fragment key={user}>
            <LiveBoot />
            <Route />
            <Toasts />
            {expired.value && <LoginAgain user={user} />}
        </Fragment>
    );
}

const holder = document.createElement("div");
holder.innerHTML = sprite;
document.body.prepend(holder.firstElementChild!);
effect(() => {
    document.documentElement.lang = language.value;
});
addEventListener("click", onLink);
void loadBoot();
render(<App />, document.getElementById("root")!);
