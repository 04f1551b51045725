/*
 * A real server in a folder of its own, with the demo's samples and a sandbox, or (TAUT_E2E=cluster) on
 * a real Kubernetes control plane as home and target. Loopback only.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const binary = resolve(process.env.TAUT ?? "../build/taut");
const plane = resolve("../tests/cluster/cluster.py");
/** Leaks are the unit tests' business; a report of any other kind ends the process. */
const sanitizers = {
    ASAN_OPTIONS: "detect_leaks=0:abort_on_error=0:exitcode=99",
    UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1",
};
const START_MS = 120_000;

export interface Server {
    url: string;
    dir: string;
    /** The name of the cluster that is deployed to. */
    cluster: string;
    /** It is a real control plane: no container runs behind a port of its node. */
    real: boolean;
    password: (user: string) => string;
    /** A session's cookie, for what a test asks the API itself. */
    session: (user: string) => Promise<string>;
    /** A request to the API as a user; fails with the server's sentence. */
    ask: (
        user: string,
        method: string,
        path: string,
        body?: unknown,
        type?: string,
    ) => Promise<unknown>;
    /** Dies without a word; `again` starts it at the same address with the same data. */
    kill: () => Promise<void>;
    again: () => Promise<void>;
    stop: () => Promise<void>;
}

export function freePort(): Promise<number> {
    return new Promise((done) => {
        const probe = createServer();
        probe.listen(0, "127.0.0.1", () => {
            const { port } = probe.address() as AddressInfo;
            probe.close(() => done(port));
        });
    });
}

interface Running {
    child: ChildProcess;
    output: () => string;
}

/** Starts it and waits until it says that it serves. */
async function run(args: string[], ready: RegExp): Promise<Running> {
    const child = spawn(binary, args, {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, ...sanitizers },
    });
    let output = "";
    await new Promise<void>((done, failed) => {
        const late = () => failed(new Error(`not ready after ${START_MS} ms:\n${output}`));
        const deadline = setTimeout(late, START_MS);
        const look = (bytes: Buffer) => {
            output += bytes.toString();
            if (!ready.test(output)) return;
            clearTimeout(deadline);
            done();
        };
        child.stdout.on("data", look);
        child.stderr.on("data", look);
        child.on("exit", (code) => failed(new Error(`ended with ${code}:\n${output}`)));
    });
    return { child, output: () => output };
}

async function end({ child, output }: Running, signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
        const gone = new Promise((r) => child.on("exit", r));
        child.kill(signal);
        await gone;
    }
    if (/AddressSanitizer|runtime error:|Assertion `/.test(output())) throw new Error(output());
}

/** What the demo makes by itself: the DevOps Project and the people of the guide. */
async function people(server: Server, passwords: Map<string, string>): Promise<void> {
    await server.ask("admin", "POST", "/taut/v1/devops", {
        name: "demo",
        repos: ["*"],
        locations: [`${server.cluster}/*`],
        clusterResources: true,
    });
    for (const [name, role] of [
        ["project-regular", "operator"],
        ["project-viewer", "viewer"],
    ] as const) {
        passwords.set(name, "correct horse battery staple");
        await server.ask("admin", "POST", "/taut/v1/users", {
            name,
            password: passwords.get(name),
        });
        await server.ask("admin", "POST", "/taut/v1/devops/demo/members", { name, role });
    }
}

export async function startServer(): Promise<Server> {
    const dir = mkdtempSync(join(tmpdir(), "taut-console-"));
    const real = process.env.TAUT_E2E === "cluster";
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const data = ["--data", real ? join(dir, "data") : dir];
    const args = ["serve", ...data, "--listen", "127.0.0.1:0", "--http", `127.0.0.1:${port}`];
    if (real) {
        execFileSync("python3", [plane, "up", "--dir", join(dir, "plane")], { stdio: "ignore" });
        args.push("--home", join(dir, "plane", "token.kubeconfig"));
    } else args.push("--demo");
    const ready = real ? /kubeconfig: \S+/ : /Three things to try/;
    let running = await run(args, ready);
    const passwords = new Map<string, string>();
    if (real) passwords.set("admin", /user admin, password (\S+)/.exec(running.output())![1]!);

    const password = (user: string): string => {
        const known = passwords.get(user);
        if (known) return known;
        const text = readFileSync(join(dir, "demo-sign-ins"), "utf8");
        return new RegExp(`${user}\\s+(\\S+)`).exec(text)![1]!;
    };
    const session = async (user: string): Promise<string> => {
        const answer = await fetch(`${url}/taut/v1/session`, {
            method: "POST",
            headers: { "X-Taut-Request": "1", "Content-Type": "application/json" },
            body: JSON.stringify({ username: user, password: password(user) }),
        });
        return answer.headers.getSetCookie().join("; ").split(";")[0]!;
    };
    const cookies = new Map<string, string>();
    const server: Server = {
        url,
        dir,
        cluster: real ? "in-cluster" : "sandbox",
        real,
        password,
        session,
        ask: async (user, method, path, body, type = "application/json") => {
            if (!cookies.has(user)) cookies.set(user, await session(user));
            const answer = await fetch(url + path, {
                method,
                headers: {
                    Cookie: cookies.get(user)!,
                    "X-Taut-Request": "1",
                    ...(body !== undefined && { "Content-Type": type }),
                },
                ...(body !== undefined && { body: JSON.stringify(body) }),
            });
            const text = await answer.text();
            if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
            return text ? JSON.parse(text) : null;
        },
        kill: () => end(running, "SIGKILL"),
        again: async () => {
            cookies.clear();
            running = await run(args, ready);
        },
        stop: async () => {
            try {
                await end(running, "SIGTERM");
            } finally {
                if (real) execFileSync("python3", [plane, "down", "--dir", join(dir, "plane")]);
                rmSync(dir, { recursive: true, force: true });
            }
        },
    };
    if (real) await people(server, passwords);
    return server;
}
