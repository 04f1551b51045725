/* What the Diff tab lists: items with their texts and counts, from the server's diff or two revisions. */
import { compareTexts, splitLines, type Compared } from "./diff";
import { keyOf } from "./model";
import { toYaml } from "./yaml";

export interface DiffItem {
    group?: string;
    kind: string;
    namespace?: string;
    name: string;
    status?: "Synced" | "OutOfSync" | "Unknown";
    reason?: string;
    message?: string;
    ignored?: boolean;
    live?: unknown;
    wanted?: unknown;
    fields?: { path: string; live?: unknown; wanted?: unknown; manager?: string; time?: string }[];
}

export interface Entry {
    key: string;
    item: DiffItem;
    before: string;
    after: string;
    lines: number;
    /** null: too much to be compared unasked. */
    compared: Compared | null;
}

/** As YAML, without what the server keeps for itself. */
export function readable(object: unknown): string {
    if (typeof object !== "object" || object === null) return "";
    const copy = structuredClone(object) as Record<string, unknown>;
    delete copy.status;
    const meta = copy.metadata as Record<string, unknown> | undefined;
    for (const own of [
        "managedFields",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
    ])
        delete meta?.[own];
    return toYaml(copy);
}

/** More lines than this are compared only when somebody opens them. */
export const MANY_LINES = 50_000;

export function entriesOf(items: DiffItem[]): Entry[] {
    const entries = items.map((item) => {
        const before = readable(item.live);
        const after = readable(item.wanted);
        const lines = splitLines(before).length + splitLines(after).length;
        return { key: keyOf(item), item, before, after, lines, compared: null as Compared | null };
    });
    let all = 0;
    for (const e of entries) {
        all += e.lines;
        if (all <= MANY_LINES) e.compared = compareTexts(e.before, e.after);
    }
    return entries;
}

interface Manifest {
    apiVersion?: string;
    kind?: string;
    metadata?: { name?: string; namespace?: string };
}

function identity(m: Manifest) {
    const group = m.apiVersion?.includes("/") ? m.apiVersion.split("/")[0]! : "";
    const { name = "", namespace } = m.metadata ?? {};
    return { group, kind: m.kind ?? "", name, ...(namespace ? { namespace } : {}) };
}

/** What two rendered sets have different: changed, added and removed objects. */
export function itemsBetween(before: Manifest[], after: Manifest[]): DiffItem[] {
    const old = new Map(before.map((m) => [keyOf(identity(m)), m]));
    const items: DiffItem[] = [];
    for (const m of after) {
        const key = keyOf(identity(m));
        const was = old.get(key);
        old.delete(key);
        if (was && JSON.stringify(was) === JSON.stringify(m)) continue;
        items.push({
            ...identity(m),
            reason: was ? "field" : "added",
            wanted: m,
            ...(was ? { live: was } : {}),
        });
    }
    for (const m of old.values()) items.push({ ...identity(m), reason: "removed", live: m });
    return items;
}
