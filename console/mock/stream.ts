/* The event stream of the mock: positions, patches, a ring, as src/web/stream.c has them. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { randomBytes } from "node:crypto";
import type { AppRow } from "../src/api/types.gen";
import { random } from "./data";

type Answer = { status?: number; body: unknown };
const FRAME_MS = 250;

/* Topics beside apps: where the value comes from, and the list in it that becomes a map. */
const kinds: Record<string, { event: string; path: (rest: string[]) => string; key?: string }> = {
    app: { event: "app", path: ([d, n]) => `/taut/v1/devops/${d}/apps/${n}` },
    facts: { event: "facts", path: ([d, n]) => `/taut/v1/devops/${d}/apps/${n}/facts` },
    tree: { event: "tree", path: ([d, n]) => `/taut/v1/devops/${d}/apps/${n}/tree`, key: "id" },
    repos: { event: "repo", path: ([d]) => `/taut/v1/devops/${d}/repos`, key: "name" },
    credentials: {
        event: "credential",
        path: ([d]) => `/taut/v1/devops/${d}/credentials`,
        key: "name",
    },
    services: { event: "services", path: ([d]) => `/taut/v1/devops/${d}/services` },
    project: { event: "project", path: ([d]) => `/taut/v1/devops/${d}` },
    members: { event: "member", path: ([d]) => `/taut/v1/devops/${d}/members`, key: "name" },
    devops: { event: "devops", path: () => "/taut/v1/devops", key: "name" },
    clusters: { event: "cluster", path: () => "/taut/v1/clusters", key: "name" },
    users: { event: "user", path: () => "/taut/v1/users", key: "name" },
};

interface Client {
    sid: string;
    response: ServerResponse;
    topics: Set<string>;
}

export class MockStream {
    private seq = 0;
    private readonly epoch = randomBytes(8).toString("hex");
    private clients: Client[] = [];
    private ring: { seq: number; patch: Record<string, unknown> }[] = [];
    private pending: Record<string, Record<string, unknown> | null> = {};
    private timer: NodeJS.Timeout | undefined;
    private churning: NodeJS.Timeout | undefined;
    private readonly ping: NodeJS.Timeout;

    constructor(
        private readonly rows: AppRow[],
        private readonly ask: (path: string) => Answer,
    ) {
        this.ping = setInterval(() => {
            for (const c of this.clients) c.response.write('event: ping\ndata: {"topic":""}\n\n');
        }, 15_000);
    }

    position(): string {
        this.flush();
        return `${this.epoch}-${this.seq}`;
    }

    /** Changes fields of a row; told within a frame. */
    patch(name: string, change: Partial<AppRow>): void {
        const row = this.rows.find((r) => r.name === name);
        if (!row) return;
        Object.assign(row, change);
        this.pending[name] = { ...this.pending[name], ...change };
        this.wake();
    }

    insert(row: AppRow): void {
        this.rows.push(row);
        this.pending[row.name] = { ...row };
        this.wake();
    }

    remove(name: string): void {
        const at = this.rows.findIndex((r) => r.name === name);
        if (at >= 0) this.rows.splice(at, 1);
        this.pending[name] = null;
        this.wake();
    }

    churn(perSecond: number): void {
        clearInterval(this.churning);
        if (perSecond <= 0) return;
        const next = random(9);
        this.churning = setInterval(() => {
            const row = this.rows[Math.floor(next() * this.rows.length)];
            if (row) this.patch(row.name, { health: next() < 0.5 ? "Healthy" : "Progressing" });
        }, 1000 / perSecond);
    }

    private wake(): void {
        this.timer ??= setTimeout(() => this.flush(), FRAME_MS);
    }

    private flush(): void {
        clearTimeout(this.timer);
        this.timer = undefined;
        if (Object.keys(this.pending).length === 0) return;
        this.ring.push({ seq: ++this.seq, patch: this.pending });
        this.pending = {};
        if (this.ring.length > 10_000) this.ring.shift();
        for (const client of this.clients)
            for (const topic of client.topics)
                if (topic.startsWith("apps:")) this.tell(client, topic, this.ring.at(-1)!);
    }

    private tell(client: Client, topic: string, event: { seq: number; patch: unknown }): void {
        this.write(client, "rows", { topic, patch: event.patch }, event.seq);
    }

    private write(client: Client, event: string, body: unknown, seq?: number): void {
        const id = seq === undefined ? "" : `id: ${this.epoch}-${seq}\n`;
        client.response.write(`${id}event: ${event}\ndata: ${JSON.stringify(body)}\n\n`);
    }

    private add(client: Client, asked: string): void {
        const [topic, position] = asked.split("@") as [string, string | undefined];
        const [word, rest] = topic.split(":") as [string, string | undefined];
        if (client.topics.has(topic)) return;
        if (word === "apps") {
            const [epoch, from] = (position ?? "").split("-");
            if (position !== undefined && epoch !== this.epoch) {
                this.write(client, "resync", { topic });
                return;
            }
            client.topics.add(topic);
            if (position === undefined) {
                const value = Object.fromEntries(this.rows.map((r) => [r.name, r]));
                this.write(client, "rows", { topic, value }, this.seq);
            } else
                for (const event of this.ring)
                    if (event.seq > Number(from)) this.tell(client, topic, event);
            return;
        }
        const kind = kinds[word];
        if (!kind) {
            this.write(client, "gone", {
                topic,
                status: 404,
                message: `there is no topic '${word}'`,
            });
            return;
        }
        const answer = this.ask(kind.path((rest ?? "").split("/")));
        if ((answer.status ?? 200) >= 400) {
            const { message } = answer.body as { message: string };
            this.write(client, "gone", { topic, status: answer.status, message });
            return;
        }
        const value = { ...(answer.body as Record<string, unknown>) };
        if (kind.key)
            value.items = Object.fromEntries(
                (value.items as Record<string, string>[]).map((x) => [x[kind.key!], x]),
            );
        client.topics.add(topic);
        /* A client that has the value already: nothing here changes. */
        if (position === undefined || !position.startsWith(this.epoch))
            this.write(client, kind.event, { topic, value }, this.seq);
    }

    open(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
        response.writeHead(200, {
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        });
        const client: Client = {
            sid: randomBytes(16).toString("hex"),
            response,
            topics: new Set(),
        };
        this.clients.push(client);
        request.on("close", () => {
            this.clients = this.clients.filter((c) => c !== client);
        });
        this.write(client, "hello", {
            sid: client.sid,
            seq: `${this.epoch}-${this.seq}`,
            version: "0.1.0",
        });
        for (const topic of (query.get("topics") ?? "").split(",").filter(Boolean))
            this.add(client, topic);
    }

    change(sid: string, body: { add?: string[]; drop?: string[] }): string[] | null {
        const client = this.clients.find((c) => c.sid === sid);
        if (!client) return null;
        for (const topic of body.drop ?? []) client.topics.delete(topic);
        for (const topic of body.add ?? []) this.add(client, topic);
        return [...client.topics];
    }

    end(): void {
        clearInterval(this.ping);
        clearInterval(this.churning);
        clearTimeout(this.timer);
        for (const client of this.clients) client.response.end();
    }
}
