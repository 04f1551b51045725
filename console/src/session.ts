/* Who is signed in, and what this server offers. */
import { effect, signal, untracked } from "@preact/signals";
import { ApiError, expired, get, refusals, request, send, signIns } from "./api/client";
import type { Bootstrap, DevOps } from "./api/types";
import { language, setLanguage, storage, t, type Key, type Language } from "./i18n";

export const boot = signal<Bootstrap | null>(null);
/** null while it is not known yet whether anybody is signed in. */
export const signedIn = signal<boolean | null>(null);
export const bootError = signal<ApiError | null>(null);

/** What the stream tells while a page is open: a new role, another project. */
export function takeBoot(told: Bootstrap): void {
    if (told.user.name !== boot.peek()?.user.name || expired.peek()) return;
    boot.value = {
        ...told,
        clusters: told.clusters.map((c) => ({ ...c, simulated: c.name === "sandbox" })),
    };
}

export async function loadBoot(): Promise<void> {
    const asked = signIns.peek();
    const open = !expired.peek();
    try {
        if (!signedIn.value) {
            const { user } = await get<{ user: string }>("taut/v1/session");
            if (!user) {
                signedIn.value = false;
                return;
            }
        }
        const answer = await get<Bootstrap>("taut/v1/bootstrap");
        /* Of the session that has ended meanwhile. */
        if (asked !== signIns.peek() || (open && expired.peek())) return;
        for (const c of answer.clusters) c.simulated = c.name === "sandbox";
        if (answer.user.language) showLanguage(answer.user.language);
        boot.value = answer;
        bootError.value = null;
        expired.value = false;
        signedIn.value = true;
    } catch (e) {
        if (e instanceof ApiError && e.status === 401) {
            /* An open page stays as it is; the log-in comes over it. */
            if (boot.value === null) signedIn.value = false;
            return;
        }
        bootError.value = e instanceof ApiError ? e : new ApiError(0, String(e));
    }
}

/** Asks again what the user may, at most once in some seconds: after a refusal, or a new role. */
let asked = 0;
export function refreshRights(): void {
    const now = Date.now();
    if (boot.value === null || expired.value || now - asked < 2000) return;
    asked = now;
    void loadBoot();
}
effect(() => {
    if (refusals.value > 0) untracked(refreshRights);
});

export async function logIn(username: string, password: string): Promise<void> {
    await request("POST", "taut/v1/session", { username, password });
    signIns.value++;
    await loadBoot();
}

/**
 * Whether the user has a right such as "sync applications" in a DevOps Project, or on the platform. The
 * server decides again; this is only for what is offered.
 */
export function may(right: string, devops?: string): boolean {
    const now = boot.value;
    if (!now?.rights) return true;
    if (now.rights.includes(right)) return true;
    const set = devops === undefined ? undefined : devopsOf(devops)?.rights;
    return set !== undefined && (now.rightSets?.[set]?.includes(right) ?? false);
}

/** Why a control is off: the right that is missing; undefined where it is there. */
export function lacks(right: string, devops?: string): string | undefined {
    return may(right, devops) ? undefined : t("rights.lacks", { right });
}

/** The server's rule for passwords, as far as it can be told before sending. */
export function passwordProblem(user: string, password: string): Key | null {
    if ([...password].length < 8) return "users.passwordShort";
    if (user && password.includes(user)) return "users.passwordHasName";
    return null;
}

/** The user's own choice: kept on the server, so that it holds in each browser. */
export function chooseLanguage(to: Language): void {
    setLanguage(to);
    if (boot.value) send("PATCH", "taut/v1/me", { language: to }).catch(() => undefined);
}

function showLanguage(wanted: string): void {
    const to = wanted === "zh-CN" ? "zh-CN" : "en";
    if (to !== language.value) setLanguage(to);
}

/** The DevOps Project that was open last, so that one lands there again. */
export const lastDevops = {
    get: (): string | null => storage(`taut.devops.${boot.value?.user.name ?? ""}`),
    set: (name: string): void => {
        storage(`taut.devops.${boot.value?.user.name ?? ""}`, name);
    },
};

export async function logOut(): Promise<void> {
    await request("DELETE", "taut/v1/session").catch(() => undefined);
    boot.value = null;
    expired.value = false;
    signedIn.value = false;
}

export function devopsOf(name: string): DevOps | undefined {
    return boot.value?.devops.find((d) => d.name === name);
}

/** Where its deployments are kept; a platform administrator opens projects that are not in the list. */
export function namespaceOf(name: string): string {
    const known = devopsOf(name)?.namespace;
    return known ?? (name === "default" ? (boot.value?.controlNamespace ?? name) : name);
}

/* Where storage is off, drafts live as long as the page. */
const memory = new Map<string, string>();
const draftKey = (key: string) => `taut.draft.${boot.value?.user.name}.${key}`;

/** What somebody typed, kept through an ended session; secrets are never kept. */
export const drafts = {
    load<T>(key: string): T | null {
        let text = memory.get(draftKey(key)) ?? null;
        try {
            text = sessionStorage.getItem(draftKey(key)) ?? text;
        } catch {
            /* as above */
        }
        try {
            return text ? (JSON.parse(text) as T) : null;
        } catch {
            return null;
        }
    },
    save(key: string, value: unknown): void {
        const text = JSON.stringify(value);
        memory.set(draftKey(key), text);
        try {
            sessionStorage.setItem(draftKey(key), text);
        } catch {
            /* as above */
        }
    },
    drop(key: string): void {
        memory.delete(draftKey(key));
        try {
            sessionStorage.removeItem(draftKey(key));
        } catch {
            /* as above */
        }
    },
};
