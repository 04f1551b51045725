/*
 * The guide as project-regular, with its own example where it lies beside the source, on the sandbox and
 * (TAUT_E2E=cluster) on a real control plane. The import uses the guide's URL form, through a redirect.
 */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { startBrowser, visit } from "./browser";
import { guideExample, smallExample, startGit, type Git } from "./git";
import { walkGuide, type Walk } from "./guide";
import { mouse } from "./hand";
import { startServer, type Server } from "./server";

const own = guideExample();
let server: Server;
let git: Git;
let browser: Browser;
let walk: Walk;

beforeAll(async () => {
    [server, git, browser] = await Promise.all([startServer(), startGit(), startBrowser()]);
    if (own) git.copy("open-podcasts", own);
    else git.commit("open-podcasts", smallExample);
    const at = await visit(browser, server);
    walk = {
        server,
        visit: at,
        hand: mouse(at.page),
        language: "en",
        name: "open-podcasts",
        url: git.url("kubesphere-sigs", "open-podcasts"),
        project: own ? "osf2f-system" : "open-podcasts",
        service: own ? "osf2f-controller-manager-metrics-service" : "web",
    };
});

afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await git?.stop();
});

walkGuide(() => walk);
