/*
 * The page of one deployment on the real server: the outline by keyboard, the panel, editing live YAML,
 * logs, differences, a sync that shows its tab, external access.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { settled, signIn, startBrowser, visit, type Visit } from "./browser";
import { startServer, type Server } from "./server";

let server: Server;
let browser: Browser;
let at: Visit;
let page: Page;
const shop = "/devops/demo/apps/shop";

interface Tree {
    items: { id: string; kind: string; name: string; parent?: string }[];
}

beforeAll(async () => {
    server = await startServer();
    browser = await startBrowser();
    at = await visit(browser, server, { reducedMotion: "reduce" });
    page = at.page;
    await signIn(page, server, "project-regular");
});

afterAll(async () => {
    expect(at?.complaints ?? []).toEqual([]);
    await browser?.close();
    await server?.stop();
});

async function open(path: string): Promise<void> {
    await page.goto(server.url + path);
    await settled(page);
}

const row = (id: string) => page.locator(`tr[data-id="${id}"]`);
const param = (name: string) => new URL(page.url()).searchParams.get(name);

async function aPod(): Promise<string> {
    for (;;) {
        const tree = (await server.ask(
            "project-regular",
            "GET",
            "/taut/v1/devops/demo/apps/shop/tree",
        )) as Tree;
        const pod = tree.items.find((n) => n.kind === "Pod");
        if (pod) return pod.name;
    }
}

it("the outline is walked by keyboard, down to a Pod and back", async () => {
    const pod = await aPod();
    await open(shop);
    const top = row("apps/Deployment/shop/web");
    await row(`group:workloads`).focus();
    await page.keyboard.press("ArrowDown");
    await expect
        .poll(() => page.evaluate(() => document.activeElement?.textContent))
        .toContain("web");
    await page.keyboard.press("ArrowRight");
    await page.locator('tr[data-id^="apps/ReplicaSet/shop/"]').first().waitFor();
    expect(await top.getAttribute("aria-expanded")).toBe("true");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await row(`/Pod/shop/${pod}`).waitFor();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    await row(`/Pod/shop/${pod}`).waitFor({ state: "detached" });
});

it("Enter opens the panel, its address opens it again, Escape gives the focus back", async () => {
    await open(shop);
    await row("/ConfigMap/shop/settings").focus();
    await page.keyboard.press("Enter");
    const panel = page.getByRole("complementary", { name: "settings" });
    await panel.waitFor();
    expect(param("res")).toBe(":ConfigMap:shop:settings");
    await panel.getByRole("tab", { name: "Desired" }).click();
    expect(param("panel")).toBe("desired");
    await page.reload();
    await panel.getByText("greeting").first().waitFor();
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "detached" });
    await expect
        .poll(() => page.evaluate(() => document.activeElement?.getAttribute("data-id")))
        .toBe("/ConfigMap/shop/settings");
});

it("problems only keeps what is above them", async () => {
    await open("/devops/demo/apps/worker?problems=1");
    await row("apps/Deployment/worker/worker").waitFor();
    await page.locator('tr[data-id^="/Pod/worker/"]').first().waitFor();
});

it("live YAML is edited at the version that was read", async () => {
    await open(`${shop}?res=:ConfigMap:shop:settings&panel=live`);
    const panel = page.getByRole("complementary", { name: "settings" });
    await panel.getByRole("button", { name: "Edit YAML" }).click();
    const text = panel.getByRole("textbox", { name: "Edit YAML" });
    const was = await text.inputValue();
    await text.fill(was.replace(/resourceVersion: .*/, 'resourceVersion: "1"'));
    await panel.getByRole("button", { name: "Save" }).click();
    await panel.getByText("It was changed meanwhile").waitFor();
    await panel.getByRole("button", { name: "Load the new version" }).click();
    await panel.getByRole("button", { name: "Edit YAML" }).click();
    await text.fill((await text.inputValue()).replace("metadata:", "metadata:\n  # seen\n"));
    await panel.getByRole("button", { name: "Save" }).click();
    await text.waitFor({ state: "detached" });
});

it("a Pod's log says its limits and is filtered", async () => {
    await open(`${shop}?res=:Pod:shop:${await aPod()}&panel=logs`);
    const log = page.getByRole("log", { name: "Logs" });
    await log.getByText("simulated log").waitFor();
    await page.getByText("the newest 50000 are kept").waitFor();
    await page.getByLabel("Filter lines").fill("no such line");
    await page.getByText("Nothing matches these filters").waitFor();
});

it("the graph is walked with the arrows and opens a resource", async () => {
    await open(`${shop}?view=graph`);
    await page.locator('.node[data-id="root"]').focus();
    await page.keyboard.press("ArrowRight");
    await expect
        .poll(() => page.evaluate(() => document.activeElement?.getAttribute("data-id")))
        .toBe("apps/Deployment/shop/web");
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "web" }).waitFor();
    expect(param("res")).toBe("apps:Deployment:shop:web");
});

it("a sync from the page opens its tab with steps and results", async () => {
    await open("/devops/demo/apps/blog");
    await page.getByRole("button", { name: "Sync", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    await dialog.getByRole("button", { name: /^Sync/ }).last().click();
    await page.getByRole("list", { name: "Steps of the sync" }).waitFor();
    expect(param("tab")).toBe("sync");
    await page.getByRole("cell", { name: "blog", exact: true }).first().waitFor();
    await page.getByText("successfully synced").waitFor();
});

it("differences and revisions are in the address", async () => {
    await open(`${shop}?tab=diff`);
    await page.getByText("No differences").waitFor();
    await page.getByLabel("What is compared").selectOption({ index: 1 });
    await page.getByText("Both render to the same resources.").waitFor();
    expect(param("from")).toBe("git");
});

it("external access says what undoes it, and keeps it on demand", async () => {
    await open(`${shop}?tab=services&dialog=access&on=${encodeURIComponent("sandbox/shop/web")}`);
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("radio", { name: "None" }).check();
    await dialog.getByText("Self-heal undoes this at once").waitFor();
    await dialog.getByRole("checkbox", { name: "Keep it" }).check();
    await dialog.getByRole("button", { name: "OK" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("cell", { name: "ClusterIP" }).waitFor();
    await page.reload();
    await page.getByRole("cell", { name: "ClusterIP" }).waitFor();
});
