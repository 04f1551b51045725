/*
 * Live values: a page opens a topic of the event stream and reads signals. The connection itself is
 * held by the hub (live/hub.ts), once for all tabs where the browser allows it. Changes are applied once
 * a frame of the screen.
 *
 * Topics: apps:DEVOPS (rows by name), app:DEVOPS/NAME (the Application), repos:DEVOPS, credentials:DEVOPS,
 * services:DEVOPS, devops, clusters … (src/web/stream_kinds.c has the table). A list in an answer is a map
 * by name here: use liveMap.
 */
import { computed, effect, signal, type Signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ApiError, expired } from "./api/client";
import { connection, lost } from "./connection";
import type { FromHub } from "./live/hub";
import { connect, type Send } from "./live/link";
import { merge } from "./live/patch";
import { boot, signedIn } from "./session";

export { connection, lost, offline, type Connection } from "./connection";

export interface Live<T> {
    value: Signal<T | null>;
    error: Signal<ApiError | null>;
    stop: () => void;
    again: () => void;
}

interface Reader {
    topic: string;
    value: Signal<unknown>;
    error: Signal<ApiError | null>;
}

const readers = new Set<Reader>();
let send: Send | null = null;
let queued: FromHub[] = [];

function frame(run: () => void): void {
    /* A hidden page draws no frames. */
    if (document.hidden) setTimeout(run, 50);
    else requestAnimationFrame(run);
}

function join(): void {
    const user = boot.peek()?.user.name;
    if (!send || !user) return;
    send({ kind: "join", base: document.baseURI, user, visible: !document.hidden });
    for (const topic of new Set([...readers].map((r) => r.topic))) send({ kind: "open", topic });
}

function applyOne(message: FromHub): void {
    if (message.kind === "state") {
        connection.value = message.state;
        lost.value =
            message.state === "off" ? { since: message.since, retryAt: message.retryAt } : null;
    } else if (message.kind === "expired") expired.value = true;
    else if (message.kind === "who") join();
    else
        for (const reader of readers) {
            if (reader.topic !== message.topic) continue;
            if (message.kind === "value") {
                reader.value.value = message.value;
                reader.error.value = null;
            } else if (message.kind === "patch") {
                if (reader.value.peek() !== null)
                    reader.value.value = merge(reader.value.peek(), message.patch);
            } else if (message.kind === "ended" || reader.value.peek() === null)
                reader.error.value = new ApiError(message.status, message.message);
        }
}

function take(message: FromHub): void {
    if (queued.push(message) > 1) return;
    frame(() => {
        const all = queued;
        queued = [];
        all.forEach(applyOne);
    });
}

function start(): Send {
    if (send) return send;
    send = connect(take);
    document.addEventListener("visibilitychange", () =>
        send!({ kind: "visible", on: !document.hidden }),
    );
    addEventListener("online", () => send!({ kind: "retry" }));
    addEventListener("pagehide", () => send!({ kind: "bye" }));
    addEventListener("pageshow", (e) => e.persisted && join());
    setInterval(() => send!({ kind: "alive" }), 60_000);
    return send;
}

/* Another session is another stream. */
let joined = "";
effect(() => {
    const user = signedIn.value && !expired.value ? (boot.value?.user.name ?? "") : "";
    if (user === joined) return;
    joined = user;
    if (user) {
        start();
        join();
    }
});

/** Try to connect now. */
export function retryNow(): void {
    send?.({ kind: "retry" });
}

/** Opens a topic; `stop` when the page goes. */
export function liveTopic<T>(topic: string): Live<T> {
    const reader: Reader = { topic, value: signal<unknown>(null), error: signal(null) };
    readers.add(reader);
    start()({ kind: "open", topic });
    return {
        value: reader.value as Signal<T | null>,
        error: reader.error,
        stop: () => {
            readers.delete(reader);
            if (![...readers].some((r) => r.topic === topic)) send?.({ kind: "close", topic });
        },
        again: () => {
            reader.error.value = null;
            send?.({ kind: "retry" });
            send?.({ kind: "open", topic });
            send?.({ kind: "again", topic });
        },
    };
}

/** The hook: the topic is open as long as the component is there. */
export function useLive<T>(topic: string): Live<T> {
    const live = useMemo(() => liveTopic<T>(topic), [topic]);
    useEffect(() => live.stop, [live]);
    return live;
}

/* ---- for pages that know objects by their Kubernetes address ---- */

export interface LiveList<T> {
    items: Signal<Map<string, T> | null>;
    error: Signal<ApiError | null>;
    stop: () => void;
    again: () => void;
}

/** One Application, as a map that holds it, or is empty when it is gone. */
export function liveObject<T>(at: string, name: string): LiveList<T> {
    const namespace = /namespaces\/([^/]+)\//.exec(at)?.[1] ?? "";
    const devops = boot.peek()?.devops.find((d) => d.namespace === namespace)?.name ?? namespace;
    const live = liveTopic<T>(`app:${devops}/${name}`);
    const items = computed(() => {
        if (live.error.value?.status === 404) return new Map<string, T>();
        return live.value.value === null ? null : new Map([[name, live.value.value]]);
    });
    const error = computed(() => (live.error.value?.status === 404 ? null : live.error.value));
    return { ...live, items, error } as unknown as LiveList<T>;
}
