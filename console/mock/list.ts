/* Search, facets, sorting and pages, as src/web/list.c does them. */
type Row = Record<string, unknown>;

export interface ListSpec {
    search: string[];
    facets: string[];
    sort: string;
    descending: boolean;
    orders?: Record<string, string[]>;
    sorts?: Record<string, string[]>;
}

export const appList: ListSpec = {
    search: ["name", "alias", "description", "repo", "project", "cluster"],
    facets: ["health", "sync", "cluster"],
    sort: "created",
    descending: true,
    orders: {
        health: ["Degraded", "Missing", "Unknown", "Progressing", "Suspended", "Healthy"],
        sync: ["OutOfSync", "Unknown", "Synced"],
    },
    sorts: { location: ["cluster", "project"] },
};

export const nameList: ListSpec = {
    search: ["name", "alias", "description", "url"],
    facets: [],
    sort: "name",
    descending: false,
};

function text(row: Row, key: string): string {
    const value = row[key];
    return value === undefined ? "" : String(value);
}

export function selectRows(spec: ListSpec, rows: Row[], query: URLSearchParams) {
    const q = (query.get("q") ?? "").trim().toLowerCase();
    const wanted = query.get("sort") || (spec.descending ? "-" : "") + spec.sort;
    const down = wanted.startsWith("-");
    const by = wanted.replace(/^-/, "");
    const limit = Number(query.get("limit") ?? 50_000);
    const cursor = query.get("cursor") ?? "";
    const keyOf = (row: Row): string => {
        const order = spec.orders?.[by];
        const value = order
            ? String(order.indexOf(text(row, by))).padStart(2, "0")
            : typeof row[by] === "number"
              ? String(row[by]).padStart(20, "0")
              : (spec.sorts?.[by] ?? [by]).map((k) => text(row, k)).join("\x01");
        return `${value}\x01${text(row, "name")}`;
    };
    const found = rows
        .filter(
            (row) =>
                spec.facets.every((f) => {
                    const values = (query.get(f) ?? "").split(",").filter(Boolean);
                    return values.length === 0 || values.includes(text(row, f));
                }) &&
                (!q || spec.search.some((k) => text(row, k).toLowerCase().includes(q))),
        )
        .map((row) => ({ key: keyOf(row), row }))
        .sort((a, b) => (a.key < b.key ? -1 : 1) * (down ? -1 : 1));
    const from = cursor ? Buffer.from(cursor, "hex").toString() : "";
    const rest = from ? found.filter((x) => (down ? x.key < from : x.key > from)) : found;
    const page = rest.slice(0, limit);
    const facets: Record<string, Record<string, number>> = {};
    for (const f of spec.facets) {
        const counts: Record<string, number> = {};
        for (const row of rows) counts[text(row, f)] = (counts[text(row, f)] ?? 0) + 1;
        facets[f] = counts;
    }
    return {
        items: page.map((x) => x.row),
        total: rows.length,
        matched: found.length,
        facets,
        ...(rest.length > page.length
            ? { cursor: Buffer.from(page[page.length - 1]!.key).toString("hex") }
            : {}),
    };
}
