import { describe, expect, it } from "vitest";
import { createCommand, deleteCommand, importCommand, syncCommand, word } from "../src/command";
import { byEffect, countOf, isChange, type Effect, type PreviewRow } from "../src/preview";
import { parentOf, pathChoices, refChoices } from "../src/screens/settings-form";
import { urlOf } from "../src/screens/import";
import { approvalOf, canTick, goesWith } from "../src/screens/delete-dialog";
import { changeOf } from "../src/screens/repo-yaml";
import { defaults, newApplication } from "../src/settings";
import { matching } from "../src/ui/combobox";

describe("the combobox", () => {
    const names = ["main", "release/1", "feature/main-menu"].map((value) => ({ value }));
    it("puts what begins with the text before what holds it", () => {
        expect(matching(names, "ma").map((c) => c.value)).toEqual(["main", "feature/main-menu"]);
        expect(matching(names, " ")).toEqual(names);
        expect(matching(names, "nothing")).toEqual([]);
    });
    it("filters 5,000 branches at once", () => {
        const many = Array.from({ length: 5000 }, (_, i) => ({ value: `b${i}` }));
        expect(matching(many, "b4999")).toHaveLength(1);
    });
});

describe("pickers complete", () => {
    it("revisions: HEAD with its branch, branches, then tags", () => {
        const choices = refChoices([
            { name: "HEAD", commit: "abcdef0123", symref: "refs/heads/main" },
            { name: "refs/heads/main", commit: "abcdef0123" },
            { name: "refs/tags/v1", commit: "1234567890" },
        ]);
        expect(choices.map((c) => c.value)).toEqual(["HEAD", "main", "v1"]);
        expect(choices[0]).toMatchObject({ aside: "abcdef0" });
        expect(choices[0]!.label).toContain("main");
    });
    it("paths from the folder above what is typed", () => {
        expect(parentOf("config/def")).toBe("config");
        expect(parentOf("./config/")).toBe("config");
        expect(parentOf(".")).toBe("");
        const folders = {
            commit: "c",
            self: { name: "config" },
            items: [{ name: "default", type: "Kustomize" }],
            more: false,
        };
        expect(pathChoices(folders, "config").map((c) => [c.value, c.aside])).toEqual([
            ["config", undefined],
            ["config/default", "Kustomize"],
        ]);
        expect(pathChoices(null, "")).toEqual([]);
    });
    it("the URL of a provider from its parts", () => {
        const form = {
            name: "",
            alias: "",
            description: "",
            credential: "",
            url: " u ",
            server: "",
            owner: "o",
            repo: "r",
        };
        expect(urlOf({ ...form, provider: "github" })).toBe("https://github.com/o/r");
        expect(urlOf({ ...form, provider: "gitlab", server: "https://git.example/" })).toBe(
            "https://git.example/o/r",
        );
        expect(urlOf({ ...form, provider: "bitbucket", repo: "" })).toBe("");
        expect(urlOf({ ...form, provider: "git" })).toBe("u");
    });
});

describe("effects", () => {
    const row = (name: string, effect: Effect, more: Partial<PreviewRow> = {}): PreviewRow => ({
        group: "",
        version: "v1",
        kind: "ConfigMap",
        namespace: "n",
        name,
        effect,
        reason: "",
        ...more,
    });
    it("are counted and shown loudest first", () => {
        const rows = [
            row("a", "none"),
            row("b", "create"),
            row("c", "refused"),
            row("d", "create"),
        ];
        expect(byEffect(rows).map((r) => r.name)).toEqual(["c", "b", "d", "a"]);
        expect(countOf(rows)).toMatchObject({ create: 2, none: 1, refused: 1, delete: 0 });
        expect(rows.filter((r) => isChange(r.effect))).toHaveLength(2);
    });
    it("definitions and used namespaces go only when ticked", () => {
        const crd = row("w", "keep", { kind: "CustomResourceDefinition", reason: "definition" });
        const held = row("n", "keep", { kind: "Namespace", reason: "when-empty", held: "pods/x" });
        const free = row("m", "delete", { kind: "Namespace", reason: "when-empty" });
        const fixed = row("k", "keep", { reason: "delete-option" });
        expect([crd, held, free, fixed].map(canTick)).toEqual([true, true, false, false]);
        const ticked = new Set(["CustomResourceDefinition/w"]);
        expect([crd, held, free, fixed].map((r) => goesWith(r, ticked))).toEqual([
            true,
            false,
            true,
            false,
        ]);
    });
});

describe("a deletion that waits", () => {
    const app = (message: string, deleting: boolean) => ({
        ...newApplication(
            { name: "demo", namespace: "demo" },
            { name: "x", alias: "", description: "", repoURL: "u", creator: "me" },
            defaults,
        ),
        metadata: {
            name: "x",
            ...(deleting && { deletionTimestamp: "2026-01-01T00:00:00Z" }),
        },
        status: {
            operationState: { phase: "Running" as const, startedAt: "", message },
        },
    });
    it("asks for approval only while it is a deletion that waits for it", () => {
        const waits = "waiting for deletion confirmation of apps/Deployment/web";
        expect(approvalOf(app(waits, true))).toBe(waits);
        expect(approvalOf(app(waits, false))).toBe("");
        expect(approvalOf(app("Deleting, 1 of 3", true))).toBe("");
    });
});

describe("commands", () => {
    const app = newApplication(
        { name: "demo", namespace: "demo" },
        { name: "x", alias: "An app", description: "", repoURL: "u", creator: "me" },
        { ...defaults, cluster: "c", project: "p", prune: true, createNamespace: true },
    );
    it("quote what a shell would take apart", () => {
        expect(word("a-b/c:d")).toBe("a-b/c:d");
        expect(word("it's $HOME")).toBe(`'it'\\''s $HOME'`);
        expect(word("")).toBe("''");
    });
    it("do what the dialogs do", () => {
        expect(createCommand("demo", app, "r")).toBe(
            "taut app create x --devops demo --repo r --revision HEAD --path . --cluster c --namespace p" +
                " --alias 'An app' --auto-sync --prune --auto-create-project --prune-propagation foreground",
        );
        expect(
            syncCommand("demo", app, {
                prune: true,
                syncStrategy: { apply: { force: true } },
                resources: [{ kind: "Service", namespace: "p", name: "s" }],
            }),
        ).toBe(
            "taut app sync x --devops demo --prune --force --apply-only --resource :Service:p/s",
        );
        expect(deleteCommand("demo", app, false)).toBe(
            "taut app delete x --devops demo --cascade=false",
        );
        expect(
            importCommand("demo", {
                name: "r",
                url: "u",
                credential: "",
                alias: "",
                description: "",
            }),
        ).toBe("taut repo add r --devops demo --url u");
    });
});

describe("a repository's YAML", () => {
    const repo = { name: "r", url: "u", provider: "git" };
    it("may change what may be written and nothing else", () => {
        expect(changeOf(repo, { name: "r", url: "v", alias: "A" })).toMatchObject({
            url: "v",
            alias: "A",
            credential: "",
        });
        for (const wrong of [
            [],
            3,
            { name: "other", url: "u" },
            { url: "u", password: "p" },
            { url: 3 },
            {},
        ])
            expect(typeof changeOf(repo, wrong)).toBe("string");
    });
});
