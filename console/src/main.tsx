import { render } from "preact";
import { effect } from "@preact/signals";
import { expired } from "./api/client";
import { language, t } from "./i18n";
import { go, href, match, onLink, path } from "./router";
import { boot, bootError, loadBoot, signedIn } from "./session";
import { Apps } from "./screens/apps";
import { Detail } from "./screens/detail";
import { Clusters } from "./screens/clusters";
import { Credentials } from "./screens/credentials";
import { DevopsList } from "./screens/devops";
import { Repos } from "./screens/repos";
import { Login } from "./screens/login";
import { Loaded } from "./screens/page";
import { ProjectServices, Projects } from "./screens/services";
import { Shell } from "./screens/shell";
import { Empty } from "./ui/kit";
import { Toasts } from "./ui/overlay";
import sprite from "./ui/icons.svg?raw";
import "./ui/tokens.css";
import "./ui/console.css";
import "./ui/taut.css";

type Params = Record<string, string>;

/* The one table of pages. */
const pages: [string, (p: Params) => preact.ComponentChild][] = [
    ["/devops", () => <DevopsList />],
    ["/devops/:devops/apps", (p) => <Apps key={p.devops} devops={p.devops!} />],
    [
        "/devops/:devops/apps/:name",
        (p) => <Detail key={`${p.devops}/${p.name}`} devops={p.devops!} name={p.name!} />,
    ],
    ["/devops/:devops/repos", (p) => <Repos key={p.devops} devops={p.devops!} />],
    ["/devops/:devops/credentials", (p) => <Credentials key={p.devops} devops={p.devops!} />],
    ["/devops/:devops/projects", (p) => <Projects key={p.devops} devops={p.devops!} />],
    [
        "/devops/:devops/projects/:cluster/:project/services",
        (p) => (
            <ProjectServices
                key={`${p.devops}/${p.cluster}/${p.project}`}
                devops={p.devops!}
                cluster={p.cluster!}
                project={p.project!}
            />
        ),
    ],
    ["/platform/clusters", () => <Clusters />],
];

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
    for (const [pattern, page] of pages) {
        const found = match(pattern, at);
        if (found) return page(found);
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

function App() {
    if (signedIn.value === false || expired.value)
        return <Login again={expired.value && boot.value !== null} />;
    if (boot.value === null)
        return (
            <main class="page">
                <Loaded ready={false} error={bootError.value} again={() => void loadBoot()}>
                    {() => null}
                </Loaded>
            </main>
        );
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
