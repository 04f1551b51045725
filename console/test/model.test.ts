import { describe, expect, it } from "vitest";
import type { Application } from "../src/api/types";
import {
    defaults,
    nameProblem,
    newApplication,
    optionsOf,
    rowOf,
    select,
    settingsOf,
    settingsPatch,
    type Settings,
} from "../src/model";

function app(over: Partial<Application["spec"]> = {}): Application {
    return {
        apiVersion: "argoproj.io/v1alpha1",
        kind: "Application",
        metadata: { name: "a", namespace: "demo", resourceVersion: "7" },
        spec: {
            project: "demo",
            destination: { name: "sandbox", namespace: "web" },
            source: { repoURL: "https://example.org/x.git" },
            ...over,
        },
    };
}

describe("names", () => {
    it("follow the rule of the seed", () => {
        expect(nameProblem("")).toBe("name.required");
        expect(nameProblem("a-b-3")).toBeNull();
        for (const wrong of ["A", "-a", "a-", "a_b", "a".repeat(64)])
            expect(nameProblem(wrong)).toBe("name.invalid");
    });
});

describe("settings", () => {
    const all: Settings = {
        ...defaults,
        cluster: "c",
        project: "p",
        revision: "v1",
        path: "config/default",
        prune: true,
        selfHeal: true,
        skipValidation: true,
        createNamespace: true,
        pruneLast: true,
        outOfSyncOnly: true,
        propagation: "orphan",
        replace: true,
    };
    it("round-trip through the object, each alone and all together", () => {
        const info = { name: "x", alias: "", description: "", repoURL: "u", creator: "me" };
        for (const s of [
            all,
            { ...all, auto: false, prune: false, selfHeal: false },
            { ...defaults, cluster: "c", project: "p" },
        ])
            expect(
                settingsOf(newApplication({ name: "demo", namespace: "demo" }, info, s)),
            ).toEqual(s);
    });
    it("ticked means that validation is skipped", () => {
        expect(optionsOf(all)).toContain("Validate=false");
        expect(optionsOf({ ...all, skipValidation: false }).join()).not.toContain("Validate");
    });
    it("an edit keeps what the form does not know", () => {
        const before = app({
            syncPolicy: {
                retry: { limit: 3 },
                syncOptions: ["ServerSideApply=true", "PruneLast=true"],
            },
            ignoreDifferences: [{ kind: "Service" }],
        });
        const patch = settingsPatch(before, { ...settingsOf(before), pruneLast: false }) as {
            spec: { syncPolicy: Record<string, unknown> };
        };
        expect(patch.spec.syncPolicy.syncOptions).toEqual([
            "ServerSideApply=true",
            "PrunePropagationPolicy=foreground",
        ]);
        expect(patch.spec.syncPolicy).not.toHaveProperty("retry");
        expect(patch.spec).not.toHaveProperty("ignoreDifferences");
        expect(patch).toHaveProperty("metadata.resourceVersion", "7");
    });
});

describe("rows", () => {
    it("a new deployment is Progressing and Unknown", () => {
        const row = rowOf(app());
        expect([row.health, row.sync, row.updated]).toEqual(["Progressing", "Unknown", undefined]);
    });
    it("are found, filtered and sorted", () => {
        const rows = ["bee", "a", "c"].map((name, i) => ({
            ...rowOf(app()),
            name,
            created: `2026-01-0${i + 1}T00:00:00Z`,
        }));
        const base = { text: "", health: [], sync: [], sort: "created" as const, ascending: false };
        expect(select([...rows], base).map((r) => r.name)).toEqual(["c", "a", "bee"]);
        expect(select([...rows], { ...base, sort: "name", ascending: true })[0]!.name).toBe("a");
        expect(select([...rows], { ...base, text: " BEE " }).map((r) => r.name)).toEqual(["bee"]);
        expect(select([...rows], { ...base, health: ["Healthy"] })).toEqual([]);
    });
});
