/*
 * Live lists: list, then watch over one streamed answer, as any Kubernetes client does. A gone
 * version lists again; a broken connection is tried again with a growing, jittered delay; thirty-five
 * seconds without a byte count as broken (the server sends bookmarks more often).
 */
import { signal, type Signal } from "@preact/signals";
import { ApiError, get, request } from "./api/client";
import type { ListOf, Meta } from "./api/types";

export type Connection = "connecting" | "live" | "off";
export const connection = signal<Connection>("connecting");

interface WatchEvent<T> {
    type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
    object: T;
}

export interface LiveList<T> {
    items: Signal<Map<string, T> | null>;
    error: Signal<ApiError | null>;
    stop: () => void;
    again: () => void;
}

const SILENCE_MS = 35_000;

/** Splits a byte stream into its JSON lines. */
async function* lines(body: ReadableStream<Uint8Array>, alive: () => void): AsyncGenerator<string> {
    const reader = body
        .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
        .getReader();
    let rest = "";
    for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        alive();
        rest += value;
        let end: number;
        while ((end = rest.indexOf("\n")) >= 0) {
            if (end > 0) yield rest.slice(0, end);
            rest = rest.slice(end + 1);
        }
    }
}

export function liveList<T extends { metadata: Meta }>(at: string, field = ""): LiveList<T> {
    const items = signal<Map<string, T> | null>(null);
    const error = signal<ApiError | null>(null);
    let stopped = false;
    let abort = new AbortController();
    let failures = 0;
    const selector = field ? `&fieldSelector=${encodeURIComponent(field)}` : "";

    const apply = (event: WatchEvent<T>): void => {
        const next = new Map(items.value);
        const name = event.object.metadata.name;
        if (event.type === "DELETED") next.delete(name);
        else next.set(name, event.object);
        items.value = next;
    };

    const watch = async (from: string): Promise<void> => {
        let version = from;
        for (;;) {
            let silence: ReturnType<typeof setTimeout> | undefined;
            const alive = () => {
                clearTimeout(silence);
                silence = setTimeout(() => abort.abort(), SILENCE_MS);
                connection.value = "live";
            };
            alive();
            try {
                const response = await request(
                    "GET",
                    `${at}?watch=1&allowWatchBookmarks=true&resourceVersion=${version}&timeoutSeconds=600${selector}`,
                    undefined,
                    { signal: abort.signal },
                );
                failures = 0;
                for await (const line of lines(response.body!, alive)) {
                    const event = JSON.parse(line) as WatchEvent<T>;
                    if (event.type === "ERROR") return;
                    version = event.object.metadata.resourceVersion ?? version;
                    if (event.type !== "BOOKMARK") apply(event);
                }
            } finally {
                clearTimeout(silence);
            }
        }
    };

    const run = async (): Promise<void> => {
        while (!stopped) {
            abort = new AbortController();
            try {
                const list = await get<ListOf<T>>(
                    `${at}?resourceVersion=${selector}`,
                    abort.signal,
                );
                items.value = new Map(list.items.map((x) => [x.metadata.name, x]));
                error.value = null;
                connection.value = "live";
                await watch(list.metadata.resourceVersion ?? "");
            } catch (e) {
                if (stopped) return;
                const failed = e instanceof ApiError ? e : new ApiError(0, String(e));
                if (failed.status === 410) continue;
                if (failed.status === 401) return;
                error.value = failed;
                if (failed.status === 403 || failed.status === 404) return;
                connection.value = "off";
            }
            if (stopped) return;
            failures++;
            const delay = Math.min(30_000, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
            await new Promise((r) => setTimeout(r, delay));
        }
    };
    void run();
    return {
        items,
        error,
        stop: () => {
            stopped = true;
            abort.abort();
        },
        again: () => abort.abort(),
    };
}

/** One object, live. */
export function liveObject<T extends { metadata: Meta }>(at: string, name: string): LiveList<T> {
    return liveList<T>(at, `metadata.name=${name}`);
}
