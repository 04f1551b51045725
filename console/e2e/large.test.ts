/*
 * Many of everything, on generated data: 5,000 DevOps Projects, 2,000 deployments, 200 repositories,
 * 2,000 resources, a long difference. Each page is usable, takes a bounded number of DOM nodes, and does
 * not scroll sideways.
 */
import { existsSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMock, type Mock } from "../mock/server";
import { settled, startBrowser } from "./browser";

const NODES = 1500;

let mock: Mock;
let browser: Browser;
let page: Page;

beforeAll(async () => {
    expect(existsSync("dist/index.html"), "the built console").toBe(true);
    mock = await startMock({
        apps: 2000,
        devops: 5000,
        repos: 200,
        branches: 5000,
        nodes: 2000,
        open: true,
    });
    browser = await startBrowser();
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(60_000);
});

afterAll(async () => {
    await browser?.close();
    await mock?.stop();
});

const nodes = () => page.evaluate(() => document.getElementsByTagName("*").length);

describe.each([
    ["5,000 DevOps Projects", "/devops"],
    ["2,000 deployments", "/devops/demo/apps"],
    ["200 repositories", "/devops/demo/repos"],
    ["2,000 resources as an outline", "/devops/demo/apps/ROW"],
    ["a long difference", "/devops/demo/apps/ROW?tab=diff"],
])("%s", (_name, path) => {
    it("is usable and light", async () => {
        await page.goto(mock.url + path.replace("ROW", mock.rows[0]!.name));
        await settled(page);
        await page.locator("main :is(tr, [role=row], .diff, li)").first().waitFor();
        const count = await nodes();
        const sideways = await page.evaluate(
            () => document.documentElement.scrollWidth - innerWidth,
        );
        expect({ light: count <= NODES || count, sideways: sideways > 0 }).toEqual({
            light: true,
            sideways: false,
        });
    });
});

describe.each([
    ["Sync", "sync", ".effect-box", { effect: "update", reason: "differs" }],
    ["Delete", "delete", ".goes", { effect: "delete", reason: "" }],
])("2,000 resources in %s", (_name, verb, scroller, row) => {
    it("are light, and the last of them is reached with its whole name", async () => {
        const long = "a".repeat(253);
        await page.route("**/taut/v1/devops/demo/preview", (request) =>
            request.fulfill({
                json: {
                    revision: "HEAD",
                    commit: "0123456789".repeat(4),
                    type: "Directory",
                    warnings: [],
                    resources: Array.from({ length: 2000 }, (_, i) => ({
                        group: "",
                        version: "v1",
                        kind: "ConfigMap",
                        namespace: "n".repeat(63),
                        name: i === 1999 ? long : `map-${i}`,
                        ...row,
                    })),
                },
            }),
        );
        await page.goto(`${mock.url}/devops/demo/apps/${mock.rows[0]!.name}?dialog=${verb}`);
        const dialog = page.locator("dialog[open]");
        const last = dialog.locator("table.effects").getByText(long, { exact: true });
        await dialog.locator("table.effects").getByText("map-0", { exact: true }).waitFor();
        expect(await nodes()).toBeLessThanOrEqual(NODES);
        await expect
            .poll(
                async () => {
                    const box = dialog.locator(scroller);
                    await box.evaluate((e) => e.scrollTo(0, e.scrollHeight));
                    return last.count();
                },
                { timeout: 60_000 },
            )
            .toBe(1);
        const over = await last.evaluate((e) => {
            const cell = e.closest("td")!;
            return cell.scrollWidth - cell.clientWidth;
        });
        expect(over).toBeLessThanOrEqual(1);
        expect(await nodes()).toBeLessThanOrEqual(NODES);
        await page.unrouteAll({ behavior: "ignoreErrors" });
    });
});
