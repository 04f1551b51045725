/* The tree of a deployment as lines of an outline: pure functions, tested without a browser. */
import type { HealthStatus, SyncStatus } from "./api/types";
import { groupOf, type Group } from "./model";

export interface TreeNode {
    id: string;
    parent?: string;
    managed?: boolean;
    group?: string;
    version?: string;
    kind: string;
    namespace?: string;
    name: string;
    status?: SyncStatus;
    health?: HealthStatus;
    reason?: string;
    difference?: string;
    requiresPruning?: boolean;
    deleting?: boolean;
    info?: string;
    node?: string;
    state?: string;
    restarts?: number;
    images?: string[];
    created?: string;
    file?: string;
}

/** A row of the outline: a group, or an object at its depth below its group. */
export interface Line {
    id: string;
    level: number;
    parent?: string;
    /** undefined: nothing below it. */
    open?: boolean;
    group?: Group;
    node?: TreeNode;
    count: number;
    health?: HealthStatus;
    sync?: SyncStatus;
}

export const groupOrder: Group[] = [
    "workloads",
    "network",
    "config",
    "storage",
    "access",
    "definitions",
    "other",
];
const quiet: Group[] = ["access", "definitions"];
const worst: HealthStatus[] = [
    "Healthy",
    "Suspended",
    "Progressing",
    "Missing",
    "Degraded",
    "Unknown",
];

export function isTrouble(n: TreeNode): boolean {
    return (
        n.status === "OutOfSync" ||
        Boolean(n.requiresPruning) ||
        (n.health !== undefined && n.health !== "Healthy")
    );
}

export interface Forest {
    roots: TreeNode[];
    below: Map<string, TreeNode[]>;
    byId: Map<string, TreeNode>;
}

/** Who is below whom. What names a parent that is not there, or itself, is a root. */
export function forest(nodes: TreeNode[]): Forest {
    const byId = new Map(nodes.map((n) => [n.id, n]));
    const below = new Map<string, TreeNode[]>();
    const roots: TreeNode[] = [];
    for (const n of nodes) {
        if (!n.parent || n.parent === n.id || !byId.has(n.parent)) roots.push(n);
        else if (below.has(n.parent)) below.get(n.parent)!.push(n);
        else below.set(n.parent, [n]);
    }
    const byName = (a: TreeNode, b: TreeNode) =>
        a.kind === b.kind ? (a.name < b.name ? -1 : 1) : a.kind < b.kind ? -1 : 1;
    const newestFirst = (a: TreeNode, b: TreeNode) =>
        (b.created ?? "") < (a.created ?? "") ? -1 : (b.created ?? "") > (a.created ?? "") ? 1 : 0;
    roots.sort(byName);
    for (const list of below.values()) list.sort((a, b) => newestFirst(a, b) || byName(a, b));
    return { roots, below, byId };
}

export interface Choice {
    text: string;
    problems: boolean;
    kinds: string[];
    states: string[];
}

export function isChoosing(c: Choice): boolean {
    return c.problems || c.text !== "" || c.kinds.length > 0 || c.states.length > 0;
}

function fits(n: TreeNode, c: Choice): boolean {
    return (
        (!c.problems || isTrouble(n)) &&
        (c.kinds.length === 0 || c.kinds.includes(n.kind)) &&
        (c.states.length === 0 ||
            c.states.includes(n.health ?? "") ||
            c.states.includes(`sync:${n.status ?? ""}`)) &&
        (!c.text || `${n.name} ${n.kind} ${n.namespace ?? ""}`.toLowerCase().includes(c.text))
    );
}

/** Ids of what fits and of all that is above it. */
export function keep(f: Forest, c: Choice): Set<string> | null {
    if (!isChoosing(c)) return null;
    const kept = new Set<string>();
    for (const n of f.byId.values()) {
        if (!fits(n, c)) continue;
        for (let at: TreeNode | undefined = n; at && !kept.has(at.id);) {
            kept.add(at.id);
            at = at.parent ? f.byId.get(at.parent) : undefined;
        }
    }
    return kept;
}

/** Ids with trouble somewhere below them. */
function troubled(f: Forest): Set<string> {
    const found = new Set<string>();
    for (const n of f.byId.values()) {
        if (!isTrouble(n)) continue;
        let at = n.parent ? f.byId.get(n.parent) : undefined;
        while (at && !found.has(at.id)) {
            found.add(at.id);
            at = at.parent ? f.byId.get(at.parent) : undefined;
        }
    }
    return found;
}

function rollHealth(nodes: TreeNode[]): HealthStatus | undefined {
    let at = -1;
    for (const n of nodes) at = Math.max(at, n.health ? worst.indexOf(n.health) : -1);
    return worst[at];
}

function rollSync(nodes: TreeNode[]): SyncStatus | undefined {
    if (nodes.some((n) => n.status === "OutOfSync" || n.requiresPruning)) return "OutOfSync";
    if (nodes.some((n) => n.status === "Unknown")) return "Unknown";
    return nodes.some((n) => n.status === "Synced") ? "Synced" : undefined;
}

/** The lines that are to be seen, groups with trouble first. `opened` holds what the user chose. */
export function outline(nodes: TreeNode[], c: Choice, opened: Record<string, boolean>): Line[] {
    const f = forest(nodes);
    const kept = keep(f, c);
    const bad = troubled(f);
    const lines: Line[] = [];
    const walk = (n: TreeNode, level: number, parent: string, seen: Set<string>): void => {
        if (seen.has(n.id)) return;
        seen.add(n.id);
        const children = (f.below.get(n.id) ?? []).filter((x) => !kept || kept.has(x.id));
        const open =
            children.length === 0
                ? undefined
                : (opened[n.id] ?? (bad.has(n.id) || (kept !== null && !c.problems)));
        lines.push({
            id: n.id,
            level,
            parent,
            node: n,
            count: children.length,
            ...(open === undefined ? {} : { open }),
        });
        if (open) for (const x of children) walk(x, level + 1, n.id, seen);
    };
    const groups = groupOrder
        .map((g) => ({ g, all: f.roots.filter((n) => groupOf(n) === g) }))
        .map(({ g, all }) => ({ g, all, shown: all.filter((n) => !kept || kept.has(n.id)) }))
        .filter(({ shown }) => shown.length > 0)
        .map((x) => ({ ...x, bad: x.all.some((n) => isTrouble(n) || bad.has(n.id)) }));
    groups.sort((a, b) => Number(b.bad) - Number(a.bad));
    for (const { g, all, shown, bad: has } of groups) {
        const id = `group:${g}`;
        const open =
            opened[id] ?? (has || kept !== null || !quiet.includes(g) || f.roots.length < 12);
        const health = rollHealth(all);
        const sync = rollSync(all);
        lines.push({
            id,
            level: 1,
            open,
            group: g,
            count: shown.length,
            ...(health ? { health } : {}),
            ...(sync ? { sync } : {}),
        });
        if (open) for (const n of shown) walk(n, 2, id, new Set());
    }
    return lines;
}

/** What most names begin with ("osf2f-"): dimmed, for it tells nothing. */
export function commonPrefix(names: string[]): string {
    const counts = new Map<string, number>();
    for (const name of names) {
        const at = name.indexOf("-");
        if (at <= 0) continue;
        const prefix = name.slice(0, at + 1);
        counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
    for (const [prefix, n] of counts) if (n >= 3 && n * 2 > names.length) return prefix;
    return "";
}

/**
 * A name in two parts: what may be dimmed and cut, and what must be seen. Of a child the first part
 * is what it has from its parent; of a long name without one, all but its end.
 */
export function nameParts(name: string, prefix: string, parent?: string): [string, string] {
    if (parent && name.startsWith(`${parent}-`) && name.length > parent.length + 1)
        return [`${parent}-`, name.slice(parent.length + 1)];
    if (prefix && name.startsWith(prefix) && name.length > prefix.length)
        return [prefix, name.slice(prefix.length)];
    return ["", name];
}

/** "group:Kind:namespace:name": how an address names an object; a name may hold colons. */
export function keyOfNode(n: {
    group?: string | undefined;
    kind: string;
    namespace?: string | undefined;
    name: string;
}): string {
    return `${n.group ?? ""}:${n.kind}:${n.namespace ?? ""}:${n.name}`;
}

export function idOfKey(key: string): string {
    const parts = key.split(":");
    return [...parts.slice(0, 3), parts.slice(3).join(":")].join("/");
}
