/*
 * Every page of the table of routes in every state that its data can be in, made by faults in front of
 * the real server: one heading, one thing to do next, and focus on it.
 */
import type { Browser, Page, Route as Request } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { places, prepare, type Place, type User } from "./places";
import { signIn, startBrowser, visit, type Visit } from "./browser";
import { startServer, type Server } from "./server";

let server: Server;
let browser: Browser;
const visits = new Map<User, Visit>();

beforeAll(async () => {
    server = await startServer();
    await prepare(server);
    browser = await startBrowser();
    for (const user of ["project-regular", "admin"] as const) {
        const at = await visit(browser, server, { reducedMotion: "reduce" });
        // A shared worker's requests pass by the faults; pages without one behave the same.
        await at.page.addInitScript(() => Reflect.deleteProperty(window, "SharedWorker"));
        await signIn(at.page, server, user);
        visits.set(user, at);
    }
});

afterEach(async () => {
    for (const { page } of visits.values()) await page.unrouteAll({ behavior: "ignoreErrors" });
});

afterAll(async () => {
    await browser?.close();
    await server?.stop();
});

type Fault = (request: Request) => Promise<unknown>;

const hold: Fault = () => new Promise(() => undefined);
const refuse =
    (code: number, message: string): Fault =>
    (request) =>
        request.fulfill({ status: code, json: { kind: "Status", code, message } });

/** The real answer with every list in it emptied. */
const empty: Fault = async (request) => {
    const answer = await request.fetch();
    const body = (await answer.json()) as Record<string, unknown>;
    for (const [key, value] of Object.entries(body)) if (Array.isArray(value)) body[key] = [];
    await request.fulfill({ response: answer, json: body });
};

const faults: Record<string, Fault> = {
    loading: hold,
    empty,
    "403": refuse(403, "user 'x' may not list these here"),
    "404": refuse(404, "there is no such thing"),
    "500": refuse(500, "the disk is full"),
    offline: (request) => request.abort("connectionrefused"),
    expired: refuse(401, "this needs a log-in"),
};

async function inject(page: Page, data: string[], fault: Fault): Promise<void> {
    const wanted = data.map((at) => new RegExp(`^/${at.replace(/:\w+/g, "[^/]+")}$`));
    await page.route(
        (url) => wanted.some((w) => w.test(url.pathname)),
        (request) => (request.request().url().includes("watch=") ? hold(request) : fault(request)),
    );
}

interface Seen {
    headings: number;
    busy: boolean;
    actions: string[];
    primaries: number;
    focus: string;
}

/** What a person finds: headings, the actions of the empty state, where focus is. */
function look(page: Page): Promise<Seen> {
    return page.evaluate(() => {
        /* What lies behind a modal dialog cannot be reached. */
        const modal = [...document.querySelectorAll("dialog:modal")].pop();
        const seen = (e: Element) => e.checkVisibility() && (!modal || modal.contains(e));
        const name = (e: Element | null) => `${e?.tagName} ${(e as HTMLElement)?.innerText ?? ""}`;
        const all = (css: string) => [...document.querySelectorAll(css)].filter(seen);
        return {
            headings: all("h1").length,
            busy: all("[aria-busy=true]").length > 0,
            actions: all(".empty .btn:not(.ghost)").map(name),
            primaries: all(modal ? ".btn.primary" : "main .btn.primary").length,
            focus: name(document.activeElement),
        };
    });
}

async function reaches(page: Page, wanted: (seen: Seen) => boolean): Promise<void> {
    await expect
        .poll(
            async () => {
                const seen = await look(page);
                return wanted(seen) ? "as wanted" : seen;
            },
            { timeout: 20_000 },
        )
        .toBe("as wanted");
}

const oneAction = (seen: Seen) =>
    seen.headings === 1 &&
    !seen.busy &&
    seen.primaries <= 1 &&
    seen.actions.length === 1 &&
    seen.focus === seen.actions[0];
const headed = (seen: Seen) =>
    seen.headings === 1 && seen.primaries <= 1 && seen.focus.startsWith("H1 ");

async function open(place: Place, path = place.path): Promise<Page> {
    const { page } = visits.get(place.user)!;
    await page.goto(server.url + path);
    return page;
}

/** Where a page of the event stream is empty: that answer has no list to take things out of. */
function emptyPath({ path, route }: Place): string | null {
    if (route.pattern.endsWith("/:name")) return path.replace(/[^/]+$/, "gone");
    if (route.pattern.endsWith("/services")) return path.replace("/shop/", "/none/");
    return null;
}

describe.each(places.filter((p) => !p.dialog && !p.path.includes("?")))("$name", (place) => {
    it("loaded: its heading has focus", async () => {
        await reaches(await open(place), (seen) => !seen.busy && headed(seen));
    });

    it.each(Object.entries(faults))(
        "%s: one heading, one action, focus on it",
        async (state, fault) => {
            const { page } = visits.get(place.user)!;
            const other = state === "empty" ? emptyPath(place) : null;
            if (!other) await inject(page, place.route.data, fault);
            await open(place, other ?? place.path);
            if (state === "loading") await reaches(page, (seen) => seen.busy && headed(seen));
            else if (state === "expired")
                await reaches(
                    page,
                    (s) => s.headings === 1 && s.primaries === 1 && s.focus.startsWith("INPUT"),
                );
            else if (state === "empty" && place.route.single)
                await reaches(page, (seen) => !seen.busy && headed(seen));
            else await reaches(page, oneAction);
        },
    );

    it.runIf(place.route.find)("no match: one heading, one action, focus on it", async () => {
        const path = `${place.path}?${place.route.find}=matches-nothing`;
        await reaches(await open(place, path), oneAction);
    });
});

describe.each(places.filter((p) => p.dialog))("$name", (place) => {
    it("opens by its address with focus inside, and Escape gives focus back to the page", async () => {
        const page = await open(place);
        const dialog = page.getByRole("dialog");
        await dialog.waitFor();
        await expect
            .poll(() => dialog.evaluate((e) => e.contains(document.activeElement)), {
                timeout: 20_000,
            })
            .toBe(true);
        await page.keyboard.press("Escape");
        await dialog.waitFor({ state: "detached" });
        expect(new URL(page.url()).searchParams.has("dialog")).toBe(false);
        await reaches(page, (seen) => !seen.focus.startsWith("BODY"));
    });
});
