import { render } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { effect } from "@preact/signals";
import { expired } from "./api/client";
import { language, t } from "./i18n";
import { Lazy } from "./lazy";
import { go, href, onLink, path } from "./router";
import { match, routes } from "./routes";
import { boot, bootError, loadBoot, signedIn } from "./session";
import { Login } from "./screens/login";
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

function Route() {
    const at = path.value;
    if (at === "/" || at === "/login") {
        const all = boot.value?.devops ?? [];
        const first = all.find((d) => d.name === "demo") ?? all[0];
        go(
            all.length === 1 || first?.name === "demo" ? `/devops/${first!.name}/apps` : "/devops",
            true,
        );
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

function App() {
    if (signedIn.value === false || expired.value)
        return <Login again={expired.value && boot.value !== null} />;
    if (boot.value === null) return <Booting />;
    return (
        <>
            <Route />
            <Toasts />
        </>
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
