/*
 * The way from a tab to the hub: a SharedWorker; else the tab that holds the lock leads and the others
 * talk to it over a BroadcastChannel; else every tab has a hub of its own. None needs storage.
 */
import { Hub, type FromHub, type FromTab, type Tab } from "./hub";

export type Send = (message: FromTab) => void;
type Take = (message: FromHub) => void;

function worker(take: Take, failed: () => void): Send | null {
    if (typeof SharedWorker === "undefined") return null;
    try {
        const shared = new SharedWorker(new URL("./worker.ts", import.meta.url), {
            type: "module",
            name: "taut",
        });
        shared.onerror = failed;
        shared.port.onmessage = (e: MessageEvent<FromHub>) => take(e.data);
        shared.port.start();
        return (message) => shared.port.postMessage(message);
    } catch {
        return null;
    }
}

type Wire = { to: "hub"; tab: string; message: FromTab } | { to: string; message: FromHub };

function broadcast(take: Take): Send | null {
    if (typeof BroadcastChannel === "undefined" || !navigator.locks) return null;
    const channel = new BroadcastChannel("taut.live");
    const me = crypto.getRandomValues(new Uint32Array(2)).join("-");
    let hub: Hub | null = null;
    const tabs = new Map<string, Tab>();
    const own: Tab = take;

    const tabOf = (id: string): Tab => {
        let tab = tabs.get(id);
        if (!tab) {
            tab = (message) => channel.postMessage({ to: id, message } satisfies Wire);
            tabs.set(id, tab);
        }
        return tab;
    };
    channel.onmessage = (e: MessageEvent<Wire>) => {
        const wire = e.data;
        if (wire.to === "hub") {
            if (hub && "tab" in wire) hub.take(tabOf(wire.tab), wire.message);
        } else if (wire.to === me || wire.to === "all") take(wire.message as FromHub);
    };
    /* Held as long as the tab lives; the next one in line then leads. */
    void navigator.locks.request("taut.live", () => {
        hub = new Hub();
        take({ kind: "who" });
        channel.postMessage({ to: "all", message: { kind: "who" } } satisfies Wire);
        return new Promise<never>(() => undefined);
    });
    return (message) => {
        if (hub) hub.take(own, message);
        else channel.postMessage({ to: "hub", tab: me, message } satisfies Wire);
    };
}

function alone(take: Take): Send {
    const hub = new Hub();
    return (message) => hub.take(take, message);
}

/** `take` may get "who" at any time: then the tab joins again and opens its topics again. */
export function connect(take: Take): Send {
    let send: Send;
    const failed = () => {
        send = broadcast(take) ?? alone(take);
        take({ kind: "who" });
    };
    send = worker(take, failed) ?? broadcast(take) ?? alone(take);
    return (message) => send(message);
}
