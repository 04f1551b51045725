/*
 * A server of the same API with generated data, for tests of size and for the contract: every route of
 * the description is served, by the functions below or by the smallest value of its shape. It keeps
 * nothing and refuses nobody who has signed in.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { createHash } from "node:crypto";
import * as data from "./data";
import { document, example, find } from "./description";
import { appList, nameList, selectRows } from "./list";
import { MockStream } from "./stream";

export interface MockOptions extends Partial<data.Sizes> {
    /** Rows that change by themselves. */
    updatesPerSecond?: number;
    /** Where the built console is. */
    dist?: string;
    /** Signed in from the start: for measurements. */
    open?: boolean;
}

export interface Mock {
    url: string;
    rows: ReturnType<typeof data.rows>;
    stream: MockStream;
    stop: () => Promise<void>;
}

const types: Record<string, string> = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
};

type Answer = { status?: number; body: unknown; headers?: Record<string, string> };
type Handler = (
    params: Record<string, string>,
    query: URLSearchParams,
    body: Record<string, unknown>,
) => Answer;

/** "sync applications" and the like: what a platform administrator may. */
const rights = [
    ...new Set([
        ...Object.values(document.paths).flatMap((operations) =>
            Object.values(operations).map((o) =>
                (o["x-taut-right"] ?? "").replace(/^(\S+ [^./]+(?:\/\w+)?).*$/, "$1"),
            ),
        ),
        ...["create", "update", "patch", "delete", "rollback", "override"].map(
            (verb) => `${verb} applications`,
        ),
        "create devopsprojects",
    ]),
];

function refusal(code: number, message: string): Answer {
    return {
        status: code,
        body: {
            kind: "Status",
            apiVersion: "v1",
            metadata: {},
            status: "Failure",
            message,
            reason: "",
            code,
        },
    };
}

async function read(request: IncomingMessage): Promise<Record<string, unknown>> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    try {
        return JSON.parse(Buffer.concat(chunks).toString() || "{}") as Record<string, unknown>;
    } catch {
        return {};
    }
}

function handlers(sizes: data.Sizes, rows: data.Rows, stream: MockStream): Record<string, Handler> {
    const devops = data.projects(sizes.devops);
    const repos = data.repositories(sizes.repos);
    const D = "/taut/v1/devops/{devops}";
    const APP = `${D}/apps/{name}`;
    const rowOf = (name: string) => rows.find((r) => r.name === name);
    const user = { name: "admin", role: "platform-admin", language: "", disabled: false };
    const person = { ...user, sessions: 1, tokens: 0, memberships: [], admin: true };
    const list = (items: object[]) => (_: unknown, query: URLSearchParams) => ({
        body: selectRows(nameList, items as Record<string, unknown>[], query),
    });
    return {
        "GET /taut/v1/bootstrap": () => ({
            body: {
                ...(example({ $ref: "#/components/schemas/Bootstrap" }) as object),
                user: person,
                version: "0.1.0",
                controlNamespace: "argocd",
                rights,
                devops: devops.slice(0, 50),
                clusters: data.allClusters(),
            },
        }),
        "GET /taut/v1/devops": (_, query) => ({
            ...list(devops)(_, query),
            headers: { "X-Seq": stream.position() },
        }),
        [`GET ${D}`]: ({ devops: name }) => {
            const found = devops.find((d) => d.name === name);
            return found ? { body: found } : refusal(404, `there is no DevOps Project '${name}'`);
        },
        [`GET ${D}/repos`]: list(repos),
        [`GET ${D}/repos/{name}`]: ({ name }) => {
            const found = repos.find((r) => r.name === name);
            return found ? { body: found } : refusal(404, `there is no code repository '${name}'`);
        },
        [`GET ${D}/repos/{name}/refs`]: () => {
            const items = data.refs(sizes.branches);
            return { body: { items, total: items.length } };
        },
        [`GET ${D}/credentials`]: list(data.credentials()),
        "GET /taut/v1/clusters": list(data.allClusters()),
        [`GET ${D}/services`]: () => ({ body: { items: data.services() } }),
        [`GET ${D}/apps`]: (_, query) => ({
            body: {
                ...selectRows(appList, rows as unknown as Record<string, unknown>[], query),
                seq: stream.position(),
            },
            headers: { "X-Seq": stream.position() },
        }),
        [`GET ${APP}`]: ({ devops: place, name }) => {
            const row = rowOf(name!);
            return row
                ? { body: data.application(place!, row) }
                : refusal(404, `there is no continuous deployment '${name}'`);
        },
        [`GET ${APP}/tree`]: () => ({ body: { items: data.tree(sizes.nodes) } }),
        [`GET ${APP}/diff`]: () => ({ body: { items: data.diff(sizes.diffLines) } }),
        "POST /taut/v1/stream/{sid}/topics": ({ sid }, _, body) => {
            const topics = stream.change(sid!, body as { add?: string[]; drop?: string[] });
            return topics ? { body: { topics } } : refusal(404, "this stream is no longer open");
        },
    };
}

/** Lists that have no sort of that name refuse it, as the server does. */
function checkSort(path: string, query: URLSearchParams): Answer | null {
    const by = (query.get("sort") ?? "").replace(/^-/, "");
    if (!by || !path.endsWith("/apps")) return null;
    return ["created", "name", "health", "sync", "location", "updated"].includes(by)
        ? null
        : refusal(422, `this list cannot be sorted by '${by}'`);
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
    const text = Buffer.from(`${JSON.stringify(answer.body)}\n`);
    const etag = `"${createHash("sha256").update(text).digest("hex").slice(0, 20)}"`;
    const headers: Record<string, string> = {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        ...answer.headers,
    };
    const status = answer.status ?? 200;
    if (status === 200 && request.method === "GET") headers.ETag = etag;
    if (status === 200 && request.headers["if-none-match"] === etag) {
        response.writeHead(304, headers).end();
        return;
    }
    if (text.length > 1024 && /gzip/.test(String(request.headers["accept-encoding"]))) {
        response.writeHead(status, { ...headers, "Content-Encoding": "gzip" });
        response.end(gzipSync(text, { level: 2 }));
        return;
    }
    response.writeHead(status, headers).end(text);
}

function sendFile(response: ServerResponse, dist: string, path: string): void {
    const file = resolve(dist, `.${path}`);
    const known = extname(path) !== "" && file.startsWith(resolve(dist)) && existsSync(file);
    const chosen = known ? file : join(dist, "index.html");
    let body = readFileSync(chosen);
    if (!known) body = Buffer.from(body.toString().replace('<base href="./"', '<base href="/"'));
    response.writeHead(200, { "Content-Type": types[extname(chosen)] ?? "text/plain" }).end(body);
}

export async function startMock(options: MockOptions = {}): Promise<Mock> {
    const sizes = { ...data.usual, ...options };
    const rows = data.rows(sizes.apps);
    const stream = new MockStream(rows, (path) => answerOf("GET", path, new URLSearchParams(), {}));
    const own = handlers(sizes, rows, stream);
    const dist = options.dist ?? join(import.meta.dirname, "../dist");
    const sessions = new Set<string>();

    function answerOf(
        method: string,
        path: string,
        query: URLSearchParams,
        body: Record<string, unknown>,
    ): Answer {
        const found = find(method, path);
        if (!found) return refusal(404, "there is nothing at this path");
        const wrong = checkSort(path, query);
        if (wrong) return wrong;
        const handler = own[`${method} ${found.route.path}`];
        if (handler) return handler(found.params, query, body);
        return { body: found.route.answer ? example(found.route.answer) : {} };
    }

    function sessionOf(request: IncomingMessage): string {
        return /mock-session=(\w+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
    }

    function session(method: string, body: Record<string, unknown>, id: string): Answer {
        const cookie = (value: string, age: number) => ({
            "Set-Cookie": `mock-session=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}`,
        });
        const known = options.open || sessions.has(id);
        if (method === "GET") return { body: { user: known ? "admin" : "" } };
        if (method === "DELETE") {
            sessions.delete(id);
            return { body: {}, headers: cookie("", 0) };
        }
        if (body.password === "wrong") return refusal(401, "wrong user name or password");
        const made = createHash("sha256").update(`${Date.now()}${sessions.size}`).digest("hex");
        sessions.add(made);
        return { body: { user: body.username }, headers: cookie(made, 604_800) };
    }

    /** What the console asks of Kubernetes itself: an Application is changed. */
    function kubernetes(method: string, path: string, body: Record<string, unknown>): Answer {
        const name = /\/applications\/([^/]+)$/.exec(path)?.[1] ?? "";
        const row = rows.find((r) => r.name === name);
        if (!row) return refusal(404, `applications.argoproj.io "${name}" not found`);
        if (method === "DELETE") stream.remove(name);
        const notes = (body.metadata as { annotations?: Record<string, string> })?.annotations;
        if (method === "PATCH" && notes?.["kubesphere.io/alias-name"] !== undefined)
            stream.patch(name, { alias: notes["kubesphere.io/alias-name"] });
        return { body: data.application("demo", row) };
    }

    async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const url = new URL(request.url ?? "/", "http://mock");
        const method = request.method ?? "GET";
        const path = url.pathname;
        if (!/^\/(taut|apis|api)\//.test(path)) return sendFile(response, dist, path);
        const id = sessionOf(request);
        const body = method === "GET" ? {} : await read(request);
        if (path === "/taut/v1/session") return send(request, response, session(method, body, id));
        if (!options.open && !sessions.has(id) && path !== "/taut/v1/openapi.json")
            return send(request, response, refusal(401, "this needs a log-in"));
        if (path === "/taut/v1/stream") return stream.open(request, response, url.searchParams);
        if (!path.startsWith("/taut/"))
            return send(request, response, kubernetes(method, path, body));
        send(request, response, answerOf(method, path, url.searchParams, body));
    }

    const server = createServer((request, response) => {
        void handle(request, response).catch((e: unknown) => {
            response.writeHead(500).end(String(e));
        });
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const address = server.address() as { port: number };
    stream.churn(options.updatesPerSecond ?? 0);
    return {
        url: `http://127.0.0.1:${address.port}`,
        rows,
        stream,
        stop: () => {
            stream.end();
            server.closeAllConnections();
            return new Promise((done) => server.close(() => done()));
        },
    };
}
