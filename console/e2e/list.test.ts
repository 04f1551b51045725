/* The list of deployments with 2,000 rows, on the mock: filters in the address, keys, work on several. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { startMock, type Mock } from "../mock/server";
import { startBrowser } from "./browser";

let mock: Mock;
let browser: Browser;
let page: Page;
const failures: string[] = [];

beforeAll(async () => {
    mock = await startMock({ open: true });
    browser = await startBrowser();
});
afterAll(async () => {
    await browser?.close();
    await mock?.stop();
});
beforeEach(async () => {
    const context = await browser.newContext({
        viewport: { width: 1440, height: 900 },
        locale: "en-US",
        reducedMotion: "reduce",
    });
    page = await context.newPage();
    page.on("pageerror", (e) => failures.push(e.message));
    await page.goto(`${mock.url}/devops/demo/apps`);
    await page.locator("[data-row]").first().waitFor();
});
afterEach(async () => {
    await page.context().close();
    expect(failures).toEqual([]);
});

const query = () => new URL(page.url()).searchParams;
const nodes = () => page.evaluate(() => document.querySelectorAll("*").length);
/** The name of the row whose link has the focus. */
const focused = () =>
    page.evaluate(() => document.activeElement?.closest("[data-row]")?.getAttribute("data-row"));

test("draws few of many rows, wherever it is scrolled to", async () => {
    expect(await nodes()).toBeLessThanOrEqual(1500);
    const first = await page.locator("[data-row]").first().getAttribute("data-row");
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight / 2));
    await expect
        .poll(() => page.locator("[data-row]").first().getAttribute("data-row"))
        .not.toBe(first);
    expect(await nodes()).toBeLessThanOrEqual(1500);
    expect(await page.locator("table").getAttribute("aria-rowcount")).toBe("2001");
});

test("filters are or inside and and between, in the address, and open again from it", async () => {
    const strip = page.locator(".strip");
    await strip.getByRole("button", { name: /Degraded/ }).click();
    await strip.getByRole("button", { name: /Missing/ }).click();
    await strip.getByRole("button", { name: /Out of sync/ }).click();
    expect(query().get("health")).toBe("Degraded,Missing");
    expect(query().get("sync")).toBe("OutOfSync");
    const wanted = mock.rows.filter(
        (r) => ["Degraded", "Missing"].includes(r.health) && r.sync === "OutOfSync",
    ).length;
    await page.getByText(`${wanted} of 2000 deployments`).waitFor();
    await page.reload();
    await page.getByText(`${wanted} of 2000 deployments`).waitFor();
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByText("2000 deployments").waitFor();
    expect([...query().keys()]).toEqual([]);
});

test("sorts by a column, both ways, and finds by text", async () => {
    await page.getByRole("button", { name: "Name", exact: true }).click();
    const names = mock.rows.map((r) => r.name).sort();
    const first = page.locator("[data-row]").first();
    await expect.poll(() => first.getAttribute("data-row")).toBe(names[0]);
    await page.getByRole("button", { name: "Name", exact: true }).click();
    await expect.poll(() => first.getAttribute("data-row")).toBe(names.at(-1));
    await page.keyboard.press("/");
    await page.keyboard.type("nothing like this");
    await page.getByText("Nothing matches these filters").waitFor();
    expect(query().get("q")).toBe("nothing like this");
});

test("keys walk through the rows, choose and open", async () => {
    const rows = [...mock.rows].sort((a, b) => (a.created < b.created ? 1 : -1));
    await page.keyboard.press("j");
    expect(await focused()).toBe(rows[0]!.name);
    for (let i = 0; i < 40; i++) await page.keyboard.press("j");
    await expect.poll(focused).toBe(rows[40]!.name);
    await page.keyboard.press("ArrowUp");
    await expect.poll(focused).toBe(rows[39]!.name);
    await page.keyboard.press("Space");
    await page.getByText("1 selected").waitFor();
    await page.keyboard.press("Shift+ArrowDown");
    await page.getByText("2 selected").waitFor();
    await page.keyboard.press("d");
    await expect
        .poll(() => new URL(page.url()).pathname)
        .toBe(`/devops/demo/apps/${rows[40]!.name}`);
    expect(query().get("tab")).toBe("diff");
});

test("refreshes what was chosen, one after the other, and says what it left out", async () => {
    const [gone] = [...mock.rows].sort((a, b) => (a.created < b.created ? 1 : -1));
    mock.stream.patch(gone!.name, { deleting: true });
    await page.getByText("Deleting").first().waitFor();
    await page.locator("[data-row] input").nth(0).click();
    await page
        .locator("[data-row] input")
        .nth(2)
        .click({ modifiers: ["Shift"] });
    await page.getByRole("toolbar").getByRole("button", { name: "Refresh" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Refresh 3 deployments" }).click();
    await dialog.getByText("3 of 3 done").waitFor();
    await dialog.locator(".suspended", { hasText: gone!.name }).getByText("deleted").waitFor();
    expect(await dialog.locator(".synced").count()).toBe(2);
    await dialog.getByRole("button", { name: "Close" }).last().click();
    await page.getByRole("toolbar").waitFor({ state: "detached" });
});

test("deletes nothing before the number was typed", async () => {
    await page.locator("[data-row] input").nth(4).click();
    await page.locator("[data-row] input").nth(5).click();
    const name = await page.locator("[data-row]").nth(4).getAttribute("data-row");
    await page.getByRole("toolbar").getByRole("button", { name: "Delete" }).click();
    const dialog = page.getByRole("dialog");
    const ok = dialog.getByRole("button", { name: "Delete 2 deployments" });
    expect(await ok.getAttribute("aria-disabled")).toBe("true");
    await ok.click({ force: true });
    expect(mock.rows.some((r) => r.name === name)).toBe(true);
    await dialog.getByLabel("Type 2 to delete them").fill("2");
    await ok.click();
    await dialog.getByText("2 of 2 done").waitFor();
    await page.locator(`[data-row="${name}"]`).waitFor({ state: "detached" });
});

test("columns can be hidden and rows made low, and both stay so", async () => {
    await page.getByRole("button", { name: "Columns and row height" }).click();
    await page.getByRole("menuitemcheckbox", { name: "Deployment Location" }).click();
    await page
        .getByRole("columnheader", { name: "Deployment Location" })
        .waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Columns and row height" }).click();
    await page.getByRole("menuitemcheckbox", { name: "Compact rows" }).click();
    await page.locator("table.compact").waitFor();
    await page.reload();
    await page.locator("table.compact [data-row]").first().waitFor();
    expect(await page.getByRole("columnheader", { name: "Deployment Location" }).count()).toBe(0);
});

test("new deployments wait while somebody reads further down", async () => {
    await page.evaluate(() => scrollTo(0, 3000));
    await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(1000);
    mock.stream.insert({ ...mock.rows[0]!, name: "aaa-new", created: "2027-01-01T00:00:00Z" });
    await page.getByRole("button", { name: "1 new deployment" }).click();
    await page.locator('[data-row="aaa-new"]').waitFor();
    expect(await page.evaluate(() => scrollY)).toBe(0);
});
