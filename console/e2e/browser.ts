/* A browser, and what its pages complain of. */
import { existsSync } from "node:fs";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import type { Server } from "./server";

export function browserPath(): string {
    return (
        ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((p) => existsSync(p)) ?? "chromium"
    );
}

export function startBrowser(...more: string[]): Promise<Browser> {
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
            ...more,
        ],
    });
}

export interface Visit {
    page: Page;
    /** What the page complained of: script errors, policy reports, requests to other origins. */
    complaints: string[];
}

/** A page that waits up to `DEADLINE_MS` for what it is asked for: machines may be slow and busy. */
const DEADLINE_MS = 60_000;

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
    page.setDefaultTimeout(DEADLINE_MS);
    const complaints: string[] = [];
    page.on("pageerror", (e) => complaints.push(e.message));
    page.on("console", (m) => {
        if (m.type() === "error" && /Content Security Policy/.test(m.text()))
            complaints.push(m.text());
    });
    page.on("request", (r) => {
        if (!r.url().startsWith(server.url) && !/^(data|blob):/.test(r.url()))
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
