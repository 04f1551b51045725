import { describe, expect, it } from "vitest";
import { compareTexts, fold, unify, yamlParts } from "../src/diff";

const lines = (n: number, from = 0) => Array.from({ length: n }, (_, i) => `line ${i + from}`);

describe("compareTexts", () => {
    it("pairs a changed line and marks the word that differs", () => {
        const { rows, added, removed } = compareTexts(
            "a: 1\nimage: x/y:dev\n",
            "a: 1\nimage: x/y:v0.8\n",
        );
        expect([added, removed]).toEqual([1, 1]);
        const row = rows[1]!;
        expect(row.kind).toBe("change");
        expect(row.left!.text.slice(...row.left!.mark!)).toBe("dev");
        expect(row.right!.text.slice(...row.right!.mark!)).toBe("v0.8");
    });
    it("rebuilds both texts, whatever differs", () => {
        let seed = 7;
        const random = (n: number) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
        for (let round = 0; round < 200; round++) {
            const a = Array.from({ length: random(12) }, () => String(random(4)));
            const b = Array.from({ length: random(12) }, () => String(random(4)));
            const { rows } = compareTexts(a.join("\n"), b.join("\n"));
            expect(rows.flatMap((r) => (r.left ? [r.left.text] : []))).toEqual(a);
            expect(rows.flatMap((r) => (r.right ? [r.right.text] : []))).toEqual(b);
            const shown = unify(rows.map((row) => ({ row })));
            expect(shown.length).toBeGreaterThanOrEqual(rows.length);
        }
    });
    it("takes two texts that have nothing in common as old and new", () => {
        const a = lines(3000).join("\n");
        const b = lines(3000, 10_000).join("\n");
        const { added, removed } = compareTexts(a, b);
        expect([added, removed]).toEqual([3000, 3000]);
    });
});

describe("fold", () => {
    it("leaves three lines around a change and counts the others", () => {
        const a = lines(40);
        const b = [...a];
        b[20] = "other";
        const { rows } = compareTexts(a.join("\n"), b.join("\n"));
        const shown = fold(rows, new Set());
        expect(shown.map((s) => ("gap" in s ? s.gap : 1))).toEqual([17, 1, 1, 1, 1, 1, 1, 1, 16]);
        expect(fold(rows, new Set([0]))).toHaveLength(17 + 7 + 1);
    });
});

it("knows the key of a line of YAML", () => {
    expect(yamlParts("  - name: x")).toEqual(["  - ", "name", ": x"]);
    expect(yamlParts("spec:")).toEqual(["", "spec", ":"]);
    expect(yamlParts("  some text: here".replace(":", ""))[1]).toBe("");
    expect(yamlParts("http://x")[1]).toBe("");
});
