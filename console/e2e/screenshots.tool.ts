/*
 * `make screenshots`: every place of the table at 1,440 and 390 px, light and dark, in English and
 * Chinese, and a contact sheet per screen, ours beside the reference where that lies beside the source.
 * With TAUT_IMAGES=FOLDER the few that the README shows are written there too.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, it } from "vitest";
import { settled, signIn, startBrowser, visit } from "./browser";
import { oddPlaces, places, prepare, type User } from "./places";
import { references } from "./references";
import { startServer, type Server } from "./server";

const out = resolve(process.env.TAUT_SCREENSHOTS ?? "../build-results/screenshots");
const design = resolve(process.env.TAUT_DESIGN ?? "../../shared/design/shots");
const only = process.env.TAUT_ONLY ? new RegExp(process.env.TAUT_ONLY) : null;
const languages = ["en", "zh-CN"] as const;
const themes = ["light", "dark"] as const;
const sizes = [
    { width: 1440, height: 900 },
    { width: 390, height: 844 },
];
/** What the README shows: the picture's name, the place and the theme. */
const shown: [string, string, string][] = [
    ["deployments", "/devops/:devops/apps", "light"],
    ["deployment-dark", "/devops/:devops/apps/:name", "dark"],
];

let server: Server;
let browser: Browser;

beforeAll(async () => {
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
    server = await startServer();
    await prepare(server);
    browser = await startBrowser();
});

afterAll(async () => {
    await browser?.close();
    await server?.stop();
});

const fileOf = (name: string) => name.replace(/[^\w]+/g, "-").replace(/^-|-$/g, "");
const shotOf = (name: string, language: string, theme: string, width: number) =>
    join(out, `${fileOf(name)}.${language}.${theme}.${width}.png`);

type Shown = { name: string; path: string; dialog?: unknown };

async function shoot(page: Page, place: Shown, language: string): Promise<void> {
    await page.setViewportSize(sizes[0]!);
    await page.goto(server.url + place.path);
    await settled(page);
    if (place.dialog) await page.getByRole("dialog").waitFor();
    for (const theme of themes) {
        await page.evaluate((to) => (document.documentElement.dataset.theme = to), theme);
        for (const size of sizes) {
            await page.setViewportSize(size);
            await page.screenshot({
                path: shotOf(place.name, language, theme, size.width),
                animations: "disabled",
            });
        }
    }
}

const inlined = (path: string) => `data:image/png;base64,${readFileSync(path).toString("base64")}`;

/** One picture of all pictures of a screen; the reference comes first. */
async function sheet(page: Page, name: string): Promise<void> {
    const of = (pictures: { caption: string; path: string }[]) =>
        pictures
            .filter(({ path }) => existsSync(path))
            .map(({ caption, path }) => `<figure><img src="${inlined(path)}">${caption}</figure>`)
            .join("");
    const wanted = (references[name] ?? []).map((file) => ({
        caption: `reference: ${file}`,
        path: join(design, `${file}.png`),
    }));
    const own = languages.flatMap((language) =>
        themes.flatMap((theme) =>
            sizes.map(({ width }) => ({
                caption: `ours: ${language}, ${theme}, ${width} px`,
                path: shotOf(name, language, theme, width),
                width,
            })),
        ),
    );
    const isWide = (file: { path: string; width?: number }) =>
        file.width ? file.width > 800 : !file.path.includes("-390");
    const all = [...wanted, ...own];
    await page.setContent(
        `<style>body{margin:12px;font:12px sans-serif;background:#888}h1{font-size:16px}
         div{display:flex;flex-wrap:wrap;gap:8px}figure{margin:0}img{display:block;width:760px}
         .narrow img{width:240px}</style><h1>${name.replace(/</g, "&lt;")}</h1>
         <div>${of(all.filter(isWide))}</div><div class="narrow">${of(all.filter((f) => !isWide(f)))}</div>`,
    );
    await page.screenshot({ path: join(out, `sheet.${fileOf(name)}.png`), fullPage: true });
}

it("takes them", async () => {
    const all = [...places, ...oddPlaces].filter((place) => !only || only.test(place.name));
    for (const language of languages) {
        const pages = new Map<User, Page>();
        for (const user of ["project-regular", "admin"] as const) {
            const { page } = await visit(browser, server, { reducedMotion: "reduce" });
            await signIn(page, server, user);
            await page.evaluate((to) => localStorage.setItem("taut.language", to), language);
            pages.set(user, page);
        }
        for (const place of all) await shoot(pages.get(place.user)!, place, language);
        for (const page of pages.values()) await page.context().close();
    }
    const page = await browser.newPage({ viewport: { width: 1560, height: 900 } });
    for (const { name } of all) await sheet(page, name);
    const images = process.env.TAUT_IMAGES;
    if (images) {
        mkdirSync(images, { recursive: true });
        for (const [picture, place, theme] of shown)
            copyFileSync(shotOf(place, "en", theme, 1440), join(images, `${picture}.png`));
    }
});
