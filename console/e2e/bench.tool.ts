/*
 * `make bench-console`: how soon the page shows what happened, 50 rounds each on the real server, and the
 * budgets of the lists on generated data: 2,000 and 20,000 rows usable, the DOM nodes they take. Prints a
 * table for docs/performance.md.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, it } from "vitest";
import { startMock, type Mock } from "../mock/server";
import { startBrowser } from "./browser";
import { failed, outage, pushed, removed, scaled, syncBlog } from "./latency";
import { startServer, type Server } from "./server";

const rounds = Number(process.env.TAUT_ROUNDS ?? 50);
const lines: string[] = [];
let browser: Browser;

const at = (times: number[], part: number) =>
    times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * part))]!;

function say(what: string, times: number[], budget: string): void {
    lines.push(
        `| ${what} | ${budget} | ${at(times, 0.5)} ms | ${at(times, 0.95)} ms | ${times.length} |`,
    );
}

beforeAll(async () => {
    browser = await startBrowser();
});

afterAll(async () => {
    await browser?.close();
    console.log(
        ["", "| Item | Budget | Median | p95 | Rounds |", "|---|---|---|---|---|", ...lines].join(
            "\n",
        ),
    );
});

it("what happened is shown", async () => {
    const server: Server = await startServer();
    try {
        await syncBlog(browser, server);
        say("scaled in the cluster → its row", await scaled(browser, server, rounds), "1 s");
        say(
            "push and Refresh → Out of sync",
            await pushed(browser, server, rounds),
            "1 s and the fetch",
        );
        say("failing Pod → its cause", await failed(browser, server, Math.min(rounds, 20)), "1 s");
        say(
            "member removed → Forbidden",
            await removed(browser, server, Math.min(rounds, 20)),
            "5 s",
        );
        const outages = [];
        for (let i = 0; i < Math.min(rounds, 10); i++) outages.push(await outage(browser, server));
        say(
            "server killed → banner",
            outages.map((o) => o.banner),
            "3 s",
        );
        say(
            "server started → live again",
            outages.map((o) => o.live),
            "5 s",
        );
    } finally {
        await server.stop();
    }
});

/** From the navigation to the first row, without a cache. */
async function usable(mock: Mock): Promise<{ ms: number; nodes: number; page: Page }> {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    const from = Date.now();
    await page.goto(`${mock.url}/devops/demo/apps`);
    await page.locator("main tbody tr").first().waitFor();
    const ms = Date.now() - from;
    const nodes = await page.evaluate(() => document.getElementsByTagName("*").length);
    return { ms, nodes, page };
}

it("long lists", async () => {
    for (const [apps, budget] of [
        [2_000, "600 ms"],
        [20_000, "1 s"],
    ] as const) {
        const mock = await startMock({ apps, open: true });
        const times: number[] = [];
        let most = 0;
        for (let i = 0; i < 5; i++) {
            const { ms, nodes, page } = await usable(mock);
            times.push(ms);
            most = Math.max(most, nodes);
            await page.context().close();
        }
        say(`${apps} deployments usable (${most} DOM nodes)`, times, budget);
        await mock.stop();
    }
});
