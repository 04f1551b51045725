/*
 * In each form: type, let the session end, log in again: what was typed is there, secrets are not, and
 * whoever else logs in on the same page does not see it. A reload in between takes nothing either.
 */
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signIn, startBrowser, visit, type Visit } from "./browser";
import { prepare } from "./places";
import { startServer, type Server } from "./server";

let server: Server;
let browser: Browser;
let at: Visit;

const OTHER = "other-admin";
const words: Record<string, string> = { [OTHER]: "correct horse battery staple" };
const passwordOf = (user: string) => words[user] ?? server.password(user);

beforeAll(async () => {
    server = await startServer();
    await prepare(server);
    await server.ask("admin", "POST", "/taut/v1/users", {
        name: OTHER,
        role: "platform-admin",
        password: passwordOf(OTHER),
    });
    browser = await startBrowser();
    at = await visit(browser, server, { reducedMotion: "reduce" });
    await signIn(at.page, server, "admin");
});

afterAll(async () => {
    await browser?.close();
    await server?.stop();
});

interface Form {
    name: string;
    path: string;
    /** Label → what is typed there. */
    texts: Record<string, string>;
    secrets?: string[];
    yaml?: boolean;
}

const SECRET = "canary-4711-canary";

const forms: Form[] = [
    {
        name: "Create Continuous Deployment",
        path: "/devops/demo/apps?dialog=create",
        texts: { "Name *": "kept-name", Alias: "Kept alias", Description: "Kept words" },
    },
    {
        name: "Import Code Repository",
        path: "/devops/demo/repos?dialog=import",
        texts: {
            "Name *": "kept-name",
            Alias: "Kept alias",
            "Code Repository URL *": "https://git.invalid/kept",
        },
    },
    {
        name: "Edit Code Repository",
        path: "/devops/demo/repos?dialog=edit&on=sample",
        texts: { Alias: "Kept alias", Description: "Kept words" },
    },
    {
        name: "Create Credential",
        path: "/devops/demo/credentials?dialog=create",
        texts: { "Name *": "kept-name", "Username *": "kept-user", Description: "Kept words" },
        secrets: ["Password/Token *"],
    },
    {
        name: "Edit Information",
        path: "/devops/demo/apps/shop?dialog=info",
        texts: { Alias: "Kept alias", Description: "Kept words" },
    },
    {
        name: "Edit Settings",
        path: "/devops/demo/apps/shop?dialog=settings",
        texts: { Revision: "kept-branch", "Manifest File Path": "kept/path" },
    },
    {
        name: "Edit YAML",
        path: "/devops/demo/apps/shop?dialog=yaml",
        texts: {},
        yaml: true,
    },
    {
        name: "Create DevOps Project",
        path: "/devops?dialog=create",
        texts: { "Name *": "kept-name", Alias: "Kept alias", Description: "Kept words" },
    },
    {
        name: "Add Cluster",
        path: "/platform/clusters?dialog=add",
        texts: { "Name *": "kept-name", Projects: "kept-one,kept-two" },
        secrets: ["Kubeconfig *"],
    },
    {
        name: "Create User",
        path: "/platform/users?dialog=create",
        texts: { "User name *": "kept-name" },
        secrets: ["Password *"],
    },
];

const again = (page: Page) => page.getByRole("dialog", { name: "Log in to Taut" });
const formOf = (page: Page) => page.locator("dialog[open]:not(.again)").first();
const editor = (form: Locator) => form.locator("textarea.code-edit");
const field = (form: Locator, label: string) => form.getByLabel(label, { exact: true });

/** Ends the session on the server, as time or an administrator would; the page hears of it. */
async function endSession(page: Page): Promise<void> {
    const cookies = await page.context().cookies();
    const answer = await fetch(`${server.url}/taut/v1/session`, {
        method: "DELETE",
        headers: {
            Cookie: cookies.map((c) => `${c.name}=${c.value}`).join("; "),
            "X-Taut-Request": "1",
        },
    });
    expect(answer.ok).toBe(true);
    await again(page).waitFor();
}

async function logIn(page: Page, within: Page | Locator, user: string): Promise<void> {
    await within.getByLabel("User name", { exact: true }).fill(user);
    await within.getByLabel("Password", { exact: true }).fill(passwordOf(user));
    await within.getByRole("button", { name: "Log in" }).click();
    await again(page).waitFor({ state: "detached" });
    await formOf(page).waitFor();
}

async function type(form: Locator, { texts, secrets, yaml }: Form): Promise<void> {
    for (const [label, text] of Object.entries(texts)) await field(form, label).fill(text);
    for (const label of secrets ?? []) await field(form, label).fill(SECRET);
    if (!yaml) return;
    await expect.poll(() => editor(form).inputValue()).toContain("kind: Application");
    await editor(form).fill(`${await editor(form).inputValue()}# Kept words\n`);
}

async function held(form: Locator, { texts, secrets, yaml }: Form) {
    const values: Record<string, string> = {};
    for (const label of [...Object.keys(texts), ...(secrets ?? [])])
        values[label] = await field(form, label).inputValue();
    if (yaml)
        values.yaml = (await editor(form).inputValue()).includes("# Kept words") ? "kept" : "";
    return values;
}

function wanted({ texts, secrets, yaml }: Form) {
    const none = Object.fromEntries((secrets ?? []).map((label) => [label, ""]));
    return { ...texts, ...none, ...(yaml && { yaml: "kept" }) };
}

const everything = (page: Page) =>
    page
        .locator("input, textarea")
        .evaluateAll((all) => all.map((e) => (e as HTMLInputElement).value).join("\n"));

describe.each(forms)("$name", (form) => {
    it("keeps what was typed through an ended session, without secrets", async () => {
        const { page } = at;
        await page.goto(server.url + form.path);
        await formOf(page).waitFor();
        await type(formOf(page), form);
        const stored = await page.evaluate(() => JSON.stringify({ ...sessionStorage }));
        expect(stored).not.toContain(SECRET);
        await endSession(page);
        await logIn(page, again(page), "admin");
        expect(await held(formOf(page), form)).toEqual(wanted(form));
    });

    it("shows it to nobody else", async () => {
        const { page } = at;
        await endSession(page);
        await logIn(page, again(page), OTHER);
        const seen = await everything(page);
        expect(seen).not.toMatch(/kept/i);
        expect(seen).not.toContain(SECRET);
    });

    it("gives it back after a reload", async () => {
        const { page } = at;
        await endSession(page);
        await page.reload();
        await logIn(page, page, "admin");
        await expect.poll(() => held(formOf(page), form)).toEqual(wanted(form));
        await formOf(page).getByRole("button", { name: "Cancel" }).click();
        await formOf(page).waitFor({ state: "detached" });
    });
});
