/*
 * Router: the address is the state. Paths are relative to <base href>, so the console works under
 * any prefix. Query parameters hold filters, tabs, dialogs and panels: everything can be linked.
 */
import { computed, signal } from "@preact/signals";

const base = new URL(document.baseURI).pathname.replace(/\/$/, "");

function read(): URL {
    return new URL(location.href);
}

const current = signal(read());
addEventListener("popstate", () => (current.value = read()));

export const path = computed(() => {
    const p = current.value.pathname;
    return (p.startsWith(base) ? p.slice(base.length) : p) || "/";
});
export const query = computed(() => current.value.searchParams);

export function href(to: string): string {
    return base + to;
}

export function go(to: string, replace = false): void {
    const url = new URL(href(to), location.origin);
    if (url.href === current.value.href) return;
    history[replace ? "replaceState" : "pushState"](null, "", url);
    current.value = url;
    if (!replace) document.getElementById("main")?.focus({ preventScroll: true });
}

/** Changes some query parameters and leaves the others; null removes one. */
export function setQuery(changes: Record<string, string | null>, replace = true): void {
    const url = read();
    for (const [key, value] of Object.entries(changes)) {
        if (value === null || value === "") url.searchParams.delete(key);
        else url.searchParams.set(key, value);
    }
    history[replace ? "replaceState" : "pushState"](null, "", url);
    current.value = url;
}

/** "/devops/:devops/apps" against a path; null when it does not match. */
export function match(pattern: string, at: string): Record<string, string> | null {
    const want = pattern.split("/");
    const have = at.replace(/\/$/, "").split("/");
    if (want.length !== have.length) return null;
    const found: Record<string, string> = {};
    for (let i = 0; i < want.length; i++) {
        const w = want[i]!;
        const h = have[i]!;
        if (w.startsWith(":")) found[w.slice(1)] = decodeURIComponent(h);
        else if (w !== h) return null;
    }
    return found;
}

/** Lets the browser handle modified clicks, takes the others. */
export function onLink(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const a = (event.target as Element).closest("a");
    if (!a || a.target || a.origin !== location.origin || a.hasAttribute("download")) return;
    if (!a.pathname.startsWith(base + "/")) return;
    event.preventDefault();
    go(a.pathname.slice(base.length) + a.search);
}
