import { describe, expect, it } from "vitest";
import { entriesOf, itemsBetween, MANY_LINES } from "../src/diff-items";

const map = (name: string, data: Record<string, string>) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "p" },
    data,
});

describe("two revisions", () => {
    it("differ by what changed, came and went", () => {
        const items = itemsBetween(
            [map("same", {}), map("changed", { a: "1" }), map("gone", {})],
            [map("same", {}), map("changed", { a: "2" }), map("new", {})],
        );
        expect(items.map((i) => [i.name, i.reason])).toEqual([
            ["changed", "field"],
            ["new", "added"],
            ["gone", "removed"],
        ]);
        const [changed, added, gone] = entriesOf(items);
        expect([changed!.compared!.added, changed!.compared!.removed]).toEqual([1, 1]);
        expect(added!.compared!.removed).toBe(0);
        expect(gone!.compared!.added).toBe(0);
    });
});

describe("very long differences", () => {
    it("are compared only when somebody opens them", () => {
        const data = Object.fromEntries(
            Array.from({ length: MANY_LINES }, (_, i) => [`k${i}`, "v"]),
        );
        const entries = entriesOf([
            { kind: "ConfigMap", name: "small", live: map("small", { a: "1" }) },
            { kind: "ConfigMap", name: "huge", wanted: map("huge", data) },
        ]);
        expect(entries.map((e) => e.compared !== null)).toEqual([true, false]);
    });
    it("of 15,000 lines are ready within a second, with room for a slow machine", () => {
        const lines = (odd: string) =>
            Object.fromEntries(
                Array.from({ length: 7500 }, (_, i) => [`k${i}`, i % 50 ? "v" : odd]),
            );
        const begun = performance.now();
        const [entry] = entriesOf([
            {
                kind: "ConfigMap",
                name: "m",
                live: map("m", lines("a")),
                wanted: map("m", lines("b")),
            },
        ]);
        expect(entry!.compared!.added).toBe(150);
        expect(performance.now() - begun).toBeLessThan(10_000);
    });
});
