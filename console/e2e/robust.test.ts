/* A server that is started again during a sync, and a connection that is slow and breaks. */
import {
    connect,
    createServer,
    type AddressInfo,
    type Server as Listener,
    type Socket,
} from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { settled, signIn, startBrowser, visit } from "./browser";
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

it("a sync goes on over a restart of the server, and its end is shown without a reload", async () => {
    const { page } = await visit(browser, server);
    await signIn(page, server, "project-regular");
    await page.goto(`${server.url}/devops/demo/apps/blog?tab=sync`);
    await settled(page);
    await page.evaluate(() => ((globalThis as { mark?: number }).mark = 1));
    await server.ask("project-regular", "POST", "/taut/v1/devops/demo/apps/blog/sync", {});
    await server.kill();
    await server.again();
    await page.getByText("Succeeded").first().waitFor({ timeout: 120_000 });
    await page.locator(".verdict").getByText("Synced").waitFor({ timeout: 120_000 });
    expect(await page.evaluate(() => (globalThis as { mark?: number }).mark)).toBe(1);
    await page.context().close();
});

const DELAY_MS = 150;

/** Passes bytes on late, and breaks every connection when asked to. */
async function slowProxy(to: string): Promise<{ url: string; drop: () => void; stop: () => void }> {
    const target = new URL(to);
    const open = new Set<Socket>();
    const proxy: Listener = createServer((near) => {
        const far = connect(Number(target.port), target.hostname);
        for (const [a, b] of [
            [near, far],
            [far, near],
        ] as const) {
            open.add(a);
            a.on("data", (bytes) => setTimeout(() => b.writable && b.write(bytes), DELAY_MS));
            a.on("error", () => a.destroy());
            a.on("close", () => {
                open.delete(a);
                setTimeout(() => b.end(), DELAY_MS);
            });
        }
    });
    await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
    const drop = () => open.forEach((socket) => socket.destroy());
    return {
        url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
        drop,
        stop: () => {
            drop();
            proxy.close();
        },
    };
}

it("over a slow connection that breaks, a change is shown and a form is sent", async () => {
    const proxy = await slowProxy(server.url);
    const far = { ...server, url: proxy.url };
    try {
        const { page } = await visit(browser, far);
        await signIn(page, far, "project-regular");
        await page.goto(`${far.url}/devops/demo/apps?dialog=info&on=shop`);
        const dialog = page.getByRole("dialog");
        await dialog.getByLabel("Alias").fill("over a slow line");
        proxy.drop();
        await dialog.getByRole("button", { name: "OK" }).click();
        await expect
            .poll(
                async () => {
                    const again = dialog.getByRole("button", { name: "OK" });
                    if ((await again.count()) > 0)
                        await again.click({ timeout: 2000 }).catch(() => undefined);
                    return dialog.count();
                },
                { timeout: 120_000 },
            )
            .toBe(0);
        proxy.drop();
        await page.getByText("over a slow line").first().waitFor({ timeout: 120_000 });
        await page.context().close();
    } finally {
        proxy.stop();
    }
});
