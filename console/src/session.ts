/* Who is signed in, and what this server offers. */
import { signal } from "@preact/signals";
import { ApiError, expired, get, request } from "./api/client";
import type { Bootstrap, DevOps } from "./api/types";

export const boot = signal<Bootstrap | null>(null);
/** null while it is not known yet whether anybody is signed in. */
export const signedIn = signal<boolean | null>(null);
export const bootError = signal<ApiError | null>(null);

export async function loadBoot(): Promise<void> {
    try {
        if (!signedIn.value) {
            const { user } = await get<{ user: string }>("taut/v1/session");
            if (!user) {
                signedIn.value = false;
                return;
            }
        }
        const answer = await get<Bootstrap>("taut/v1/bootstrap");
        for (const c of answer.clusters) c.simulated = c.name === "sandbox";
        boot.value = answer;
        bootError.value = null;
        expired.value = false;
        signedIn.value = true;
    } catch (e) {
        if (e instanceof ApiError && e.status === 401) {
            signedIn.value = false;
            return;
        }
        bootError.value = e instanceof ApiError ? e : new ApiError(0, String(e));
    }
}

export async function logIn(username: string, password: string): Promise<void> {
    await request("POST", "taut/v1/session", { username, password });
    await loadBoot();
}

export async function logOut(): Promise<void> {
    await request("DELETE", "taut/v1/session").catch(() => undefined);
    boot.value = null;
    signedIn.value = false;
}

export function devopsOf(name: string): DevOps | undefined {
    return boot.value?.devops.find((d) => d.name === name);
}

/** What somebody typed, kept through an ended session; secrets are never kept. */
export const drafts = {
    load<T>(key: string): T | null {
        try {
            const text = sessionStorage.getItem(`taut.draft.${boot.value?.user.name}.${key}`);
            return text ? (JSON.parse(text) as T) : null;
        } catch {
            return null;
        }
    },
    save(key: string, value: unknown): void {
        try {
            sessionStorage.setItem(
                `taut.draft.${boot.value?.user.name}.${key}`,
                JSON.stringify(value),
            );
        } catch {
            /* storage is off: the draft lives as long as the page */
        }
    },
    drop(key: string): void {
        try {
            sessionStorage.removeItem(`taut.draft.${boot.value?.user.name}.${key}`);
        } catch {
            /* as above */
        }
    },
};
