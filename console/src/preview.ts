/* What a sync or a deletion would do, asked of the server; see `POST …/preview`. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, request } from "./api/client";
import type { Application, SyncRequest } from "./api/types";

export type Effect =
    | "create"
    | "update"
    | "replace"
    | "delete"
    | "keep"
    | "none"
    | "refused"
    | "forbidden"
    | "unknown";

export interface PreviewRow {
    group: string;
    version: string;
    kind: string;
    namespace: string;
    name: string;
    effect: Effect;
    reason: string;
    message?: string;
    file?: string;
    /** Of a definition: how many objects go with it. */
    objects?: number;
    objectsAreMore?: boolean;
    /** Of a namespace: what lives in it that would be lost. */
    held?: string;
}

export interface Preview {
    revision: string;
    commit?: string;
    type?: string;
    cluster?: string;
    resources: PreviewRow[];
    warnings: { code: string; message: string }[];
    error?: { at: string; code: string; message: string };
}

export interface PreviewRequest {
    name?: string;
    application?: Application;
    spec?: Application["spec"];
    sync?: SyncRequest;
    deletion?: boolean;
}

export interface Asked<T> {
    value: T | null;
    error: string;
    busy: boolean;
}

const QUIET_MS = 300;

/** Asks when `body` has been the same for a moment; the last answer stays until the next one comes. */
export function useAsked<T>(
    at: string,
    body: unknown,
    quiet = QUIET_MS,
): Asked<T> & { again: () => void } {
    const text = body === null ? "" : JSON.stringify(body);
    const [asked, setAsked] = useState<Asked<T>>({ value: null, error: "", busy: text !== "" });
    const [round, setRound] = useState(0);
    const first = useRef(true);
    useEffect(() => {
        if (!text) {
            setAsked({ value: null, error: "", busy: false });
            return;
        }
        const abort = new AbortController();
        setAsked((was) => ({ ...was, busy: true }));
        const timer = setTimeout(
            () => {
                first.current = false;
                request("POST", at, text, { signal: abort.signal })
                    .then((r) => r.json() as Promise<T>)
                    .then(
                        (value) => setAsked({ value, error: "", busy: false }),
                        (e: unknown) => {
                            if (abort.signal.aborted) return;
                            const error = e instanceof ApiError ? e.message : String(e);
                            setAsked({ value: null, error, busy: false });
                        },
                    );
            },
            first.current ? 0 : quiet,
        );
        return () => {
            clearTimeout(timer);
            abort.abort();
        };
    }, [at, text, round]);
    return { ...asked, again: () => setRound((r) => r + 1) };
}

export function usePreview(devops: string, body: PreviewRequest | null) {
    return useAsked<Preview>(`taut/v1/devops/${devops}/preview`, body);
}

/** What a sync would change: the number that its button says. */
const changes: Effect[] = ["create", "update", "replace", "delete"];
export function isChange(effect: Effect): boolean {
    return changes.includes(effect);
}

export function countOf(rows: PreviewRow[]): Record<Effect, number> {
    const out = {
        create: 0,
        update: 0,
        replace: 0,
        delete: 0,
        keep: 0,
        none: 0,
        refused: 0,
        forbidden: 0,
        unknown: 0,
    };
    for (const row of rows) out[row.effect]++;
    return out;
}

const loud: Effect[] = [
    "forbidden",
    "refused",
    "unknown",
    "delete",
    "replace",
    "update",
    "create",
    "keep",
    "none",
];
/** What needs a look first; within it the order of the sync. */
export function byEffect(rows: PreviewRow[]): PreviewRow[] {
    return rows
        .map((row, i) => [loud.indexOf(row.effect), i, row] as const)
        .sort((a, b) => a[0] - b[0] || a[1] - b[1])
        .map(([, , row]) => row);
}
