/*
 * Hub: the one stream of a browser. It holds the connection and the topics that its tabs read, and
 * hands each tab the value once and then the changes. It runs in a SharedWorker, in the tab that leads
 * the others, or in each tab by itself; it touches nothing but fetch and timers.
 *
 * A topic's value comes in the stream, or, for long lists, from the list's own address, whose answer
 * names the position that it stands at. After a break each topic asks for what came after its position;
 * what the server no longer has is told as `resync` and fetched anew.
 */
import { events, type ServerEvent } from "./sse";
import { merge } from "./patch";

export type State = "connecting" | "live" | "off";

export type FromTab =
    | { kind: "join"; base: string; user: string; visible: boolean }
    | { kind: "open" | "close" | "again"; topic: string }
    | { kind: "visible"; on: boolean }
    | { kind: "retry" | "alive" | "bye" };

export type FromHub =
    | { kind: "state"; state: State; since: number; retryAt: number }
    | { kind: "value"; topic: string; value: unknown }
    | { kind: "patch"; topic: string; patch: unknown }
    | { kind: "ended"; topic: string; status: number; message: string }
    | { kind: "trouble"; topic: string; status: number; message: string }
    | { kind: "expired" }
    | { kind: "who" };

export type Tab = (message: FromHub) => void;

/** No byte for so long: the connection is dead, whatever the system says. */
export const SILENCE_MS = 35_000;
/** Hidden pages let go of the connection. */
const HIDDEN_MS = 60_000;
/** A topic that nobody reads is kept so long: going back is instant. */
const KEEP_MS = 30_000;
/** A tab that says nothing for so long has gone without a word. */
const GONE_MS = 180_000;

interface Topic {
    name: string;
    readers: Set<Tab>;
    value: unknown;
    known: boolean;
    live: boolean;
    asking: boolean;
    position: string;
    closing: ReturnType<typeof setTimeout> | undefined;
}

interface TabState {
    visible: boolean;
    heard: number;
}

/**
 * Lists are fetched from their own address: packed, and answered from the browser's cache. The answer names
 * the position from which the stream goes on.
 */
const lists: Record<string, (devops: string) => string> = {
    apps: (d) => `taut/v1/devops/${d}/apps?limit=50000`,
    devops: () => "taut/v1/devops?topic=devops",
};

function listAddress(topic: string): string | null {
    const [word, place] = topic.split(":") as [string, string | undefined];
    return lists[word]?.(place ?? "") ?? null;
}

function numberOf(position: string): number {
    return Number(position.slice(position.lastIndexOf("-") + 1));
}

export class Hub {
    private tabs = new Map<Tab, TabState>();
    private topics = new Map<string, Topic>();
    private base = "";
    private user: string | null = null;
    private sid = "";
    private last = "";
    private state: State = "connecting";
    private since = Date.now();
    private retryAt = 0;
    private failures = 0;
    private abort: AbortController | null = null;
    private wake: (() => void) | null = null;
    private running = false;
    /** How often a tab has come or come again, as it does after each sign-in. */
    private joins = 0;
    private hidden: ReturnType<typeof setTimeout> | undefined;
    private asked: { add: string[]; drop: string[] } | null = null;
    private heard = 0;

    take(tab: Tab, message: FromTab): void {
        const known = this.tabs.get(tab);
        if (!known && message.kind !== "join") {
            if (message.kind !== "bye") tab({ kind: "who" });
            return;
        }
        if (known) known.heard = Date.now();
        switch (message.kind) {
            case "join":
                this.join(tab, message);
                break;
            case "open":
                this.open(tab, message.topic);
                break;
            case "close":
                this.close(tab, message.topic);
                break;
            case "again":
                this.again(message.topic);
                break;
            case "visible":
                known!.visible = message.on;
                this.look();
                break;
            case "retry":
                this.failures = 0;
                this.wake?.();
                break;
            case "alive":
                this.sweep();
                break;
            case "bye":
                this.leave(tab);
                break;
        }
    }

    /* ---- tabs ---- */

    private join(tab: Tab, message: { base: string; user: string; visible: boolean }): void {
        if (this.user !== null && (this.user !== message.user || this.base !== message.base))
            this.forget(tab);
        this.joins++;
        this.base = message.base;
        this.user = message.user;
        this.tabs.set(tab, { visible: message.visible, heard: Date.now() });
        tab(this.stateMessage());
        this.look();
        if (!this.running) void this.run();
    }

    private leave(tab: Tab): void {
        this.tabs.delete(tab);
        for (const topic of this.topics.values())
            if (topic.readers.has(tab)) this.unread(topic, tab);
        this.look();
    }

    private sweep(): void {
        const now = Date.now();
        for (const [tab, state] of this.tabs) if (now - state.heard > GONE_MS) this.leave(tab);
    }

    /** Another person has signed in: nothing of the one before stays, in no tab. */
    private forget(joining: Tab): void {
        for (const tab of this.tabs.keys()) if (tab !== joining) tab({ kind: "expired" });
        this.tabs.clear();
        for (const topic of this.topics.values()) clearTimeout(topic.closing);
        this.topics.clear();
        this.last = "";
        this.failures = 0;
        this.abort?.abort();
        this.wake?.();
    }

    /** Whether anybody looks; nobody for a minute ends the connection. */
    private look(): void {
        const seen = [...this.tabs.values()].some((t) => t.visible);
        if (seen) {
            clearTimeout(this.hidden);
            this.hidden = undefined;
            this.wake?.();
        } else if (this.hidden === undefined) {
            this.hidden = setTimeout(() => this.abort?.abort(), HIDDEN_MS);
        }
    }

    private isSeen(): boolean {
        return [...this.tabs.values()].some((t) => t.visible);
    }

    private tell(topic: Topic, message: FromHub): void {
        for (const tab of topic.readers) tab(message);
    }

    /* ---- topics ---- */

    private open(tab: Tab, name: string): void {
        let topic = this.topics.get(name);
        if (!topic) {
            topic = {
                name,
                readers: new Set(),
                value: null,
                known: false,
                live: false,
                asking: false,
                position: "",
                closing: undefined,
            };
            this.topics.set(name, topic);
            topic.readers.add(tab);
            this.begin(topic);
            return;
        }
        clearTimeout(topic.closing);
        topic.readers.add(tab);
        if (topic.known) tab({ kind: "value", topic: name, value: topic.value });
        else if (!topic.asking) this.begin(topic);
    }

    private close(tab: Tab, name: string): void {
        const topic = this.topics.get(name);
        if (topic) this.unread(topic, tab);
    }

    private unread(topic: Topic, tab: Tab): void {
        topic.readers.delete(tab);
        if (topic.readers.size > 0) return;
        clearTimeout(topic.closing);
        topic.closing = setTimeout(() => {
            this.topics.delete(topic.name);
            if (this.sid) this.ask("drop", topic.name);
        }, KEEP_MS);
    }

    private again(name: string): void {
        const topic = this.topics.get(name);
        if (!topic) return;
        topic.live = false;
        if (this.sid) {
            this.ask("drop", name);
            this.begin(topic);
        } else this.wake?.();
    }

    /** Gets the value: lists from their address, the others in the stream. */
    private begin(topic: Topic): void {
        const at = listAddress(topic.name);
        topic.asking = true;
        if (at) void this.fetchList(topic, at);
        else if (this.sid) this.ask("add", topic.name);
    }

    private async fetchList(topic: Topic, at: string): Promise<void> {
        const joins = this.joins;
        try {
            const response = await this.fetch(at);
            if (response.status === 401 && joins !== this.joins) return this.fetchList(topic, at);
            if (!response.ok) {
                await this.refuse(topic, response);
                return;
            }
            const list = (await response.json()) as { items: { name: string }[] };
            if (this.topics.get(topic.name) !== topic) return;
            const rows = Object.fromEntries(list.items.map((row) => [row.name, row]));
            topic.value = topic.name.startsWith("apps:") ? rows : { ...list, items: rows };
            topic.position = response.headers.get("X-Seq") ?? "";
            topic.known = topic.live = true;
            topic.asking = false;
            this.tell(topic, { kind: "value", topic: topic.name, value: topic.value });
            if (this.sid) this.ask("add", `${topic.name}@${topic.position}`);
        } catch {
            this.trouble(topic, 0, "offline");
        }
    }

    private trouble(topic: Topic, status: number, message: string): void {
        topic.asking = false;
        this.tell(topic, { kind: "trouble", topic: topic.name, status, message });
    }

    /** What the server said to a list or to the stream itself. */
    private async refuse(topic: Topic, response: Response): Promise<void> {
        const text = await response.text().catch(() => "");
        let message = text || response.statusText;
        try {
            message = (JSON.parse(text) as { message?: string }).message ?? message;
        } catch {
            /* not our server's words */
        }
        if (response.status === 401) this.expire();
        else if (response.status === 403 || response.status === 404)
            this.end(topic, response.status, message);
        else this.trouble(topic, response.status, message);
    }

    private end(topic: Topic, status: number, message: string): void {
        this.tell(topic, { kind: "ended", topic: topic.name, status, message });
        clearTimeout(topic.closing);
        topic.known = topic.live = topic.asking = false;
        topic.value = null;
        if (topic.readers.size === 0) this.topics.delete(topic.name);
    }

    private expire(): void {
        for (const tab of this.tabs.keys()) tab({ kind: "expired" });
    }

    /** Changes of topics leave together. */
    private ask(what: "add" | "drop", name: string): void {
        if (!this.asked) {
            this.asked = { add: [], drop: [] };
            queueMicrotask(() => void this.sendAsked());
        }
        this.asked[what].push(name);
    }

    private async sendAsked(): Promise<void> {
        const body = this.asked;
        const sid = this.sid;
        this.asked = null;
        if (!body || !sid) return;
        try {
            const response = await this.fetch(`taut/v1/stream/${sid}/topics`, {
                method: "POST",
                body: JSON.stringify(body),
                headers: { "Content-Type": "application/json", "X-Taut-Request": "1" },
            });
            if (!response.ok && sid === this.sid) this.abort?.abort();
        } catch {
            if (sid === this.sid) this.abort?.abort();
        }
    }

    /* ---- the connection ---- */

    private fetch(at: string, init: RequestInit = {}): Promise<Response> {
        return fetch(new URL(at, this.base).href, { credentials: "same-origin", ...init });
    }

    private stateMessage(): FromHub {
        return { kind: "state", state: this.state, since: this.since, retryAt: this.retryAt };
    }

    private setState(state: State, retryAt = 0): void {
        if (state !== this.state) {
            /* While it is off, `since` is when the last byte came. */
            this.since = state === "off" ? this.heard || Date.now() : Date.now();
            this.state = state;
        }
        this.retryAt = retryAt;
        for (const tab of this.tabs.keys()) tab(this.stateMessage());
    }

    private async run(): Promise<void> {
        this.running = true;
        for (;;) {
            this.sweep();
            if (this.tabs.size === 0) break;
            if (!this.isSeen()) {
                await this.pause(GONE_MS);
                continue;
            }
            const joins = this.joins;
            const answer = await this.connect();
            this.sid = "";
            if (answer === "expired") {
                /* Who has signed in meanwhile is not asked to once more. */
                if (joins !== this.joins) continue;
                this.expire();
                await this.pause(GONE_MS);
                continue;
            }
            this.failures = answer === "served" ? 1 : this.failures + 1;
            const delay = this.delay();
            this.setState("off", Date.now() + delay);
            await this.pause(delay);
        }
        this.running = false;
    }

    /** One to three seconds for the first minutes, then up to thirty. */
    private delay(): number {
        return this.failures <= 60 ? 1000 + Math.random() * 2000 : 5000 + Math.random() * 25000;
    }

    private pause(ms: number): Promise<void> {
        return new Promise((done) => {
            const timer = setTimeout(() => this.wake?.(), ms);
            this.wake = () => {
                clearTimeout(timer);
                this.wake = null;
                done();
            };
        });
    }

    private positionOf(topic: Topic): string {
        if (!topic.live) return "";
        const newer = this.last && numberOf(this.last) > numberOf(topic.position);
        return newer ? this.last : topic.position;
    }

    /** Until the connection ends; "served" when it had begun. */
    private async connect(): Promise<"served" | "failed" | "expired"> {
        const abort = new AbortController();
        this.abort = abort;
        let served = false;
        let silence: ReturnType<typeof setTimeout> | undefined;
        const alive = () => {
            this.heard = Date.now();
            clearTimeout(silence);
            silence = setTimeout(() => abort.abort(), SILENCE_MS);
        };
        alive();
        const asks = [...this.topics.values()]
            .filter((t) => t.live || !listAddress(t.name))
            .map((t) => (t.live ? `${t.name}@${this.positionOf(t)}` : t.name));
        try {
            const response = await this.fetch(
                `taut/v1/stream?topics=${encodeURIComponent(asks.join(","))}`,
                { signal: abort.signal, headers: { Accept: "text/event-stream" } },
            );
            if (response.status === 401) return "expired";
            if (!response.ok || !response.body) {
                for (const topic of this.topics.values())
                    if (!topic.known) await this.refuse(topic, response.clone());
                return "failed";
            }
            for await (const event of events(response.body, alive)) {
                if (event.event === "hello") {
                    served = true;
                    this.failures = 0;
                    this.sid = (JSON.parse(event.data) as { sid: string }).sid;
                    this.setState("live");
                    this.beginMissing(asks);
                } else if (event.event === "expired") return "expired";
                else this.apply(event);
            }
        } catch {
            for (const topic of this.topics.values())
                if (!topic.known) this.trouble(topic, 0, "offline");
        } finally {
            clearTimeout(silence);
            abort.abort();
        }
        return served ? "served" : "failed";
    }

    /** Topics that came up while the request was on its way, and lists not fetched yet. */
    private beginMissing(asked: string[]): void {
        const names = new Set(asked.map((a) => a.split("@")[0]!));
        for (const topic of this.topics.values()) {
            if (names.has(topic.name)) continue;
            if (topic.live) this.ask("add", `${topic.name}@${this.positionOf(topic)}`);
            else this.begin(topic);
        }
    }

    private apply(event: ServerEvent): void {
        const data = JSON.parse(event.data) as {
            topic: string;
            value?: unknown;
            patch?: unknown;
            status?: number;
            message?: string;
        };
        const topic = this.topics.get(data.topic);
        if (event.id) this.last = event.id;
        if (!topic) return;
        if (event.event === "resync") {
            topic.live = false;
            this.begin(topic);
        } else if (event.event === "forbidden" || event.event === "gone")
            this.end(topic, data.status ?? 404, data.message ?? "");
        else if (event.event === "trouble")
            this.trouble(topic, data.status ?? 500, data.message ?? "");
        else if (data.patch !== undefined) {
            topic.value = merge(topic.value, data.patch);
            topic.position = event.id;
            this.tell(topic, { kind: "patch", topic: topic.name, patch: data.patch });
        } else {
            topic.value = data.value;
            topic.position = event.id;
            topic.known = topic.live = true;
            topic.asking = false;
            this.tell(topic, { kind: "value", topic: topic.name, value: data.value });
        }
    }
}
