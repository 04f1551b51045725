/* JSON merge patches (RFC 7396): what changed between two objects, and what one edit and another share. */

type Json = unknown;
type Map = Record<string, Json>;

function isMap(v: Json): v is Map {
    return typeof v === "object" && v !== null && !Array.isArray(v);
}

export function same(a: Json, b: Json): boolean {
    if (a === b) return true;
    if (Array.isArray(a) && Array.isArray(b))
        return a.length === b.length && a.every((x, i) => same(x, b[i]));
    if (!isMap(a) || !isMap(b)) return false;
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((k) => k in b && same(a[k], b[k]));
}

/** The smallest patch that makes `after` of `before`; undefined when nothing differs. */
export function mergePatch(before: Json, after: Json): Json | undefined {
    if (same(before, after)) return undefined;
    if (!isMap(before) || !isMap(after)) return after;
    const patch: Map = {};
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
        if (!(key in after)) patch[key] = null;
        else {
            const part = mergePatch(before[key], after[key]);
            if (part !== undefined) patch[key] = part;
        }
    }
    return patch;
}

export function applyPatch(to: Json, patch: Json): Json {
    if (!isMap(patch)) return patch;
    const out: Map = isMap(to) ? { ...to } : {};
    for (const [key, value] of Object.entries(patch)) {
        if (value === null) delete out[key];
        else out[key] = applyPatch(out[key], value);
    }
    return out;
}

/** Paths that a patch touches: "spec.source.path". */
export function pathsOf(patch: Json, at = ""): string[] {
    if (!isMap(patch) || Object.keys(patch).length === 0) return at ? [at] : [];
    return Object.entries(patch).flatMap(([key, value]) =>
        pathsOf(value, at ? `${at}.${key}` : key),
    );
}

/** Do two patches touch the same place, or one a part of the other's? */
export function overlap(a: string[], b: string[]): string[] {
    return a.filter((x) =>
        b.some((y) => x === y || x.startsWith(`${y}.`) || y.startsWith(`${x}.`)),
    );
}
