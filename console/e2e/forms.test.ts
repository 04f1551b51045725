/*
 * Forms and dialogs on the real server: what will happen is told before the button, a form and its YAML
 * are one draft, nothing that was typed is lost, and nobody's change either.
 */
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signIn, startBrowser, visit, type Visit } from "./browser";
import { startServer, type Server } from "./server";

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

const APPS = "/apis/argoproj.io/v1alpha1/namespaces/demo/applications";
const MERGE = "application/merge-patch+json";

async function open(path: string): Promise<Locator> {
    await at.page.goto(server.url + path);
    const dialog = at.page.getByRole("dialog").first();
    await dialog.waitFor();
    return dialog;
}

interface App {
    metadata: { annotations?: Record<string, string>; labels?: Record<string, string> };
    spec: Record<string, unknown> & {
        source: { path?: string };
        syncPolicy?: { syncOptions?: string[] };
    };
    status?: { history?: unknown[]; resources?: { kind: string; name: string; status?: string }[] };
}

const readApp = async (name: string) =>
    (await server.ask("admin", "GET", `${APPS}/${name}`)) as unknown as App;

const editor = (dialog: Locator) => dialog.locator("textarea.code-edit");

async function first(dialog: Locator, name: string): Promise<void> {
    await dialog.getByLabel("Name *").fill(name);
    await dialog.getByLabel("Code Repository *").fill("sample");
    await dialog.getByRole("option", { name: "sample" }).first().click();
    await dialog.getByRole("button", { name: "Next" }).click();
}

const button = (within: Locator | Page, name: string | RegExp) =>
    within.getByRole("button", { name, exact: typeof name === "string" });

describe("the wizard", () => {
    it("is one draft, as a form and as YAML, and a reload keeps it", async () => {
        let dialog = await open("/devops/demo/apps?dialog=create");
        await first(dialog, "drafted");
        await dialog.getByLabel("Project *").fill("drafted");
        await button(dialog, "YAML").click();
        await expect.poll(() => editor(dialog).inputValue()).toContain("namespace: drafted");
        const text = await editor(dialog).inputValue();
        await editor(dialog).fill(`${text.trimEnd()}\n  revisionHistoryLimit: 4\n`);
        await button(dialog, "Form").click();
        await dialog.getByLabel("Manifest File Path").fill("shop");
        await dialog.getByLabel("Replace Resource").check();

        dialog = await open("/devops/demo/apps?dialog=create");
        await expect.poll(() => dialog.getByLabel("Project *").inputValue()).toBe("drafted");
        await button(dialog, "YAML").click();
        const kept = await editor(dialog).inputValue();
        expect(kept).toContain("revisionHistoryLimit: 4");
        expect(kept).toContain("path: shop");
        expect(kept).toContain("Replace=true");
        await button(dialog, "Form").click();
    });

    it("names the line of an error in the YAML, and does not leave it", async () => {
        const dialog = await open("/devops/demo/apps?dialog=create");
        await button(dialog, "YAML").click();
        const good = await editor(dialog).inputValue();
        await editor(dialog).fill(`a: 1\n  b: [\n${good}`);
        await button(dialog, /^Line \d+$/).waitFor();
        await button(dialog, "Form").click();
        await dialog
            .getByRole("alert")
            .getByText(/^Line \d+/)
            .waitFor();
        await editor(dialog).fill(good);
        await button(dialog, "Form").click();
        await dialog.getByLabel("Project *").waitFor();
    });

    it("shows in Review what will be created, and creates it", async () => {
        const dialog = await open("/devops/demo/apps?dialog=create");
        await dialog.getByLabel("Auto create project").check();
        await button(dialog, "Review").click();
        await dialog.getByRole("heading", { name: /^\d+ resources from/ }).waitFor();
        const rows = await dialog.getByRole("row").allInnerTexts();
        expect(rows.join("\n")).toMatch(/Create\s+web Deployment · drafted/);
        expect(rows.join("\n")).toMatch(/Create\s+drafted Namespace/);
        await button(dialog, "Create").click();
        await dialog.waitFor({ state: "detached" });
        const made = await readApp("drafted");
        expect(made.spec.revisionHistoryLimit).toBe(4);
        expect(made.spec.syncPolicy!.syncOptions).toContain("CreateNamespace=true");
    });

    it("tells a manifest's error and then offers to create anyway", async () => {
        const dialog = await open("/devops/demo/apps?dialog=create");
        await first(dialog, "hasty");
        await dialog.getByLabel("Project *").fill("hasty");
        await dialog.getByLabel("Manifest File Path").fill("typo");
        await button(dialog, "Create").click();
        await dialog.getByText(/typo\/.*:\d+/).waitFor();
        await button(dialog, "Review").click();
        await dialog
            .getByRole("alert")
            .getByText(/typo\/.*:\d+/)
            .waitFor();
        await button(dialog, "Create").click();
        await button(dialog, "Create anyway").click();
        await dialog.waitFor({ state: "detached" });
        expect((await readApp("hasty")).spec.source.path).toBe("typo");
    });

    it("says while typing that a name is wrong, or taken", async () => {
        const dialog = await open("/devops/demo/apps?dialog=create");
        await dialog.getByLabel("Name *").fill("Wrong");
        await dialog.getByText(/^Use lower-case letters/).waitFor();
        await dialog.getByLabel("Name *").fill("shop");
        await dialog.getByText("A deployment of this name exists already.").waitFor();
        await dialog.getByLabel("Name *").fill("");
    });

    it("completes branches, folders and projects; 5,000 branches stay light", async () => {
        await at.page.route("**/repos/sample/refs", (request) =>
            request.fulfill({
                json: {
                    items: Array.from({ length: 5000 }, (_, i) => ({
                        name: `refs/heads/branch-${i}`,
                        commit: "0123456789".repeat(4),
                    })),
                    total: 5000,
                },
            }),
        );
        const dialog = await open("/devops/demo/apps?dialog=create");
        await first(dialog, "many");
        const revision = dialog.getByRole("combobox", { name: "Revision" });
        await revision.click();
        await dialog.getByRole("option", { name: "branch-0" }).first().waitFor();
        expect(await dialog.getByRole("option").count()).toBeLessThan(60);
        expect(await at.page.evaluate(() => document.querySelectorAll("*").length)).toBeLessThan(
            1500,
        );
        await revision.fill("branch-4999");
        await at.page.keyboard.press("ArrowDown");
        await at.page.keyboard.press("Enter");
        expect(await revision.inputValue()).toBe("branch-4999");
        await revision.fill("HEAD");
        await at.page.keyboard.press("Escape");
        await dialog.waitFor();
        await at.page.unrouteAll({ behavior: "ignoreErrors" });

        await dialog.getByRole("combobox", { name: "Manifest File Path" }).fill("sh");
        await dialog.getByRole("option", { name: "shop" }).click();
        await dialog.getByText("Rendered as Directory.").waitFor();
        await dialog.getByRole("combobox", { name: "Project *" }).fill("brand-new");
        await dialog.getByRole("option", { name: "Create “brand-new”" }).click();
        await dialog.getByText(/^This project does not exist/).waitFor();
        await dialog.getByLabel("Auto create project").check();
        await dialog.getByText("New project, the first sync creates it.").waitFor();
        await button(dialog, "Previous").click();
        await dialog.getByLabel("Name *").fill("");
    });
});

describe("what was typed", () => {
    it("outlives an ended session, and is nobody else's", async () => {
        let dialog = at.page.getByRole("dialog", { name: "Import Code Repository" });
        await open("/devops/demo/repos?dialog=import");
        await dialog.getByLabel("Name *").fill("half-typed");
        await dialog.getByLabel("Alias").fill("Half typed");
        await at.page.context().clearCookies();
        await dialog.getByLabel("Code Repository URL *").fill("https://git.invalid/y");
        const again = at.page.getByRole("dialog", { name: "Log in to Taut" });
        await again.waitFor();
        await again.getByLabel("Password").fill(server.password("project-regular"));
        await button(again, "Log in").click();
        await again.waitFor({ state: "detached" });
        expect(await dialog.getByLabel("Alias").inputValue()).toBe("Half typed");
        dialog = await open("/devops/demo/repos?dialog=import");
        expect(await dialog.getByLabel("Name *").inputValue()).toBe("half-typed");
        expect(await dialog.getByLabel("Code Repository URL *").inputValue()).toBe(
            "https://git.invalid/y",
        );
        const keys = await at.page.evaluate(() => Object.keys(sessionStorage).join(" "));
        expect(keys).toContain("project-regular.import.demo");
        await dialog.getByLabel("Name *").fill("");
        await dialog.getByLabel("Code Repository URL *").fill("");
    });

    it("has no secrets in it", async () => {
        const dialog = await open("/devops/demo/credentials?dialog=create");
        await dialog.getByLabel("Name *", { exact: true }).fill("robot");
        await dialog.getByLabel("Username *").fill("robot");
        await dialog.getByLabel("Password/Token *").fill("canary-4711");
        const kept = await at.page.evaluate(() => JSON.stringify({ ...sessionStorage }));
        expect(kept).toContain("robot");
        expect(kept).not.toContain("canary-4711");
        await button(dialog, "OK").click();
        await dialog.waitFor({ state: "detached" });
        await at.page.getByRole("row").filter({ hasText: "robot" }).first().waitFor();
    });
});

describe("the Sync dialog", () => {
    it("asks anew at each change, and syncs only what is chosen", async () => {
        const dialog = await open("/devops/demo/apps/blog?dialog=sync");
        await dialog.getByText("What will happen").waitFor();
        await dialog.getByRole("row").filter({ hasText: "Deployment" }).first().waitFor();
        await dialog.getByLabel("Only chosen").check();
        await dialog.getByText("Hooks do not run and no history entry is made.").waitFor();
        await dialog.getByText(/^The project blog does not exist;/).waitFor();
        await button(dialog, /^Sync 0 of/).click();
        await dialog.getByText("Choose at least one resource.").waitFor();
        await server.ask("admin", "POST", "/clusters/sandbox/api/v1/namespaces", {
            apiVersion: "v1",
            kind: "Namespace",
            metadata: { name: "blog" },
        });
        await button(dialog, /^All \d+/).click();
        const all = await dialog.getByRole("checkbox", { name: /Deployment|Namespace/ }).count();
        expect(all).toBeGreaterThan(0);
        const before = (await readApp("blog")).status?.history?.length ?? 0;
        await button(dialog, /^Sync \d+ of/).click();
        await dialog.waitFor({ state: "detached" });
        await expect
            .poll(async () => (await readApp("blog")).status?.resources?.[0]?.status, {
                timeout: 60_000,
            })
            .toBe("Synced");
        expect((await readApp("blog")).status?.history?.length ?? 0).toBe(before);
    });

    it("draws 2,000 resources lightly and filters them", async () => {
        await at.page.route("**/taut/v1/devops/demo/preview", (request) =>
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
                        namespace: "blog",
                        name: `map-${i}`,
                        effect: i % 2 ? "update" : "none",
                        reason: i % 2 ? "differs" : "equal",
                    })),
                },
            }),
        );
        const dialog = await open("/devops/demo/apps/blog?dialog=sync");
        await button(dialog, "Sync, 1000 changes").waitFor();
        expect(await at.page.evaluate(() => document.querySelectorAll("*").length)).toBeLessThan(
            1500,
        );
        await dialog.getByRole("searchbox").fill("map-1999");
        await expect.poll(() => dialog.getByRole("row").count()).toBe(2);
        await at.page.unrouteAll({ behavior: "ignoreErrors" });
    });
});

describe("edits", () => {
    it("tell who changed what meanwhile, and keep both", async () => {
        const dialog = await open("/devops/demo/apps/blog?dialog=settings");
        await dialog.getByLabel("Prune last").check();
        await server.ask(
            "admin",
            "PATCH",
            `${APPS}/blog`,
            { spec: { revisionHistoryLimit: 7 }, metadata: { labels: { by: "hand" } } },
            MERGE,
        );
        await button(dialog, "OK").click();
        await dialog.getByText(/spec\.revisionHistoryLimit/).waitFor();
        await dialog.getByText("Your changes are elsewhere; both can be kept.").waitFor();
        await button(dialog, "Keep both").click();
        await dialog.waitFor({ state: "detached" });
        const after = await readApp("blog");
        expect(after.spec.revisionHistoryLimit).toBe(7);
        expect(after.metadata.labels?.by).toBe("hand");
        expect(after.spec.syncPolicy!.syncOptions).toContain("PruneLast=true");
    });

    it("of the YAML keep what is not shown and remove what is taken out", async () => {
        const dialog = await open("/devops/demo/apps/blog?dialog=yaml");
        /* The page may open on what was there before the edit above, and follows. */
        await expect
            .poll(() => editor(dialog).inputValue(), { timeout: 30_000 })
            .toContain("PruneLast=true");
        const text = await editor(dialog).inputValue();
        expect(text).toContain("revisionHistoryLimit: 7");
        expect(text).not.toContain("managedFields");
        await editor(dialog).fill(text.replace(/ *revisionHistoryLimit: 7\n/, ""));
        await button(dialog, "OK").click();
        await dialog.waitFor({ state: "detached" });
        const after = await readApp("blog");
        expect(after.spec).not.toHaveProperty("revisionHistoryLimit");
        expect(after.status?.resources?.length).toBeGreaterThan(0);
    });

    it("of a repository are tested by themselves and name who follows", async () => {
        const dialog = await open("/devops/demo/repos?dialog=edit&on=sample");
        await dialog.getByText(/^Connected: \d+ branches/).waitFor();
        await dialog.getByLabel("Code Repository URL *").fill(`file://${server.dir}/nowhere`);
        await dialog.getByText(/deployments use it and get the new URL/).waitFor();
        await dialog.getByText("The connection test failed").waitFor();
        await button(dialog, "Cancel").click();
        await dialog.waitFor({ state: "detached" });
    });

    it("of a credential keep its value where nothing is typed", async () => {
        const dialog = await open("/devops/demo/credentials?dialog=edit&on=robot");
        await dialog.getByText("Empty keeps what is stored.").waitFor();
        await dialog.getByLabel("Description").fill("for the robot");
        await button(dialog, "OK").click();
        await dialog.waitFor({ state: "detached" });
        await at.page.getByText("for the robot").waitFor();
        const secret = (await server.ask(
            "admin",
            "GET",
            "/api/v1/namespaces/demo/secrets/robot",
        )) as unknown as { data: Record<string, string> };
        expect(Buffer.from(secret.data.password!, "base64").toString()).toBe("canary-4711");
    });
});

describe("deleting", () => {
    it("lists what goes, and takes it", async () => {
        const dialog = await open("/devops/demo/apps/drafted?dialog=delete");
        await dialog.getByText("These resources will be deleted").first().waitFor();
        await dialog.getByRole("row").filter({ hasText: "Deployment" }).first().waitFor();
        await button(dialog, /^Delete \d+ resources$/).click();
        await dialog.waitFor({ state: "detached" });
        await expect
            .poll(
                () =>
                    readApp("drafted").then(
                        () => "there",
                        () => "gone",
                    ),
                { timeout: 60_000 },
            )
            .toBe("gone");
    });

    it("several at once asks for their number", async () => {
        await at.page.goto(`${server.url}/devops/demo/apps`);
        await at.page.getByRole("checkbox", { name: "hasty" }).click();
        await at.page.getByRole("checkbox", { name: "blog" }).click();
        await button(at.page, "Delete").click();
        const dialog = at.page.getByRole("dialog", { name: "Delete 2 deployments" });
        await dialog.getByLabel("Type 2 to delete them").fill("2");
        await button(dialog, "Delete 2 deployments").click();
        await dialog.getByRole("status").getByText("2 of 2 done").waitFor();
        await button(dialog.locator(".ft"), "Close").click();
        for (const name of ["hasty", "blog"])
            await expect
                .poll(
                    () =>
                        readApp(name).then(
                            () => "there",
                            () => "gone",
                        ),
                    { timeout: 60_000 },
                )
                .toBe("gone");
    });
});

it("nothing complained on the way: no script error, no policy report, no other origin", () => {
    expect(at.complaints).toEqual([]);
});
