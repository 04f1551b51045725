/*
 * The guide by other ways, each a walk of its own on one server: by keyboard alone; in Chinese; and in
 * browsers without shared workers, without broadcast channels, without storage.
 */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { en } from "../src/i18n/en";
import { startBrowser, visit } from "./browser";
import { smallExample, startGit, type Git } from "./git";
import { walkGuide, type Walk } from "./guide";
import { keyboard, mouse, type Hand } from "./hand";
import { startServer, type Server } from "./server";

let server: Server;
let git: Git;
let browser: Browser;

beforeAll(async () => {
    [server, git, browser] = await Promise.all([startServer(), startGit(), startBrowser()]);
    git.commit("example", smallExample);
});

afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await git?.stop();
});

/** Words that stay Latin in Chinese: names of products, of formats and of Kubernetes' own kinds. */
const latin = new Set(
    (
        "Taut DevOps Git GitHub GitLab Bitbucket YAML URL SSH HTTP HTTPS Secret Kubernetes Kustomize Helm English HEAD " +
        "NodePort LoadBalancer ClusterIP Service Deployment Pod ReplicaSet TCP CRD ID IP UID API main refs"
    ).split(" "),
);

const answers = [
    "bootstrap",
    "devops",
    "devops/demo/repos",
    "devops/demo/credentials",
    "devops/demo/services",
];

interface Said {
    /** All that the server says about the DevOps Project: names, messages, addresses. */
    text: string;
    /** Names of clusters, projects, roles, deployments …: a text that is one of them is no foreign word. */
    names: Set<string>;
}

async function serverText(): Promise<Said> {
    const apps = "/apis/argoproj.io/v1alpha1/namespaces/demo/applications";
    const paths = [apps, ...answers.map((at) => `/taut/v1/${at}`)];
    const found: string[] = [];
    const names = new Set<string>();
    const collect = (value: unknown, key = ""): void => {
        if (typeof value === "string") {
            found.push(value);
            if (["name", "namespace", "role"].includes(key)) names.add(value);
        } else if (value && typeof value === "object")
            Object.entries(value).forEach(([inner, one]) => collect(one, inner));
    };
    for (const path of paths) collect(await server.ask("project-regular", "GET", path));
    return { text: found.join("\n"), names };
}

/** English words of the console's own on a page in Chinese, outside code, names and what the server says. */
async function foreignWords(page: Page): Promise<string[]> {
    const texts = await page.evaluate(() => {
        const code =
            "code,pre,kbd,.mono,.cm-editor,[translate=no],[lang=en],input,textarea,svg,script,style";
        const found: string[] = [];
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const owner = node.parentElement!;
            if (!owner.closest(code) && owner.checkVisibility()) found.push(node.textContent ?? "");
        }
        return found;
    });
    const english = new Set(
        Object.values(en)
            .flatMap((text) => text.match(/[A-Za-z]{3,}/g) ?? [])
            .filter((word) => !latin.has(word)),
    );
    const said = await serverText();
    return texts
        .filter((text) => !said.names.has(text.trim()))
        .filter((text) => !text.trim().includes(" ") || !said.text.includes(text.trim()))
        .map((text) => text.replace(/\w+:\/\/\S+|\w+([-/.]\w+)+/g, ""))
        .flatMap((text) => text.match(/[A-Za-z]{3,}/g) ?? [])
        .filter((word) => english.has(word));
}

interface Way {
    name: string;
    key: string;
    hand: (page: Page) => Hand;
    language?: "zh-CN";
    prepare?: (context: BrowserContext) => Promise<unknown>;
    after?: (page: Page) => Promise<void>;
}

const without =
    (...names: string[]) =>
    (context: BrowserContext) =>
        context.addInitScript((gone) => {
            for (const name of gone) Reflect.deleteProperty(window, name);
        }, names);

const ways: Way[] = [
    { name: "by keyboard alone", key: "keys", hand: keyboard },
    {
        name: "in Chinese, without a foreign word",
        key: "chinese",
        hand: mouse,
        language: "zh-CN",
        after: async (page) => expect(await foreignWords(page), page.url()).toEqual([]),
    },
    {
        name: "without shared workers",
        key: "worker",
        hand: mouse,
        prepare: without("SharedWorker"),
    },
    {
        name: "without broadcast channels and shared workers",
        key: "channel",
        hand: mouse,
        prepare: without("SharedWorker", "BroadcastChannel"),
    },
    {
        name: "without storage",
        key: "storage",
        hand: mouse,
        prepare: (context) =>
            context.addInitScript(() => {
                for (const name of ["localStorage", "sessionStorage", "indexedDB"])
                    Object.defineProperty(window, name, {
                        get: () => {
                            throw new DOMException("storage is off", "SecurityError");
                        },
                    });
            }),
    },
];

describe.each(ways)("$name", ({ key, hand, language, prepare, after }) => {
    let walk: Walk;
    beforeAll(async () => {
        const at = await visit(browser, server, { locale: language ?? "en-US" });
        await prepare?.(at.page.context());
        walk = {
            server,
            visit: at,
            hand: hand(at.page),
            language: language ?? "en",
            name: `guide-${key}`,
            url: git.url(key, "example"),
            project: `guide-${key}`,
            service: "web",
            ...(after && { after }),
        };
    });
    afterAll(() => walk?.visit.page.context().close());

    walkGuide(() => walk);
});
