/*
 * Every page and dialog on the real server: accessible in both themes (axe-core, all rules), no
 * sideways scroll from 360 to 2,560 px, one heading, nothing from another origin.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signIn, startBrowser, startServer, visit, type Server, type Visit } from "./server";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const pages: Record<string, string> = {
    "devops projects": "/devops",
    deployments: "/devops/demo/apps",
    "deployments, filtered to nothing": "/devops/demo/apps?health=Suspended",
    create: "/devops/demo/apps?dialog=create",
    "edit information": "/devops/demo/apps?dialog=info&on=shop",
    "edit settings": "/devops/demo/apps?dialog=settings&on=shop",
    "edit yaml": "/devops/demo/apps?dialog=yaml&on=shop",
    "sync dialog": "/devops/demo/apps?dialog=sync&on=blog",
    "delete dialog": "/devops/demo/apps?dialog=delete&on=shop",
    resources: "/devops/demo/apps/shop",
    "an error with its place": "/devops/demo/apps/typo",
    diff: "/devops/demo/apps/blog?tab=diff",
    "sync status": "/devops/demo/apps/shop?tab=sync",
    history: "/devops/demo/apps/shop?tab=history",
    services: "/devops/demo/apps/shop?tab=services",
    "a deployment that is not there": "/devops/demo/apps/nothing",
    repositories: "/devops/demo/repos",
    import: "/devops/demo/repos?dialog=import",
    credentials: "/devops/demo/credentials",
    "create credential": "/devops/demo/credentials?dialog=create",
    projects: "/devops/demo/projects",
    "services of a project": "/devops/demo/projects/sandbox/shop/services",
    "clusters, forbidden": "/platform/clusters",
    "no such page": "/nothing/here",
};
const widths = [360, 390, 800, 1100, 1440, 2560];

let server: Server;
let browser: Browser;
let at: Visit;

beforeAll(async () => {
    server = await startServer();
    browser = await startBrowser();
    at = await visit(browser, server, { reducedMotion: "reduce" });
    await signIn(at.page, server, "project-regular");
});

afterAll(async () => {
    await browser?.close();
    await server?.stop();
});

async function open(path: string): Promise<void> {
    await at.page.goto(server.url + path);
    await at.page.locator("h1").first().waitFor();
    await at.page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
}

async function violations(): Promise<string[]> {
    return at.page.evaluate(async (source) => {
        if (!("axe" in window)) new Function(source)();
        const { axe } = window as unknown as {
            axe: {
                run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
            };
        };
        const found = (await axe.run()).violations;
        return found.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(" | ")}`);
    }, axe);
}

describe.each(Object.entries(pages))("%s", (_name, path) => {
    it("is accessible, light and dark", async () => {
        await open(path);
        for (const theme of ["light", "dark"]) {
            await at.page.evaluate((t) => (document.documentElement.dataset.theme = t), theme);
            expect(await violations(), theme).toEqual([]);
        }
    });

    it("has one heading and no sideways scroll", async () => {
        expect(await at.page.locator("h1").count()).toBe(1);
        for (const width of widths) {
            await at.page.setViewportSize({ width, height: 900 });
            const over = await at.page.evaluate(
                () => document.documentElement.scrollWidth - innerWidth,
            );
            expect(over, `at ${width} px`).toBeLessThanOrEqual(0);
        }
        await at.page.setViewportSize({ width: 1440, height: 900 });
    });
});

it("nothing complained on the way", () => {
    expect(at.complaints).toEqual([]);
});
