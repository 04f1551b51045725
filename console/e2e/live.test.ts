/* The event stream in a browser: one connection for all tabs, the fallbacks, a server that goes. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { signIn, startBrowser } from "./browser";
import { startServer, type Server } from "./server";

let server: Server;
let browser: Browser;
beforeAll(async () => {
    server = await startServer();
    browser = await startBrowser();
});
afterAll(async () => {
    await browser?.close();
    await server?.stop();
});

/** What a browser may lack, taken away before any script runs. */
const without: Record<string, string> = {
    "everything there": "",
    "no SharedWorker": "delete globalThis.SharedWorker;",
    "no SharedWorker, no BroadcastChannel":
        "delete globalThis.SharedWorker; delete globalThis.BroadcastChannel;",
    "no storage":
        "for (const s of ['localStorage', 'sessionStorage']) Object.defineProperty(globalThis, s, " +
        "{ get() { throw new DOMException('off', 'SecurityError'); } });",
};

async function open(context: BrowserContext): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`${server.url}/devops/demo/apps`);
    await page.getByRole("link", { name: "shop", exact: true }).waitFor();
    return page;
}

async function setAlias(page: Page, alias: string): Promise<void> {
    const status = await page.evaluate(async (to) => {
        const answer = await fetch("/apis/argoproj.io/v1alpha1/namespaces/demo/applications/shop", {
            method: "PATCH",
            headers: {
                "Content-Type": "application/merge-patch+json",
                "X-Taut-Request": "1",
            },
            body: JSON.stringify({
                metadata: { annotations: { "kubesphere.io/alias-name": to } },
            }),
        });
        return answer.status;
    }, alias);
    expect(status).toBe(200);
}

describe.each(Object.keys(without))("with %s", (what) => {
    test("two tabs see a change that neither asked for", async () => {
        const context = await browser.newContext({ locale: "en-US" });
        if (without[what]) await context.addInitScript(without[what]);
        const first = await context.newPage();
        await signIn(first, server, "admin");
        const one = await open(context);
        const two = await open(context);
        const alias = `seen ${what.length} ${Date.now()}`;
        await setAlias(first, alias);
        await one.getByText(alias).waitFor();
        await two.getByText(alias).waitFor();
        await context.close();
    });
});

test("a server that goes is told, and the page is live again without being loaded", async () => {
    const context = await browser.newContext({ locale: "en-US" });
    const first = await context.newPage();
    await signIn(first, server, "admin");
    const page = await open(context);
    await page.evaluate(() => ((globalThis as { mark?: number }).mark = 1));
    await server.kill();
    await page.getByRole("button", { name: "Try now" }).waitFor();
    expect(await page.getByRole("button", { name: "Create" }).getAttribute("aria-disabled")).toBe(
        "true",
    );
    await server.again();
    await page.getByRole("button", { name: "Try now" }).waitFor({ state: "detached" });
    const alias = `after ${Date.now()}`;
    await setAlias(page, alias);
    await page.getByText(alias).waitFor();
    expect(await page.evaluate(() => (globalThis as { mark?: number }).mark)).toBe(1);
    await context.close();
});
