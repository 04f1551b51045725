/* The hub and its parts, against a server of a few lines. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Hub, type FromHub } from "../src/live/hub";
import { merge } from "../src/live/patch";
import { events } from "../src/live/sse";

function bodyOf(chunks: string[]): ReadableStream<Uint8Array> {
    const bytes = new TextEncoder();
    return new ReadableStream({
        start(to) {
            for (const c of chunks) to.enqueue(bytes.encode(c));
            to.close();
        },
    });
}

describe("merge patches", () => {
    test("follow RFC 7386", () => {
        expect(merge({ a: "b", c: { d: "e", f: "g" } }, { a: "z", c: { f: null } })).toEqual({
            a: "z",
            c: { d: "e" },
        });
        expect(merge({ a: [1, 2] }, { a: [3] })).toEqual({ a: [3] });
        expect(merge("text", { a: { b: null, c: 1 } })).toEqual({ a: { c: 1 } });
        expect(merge({ a: 1 }, { a: null })).toEqual({});
    });
    test("leave what they do not name as the same object", () => {
        const before = { shop: { health: "Healthy" }, blog: { health: "Unknown" } };
        const after = merge(before, { blog: { health: "Healthy" } }) as typeof before;
        expect(after.shop).toBe(before.shop);
        expect(before.blog.health).toBe("Unknown");
    });
});

test("events come out the same however the bytes are cut", async () => {
    const text =
        'event: hello\ndata: {"sid":"s"}\n\nid: e-1\nevent: rows\ndata: {"topic":"apps:d",' +
        '"patch":{"ö":{"alias":"日本"}}}\n\n: a comment\n\nevent: ping\ndata: {}\n\n';
    const bytes = new TextEncoder().encode(text);
    for (const size of [1, 3, 7, 1000]) {
        const cut: Uint8Array[] = [];
        for (let i = 0; i < bytes.length; i += size) cut.push(bytes.slice(i, i + size));
        const body = new ReadableStream<Uint8Array>({
            start(to) {
                cut.forEach((c) => to.enqueue(c));
                to.close();
            },
        });
        const all = [];
        for await (const e of events(body, () => undefined)) all.push(e);
        expect(all.map((e) => e.event)).toEqual(["hello", "rows", "ping"]);
        expect(all[1]!.id).toBe("e-1");
        expect(JSON.parse(all[1]!.data)).toEqual({
            topic: "apps:d",
            patch: { ö: { alias: "日本" } },
        });
    }
});

/* ---- a server that the test leads ---- */

interface Open {
    topics: string[];
    send: (text: string) => void;
    end: () => void;
}
let opened: Open[] = [];
let asked: { add?: string[]; drop?: string[] }[] = [];
let lists = 0;
let rows: { name: string; health: string }[] = [];
let position = "e-0";
let down = false;

function serve(input: string | URL | Request): Promise<Response> {
    const url = new URL(String(input));
    if (down) return Promise.reject(new TypeError("refused"));
    if (url.pathname.endsWith("/apps")) {
        lists++;
        return Promise.resolve(
            new Response(JSON.stringify({ items: rows }), { headers: { "X-Seq": position } }),
        );
    }
    const bytes = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
        start(to) {
            const send = (text: string) => to.enqueue(bytes.encode(text));
            opened.push({
                topics: (url.searchParams.get("topics") ?? "").split(",").filter(Boolean),
                send,
                end: () => to.close(),
            });
            send(`event: hello\ndata: {"sid":"s${opened.length}"}\n\n`);
        },
    });
    return Promise.resolve(new Response(body, { status: 200 }));
}

function patch(number: number, change: unknown): string {
    const data = JSON.stringify({ topic: "apps:demo", patch: change });
    return `id: e-${number}\nevent: rows\ndata: ${data}\n\n`;
}

/** A tab: what it was told, and the copy that it keeps. */
function tab() {
    const told: FromHub[] = [];
    let value: unknown = null;
    const take = (m: FromHub) => {
        told.push(m);
        if (m.kind === "value") value = m.value;
        if (m.kind === "patch") value = merge(value, m.patch);
    };
    return { take, told, value: () => value as Record<string, { health: string }> | null };
}

const join = { kind: "join", base: "http://taut.test/", user: "admin", visible: true } as const;

beforeEach(() => {
    opened = [];
    asked = [];
    lists = 0;
    rows = [{ name: "shop", health: "Healthy" }];
    position = "e-0";
    down = false;
    vi.stubGlobal("fetch", (input: string | URL, init?: RequestInit) => {
        if (init?.method === "POST") {
            asked.push(JSON.parse(String(init.body)) as (typeof asked)[0]);
            return Promise.resolve(new Response("{}"));
        }
        return serve(input);
    });
});
afterEach(() => {
    down = true;
    vi.unstubAllGlobals();
});

describe("the hub", () => {
    test("holds one stream and one list for all tabs", async () => {
        const hub = new Hub();
        const [one, two] = [tab(), tab()];
        for (const t of [one, two]) {
            hub.take(t.take, join);
            hub.take(t.take, { kind: "open", topic: "apps:demo" });
        }
        await vi.waitFor(() => expect(two.value()?.shop?.health).toBe("Healthy"));
        expect(opened).toHaveLength(1);
        expect(lists).toBe(1);
        opened[0]!.send(patch(1, { shop: { health: "Degraded" } }));
        await vi.waitFor(() => expect(one.value()?.shop?.health).toBe("Degraded"));
        expect(two.value()).toEqual(one.value());
        hub.take(one.take, { kind: "bye" });
        hub.take(two.take, { kind: "bye" });
    });

    test("goes on from where it was when the stream breaks", async () => {
        const hub = new Hub();
        const one = tab();
        hub.take(one.take, join);
        hub.take(one.take, { kind: "open", topic: "apps:demo" });
        await vi.waitFor(() => expect(one.value()).not.toBeNull());
        opened[0]!.send(patch(4, { blog: { name: "blog", health: "Unknown" } }));
        await vi.waitFor(() => expect(one.value()?.blog).toBeDefined());
        opened[0]!.end();
        await vi.waitFor(() =>
            expect(one.told.some((m) => m.kind === "state" && m.state === "off")).toBe(true),
        );
        hub.take(one.take, { kind: "retry" });
        await vi.waitFor(() => expect(opened).toHaveLength(2));
        expect(opened[1]!.topics).toEqual(["apps:demo@e-4"]);
        expect(lists).toBe(1);
        hub.take(one.take, { kind: "bye" });
    });

    test("lists again what the server no longer has, and shows no stale row", async () => {
        const hub = new Hub();
        const one = tab();
        hub.take(one.take, join);
        hub.take(one.take, { kind: "open", topic: "apps:demo" });
        await vi.waitFor(() => expect(one.value()?.shop).toBeDefined());
        rows = [{ name: "blog", health: "Healthy" }];
        position = "f-9";
        opened[0]!.send('event: resync\ndata: {"topic":"apps:demo"}\n\n');
        await vi.waitFor(() => expect(one.value()?.blog).toBeDefined());
        expect(one.value()?.shop).toBeUndefined();
        await vi.waitFor(() =>
            expect(asked.some((a) => a.add?.includes("apps:demo@f-9"))).toBe(true),
        );
        hub.take(one.take, { kind: "bye" });
    });

    test("tells what may not be seen, and forgets it", async () => {
        const hub = new Hub();
        const one = tab();
        hub.take(one.take, join);
        hub.take(one.take, { kind: "open", topic: "apps:demo" });
        await vi.waitFor(() => expect(one.value()).not.toBeNull());
        opened[0]!.send(
            'event: forbidden\ndata: {"topic":"apps:demo","status":403,"message":"no"}\n\n',
        );
        await vi.waitFor(() =>
            expect(one.told.at(-1)).toEqual({
                kind: "ended",
                topic: "apps:demo",
                status: 403,
                message: "no",
            }),
        );
        const two = tab();
        hub.take(two.take, join);
        expect(two.told.some((m) => m.kind === "value")).toBe(false);
        hub.take(one.take, { kind: "bye" });
        hub.take(two.take, { kind: "bye" });
    });

    test("gives another person nothing of the one before", async () => {
        const hub = new Hub();
        const one = tab();
        hub.take(one.take, join);
        hub.take(one.take, { kind: "open", topic: "apps:demo" });
        await vi.waitFor(() => expect(one.value()).not.toBeNull());
        rows = [];
        const two = tab();
        hub.take(two.take, { ...join, user: "viewer" });
        expect(one.told.at(-1)).toEqual({ kind: "expired" });
        hub.take(two.take, { kind: "open", topic: "apps:demo" });
        await vi.waitFor(() => expect(two.value()).toEqual({}));
        hub.take(one.take, { kind: "open", topic: "apps:demo" });
        expect(one.told.at(-1)).toEqual({ kind: "who" });
        hub.take(two.take, { kind: "bye" });
    });
});

test("a body without events ends quietly", async () => {
    const all = [];
    for await (const e of events(bodyOf([": nothing\n\n"]), () => undefined)) all.push(e);
    expect(all).toEqual([]);
});
