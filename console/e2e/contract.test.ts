/* The contract of the API: the same questions to the mock and to the real server, answers checked against
 * the description that both are made from. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AppRow } from "../src/api/types.gen";
import { events, type ServerEvent } from "../src/live/sse";
import { find, problems, routes, type Route } from "../mock/description";
import { startMock } from "../mock/server";
import { startServer } from "./server";

interface Side {
    url: string;
    cookie: string;
    /** A deployment, a repository and an object that are there. */
    app: string;
    repo: string;
    key: string;
    stop: () => Promise<void>;
}

async function mock(): Promise<Side> {
    const running = await startMock({ apps: 60, devops: 30, repos: 20, branches: 50, nodes: 40 });
    const answer = await fetch(`${running.url}/taut/v1/session`, {
        method: "POST",
        headers: { "X-Taut-Request": "1", "Content-Type": "application/json" },
        body: JSON.stringify({ username: "admin", password: "right" }),
    });
    const cookie = answer.headers.getSetCookie().join("; ").split(";")[0]!;
    const { url, stop, rows } = running;
    return { url, stop, cookie, app: rows[0]!.name, repo: "ads-0", key: ":ConfigMap:shop:large" };
}

async function real(): Promise<Side> {
    const server = await startServer();
    const cookie = await server.session("admin");
    const { url, stop } = server;
    return { url, stop, cookie, app: "shop", repo: "sample", key: ":ConfigMap:shop:settings" };
}

const sides: Record<string, () => Promise<Side>> = { "the mock": mock, "the real server": real };

describe.each(Object.keys(sides))("%s", (name) => {
    let side: Side;
    beforeAll(async () => {
        side = await sides[name]!();
        const answer = await ask("GET", "/taut/v1/devops/demo/repos");
        const list = (await answer.json()) as { items: { name: string }[] };
        side.repo = list.items[0]!.name;
    });
    afterAll(() => side?.stop());

    function ask(method: string, at: string, body?: unknown, more: Record<string, string> = {}) {
        return fetch(side.url + at, {
            method,
            headers: {
                Cookie: side.cookie,
                "X-Taut-Request": "1",
                "Content-Type": "application/json",
                ...more,
            },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
    }

    function fill(route: Route): string {
        const values: Record<string, string> = {
            devops: "demo",
            cluster: "sandbox",
            project: "shop",
            key: side.key,
            name: route.path.includes("/repos/")
                ? side.repo
                : route.path.includes("/users/")
                  ? "admin"
                  : side.app,
        };
        return route.path.replace(/\{(\w+)\}/g, (_, key: string) =>
            encodeURIComponent(values[key] ?? "none"),
        );
    }

    test("every described answer has the shape that is promised", async () => {
        const wrong: string[] = [];
        for (const route of routes) {
            if (route.method !== "GET" || !route.answer) continue;
            const answer = await ask("GET", fill(route));
            const text = await answer.text();
            if (answer.status >= 400 && answer.status < 500 && text.includes('"Status"')) {
                /* What is not there is refused with a sentence, not with silence. */
                if (!(JSON.parse(text) as { message: string }).message) wrong.push(fill(route));
                continue;
            }
            expect([fill(route), answer.status]).toEqual([fill(route), 200]);
            wrong.push(
                ...problems(route.answer, JSON.parse(text)).map((p) => `${route.path}: ${p}`),
            );
        }
        expect(wrong).toEqual([]);
    });

    test("a path that is none, and nobody's question, are refused as Status objects", async () => {
        const nothing = await ask("GET", "/taut/v1/devops/demo/apps/there-is-none");
        expect(nothing.status).toBe(404);
        const status = { $ref: "#/components/schemas/Status" };
        expect(problems(status, await nothing.json())).toEqual([]);
        const nobody = await fetch(`${side.url}/taut/v1/devops/demo/apps`);
        expect(nobody.status).toBe(401);
        expect(problems(status, await nobody.json())).toEqual([]);
    });

    interface AppList {
        items: AppRow[];
        total: number;
        matched: number;
        facets: Record<string, Record<string, number>>;
        seq: string;
        cursor?: string;
    }
    async function apps(query = ""): Promise<AppList> {
        const answer = await ask("GET", `/taut/v1/devops/demo/apps${query}`);
        expect(answer.status).toBe(200);
        return (await answer.json()) as AppList;
    }

    test("values of one facet are or, facets are and, counts ignore both", async () => {
        const all = await apps();
        expect(all.items.length).toBe(all.total);
        const health = Object.keys(all.facets.health!);
        const some = health.slice(0, 2).join(",");
        const found = await apps(`?health=${some}`);
        expect(found.facets).toEqual(all.facets);
        expect(found.matched).toBe(
            health.slice(0, 2).reduce((n, h) => n + all.facets.health![h]!, 0),
        );
        const both = await apps(`?health=${some}&sync=Synced`);
        expect(both.items.every((r) => r.sync === "Synced")).toBe(true);
        expect(both.matched).toBe(found.items.filter((r) => r.sync === "Synced").length);
        const named = await apps(`?q=${side.app.toUpperCase()}`);
        expect(named.items.map((r) => r.name)).toContain(side.app);
    });

    test("pages follow each other, in the order that was asked for", async () => {
        for (const sort of ["name", "-name", "health", "-updated", "location"]) {
            const whole = (await apps(`?sort=${sort}`)).items.map((r) => r.name);
            const names: string[] = [];
            for (let cursor: string | undefined = ""; cursor !== undefined;) {
                const page: AppList = await apps(`?sort=${sort}&limit=3&cursor=${cursor}`);
                names.push(...page.items.map((r) => r.name));
                cursor = page.cursor;
            }
            expect(names).toEqual(whole);
        }
        expect((await ask("GET", "/taut/v1/devops/demo/apps?sort=colour")).status).toBe(422);
    });

    test("an answer that is known already is not sent again", async () => {
        const at = "/taut/v1/devops/demo/repos";
        const first = await ask("GET", at);
        const etag = first.headers.get("etag")!;
        expect(etag).toMatch(/^"\w+"$/);
        const second = await ask("GET", at, undefined, { "If-None-Match": etag });
        expect([200, 304]).toContain(second.status);
        if (second.status === 200) expect(second.headers.get("etag")).not.toBe(etag);
    });

    async function setAlias(alias: string): Promise<void> {
        const at = `/apis/argoproj.io/v1alpha1/namespaces/demo/applications/${side.app}`;
        const body = { metadata: { annotations: { "kubesphere.io/alias-name": alias } } };
        const type = { "Content-Type": "application/merge-patch+json" };
        expect((await ask("PATCH", at, body, type)).status).toBe(200);
    }

    interface Told {
        topic: string;
        value?: Record<string, unknown>;
        patch?: Record<string, { alias?: string; name?: string } | null>;
    }
    async function open(topics: string) {
        const abort = new AbortController();
        const answer = await fetch(`${side.url}/taut/v1/stream?topics=${topics}`, {
            headers: { Cookie: side.cookie },
            signal: abort.signal,
        });
        expect(answer.headers.get("content-type")).toContain("text/event-stream");
        expect(answer.headers.get("cache-control")).toBe("no-store");
        expect(answer.headers.get("x-accel-buffering")).toBe("no");
        const all = events(answer.body!, () => undefined);
        const until = async (wanted: (e: ServerEvent, data: Told) => boolean) => {
            for (;;) {
                const { value, done } = await all.next();
                if (done) throw new Error("the stream has ended");
                if (wanted(value, JSON.parse(value.data) as Told)) return value;
            }
        };
        return { until, close: () => abort.abort() };
    }

    test("a list and the stream meet without a gap, and a break is caught up with", async () => {
        const { seq } = await apps();
        await setAlias("before the stream");
        const topic = "apps:demo";
        const stream = await open(`${topic}@${seq}`);
        await stream.until(
            (e, d) => e.event === "rows" && d.patch?.[side.app]?.alias !== undefined,
        );
        await setAlias("while it is open");
        const last = await stream.until(
            (_, d) => d.patch?.[side.app]?.alias === "while it is open",
        );
        expect((JSON.parse(last.data) as Told).patch![side.app]!.name).toBeUndefined();
        stream.close();
        await setAlias("while it was closed");
        const again = await open(`${topic}@${last.id}`);
        const next = await again.until((_, d) => d.patch?.[side.app]?.alias !== undefined);
        expect((JSON.parse(next.data) as Told).patch![side.app]!.alias).toBe("while it was closed");
        again.close();
    });

    test("topics are added and dropped while the stream is open", async () => {
        const stream = await open("");
        const hello = await stream.until((e) => e.event === "hello");
        const { sid } = JSON.parse(hello.data) as { sid: string };
        const at = `/taut/v1/stream/${sid}/topics`;
        const topic = `app:demo/${side.app}`;
        const added = await ask("POST", at, { add: [topic, "repos:demo", "colour:blue"] });
        expect(added.status).toBe(200);
        await stream.until((e, d) => e.event === "gone" && d.topic === "colour:blue");
        const repos = await (await open("repos:demo")).until((e) => e.event === "repo");
        const items = (JSON.parse(repos.data) as Told).value!.items as Record<string, unknown>;
        expect(Object.keys(items)).toContain(side.repo);
        const dropped = await ask("POST", at, { drop: [topic] });
        expect(await dropped.json()).toEqual({ topics: ["repos:demo"] });
        expect((await ask("POST", "/taut/v1/stream/none/topics", {})).status).toBe(404);
        stream.close();
    });

    test("a position of another start is told to be useless", async () => {
        const stream = await open("apps:demo@0123456789abcdef-7");
        await stream.until((e, d) => e.event === "resync" && d.topic === "apps:demo");
        stream.close();
    });
});

test("the mock knows every route of the description", () => {
    for (const route of routes) {
        const path = route.path.replace(/\{\w+\}/g, "x");
        expect(find(route.method, path)?.route.path).toBe(route.path);
    }
});
