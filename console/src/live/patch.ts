/* Merge patches (RFC 7386), without changing what was there: what is equal keeps its identity. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

function isMap(v: unknown): v is Record<string, unknown> {
    return typeof v === "object" && v !== null && !Array.isArray(v);
}

export function merge(value: unknown, patch: unknown): unknown {
    if (!isMap(patch)) return patch;
    const next: Record<string, unknown> = isMap(value) ? { ...value } : {};
    for (const key of Object.keys(patch)) {
        const change = patch[key];
        if (change === null) delete next[key];
        else next[key] = merge(next[key], change);
    }
    return next;
}
