/* What happens in the cluster, in Git and to the rights is shown soon; the bench measures how soon. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startBrowser } from "./browser";
import { failed, outage, pushed, removed, scaled, syncBlog } from "./latency";
import { startServer, type Server } from "./server";

/** Generous: a machine of CI may be slow and busy. The budgets are seconds (docs/performance.md). */
const LIMIT_MS = 60_000;

let server: Server;
let browser: Browser;

beforeAll(async () => {
    server = await startServer();
    browser = await startBrowser();
    await syncBlog(browser, server);
});

afterAll(async () => {
    await browser?.close();
    await server?.stop();
});

const within = (times: number[]) => {
    expect(times.length).toBeGreaterThan(0);
    expect(Math.max(...times)).toBeLessThan(LIMIT_MS);
};

it("a deployment scaled in the cluster changes its row", async () => {
    within(await scaled(browser, server, 2));
});

it("a push and Refresh show Out of sync", async () => {
    within(await pushed(browser, server, 2));
});

it("a failing Pod puts its cause on the page", async () => {
    within(await failed(browser, server, 1));
});

it("a member who is removed sees Forbidden without a reload", async () => {
    within(await removed(browser, server, 1));
});

it("a killed server is told by a banner, and the page is live again after its start", async () => {
    const { banner, live } = await outage(browser, server);
    within([banner, live]);
});
