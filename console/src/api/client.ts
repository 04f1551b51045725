/*
 * One way to the server: JSON in, JSON out, errors as sentences. A 401 ends the session on this page
 * and keeps what was typed; see session.ts.
 */
import { effect, signal } from "@preact/signals";

export class ApiError extends Error {
    constructor(
        readonly status: number,
        message: string,
        readonly reason: string = "",
    ) {
        super(message);
    }
}

/** The session has ended: the log-in is shown over the page until it is false again. */
export const expired = signal(false);
/** How often somebody has signed in here: what was asked before that says nothing of the session now. */
export const signIns = signal(0);
/** How often the server said 403: a right may have changed since it was told. */
export const refusals = signal(0);

/** Resolves once somebody has signed in again. */
export function signedInAgain(): Promise<void> {
    return new Promise((done) => {
        let stop: (() => void) | null = null;
        stop = effect(() => {
            if (expired.value) return;
            done();
            queueMicrotask(() => stop?.());
        });
    });
}

function url(at: string): string {
    return new URL(at.replace(/^\//, ""), document.baseURI).href;
}

/** The server's own sentence: a Kubernetes Status or {code, message}. */
async function failure(response: Response): Promise<ApiError> {
    const text = await response.text().catch(() => "");
    try {
        const body = JSON.parse(text) as { message?: string; reason?: string; code?: string };
        return new ApiError(response.status, body.message ?? text, body.reason ?? body.code ?? "");
    } catch {
        return new ApiError(response.status, text || response.statusText);
    }
}

export async function request(
    method: string,
    at: string,
    body?: unknown,
    options: { type?: string; signal?: AbortSignal } = {},
): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json", "X-Taut-Request": "1" };
    if (body !== undefined) headers["Content-Type"] = options.type ?? "application/json";
    const asked = signIns.peek();
    let response: Response;
    try {
        response = await fetch(url(at), {
            method,
            headers,
            body:
                body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
            signal: options.signal ?? null,
            credentials: "same-origin",
        });
    } catch (e) {
        if (options.signal?.aborted) throw e;
        throw new ApiError(0, "offline");
    }
    if (response.status === 401 && !at.endsWith("/session")) {
        if (asked !== signIns.peek()) return request(method, at, body, options);
        expired.value = true;
    }
    if (response.status === 403) refusals.value++;
    if (!response.ok) throw await failure(response);
    return response;
}

export async function get<T>(at: string, abort?: AbortSignal): Promise<T> {
    return (
        await request("GET", at, undefined, abort ? { signal: abort } : {})
    ).json() as Promise<T>;
}

/** A body that is text already, such as YAML. */
export async function sendText(
    method: "PUT" | "POST" | "PATCH",
    at: string,
    text: string,
    type: string,
): Promise<void> {
    await request(method, at, text, { type });
}

export async function send<T>(
    method: "POST" | "PUT" | "PATCH" | "DELETE",
    at: string,
    body?: unknown,
    type?: string,
): Promise<T> {
    const response = await request(method, at, body, type ? { type } : {});
    const text = await response.text();
    return (text ? JSON.parse(text) : undefined) as T;
}
