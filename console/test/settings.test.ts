import { describe, expect, it } from "vitest";
import type { Application } from "../src/api/types";
import {
    changeInfo,
    changeSettings,
    firstDraft,
    formOf,
    fromYaml,
    isApplication,
} from "../src/draft";
import { othersPaths } from "../src/screens/dialogs";
import { applyPatch, mergePatch, overlap, pathsOf } from "../src/merge";
import {
    defaults,
    newApplication,
    optionsOf,
    settingsOf,
    withInfo,
    withOptions,
    withSettings,
    type Settings,
} from "../src/settings";

const info = { name: "x", alias: "", description: "", repoURL: "u", creator: "me" };
const place = { name: "demo", namespace: "demo" };
const base: Settings = { ...defaults, cluster: "c", project: "p" };

/** Each setting of the forms with a value that is not its default. */
const other: { [K in keyof Settings]: Settings[K] } = {
    cluster: "d",
    project: "q",
    revision: "v1",
    path: "config/default",
    auto: false,
    prune: true,
    selfHeal: true,
    skipValidation: true,
    createNamespace: true,
    pruneLast: true,
    outOfSyncOnly: true,
    propagation: "orphan",
    replace: true,
};
const keys = Object.keys(other) as (keyof Settings)[];
const hidden = (k: keyof Settings) => k === "prune" || k === "selfHeal";

/** What a deployment of somebody else may hold beside our fields. */
const foreign = {
    spec: {
        ignoreDifferences: [{ kind: "Service" }],
        revisionHistoryLimit: 3,
        source: { directory: { recurse: true } },
        syncPolicy: {
            retry: { limit: 3 },
            managedNamespaceMetadata: { labels: { a: "b" } },
            syncOptions: [
                "ServerSideApply=true",
                "PruneLast=true",
                "RespectIgnoreDifferences=true",
            ],
        },
    },
    metadata: { labels: { team: "web" }, annotations: { "example.org/note": "n" } },
};

function made(s: Settings): Application {
    return newApplication(place, info, s);
}

describe("each setting round-trips", () => {
    for (const auto of [true, false])
        for (const key of keys) {
            if (key === "auto" || (!auto && hidden(key))) continue;
            const want = { ...base, auto, [key]: other[key] };
            it(`${key} through the object, ${auto ? "Auto" : "Manual"} Sync`, () => {
                expect(settingsOf(made(want))).toEqual(want);
                expect(settingsOf(withSettings(made({ ...base, auto }), want))).toEqual(want);
                const back = withSettings(withSettings(made({ ...base, auto }), want), {
                    ...base,
                    auto,
                });
                expect(settingsOf(back)).toEqual({ ...base, auto });
            });
        }
    it("and all together, and the strategy itself", () => {
        const all = { ...other, auto: true };
        expect(settingsOf(made(all))).toEqual(all);
        expect(settingsOf(withSettings(made(all), { ...all, auto: false })).auto).toBe(false);
    });
});

describe("what a form does not know", () => {
    const before = applyPatch(made(base), foreign) as Application;
    it("stays through every edit", () => {
        for (const key of keys) {
            const after = withSettings(before, { ...settingsOf(before), [key]: other[key] });
            expect(after.spec.ignoreDifferences).toEqual(foreign.spec.ignoreDifferences);
            expect(after.spec.revisionHistoryLimit).toBe(3);
            expect(after.spec.source!.directory).toEqual({ recurse: true });
            expect(after.spec.syncPolicy!.retry).toEqual({ limit: 3 });
            expect(after.spec.syncPolicy!.syncOptions).toContain("ServerSideApply=true");
            expect(after.spec.syncPolicy!.syncOptions).toContain("RespectIgnoreDifferences=true");
            expect(after.metadata.labels).toEqual({ team: "web" });
        }
    });
    it("keeps its place and is not in the patch", () => {
        const s = { ...settingsOf(before), pruneLast: false };
        const patch = mergePatch(before, withSettings(before, s)) as {
            spec: { syncPolicy: Record<string, unknown> };
        };
        expect(patch.spec.syncPolicy.syncOptions).toEqual([
            "ServerSideApply=true",
            "RespectIgnoreDifferences=true",
            "PrunePropagationPolicy=foreground",
        ]);
        expect(Object.keys(patch.spec)).toEqual(["syncPolicy"]);
        expect(Object.keys(patch.spec.syncPolicy)).toEqual(["syncOptions"]);
    });
    it("a destination named by its server stays so until another is chosen", () => {
        const app = applyPatch(made(base), {
            spec: { destination: { name: null, server: "https://x" } },
        }) as Application;
        const kept = withSettings(app, { ...settingsOf(app), replace: true });
        expect(kept.spec.destination).toEqual({ server: "https://x", namespace: "p" });
        const moved = withSettings(app, { ...settingsOf(app), cluster: "d" });
        expect(moved.spec.destination).toEqual({ name: "d", namespace: "p" });
    });
    it("an option that says no stays where its box is not ticked", () => {
        expect(withOptions(["Validate=true", "Replace=false"], base)).toEqual([
            "Validate=true",
            "Replace=false",
            "PrunePropagationPolicy=foreground",
        ]);
    });
    it("ticked means that validation is skipped", () => {
        expect(optionsOf({ ...base, skipValidation: true })).toContain("Validate=false");
        expect(optionsOf(base).join()).not.toContain("Validate");
    });
});

describe("the draft", () => {
    const first = () => firstDraft(place, "me", ["sandbox"]);
    it("begins with Auto Sync, nothing ticked, and the only cluster", () => {
        expect(formOf(first())).toEqual({ ...defaults, cluster: "sandbox" });
        expect(firstDraft(place, "me", ["a", "b"]).app.spec.destination.name).toBe("");
    });
    it("keeps what Manual Sync hides, in the draft alone", () => {
        let draft = changeSettings(first(), { prune: true });
        draft = changeSettings(draft, { auto: false });
        expect(draft.app.spec.syncPolicy).not.toHaveProperty("automated");
        draft = changeSettings(draft, { replace: true });
        expect(formOf(changeSettings(draft, { auto: true })).prune).toBe(true);
    });
    it("goes from form to YAML and back without losing a field", () => {
        const draft = changeInfo(changeSettings(first(), { project: "web" }), {
            name: "x",
            alias: "X",
        });
        const typed = applyPatch(JSON.parse(JSON.stringify(draft.app)), foreign) as Application;
        const back = fromYaml(draft, typed, "demo", []);
        expect(formOf(back).project).toBe("web");
        const after = changeSettings(back, { path: "deploy" });
        expect(after.app.spec.ignoreDifferences).toEqual(foreign.spec.ignoreDifferences);
        expect(after.app.metadata.annotations).toHaveProperty("example.org/note", "n");
    });
    it("stays in its DevOps project, whatever the YAML says", () => {
        const typed = withInfo(made(base), { ...info, name: "y" });
        typed.metadata.namespace = "others";
        const back = fromYaml(first(), typed, "demo", [{ name: "r", url: "u" }]);
        expect(back.app.metadata.namespace).toBe("demo");
        expect(back.repo).toBe("r");
    });
    it("is only made of an Application", () => {
        for (const wrong of [
            null,
            3,
            "a",
            [],
            {},
            { kind: "Application", spec: null, metadata: {} },
        ])
            expect(isApplication(wrong)).toBe(false);
        expect(isApplication(made(base))).toBe(true);
    });
});

describe("a conflict", () => {
    it("is what people changed, not what the controller noted", () => {
        const before = made(base);
        const noted = applyPatch(before, {
            metadata: { resourceVersion: "9", annotations: { "taut.dev/updated-at": "now" } },
            status: { reconciledAt: "now" },
        }) as Application;
        expect(othersPaths(before, noted)).toEqual([]);
        const edited = applyPatch(noted, { spec: { source: { path: "x" } } }) as Application;
        expect(othersPaths(before, edited)).toEqual(["spec.source.path"]);
    });
});

describe("merge patches", () => {
    it("say the least that makes one of the other", () => {
        const a = { x: 1, y: { z: [1], gone: 1 }, same: { deep: [1, { a: 1 }] } };
        const b = { x: 1, y: { z: [2] }, same: { deep: [1, { a: 1 }] }, fresh: "f" };
        const patch = mergePatch(a, b);
        expect(patch).toEqual({ y: { z: [2], gone: null }, fresh: "f" });
        expect(applyPatch(a, patch)).toEqual(b);
        expect(mergePatch(a, JSON.parse(JSON.stringify(a)))).toBeUndefined();
        expect(pathsOf(patch).sort()).toEqual(["fresh", "y.gone", "y.z"]);
    });
    it("tell where two of them meet", () => {
        expect(overlap(["a.b", "c"], ["a", "d"])).toEqual(["a.b"]);
        expect(overlap(["ab"], ["a"])).toEqual([]);
    });
});
