import { describe, expect, it } from "vitest";
import type { Application } from "../src/api/types";
import { nameProblem, rowOf, select } from "../src/model";

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
        const base = {
            text: "",
            health: [],
            sync: [],
            cluster: [],
            sort: "created" as const,
            ascending: false,
        };
        expect(select([...rows], base).map((r) => r.name)).toEqual(["c", "a", "bee"]);
        expect(select([...rows], { ...base, sort: "name", ascending: true })[0]!.name).toBe("a");
        expect(select([...rows], { ...base, text: " BEE " }).map((r) => r.name)).toEqual(["bee"]);
        expect(select([...rows], { ...base, health: ["Healthy"] })).toEqual([]);
    });
});
