/* A real server with the demo's samples in a folder of its own, and a browser. Loopback only. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

const binary = resolve(process.env.TAUT ?? "../build/taut");

export interface Server {
    url: string;
    dir: string;
    password: (user: string) => string;
    /** A session's cookie, for what a test asks the API itself. */
    session: (user: string) => Promise<string>;
    stop: () => Promise<void>;
    /** Dies without a word; `again` starts it at the same address with the same data. */
    kill: () => Promise<void>;
    again: () => Promise<void>;
}

/** Runs the binary until it has printed its address. */
async function run(dir: string, http: string): Promise<{ child: ChildProcess; url: string }> {
    const args = ["serve", "--demo", "--data", dir, "--listen", "127.0.0.1:0", "--http", http];
    const child: ChildProcess = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const url = await new Promise<string>((done, failed) => {
        const deadline = setTimeout(() => failed(new Error(`no address in:\n${output}`)), 60_000);
        const look = (bytes: Buffer) => {
            output += bytes.toString();
            const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output);
            if (found && output.includes("Three things to try")) {
                clearTimeout(deadline);
                done(found[0]);
            }
        };
        child.stdout!.on("data", look);
        child.stderr!.on("data", look);
        child.on("exit", (code) => failed(new Error(`ended with ${code}:\n${output}`)));
    });
    return { child, url };
}

export async function startServer(): Promise<Server> {
    const dir = mkdtempSync(join(tmpdir(), "taut-console-"));
    let { child, url } = await run(dir, "127.0.0.1:0");
    const end = async (signal: "SIGTERM" | "SIGKILL") => {
        const gone = new Promise((r) => child.on("exit", r));
        child.kill(signal);
        await gone;
    };
    const password = (user: string): string => {
        const text = readFileSync(join(dir, "demo-sign-ins"), "utf8");
        return new RegExp(`${user}\\s+(\\S+)`).exec(text)![1]!;
    };
    return {
        url,
        dir,
        password,
        session: async (user) => {
            const answer = await fetch(`${url}/taut/v1/session`, {
                method: "POST",
                headers: { "X-Taut-Request": "1", "Content-Type": "application/json" },
                body: JSON.stringify({ username: user, password: password(user) }),
            });
            return answer.headers.getSetCookie().join("; ").split(";")[0]!;
        },
        kill: () => end("SIGKILL"),
        again: async () => {
            ({ child } = await run(dir, url.replace("http://", "")));
        },
        stop: async () => {
            await end("SIGTERM");
            rmSync(dir, { recursive: true, force: true });
        },
    };
}

export function browserPath(): string {
    return (
        ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((p) => existsSync(p)) ?? "chromium"
    );
}

export function startBrowser(): Promise<Browser> {
    return chromium.launch({
        headless: true,
        executablePath: browserPath(),
        args: [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    });
}

export interface Visit {
    page: Page;
    /** What the page complained of: script errors, policy reports, requests to other origins. */
    complaints: string[];
}

export async function visit(
    browser: Browser,
    server: Server,
    options: BrowserContextOptions = {},
): Promise<Visit> {
    const context = await browser.newContext({
        viewport: { width: 1440, height: 900 },
        locale: "en-US",
        ...options,
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (e) => complaints.push(e.message));
    page.on("console", (m) => {
        if (m.type() === "error" && /Content Security Policy/.test(m.text()))
            complaints.push(m.text());
    });
    page.on("request", (r) => {
        if (!r.url().startsWith(server.url) && !r.url().startsWith("data:"))
            complaints.push(`request to ${r.url()}`);
    });
    return { page, complaints };
}

export async function signIn(page: Page, server: Server, user: string): Promise<void> {
    await page.goto(server.url);
    await page.getByLabel("User name").fill(user);
    await page.getByLabel("Password").fill(server.password(user));
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("navigation", { name: "Main navigation" }).waitFor();
}

/** The page has its heading, and nothing on it is still being loaded. */
export async function settled(page: Page): Promise<void> {
    await page.locator("h1").first().waitFor();
    await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
}
