/* People on the real server: invited, removed, signed out; what they may not do; their own account. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { signIn, startBrowser, visit, type Visit } from "./browser";
import { startServer, type Server } from "./server";

let server: Server;
let browser: Browser;
let admin: Visit;

beforeAll(async () => {
    server = await startServer();
    browser = await startBrowser();
    admin = await visit(browser, server);
    await signIn(admin.page, server, "admin");
});

afterAll(async () => {
    await browser?.close();
    await server?.stop();
});

/** Asks the API in the name of whoever is signed in on the page. */
function ask(page: Page, method: string, path: string, body?: unknown): Promise<number> {
    return page.evaluate(
        async ([m, p, b]) => {
            const answer = await fetch(p as string, {
                method: m as string,
                headers: { "X-Taut-Request": "1", "Content-Type": "application/json" },
                body: b === undefined ? null : JSON.stringify(b),
            });
            return answer.status;
        },
        [method, path, body] as const,
    );
}

async function logIn(page: Page, user: string, password: string): Promise<void> {
    await page.getByLabel("User name").fill(user);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
}

/** A user made by the administrator through the API, signed in in a browser of his own. */
async function newcomer(name: string): Promise<Visit> {
    const made = await ask(admin.page, "POST", "/taut/v1/users", {
        name,
        password: "a-good-password",
    });
    expect(made).toBe(201);
    const his = await visit(browser, server);
    await his.page.goto(server.url);
    await logIn(his.page, name, "a-good-password");
    await his.page.getByRole("navigation", { name: "Main navigation" }).waitFor();
    return his;
}

it("an administrator creates a user, who belongs to nothing and is told whom to ask", async () => {
    const { page } = admin;
    await page.goto(`${server.url}/platform/users`);
    await page.getByRole("button", { name: "Create" }).click();
    const box = page.getByRole("dialog", { name: "Create User" });
    await box.getByRole("button", { name: "Create" }).click();
    await box.getByText("Use at least 8 characters.").waitFor();
    await box.getByLabel("User name").fill("ann");
    await box.getByLabel("Password").fill("a-good-password");
    await box.getByRole("button", { name: "Create" }).click();
    await page.getByRole("row", { name: /ann/ }).waitFor();

    const hers = await visit(browser, server);
    await hers.page.goto(`${server.url}/devops`);
    await logIn(hers.page, "ann", "wrong-password");
    await hers.page.getByText("User name or password is wrong.").waitFor();
    await hers.page.getByLabel("Password").fill("a-good-password");
    await hers.page.getByRole("button", { name: "Log in" }).click();
    await hers.page.getByText("You belong to no DevOps Project yet").waitFor();
    await hers.page.getByText("Ask: admin").waitFor();
    const create = hers.page.getByRole("button", { name: "Create" });
    expect(await create.getAttribute("aria-disabled")).toBe("true");
    await hers.page.context().close();
});

it("a member is invited, sees the project, is removed and is told Forbidden on the open page", async () => {
    const his = await newcomer("bob");
    const { page } = admin;
    await page.goto(`${server.url}/devops/demo/settings?tab=members`);
    await page.getByRole("button", { name: "Invite" }).click();
    const box = page.getByRole("dialog", { name: "Invite" });
    await box.getByLabel("User name").fill("bob");
    await box.getByRole("radio", { name: "viewer" }).check();
    await box.getByRole("button", { name: "OK" }).click();
    await page.getByRole("row", { name: /bob/ }).waitFor();

    await his.page.goto(`${server.url}/devops/demo/apps`);
    await his.page.getByRole("link", { name: "shop" }).waitFor();
    await page.getByRole("button", { name: "More actions for bob" }).click();
    await page.getByRole("menuitem", { name: "Remove" }).click();
    await page
        .getByRole("dialog", { name: "Remove bob" })
        .getByRole("button", { name: "Delete" })
        .click();
    await his.page
        .getByRole("heading", { name: "You may not see this page" })
        .waitFor({ timeout: 30_000 });
    await his.page.context().close();
});

it("what somebody may not do is off and names the missing right", async () => {
    const viewer = await visit(browser, server);
    await signIn(viewer.page, server, "project-viewer");
    await viewer.page.goto(`${server.url}/devops/demo/apps/shop`);
    const sync = viewer.page.getByRole("button", { name: "Sync", exact: true });
    await sync.waitFor();
    expect(await sync.getAttribute("aria-disabled")).toBe("true");
    expect(await sync.getAttribute("title")).toBe("You lack the right: sync applications");
    await sync.click({ force: true });
    expect(await viewer.page.getByRole("dialog").count()).toBe(0);
    const promoted = await ask(admin.page, "PUT", "/taut/v1/devops/demo/members/project-viewer", {
        role: "operator",
    });
    expect(promoted).toBe(200);
    await expect.poll(() => sync.getAttribute("aria-disabled"), { timeout: 30_000 }).toBe(null);
    await viewer.page.goto(`${server.url}/platform/users`);
    await viewer.page.getByText("may not list users").waitFor();
    await viewer.page.context().close();
});

it("a session that ends leaves the page with what was typed; secrets and other users' texts go", async () => {
    const his = await newcomer("carl");
    const { page } = his;
    await ask(admin.page, "POST", "/taut/v1/devops/demo/members", { name: "carl", role: "admin" });
    await page.goto(`${server.url}/devops/demo/settings?dialog=info`);
    const alias = page.getByRole("dialog", { name: /Edit Information/ }).getByLabel("Alias");
    await alias.fill("A name that was typed");
    await ask(page, "DELETE", "/taut/v1/me/sessions");
    const again = page.getByRole("dialog", { name: "Log in to Taut" });
    await again.getByLabel("Password").fill("a-good-password");
    await again.getByRole("button", { name: "Log in" }).click();
    await again.waitFor({ state: "detached" });
    expect(await alias.inputValue()).toBe("A name that was typed");

    await page.goto(`${server.url}/devops/demo/settings?dialog=my-password`);
    const box = page.getByRole("dialog", { name: "Change password" });
    await box.getByLabel("Present password").fill("a-good-password");
    await box.getByLabel(/^New password \*/).fill("another-password");
    await ask(page, "DELETE", "/taut/v1/me/sessions");
    await again.waitFor();
    await expect.poll(() => box.getByLabel("Present password").inputValue()).toBe("");
    await again.getByLabel("User name").fill("project-regular");
    await again.getByLabel("Password").fill(server.password("project-regular"));
    await again.getByRole("button", { name: "Log in" }).click();
    await again.waitFor({ state: "detached" });
    await page.getByRole("button", { name: /^project-regular/ }).waitFor();
    expect(await box.getByLabel(/^New password \*/).inputValue()).toBe("");
    await page.context().close();
});

it("an API token is shown once, works, and is revoked; the language is kept on the server", async () => {
    const his = await newcomer("dora");
    const { page } = his;
    await page.goto(`${server.url}/devops?dialog=my-tokens`);
    const box = page.getByRole("dialog", { name: "API tokens" });
    await box.getByLabel("Name").fill("ci");
    await box.getByRole("button", { name: "Create token" }).click();
    const token = await box.locator("code").innerText();
    const asked = (): Promise<number> =>
        fetch(`${server.url}/taut/v1/me`, { headers: { Authorization: `Bearer ${token}` } }).then(
            (answer) => answer.status,
        );
    expect(await asked()).toBe(200);
    await box.getByRole("button", { name: "Revoke ci" }).click();
    await box.getByText("No API tokens yet").waitFor();
    expect(await asked()).toBe(401);
    await box.getByRole("button", { name: "Close" }).last().click();

    await page.getByRole("button", { name: /^dora/ }).click();
    await page.getByRole("menuitemradio", { name: "简体中文" }).click();
    await page.getByRole("heading", { name: "DevOps 项目", exact: true }).waitFor();
    const elsewhere = await visit(browser, server);
    await elsewhere.page.goto(server.url);
    await logIn(elsewhere.page, "dora", "a-good-password");
    await elsewhere.page.getByRole("heading", { name: "DevOps 项目", exact: true }).waitFor();
    await elsewhere.page.context().close();
    await page.context().close();
});

it("a project is found among many by the switcher", async () => {
    const { page } = admin;
    for (const name of ["alpha", "beta"])
        await ask(page, "POST", "/taut/v1/devops", { name, alias: `Team ${name}` });
    await page.goto(`${server.url}/devops/demo/repos`);
    await page.getByRole("button", { name: /^DevOps project demo/ }).click();
    await page.getByRole("combobox", { name: "Search name or alias" }).fill("team b");
    await page.getByRole("option", { name: /beta/ }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(`${server.url}/devops/beta/repos`);
    await page.goto(`${server.url}/devops/beta/settings?dialog=delete`);
    const box = page.getByRole("dialog", { name: "Delete DevOps Project beta" });
    await box.getByRole("button", { name: "Delete" }).click();
    await box.getByText("This is not the name.").waitFor();
    await box.getByLabel("Type beta to confirm").fill("beta");
    await box.getByRole("button", { name: "Delete" }).click();
    await page.waitForURL(`${server.url}/devops`);
    expect(admin.complaints).toEqual([]);
});
