/*
 * How long it takes until a page shows what happened elsewhere, seen from inside the browser: an observer
 * of the document notes when the text is there. Each function makes it happen `rounds` times.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { signIn, settled, visit } from "./browser";
import type { Server } from "./server";

const blog = "/apis/argoproj.io/v1alpha1/namespaces/demo/applications/blog";
const deployment = "/clusters/sandbox/apis/apps/v1/namespaces/blog/deployments/blog";
const merge = "application/merge-patch+json";

/** When an element that `css` selects has `text` in it (or no longer); -1 after the deadline. */
function seen(page: Page, css: string, text: string, there = true): Promise<number> {
    return page.evaluate(
        ([css, text, there]) =>
            new Promise<number>((done) => {
                const end = (at: number) => {
                    watcher.disconnect();
                    clearTimeout(late);
                    done(at);
                };
                const look = () => {
                    const all = [...document.querySelectorAll(css)];
                    if (all.some((e) => e.textContent?.includes(text)) === there) end(Date.now());
                };
                const watcher = new MutationObserver(look);
                watcher.observe(document, { subtree: true, childList: true, characterData: true });
                const late = setTimeout(() => end(-1), 120_000);
                look();
            }),
        [css, text, there] as const,
    );
}

/** From before the act to when the page shows it, in milliseconds. */
async function until(sight: Promise<number>, from: number, what: string): Promise<number> {
    const at = await sight;
    if (at < 0) throw new Error(`never seen: ${what}`);
    return at - from;
}

async function openAs(browser: Browser, server: Server, user: string, path: string): Promise<Page> {
    const { page } = await visit(browser, server);
    await signIn(page, server, user);
    await page.goto(server.url + path);
    await settled(page);
    return page;
}

const rowOf = "tr, [role=row]";

/** blog, which nothing synchronizes by itself, brought to what Git says. */
export async function syncBlog(browser: Browser, server: Server): Promise<void> {
    const page = await openAs(browser, server, "project-regular", "/devops/demo/apps/blog");
    await server.ask("project-regular", "POST", "/taut/v1/devops/demo/apps/blog/sync", {});
    if ((await seen(page, ".verdict", "Synced")) < 0) throw new Error("blog is never synced");
    if ((await seen(page, ".verdict", "Healthy")) < 0) throw new Error("blog is never healthy");
    await page.context().close();
}

/** A deployment scaled in the cluster → its row says so, and back. */
export async function scaled(browser: Browser, server: Server, rounds: number): Promise<number[]> {
    const page = await openAs(browser, server, "project-regular", "/devops/demo/apps/blog");
    const times: number[] = [];
    for (let i = 0; i < rounds; i++) {
        const replicas = i % 2 === 0 ? 2 : 1;
        const sight = seen(page, rowOf, `/${replicas} ready`);
        const from = Date.now();
        await server.ask("admin", "PATCH", deployment, { spec: { replicas } }, merge);
        times.push(await until(sight, from, "the scaled deployment"));
    }
    await server.ask("admin", "PATCH", deployment, { spec: { replicas: 1 } }, merge);
    await until(seen(page, rowOf, "1/1 ready"), 0, "the deployment scaled back");
    await page.context().close();
    return times;
}

/** A push and Refresh → Out of sync is shown, fetch included. */
export async function pushed(browser: Browser, server: Server, rounds: number): Promise<number[]> {
    const page = await openAs(browser, server, "project-regular", "/devops/demo/apps/blog");
    const sample = join(server.dir, "sample");
    const file = join(
        sample,
        "blog",
        execFileSync("ls", [join(sample, "blog")])
            .toString()
            .split("\n")[0]!,
    );
    const original = readFileSync(file, "utf8");
    const times: number[] = [];
    for (let i = 0; i < rounds; i++) {
        const away = i % 2 === 0;
        const text = away ? original.replace("ghost:5", "ghost:6") : original;
        writeFileSync(file, text);
        const git = [
            "-C",
            sample,
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t",
            "commit",
            "-qam",
            "change",
        ];
        execFileSync("git", git);
        const sight = seen(page, ".verdict", away ? "Out of sync" : "Synced");
        const from = Date.now();
        await page.getByRole("button", { name: "Refresh", exact: true }).click();
        times.push(await until(sight, from, "the pushed change"));
    }
    await page.context().close();
    return times;
}

/** A Pod that fails in the cluster → its cause is on the page of the deployment. */
export async function failed(browser: Browser, server: Server, rounds: number): Promise<number[]> {
    const page = await openAs(browser, server, "project-regular", "/devops/demo/apps/blog");
    const times: number[] = [];
    for (let i = 0; i < rounds; i++) {
        const fails = i % 2 === 0;
        const labels = { "sandbox.taut.dev/fail": fails ? "image-pull" : null };
        const sight = seen(page, "main", "image cannot be pulled", fails);
        const from = Date.now();
        await server.ask(
            "admin",
            "PATCH",
            deployment,
            { spec: { template: { metadata: { labels } } } },
            merge,
        );
        const told = fails ? await podFailed(server, from) : from;
        const took = await until(sight, told, "the failed Pod");
        if (fails) times.push(Math.max(0, took));
    }
    await page.context().close();
    return times;
}

/** When the cluster says that a Pod of blog fails. */
async function podFailed(server: Server, from: number): Promise<number> {
    const pods = "/clusters/sandbox/api/v1/namespaces/blog/pods";
    for (;;) {
        const all = JSON.stringify(await server.ask("admin", "GET", pods));
        if (/ErrImagePull|ImagePullBackOff/.test(all)) return Date.now();
        if (Date.now() - from > 120_000) throw new Error("no Pod of blog fails");
    }
}

/** A member taken away → the page that he looks at says Forbidden. */
export async function removed(browser: Browser, server: Server, rounds: number): Promise<number[]> {
    const members = "/taut/v1/devops/demo/members";
    const times: number[] = [];
    for (let i = 0; i < rounds; i++) {
        const page = await openAs(browser, server, "project-viewer", "/devops/demo/apps");
        const sight = seen(page, "h2", "You may not see this page");
        const from = Date.now();
        await server.ask("admin", "DELETE", `${members}/project-viewer`);
        times.push(await until(sight, from, "Forbidden"));
        await server.ask("admin", "POST", members, { name: "project-viewer", role: "viewer" });
        await page.context().close();
    }
    return times;
}

export interface Outage {
    /** From the server's death to the banner. */
    banner: number;
    /** From the moment it serves again to a page that is live. */
    live: number;
}

/** The server killed → a banner; started again → live again, and no row is what it was before. */
export async function outage(browser: Browser, server: Server): Promise<Outage> {
    const page = await openAs(browser, server, "project-regular", "/devops/demo/apps");
    const banner = seen(page, ".lost-bar", "");
    const killed = Date.now();
    await server.kill();
    const bannerTook = await until(banner, killed, "the banner");
    const gone = seen(page, ".lost-bar", "", false);
    await server.again();
    const started = Date.now();
    const live = Math.max(0, await until(gone, started, "the end of the banner"));
    const annotations = { "kubesphere.io/alias-name": `after ${started}` };
    const fresh = seen(page, rowOf, `after ${started}`);
    await server.ask("admin", "PATCH", blog, { metadata: { annotations } }, merge);
    await until(fresh, started, "a change after the start");
    await page.context().close();
    return { banner: bannerTook, live };
}
