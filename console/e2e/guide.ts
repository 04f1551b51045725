/*
 * The guide, one test a line, each named after its line, from sign-in to the opened address. The tests
 * of a walk go in order in one page; who walks, how and in which language is the caller's.
 */
import { createServer } from "node:http";
import type { Locator, Page } from "playwright-core";
import { expect, it } from "vitest";
import { en, type Key } from "../src/i18n/en";
import { zhCN } from "../src/i18n/zh-CN";
import type { Hand } from "./hand";
import type { Visit } from "./browser";
import type { Server } from "./server";

export interface Walk {
    server: Server;
    visit: Visit;
    hand: Hand;
    language: "en" | "zh-CN";
    /** The name of the repository, the deployment and the project. */
    name: string;
    url: string;
    /** Where its objects lie, when they name their own project. */
    project: string;
    service: string;
    /** Called at the end of each line. */
    after?: (page: Page) => Promise<void>;
}

const SLOW = { timeout: 120_000 };

function escaped(text: string): string {
    return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Stands in for the container of a cluster that runs none. */
async function answerAt(port: number): Promise<() => Promise<unknown>> {
    const listener = createServer((_, response) =>
        response.end("the container's page, in its stead"),
    );
    await new Promise<void>((done, failed) => {
        listener.once("error", failed);
        listener.listen(port, "127.0.0.1", done);
    });
    return () => {
        listener.closeAllConnections();
        return new Promise((done) => listener.close(done));
    };
}

export function walkGuide(walk: () => Walk): void {
    const page = () => walk().visit.page;
    const hand = () => walk().hand;
    const text = (key: Key, values: Record<string, string> = {}): string => {
        const texts: Record<Key, string> = walk().language === "en" ? en : zhCN;
        return texts[key].replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "");
    };
    const button = (key: Key, within: Page | Locator = page()) =>
        within.getByRole("button", { name: text(key), exact: true }).first();
    const field = (key: Key, within: Page | Locator = page()) =>
        within.getByLabel(new RegExp(`^${escaped(text(key))}\\s*\\*?$`)).first();
    const heading = (key: Key) =>
        page()
            .getByRole("heading", { name: text(key), exact: true })
            .first();
    const rail = (key: Key) =>
        page()
            .getByRole("navigation", { name: text("nav.main") })
            .getByRole("link", { name: text(key), exact: true })
            .first();
    const dialog = (key: Key) =>
        page().getByRole("dialog", { name: text(key, { name: walk().name }), exact: true });
    const row = (name = walk().name) =>
        page()
            .getByRole("row")
            .filter({ has: page().getByRole("link", { name, exact: true }) });
    const menu = async (name: string, item: Key) => {
        const more = page().getByRole("button", {
            name: text("common.more", { name }),
            exact: true,
        });
        await hand().press(more.first());
        await hand().press(page().getByRole("menuitem", { name: text(item), exact: true }));
    };
    const line = (name: string, step: () => Promise<void>) =>
        it(name, async () => {
            await step();
            await walk().after?.(page());
        });

    line("A1 sign in as project-regular, click DevOps Projects", async () => {
        const { server } = walk();
        await page().goto(server.url);
        await hand().type(field("login.user"), "project-regular");
        await hand().type(field("login.password"), server.password("project-regular"));
        await hand().press(button("login.button"));
        await hand().press(rail("nav.devops"));
        await heading("devops.title").waitFor();
    });

    line("A2 click the DevOps project", async () => {
        await hand().press(
            page().getByRole("main").getByRole("link", { name: "demo", exact: true }),
        );
        await heading("apps.title").waitFor();
    });

    line("A3 click Code Repositories", async () => {
        await hand().press(rail("nav.repos"));
        await heading("repos.title").waitFor();
    });

    line("A4 click Import", async () => {
        await hand().press(button("repos.import"));
        await dialog("repos.importTitle").waitFor();
    });

    line("A5 enter the name of the code repository", async () => {
        const box = dialog("repos.importTitle");
        await hand().type(field("common.name", box), walk().name);
        await field("common.alias", box).waitFor();
        await field("common.description", box).waitFor();
    });

    line("A6 click Git, enter the Code Repository URL, click OK", async () => {
        const box = dialog("repos.importTitle");
        await hand().press(box.getByText("Git", { exact: true }).first());
        await hand().type(field("repos.url", box), walk().url);
        await hand().press(button("common.ok", box));
        await box.waitFor({ state: "detached", ...SLOW });
    });

    line("A7 a public repository needs no credential", async () => {
        await page().getByRole("row").filter({ hasText: walk().url }).waitFor();
    });

    line("B1 click Continuous Deployments", async () => {
        await hand().press(rail("nav.apps"));
        await heading("apps.title").waitFor();
    });

    line("B2 click Create", async () => {
        await hand().press(button("apps.create"));
        await dialog("create.title").waitFor();
    });

    line("B3 Basic Information: a name, a code repository, Next", async () => {
        const box = dialog("create.title");
        await hand().type(field("common.name", box), walk().name);
        await hand().choose(field("create.repo", box), walk().name);
        await hand().press(button("common.next", box));
    });

    line("B4 Deployment Settings: the cluster and project", async () => {
        const box = dialog("create.title");
        await hand().choose(field("create.cluster", box), walk().server.cluster);
        await hand().type(field("create.project", box), walk().name);
    });

    line("B5 Code Repository Settings: a branch, the path config/default", async () => {
        const box = dialog("create.title");
        await hand().type(field("create.revision", box), "main");
        await hand().type(field("create.path", box), "config/default");
    });

    line("B6 Sync Strategy: Auto Sync with Prune resources", async () => {
        const box = dialog("create.title");
        await field("apps.manual", box).waitFor();
        await hand().tick(field("apps.auto", box));
        await hand().tick(field("create.prune", box));
        await field("create.selfHeal", box).waitFor();
    });

    line("B7 Sync Settings: Auto create project, Prune last", async () => {
        const box = dialog("create.title");
        await field("create.skip", box).waitFor();
        await hand().tick(field("create.namespace", box));
        await hand().tick(field("create.pruneLast", box));
        await field("create.outOfSync", box).waitFor();
    });

    line("B8 Prune Propagation Policy: foreground", async () => {
        const box = dialog("create.title");
        await field("create.background", box).waitFor();
        await field("create.orphan", box).waitFor();
        await hand().tick(field("create.foreground", box));
    });

    line("B9 Replace Resource is left as it is, click Create", async () => {
        const box = dialog("create.title");
        await field("create.replace", box).waitFor();
        await hand().press(button("common.create", box));
        await box.waitFor({ state: "detached", ...SLOW });
    });

    line("B10 the list shows its name, health, sync status, location and update time", async () => {
        for (const key of [
            "common.name",
            "apps.health",
            "apps.sync",
            "apps.location",
            "apps.updated",
        ] as const)
            await page()
                .getByRole("columnheader", { name: text(key) })
                .waitFor();
        await row().getByText(text("status.sync.Synced"), { exact: true }).waitFor(SLOW);
        await row().getByText(text("status.health.Healthy"), { exact: true }).waitFor(SLOW);
        expect(await row().innerText()).toContain(walk().server.cluster);
    });

    line("B11 the icon on its right: Edit Information, Edit YAML, Sync, Delete", async () => {
        const { name } = walk();
        await menu(name, "apps.editInfo");
        await hand().type(field("common.alias", dialog("info.title")), `${name} alias`);
        await hand().press(button("common.ok", dialog("info.title")));
        await row().getByText(`${name} alias`).waitFor();
        for (const [item, title] of [
            ["apps.editYaml", "yaml.title"],
            ["common.delete", "delete.title"],
        ] as const) {
            await menu(name, item);
            await hand().press(button("common.cancel", dialog(title)));
            await dialog(title).waitFor({ state: "detached" });
        }
        await menu(name, "apps.syncNow");
        const sync = dialog("sync.title");
        const start = sync.getByRole("button", {
            name: new RegExp(`^${escaped(text("sync.button"))}`),
        });
        await hand().press(start.last());
        await sync.waitFor({ state: "detached", ...SLOW });
    });

    line("B12 its details page shows the synchronization status and result", async () => {
        await hand().press(row().getByRole("link", { name: walk().name, exact: true }));
        await page().getByRole("heading", { name: walk().name, exact: true }).first().waitFor();
        await hand().press(page().getByRole("link", { name: text("detail.syncTab"), exact: true }));
        await heading("detail.result").waitFor();
        await page().getByText(text("status.phase.Succeeded")).first().waitFor(SLOW);
    });

    line("C1 go to the project, click Services", async () => {
        await hand().press(rail("projects.title"));
        await heading("projects.title").waitFor();
        await hand().press(
            page()
                .getByRole("main")
                .getByRole("link", { name: walk().project, exact: true })
                .first(),
        );
        await hand().press(rail("services.title"));
        await heading("services.title").waitFor();
    });

    line("C2 the icon on the right of the application: Edit External Access", async () => {
        await menu(walk().service, "services.edit");
        await page().getByRole("dialog").waitFor();
    });

    line("C3 Access Mode: NodePort, click OK", async () => {
        const box = page().getByRole("dialog");
        await box.getByText(text("services.mode")).first().waitFor();
        await hand().tick(box.getByLabel("NodePort", { exact: true }));
        await hand().press(button("common.ok", box));
        await box.waitFor({ state: "detached", ...SLOW });
    });

    line("C4 the port in External Access; nodeIP:nodePort answers", async () => {
        const service = page().getByRole("row").filter({ hasText: walk().service });
        const link = service.getByRole("link", { name: /127\.0\.0\.1:3\d{4}/ }).first();
        await link.waitFor(SLOW);
        const address = new URL((await link.getAttribute("href"))!);
        const stop = walk().server.real ? await answerAt(Number(address.port)) : null;
        const [opened] = await Promise.all([page().waitForEvent("popup"), hand().press(link)]);
        await opened.waitForLoadState();
        expect(await opened.locator("body").innerText()).toMatch(
            stop ? /in its stead/ : /sandbox/i,
        );
        await opened.close();
        await stop?.();
    });

    it("nothing complained on the way: no script error, no policy report, no other origin", () => {
        expect(walk().visit.complaints).toEqual([]);
    });
}
