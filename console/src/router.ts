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

/** While the browser goes back out of a dialog, further changes of the address wait for it. */
let leaving: (() => void)[] | null = null;

addEventListener("popstate", () => {
    current.value = read();
    const waiting = leaving ?? [];
    leaving = null;
    for (const change of waiting) change();
});

export const path = computed(() => {
    const p = current.value.pathname;
    return (p.startsWith(base) ? p.slice(base.length) : p) || "/";
});
export const query = computed(() => current.value.searchParams);

export function href(to: string): string {
    return base + to;
}

/** Entries of the history since the dialog that is open was opened; 0 when it came by a link. */
function depth(): number {
    const state = history.state as { depth?: number } | null;
    return state?.depth ?? 0;
}

function move(url: URL, replace: boolean, deep: number): void {
    const state = deep > 0 ? { depth: deep } : null;
    history[replace ? "replaceState" : "pushState"](state, "", url);
    current.value = url;
}

export function go(to: string, replace = false): void {
    if (leaving) {
        leaving.push(() => go(to, replace));
        return;
    }
    const url = new URL(href(to), location.origin);
    if (url.href === current.value.href) return;
    move(url, replace, 0);
}

/** Changes some query parameters and leaves the others; null removes one. */
export function setQuery(changes: Record<string, string | null>, replace = true): void {
    if (leaving) {
        leaving.push(() => setQuery(changes, replace));
        return;
    }
    const deep = depth();
    move(changed(changes), replace, replace || deep === 0 ? deep : deep + 1);
}

function changed(changes: Record<string, string | null>): URL {
    const url = read();
    for (const [key, value] of Object.entries(changes)) {
        if (value === null || value === "") url.searchParams.delete(key);
        else url.searchParams.set(key, value);
    }
    return url;
}

/** The dialog that the address names, and what it is about; "" when there is none. */
export const dialog = computed(() => query.value.get("dialog") ?? "");
export const dialogOn = computed(() => query.value.get("on") ?? "");

/** Opens a dialog of routes.ts. Back closes it. */
export function openDialog(name: string, on = "", more: Record<string, string> = {}): void {
    move(changed({ dialog: name, on, ...more }), false, depth() + 1);
}

/**
 * Closes it: goes back to the entry it was opened from, or, where it came by a link, takes it out of
 * the address. `without` names further parameters of the dialog's own.
 */
export function closeDialog(...without: string[]): void {
    if (leaving) return;
    const deep = depth();
    const url = changed(Object.fromEntries(["dialog", "on", ...without].map((key) => [key, null])));
    if (deep === 0) {
        move(url, true, 0);
        return;
    }
    leaving = [];
    current.value = url;
    history.go(-deep);
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
