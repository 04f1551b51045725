/*
 * The one table of pages and dialogs. The router (main.tsx) renders from it; the axe run, the walk
 * through every state and the screenshots visit what it names. Nothing here touches the document, so
 * that tests read it too.
 *
 * A page is a chunk of its own, loaded when it is first opened; its component's properties are the
 * parameters of its pattern. `data` names the requests that a page cannot be shown without: tests make
 * these fail. A dialog opens by ?dialog=NAME, and about one thing by &on=THING (see router.ts).
 */
import type { ComponentType } from "preact";
import type { Key } from "./i18n/en";

export type Params = Record<string, string>;
/** What a dialog is about; where it is not given, the page's own object or nothing. */
export type Target = "app" | "repo" | "credential" | "cluster" | "service" | "user" | "member";

export interface DialogEntry {
    name: string;
    title: Key;
    on?: Target;
    /** Requests it makes beyond the page's own. */
    data?: string[];
    /** The tab that it opens from, where that is not the first one. */
    tab?: string;
}

export interface Route {
    pattern: string;
    title: Key;
    load: () => Promise<ComponentType<never>>;
    data: string[];
    /** Values of ?tab=; the first one needs no parameter. */
    tabs?: string[];
    dialogs?: DialogEntry[];
    /** The parameter that holds what is searched for, where the page has a search. */
    find?: string;
    /** Shows one thing, which has no empty state. */
    single?: boolean;
    /** Only a platform administrator sees it. */
    admin?: boolean;
}

/* Asked by the hub (live/hub.ts): in a SharedWorker where there is one, which a test that makes
 * requests fail takes away first. */
const applications = "taut/v1/devops/:devops/apps";
const stream = "taut/v1/stream";
const repos = "taut/v1/devops/:devops/repos";
const credentials = "taut/v1/devops/:devops/credentials";

/** What one does to a deployment, from the list and from its page. */
const ofApp = (on?: "app"): DialogEntry[] =>
    (
        [
            ["info", "info.title"],
            ["settings", "settings.title"],
            ["yaml", "yaml.title"],
            ["sync", "sync.title"],
            ["delete", "delete.title"],
        ] as [string, Key][]
    ).map(([name, title]) => ({ name, title, ...(on && { on }) }));

const access: DialogEntry = { name: "access", title: "services.accessTitle", on: "service" };

export const routes: Route[] = [
    {
        pattern: "/devops",
        title: "devops.title",
        load: async () => (await import("./screens/devops")).DevopsList,
        data: ["taut/v1/devops"],
        find: "q",
        dialogs: [{ name: "create", title: "devops.createTitle" }],
    },
    {
        pattern: "/devops/:devops/apps",
        title: "apps.title",
        load: async () => (await import("./screens/apps")).Apps,
        data: [applications],
        find: "q",
        dialogs: [{ name: "create", title: "create.title", data: [repos] }, ...ofApp("app")],
    },
    {
        pattern: "/devops/:devops/apps/:name",
        title: "detail.resources",
        load: async () => (await import("./screens/detail")).Detail,
        data: [stream],
        find: "find",
        tabs: ["resources", "diff", "sync", "history", "events", "services"],
        dialogs: ofApp(),
    },
    {
        pattern: "/devops/:devops/repos",
        title: "repos.title",
        load: async () => (await import("./screens/repos")).Repos,
        data: [repos],
        dialogs: [
            { name: "import", title: "repos.importTitle", data: [credentials] },
            { name: "edit", title: "repos.editTitle", on: "repo", data: [credentials] },
            { name: "yaml", title: "yaml.title", on: "repo" },
            { name: "delete", title: "repos.deleteTitle", on: "repo" },
        ],
    },
    {
        pattern: "/devops/:devops/credentials",
        title: "credentials.title",
        load: async () => (await import("./screens/credentials")).Credentials,
        data: [credentials],
        dialogs: [
            { name: "create", title: "credentials.createTitle" },
            { name: "edit", title: "credentials.editTitle", on: "credential" },
            { name: "delete", title: "credentials.deleteTitle", on: "credential" },
        ],
    },
    {
        pattern: "/devops/:devops/projects",
        title: "projects.title",
        load: async () => (await import("./screens/services")).Projects,
        data: [applications],
    },
    {
        pattern: "/devops/:devops/projects/:cluster/:project/services",
        title: "services.title",
        load: async () => (await import("./screens/services")).ProjectServices,
        data: [stream],
        dialogs: [access],
    },
    {
        pattern: "/devops/:devops/settings",
        title: "nav.settings",
        load: async () => (await import("./screens/devops-settings")).DevopsSettings,
        data: ["taut/v1/devops/:devops"],
        single: true,
        tabs: ["settings", "members"],
        dialogs: [
            { name: "info", title: "info.title" },
            { name: "allowlist", title: "devset.allowlistTitle" },
            { name: "delete", title: "devset.deleteTitle" },
            { name: "invite", title: "members.invite", tab: "members" },
            { name: "role", title: "members.changeTitle", on: "member", tab: "members" },
            { name: "remove", title: "members.removeTitle", on: "member", tab: "members" },
        ],
    },
    {
        pattern: "/platform/users",
        title: "nav.users",
        load: async () => (await import("./screens/users")).Users,
        data: ["taut/v1/users"],
        dialogs: [
            { name: "create", title: "users.createTitle" },
            { name: "edit", title: "users.editTitle", on: "user" },
            { name: "password", title: "users.passwordTitle", on: "user" },
            { name: "delete", title: "users.deleteTitle", on: "user" },
        ],
        admin: true,
    },
    {
        pattern: "/platform/clusters",
        title: "clusters.title",
        load: async () => (await import("./screens/clusters")).Clusters,
        data: ["taut/v1/clusters"],
        dialogs: [
            { name: "add", title: "clusters.addTitle" },
            { name: "edit", title: "clusters.editTitle", on: "cluster" },
            { name: "delete", title: "clusters.deleteTitle", on: "cluster" },
        ],
        admin: true,
    },
];

/** Dialogs of one's own account, over any page. */
export const accountDialogs: DialogEntry[] = [
    { name: "my-password", title: "user.password" },
    { name: "my-tokens", title: "user.tokens", data: ["taut/v1/me/tokens"] },
    { name: "log-out-everywhere", title: "user.logoutAll" },
];

/** "/devops/:devops/apps" against a path; null when it does not match. */
export function match(pattern: string, at: string): Params | null {
    const want = pattern.split("/");
    const have = at.replace(/\/$/, "").split("/");
    if (want.length !== have.length) return null;
    const found: Params = {};
    for (let i = 0; i < want.length; i++) {
        const w = want[i]!;
        const h = have[i]!;
        if (w.startsWith(":")) found[w.slice(1)] = decodeURIComponent(h);
        else if (w !== h) return null;
    }
    return found;
}

/** A pattern with its parameters filled in. */
export function fill(pattern: string, params: Params): string {
    return pattern.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
}
