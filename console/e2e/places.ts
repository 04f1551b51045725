/*
 * Every page, tab and dialog of the table of routes, as addresses on the demo's server. A new parameter
 * or target in the table needs a sample here; without one this fails and names it.
 */
import {
    accountDialogs,
    routes,
    type DialogEntry,
    type Params,
    type Route,
    type Target,
} from "../src/routes";
import type { Server } from "./server";

/** Who may see everything that project-regular may not. */
export type User = "project-regular" | "admin";

export interface Place {
    name: string;
    path: string;
    route: Route;
    dialog?: DialogEntry;
    user: User;
}

const params: Params = { devops: "demo", name: "shop", cluster: "sandbox", project: "shop" };
const targets: Record<Target, string> = {
    app: "shop",
    repo: "sample",
    credential: "robot",
    cluster: "spare",
    service: "sandbox/shop/web",
    user: "project-viewer",
    member: "project-viewer",
};

export function pathOf(pattern: string): string {
    return pattern.replace(/:(\w+)/g, (_, name: string) => {
        const value = params[name];
        if (value === undefined) throw new Error(`e2e/places.ts has no sample for :${name}`);
        return value;
    });
}

function dialogPath(route: Route, dialog: DialogEntry): string {
    const query = new URLSearchParams({ dialog: dialog.name });
    if (dialog.tab) query.set("tab", dialog.tab);
    if (dialog.on) {
        const on = targets[dialog.on];
        if (!on) throw new Error(`e2e/places.ts has no sample for a dialog on ${dialog.on}`);
        query.set("on", on);
    }
    return `${pathOf(route.pattern)}?${query}`;
}

function placesOf(route: Route): Place[] {
    const user: User = route.admin ? "admin" : "project-regular";
    const path = pathOf(route.pattern);
    const tabs = route.tabs ?? [];
    return [
        { name: route.pattern, path, route, user },
        ...tabs.slice(1).map((tab) => ({
            name: `${route.pattern}, ${tab}`,
            path: `${path}?tab=${tab}`,
            route,
            user,
        })),
        ...(route.dialogs ?? []).map((dialog) => ({
            name: `${route.pattern}, dialog ${dialog.name}`,
            path: dialogPath(route, dialog),
            route,
            dialog,
            user,
        })),
    ];
}

/** The dialogs of one's own account open over any page. */
function accountPlaces(): Place[] {
    const route = routes.find((r) => r.pattern === "/devops")!;
    return accountDialogs.map((dialog) => ({
        name: `account, dialog ${dialog.name}`,
        path: dialogPath(route, dialog),
        route,
        dialog,
        user: "project-regular",
    }));
}

export const places: Place[] = [...routes.flatMap(placesOf), ...accountPlaces()];

/** What the table cannot name: errors, filters, pages that are not there. */
export const oddPlaces: Pick<Place, "name" | "path" | "user">[] = [
    { name: "deployments, no match", path: "/devops/demo/apps?q=nothing", user: "project-regular" },
    { name: "an error with its place", path: "/devops/demo/apps/typo", user: "project-regular" },
    { name: "a difference", path: "/devops/demo/apps/blog?tab=diff", user: "project-regular" },
    { name: "graph", path: "/devops/demo/apps/worker?view=graph", user: "project-regular" },
    ...["summary", "diff", "live", "desired", "events"].map((panel) => ({
        name: `a resource, ${panel}`,
        path: `/devops/demo/apps/worker?res=apps:Deployment:worker:worker&panel=${panel}`,
        user: "project-regular" as const,
    })),
    { name: "no such deployment", path: "/devops/demo/apps/nothing", user: "project-regular" },
    { name: "forbidden", path: "/platform/clusters", user: "project-regular" },
    { name: "no such page", path: "/nothing/here", user: "project-regular" },
];

/** Makes on the server what the samples name and the demo does not have. */
export async function prepare(server: Server): Promise<void> {
    await server.ask("admin", "POST", "/taut/v1/devops/demo/credentials", {
        name: "robot",
        type: "basic",
        username: "robot",
        secret: "secret",
    });
    await server.ask("admin", "POST", "/taut/v1/clusters", {
        name: "spare",
        server: "https://127.0.0.1:1",
        config: {},
    });
}
