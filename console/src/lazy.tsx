/* A page of the table of routes: its chunk loaded once, a page that fails said so, focus on its heading. */
import { Component, type ComponentType } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { signal, type Signal } from "@preact/signals";
import { t } from "./i18n";
import type { Params, Route } from "./routes";
import { focusHeading } from "./ui/focus";
import { Button, Empty, Skeleton } from "./ui/kit";

type Loading = Signal<ComponentType<Params> | Error | null>;

const pages = new Map<string, Loading>();

function pageOf(route: Route): Loading {
    let page = pages.get(route.pattern);
    if (!page) {
        const fresh: Loading = signal(null);
        page = fresh;
        pages.set(route.pattern, page);
        route.load().then(
            (c) => (fresh.value = c as ComponentType<Params>),
            (e: unknown) => (fresh.value = e instanceof Error ? e : new Error(String(e))),
        );
    }
    return page;
}

/** A page that throws, or whose chunk a newer server no longer has: said, with a reload to go on. */
function Failed({ error }: { error: Error }) {
    return (
        <main class="page" id="main">
            <h1 class="vh">{t("common.failed")}</h1>
            <Empty icon="i-warn" title={t("common.failed")} text={error.message}>
                <Button icon="i-refresh" onClick={() => location.reload()}>
                    {t("common.reload")}
                </Button>
            </Empty>
        </main>
    );
}

class Guard extends Component<{ children: preact.ComponentChildren }, { error: Error | null }> {
    override state: { error: Error | null } = { error: null };
    static getDerivedStateFromError(error: unknown) {
        return { error: error instanceof Error ? error : new Error(String(error)) };
    }
    render() {
        return this.state.error ? <Failed error={this.state.error} /> : this.props.children;
    }
}

function Opened({ page: Page, params }: { page: ComponentType<Params>; params: Params }) {
    useLayoutEffect(focusHeading, []);
    return <Page {...params} />;
}

export function Lazy({ route, params }: { route: Route; params: Params }) {
    const page = pageOf(route).value;
    if (page instanceof Error) return <Failed error={page} />;
    if (!page)
        return (
            <main class="page" id="main">
                <Skeleton />
            </main>
        );
    return (
        <Guard>
            <Opened page={page} params={params} />
        </Guard>
    );
}
