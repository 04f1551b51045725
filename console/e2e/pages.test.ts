/*
 * Every page, tab and dialog of the table of routes on the real server: accessible in both themes, wide
 * and narrow (axe-core, all rules), no sideways scroll from 360 to 2,560 px and at 200 % zoom, one
 * heading, nothing from another origin.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { oddPlaces, places, prepare, type User } from "./places";
import { settled, signIn, startBrowser, visit, type Visit } from "./browser";
import { startServer, type Server } from "./server";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** 720 px is a window of 1,440 px at 200 % zoom. */
const widths = [360, 390, 720, 800, 1100, 1440, 2560];

let server: Server;
let browser: Browser;
const visits = new Map<User, Visit>();

beforeAll(async () => {
    server = await startServer();
    await prepare(server);
    browser = await startBrowser();
    for (const user of ["project-regular", "admin"] as const) {
        const at = await visit(browser, server, { reducedMotion: "reduce" });
        await signIn(at.page, server, user);
        visits.set(user, at);
    }
});

afterAll(async () => {
    await browser?.close();
    await server?.stop();
});

async function violations(page: Page): Promise<string[]> {
    return page.evaluate(async (source) => {
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

describe.each([...places, ...oddPlaces])("$name", ({ path, user, ...place }) => {
    const dialog = "dialog" in place;

    it("is accessible, light and dark, wide and narrow", async () => {
        const { page } = visits.get(user)!;
        await page.goto(server.url + path);
        await settled(page);
        if (dialog) await page.getByRole("dialog").waitFor();
        else expect(await page.getByRole("dialog").count(), "dialogs").toBe(0);
        for (const width of [1440, 390]) {
            await page.setViewportSize({ width, height: 900 });
            for (const theme of ["light", "dark"]) {
                await page.evaluate((t) => (document.documentElement.dataset.theme = t), theme);
                expect(await violations(page), `${theme}, ${width} px`).toEqual([]);
            }
        }
    });

    it("has one heading and no sideways scroll", async () => {
        const { page } = visits.get(user)!;
        expect(await page.locator("h1").count()).toBe(1);
        for (const width of widths) {
            await page.setViewportSize({ width, height: 900 });
            const over = await page.evaluate(() => {
                const box = document.querySelector("dialog");
                const inside = box ? box.scrollWidth - box.clientWidth : 0;
                return Math.max(document.documentElement.scrollWidth - innerWidth, inside);
            });
            expect(over, `at ${width} px`).toBeLessThanOrEqual(0);
        }
        await page.setViewportSize({ width: 1440, height: 900 });
    });
});

it("nothing complained on the way", () => {
    for (const [user, at] of visits) expect(at.complaints, user).toEqual([]);
});
