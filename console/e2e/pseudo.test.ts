/*
 * Every place with texts 40 % longer than English: no sideways scroll, and no button, tab or label whose
 * text is cut. The build in mode "pseudo" stands in for the scripts that the server serves.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { settled, startBrowser, visit, type Visit } from "./browser";
import { places, prepare, type User } from "./places";
import { startServer, type Server } from "./server";

let server: Server;
let browser: Browser;
let dist: string;
const visits = new Map<User, Visit>();

/** The long scripts instead of the served ones: the page names their first, which names the others. */
async function lengthen(page: Page): Promise<void> {
    const assets = join(dist, "assets");
    const own = readFileSync(join(dist, "index.html"), "utf8");
    const entry = /assets\/index-[^"]+\.js/.exec(own)![0];
    await page.route(
        (url) => url.origin === server.url,
        async (route) => {
            const name = new URL(route.request().url()).pathname.split("/").pop()!;
            if (route.request().resourceType() === "document") {
                const response = await route.fetch();
                const html = (await response.text())
                    .replace(/<link rel="modulepreload"[^>]*>/g, "")
                    .replace(/assets\/index-[^"]+\.js/, entry);
                await route.fulfill({ response, body: html });
            } else if (existsSync(join(assets, name)) && name.endsWith(".js"))
                await route.fulfill({ path: join(assets, name), contentType: "text/javascript" });
            else await route.continue();
        },
    );
}

beforeAll(async () => {
    dist = mkdtempSync(join(tmpdir(), "taut-pseudo-"));
    await build({
        root: resolve("."),
        mode: "pseudo",
        logLevel: "silent",
        build: { outDir: dist, emptyOutDir: true },
    });
    server = await startServer();
    await prepare(server);
    browser = await startBrowser();
    for (const user of ["project-regular", "admin"] as const) {
        const at = await visit(browser, server, { reducedMotion: "reduce" });
        await lengthen(at.page);
        await at.page.goto(server.url);
        await at.page.locator("input").first().fill(user);
        await at.page.locator("input[type=password]").fill(server.password(user));
        await at.page.locator("button[type=submit]").click();
        await at.page.locator("nav").first().waitFor();
        visits.set(user, at);
    }
});

afterAll(async () => {
    await browser?.close();
    await server?.stop();
    if (dist) rmSync(dist, { recursive: true, force: true });
});

/** What is cut: wider inside than outside, and not meant to be (.cut shows the whole on hover). */
function cut(page: Page): Promise<string[]> {
    return page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>(".btn, .tabs a, label, th, h1, h2, legend")]
            .filter((e) => e.checkVisibility() && !e.closest(".cut, .vh"))
            .filter(
                (e) =>
                    e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline",
            )
            .map((e) => `${e.tagName}.${e.className}: ${e.innerText}`),
    );
}

describe.each(places)("$name", ({ path, user }) => {
    it("holds texts that are 40 % longer", async () => {
        const { page } = visits.get(user)!;
        await page.goto(server.url + path);
        await settled(page);
        expect(await page.locator("h1").innerText()).toMatch(/^\[|^\w+$/);
        for (const width of [1440, 1100, 800, 390]) {
            await page.setViewportSize({ width, height: 900 });
            const over = await page.evaluate(() => {
                const box = document.querySelector("dialog");
                const inside = box ? box.scrollWidth - box.clientWidth : 0;
                const wide = document.documentElement.scrollWidth - innerWidth;
                if (Math.max(wide, inside) <= 0) return "";
                const edge = box ? box.getBoundingClientRect().right : innerWidth;
                return [...(box ?? document.body).querySelectorAll<HTMLElement>("*")]
                    .filter((e) => e.getBoundingClientRect().right > edge && e.checkVisibility())
                    .filter((e) => !e.closest(".scroll"))
                    .map((e) => `${e.tagName}.${e.className}`)
                    .join(", ");
            });
            expect(over, `sideways at ${width} px`).toBe("");
            expect(await cut(page), `cut at ${width} px`).toEqual([]);
        }
    });
});
