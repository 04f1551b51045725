/*
 * The guide, line by line, as project-regular, on the real server and its sandbox. A step is named
 * after its line.
 */
import { execFileSync } from "node:child_process";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { signIn, startBrowser, startServer, visit, type Server, type Visit } from "./server";

let server: Server;
let browser: Browser;
let at: Visit;

beforeAll(async () => {
    server = await startServer();
    execFileSync("git", [
        "clone",
        "-q",
        "--bare",
        `${server.dir}/sample`,
        `${server.dir}/guide.git`,
    ]);
    browser = await startBrowser();
    at = await visit(browser, server);
});

afterAll(async () => {
    await browser?.close();
    await server?.stop();
});

const row = (name: string) => at.page.getByRole("row").filter({ hasText: name });

it("A1 sign in as project-regular and open DevOps Projects", async () => {
    await signIn(at.page, server, "project-regular");
    await at.page.getByRole("link", { name: "DevOps Projects" }).click();
    await at.page.getByRole("heading", { name: "DevOps Projects" }).waitFor();
});

it("A2 open the DevOps project", async () => {
    await at.page.getByRole("table").getByRole("link", { name: "demo" }).click();
    await at.page.getByRole("heading", { name: "Continuous Deployments" }).waitFor();
});

it("A3 open Code Repositories", async () => {
    await at.page.getByRole("link", { name: "Code Repositories" }).click();
    await at.page.getByRole("heading", { name: "Code Repositories" }).waitFor();
});

it("A4 to A6 import a code repository by its URL", async () => {
    await at.page.getByRole("button", { name: "Import" }).click();
    const dialog = at.page.getByRole("dialog", { name: "Import Code Repository" });
    await dialog.getByLabel("Name *").fill("guide");
    await dialog.getByRole("button", { name: "Git", exact: true }).click();
    await dialog.getByLabel("Code Repository URL").fill(`file://${server.dir}/guide.git`);
    await dialog.getByRole("button", { name: "OK" }).click();
    await dialog.waitFor({ state: "detached" });
    await row("guide").waitFor();
});

it("B1 and B2 open Continuous Deployments and Create", async () => {
    await at.page.getByRole("link", { name: "Continuous Deployments" }).first().click();
    await at.page.getByRole("button", { name: "Create" }).click();
});

it("B3 Basic Information: name and code repository", async () => {
    const dialog = at.page.getByRole("dialog", { name: "Create Continuous Deployment" });
    await dialog.getByRole("button", { name: "Next" }).click();
    await dialog.getByText("Set a name.").waitFor();
    await dialog.getByLabel("Name *").fill("guide");
    await dialog.getByLabel("Code Repository *").selectOption("guide");
    await dialog.getByRole("button", { name: "Next" }).click();
});

it("B4 to B9 Deployment Settings, then Create", async () => {
    const dialog = at.page.getByRole("dialog", { name: "Create Continuous Deployment" });
    await dialog.getByLabel("Cluster *").selectOption("sandbox");
    await dialog.getByLabel("Project *").fill("guide");
    await dialog.getByLabel("Revision").fill("HEAD");
    await dialog.getByLabel("Manifest File Path").fill("shop");
    await dialog.getByLabel("Auto Sync").check();
    await dialog.getByLabel("Prune resources").check();
    await dialog.getByLabel("Auto create project").check();
    await dialog.getByLabel("Prune last").check();
    await dialog.getByLabel("foreground").check();
    await dialog.getByRole("button", { name: "Create" }).click();
    await dialog.waitFor({ state: "detached" });
});

it("B10 the list shows it, Synced and Healthy, without a reload", async () => {
    await row("guide").getByText("Synced").waitFor({ timeout: 30_000 });
    await row("guide").getByText("Healthy").waitFor({ timeout: 30_000 });
    expect(await row("guide").innerText()).toContain("sandbox");
});

it("B11 Edit Information, and Sync", async () => {
    await row("guide").getByRole("button", { name: "More actions for guide" }).click();
    await at.page.getByRole("menuitem", { name: "Edit Information" }).click();
    const info = at.page.getByRole("dialog", { name: "Edit Information of guide" });
    await info.getByLabel("Alias").fill("The guide");
    await info.getByRole("button", { name: "OK" }).click();
    await row("The guide").waitFor();
    await row("guide").getByRole("button", { name: "More actions for guide" }).click();
    await at.page.getByRole("menuitem", { name: "Sync" }).click();
    const sync = at.page.getByRole("dialog", { name: "Sync guide" });
    await sync.getByRole("button", { name: /^Sync/ }).click();
    await sync.waitFor({ state: "detached" });
});

it("B12 its page shows the status and the result of the synchronization", async () => {
    await row("guide").getByRole("link", { name: "guide" }).click();
    await at.page.getByRole("heading", { name: "guide" }).waitFor();
    await at.page.getByRole("link", { name: "Sync Status" }).click();
    await at.page.getByRole("heading", { name: "Sync Result" }).waitFor();
    await at.page.getByText("Succeeded").first().waitFor({ timeout: 30_000 });
});

it("C1 open the project and its Services", async () => {
    await at.page.getByRole("link", { name: "Projects", exact: true }).click();
    await at.page.getByRole("table").getByRole("link", { name: "guide" }).click();
    await at.page.getByRole("heading", { name: "Services" }).waitFor();
});

it("C2 and C3 Edit External Access, NodePort, OK", async () => {
    await at.page
        .getByRole("button", { name: /^More actions for/ })
        .first()
        .click();
    await at.page.getByRole("menuitem", { name: "Edit External Access" }).click();
    const dialog = at.page.getByRole("dialog", { name: /^Edit External Access of/ });
    await dialog.getByLabel("NodePort").check();
    await dialog.getByRole("button", { name: "OK" }).click();
    await dialog.waitFor({ state: "detached" });
});

it("C4 the address in External Access answers", async () => {
    const link = at.page.getByRole("link", { name: /127\.0\.0\.1:3\d{4}/ }).first();
    await link.waitFor();
    const answer = await fetch((await link.getAttribute("href"))!);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatch(/sandbox/i);
});

it("nothing complained on the way: no script error, no policy report, no other origin", () => {
    expect(at.complaints).toEqual([]);
});
