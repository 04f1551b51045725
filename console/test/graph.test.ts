import { describe, expect, it } from "vitest";
import { edge, layout, neighbour, visible } from "../src/graph";
import type { TreeNode } from "../src/tree";

function node(kind: string, name: string, parent?: string): TreeNode {
    return { id: `${kind}/${name}`, kind, name, health: "Healthy", ...(parent ? { parent } : {}) };
}

function many(deployments: number, pods: number): TreeNode[] {
    const all: TreeNode[] = [];
    for (let i = 0; i < deployments; i++) {
        all.push(node("Deployment", `d${i}`), node("ReplicaSet", `r${i}`, `Deployment/d${i}`));
        for (let k = 0; k < pods; k++) all.push(node("Pod", `p${i}-${k}`, `ReplicaSet/r${i}`));
    }
    return all;
}

describe("the graph", () => {
    it("draws no box over another, and children right of their owner", () => {
        const d = layout(many(8, 5), new Set());
        const byId = new Map(d.boxes.map((b) => [b.id, b]));
        for (const a of d.boxes)
            for (const b of d.boxes)
                if (a !== b)
                    expect(
                        a.x + a.width <= b.x ||
                            b.x + b.width <= a.x ||
                            a.y + a.height <= b.y ||
                            b.y + b.height <= a.y,
                    ).toBe(true);
        for (const b of d.boxes)
            if (b.from)
                expect(b.x).toBeGreaterThanOrEqual(byId.get(b.from)!.x + byId.get(b.from)!.width);
        expect(d.boxes).toHaveLength(1 + 8 + 8 + 40);
    });
    it("folds what is many and well, and keeps what is not", () => {
        const nodes = many(1, 60);
        nodes[30] = { ...nodes[30]!, health: "Degraded" };
        const d = layout(nodes, new Set());
        const fold = d.boxes.find((b) => b.fold)!;
        expect([fold.fold!.count, fold.fold!.bad]).toEqual([59, false]);
        expect(d.boxes.some((b) => b.id === nodes[30]!.id)).toBe(true);
        expect(layout(nodes, new Set([fold.id])).boxes.length).toBe(nodes.length + 1);
    });
    it("draws of thousands only what is seen", () => {
        const d = layout(
            many(30, 60),
            new Set(Array.from({ length: 30 }, (_, i) => `fold:ReplicaSet/r${i}`)),
        );
        expect(d.boxes.length).toBe(30 * 62 + 1);
        const seen = visible(d, { left: 0, top: 5000, right: 1200, bottom: 5800 });
        expect(seen.boxes.length).toBeLessThan(80);
        expect(seen.boxes.length).toBeGreaterThan(5);
    });
    it("is walked with the arrows", () => {
        const d = layout(many(2, 2), new Set());
        expect(neighbour(d, "root", "ArrowRight")!.id).toBe("Deployment/d0");
        expect(neighbour(d, "Deployment/d0", "ArrowDown")!.id).toBe("Deployment/d1");
        expect(neighbour(d, "Deployment/d0", "ArrowRight")!.id).toBe("ReplicaSet/r0");
        expect(neighbour(d, "ReplicaSet/r0", "ArrowLeft")!.id).toBe("Deployment/d0");
        expect(neighbour(d, "Deployment/d0", "ArrowUp")).toBeUndefined();
    });
    it("ends each edge where its box begins", () => {
        const box = { id: "", width: 10, height: 10, depth: 1 };
        expect(edge({ ...box, x: 0, y: 0 }, { ...box, x: 60, y: 0 })).toBe("M10 5H60");
        expect(edge({ ...box, x: 0, y: 0 }, { ...box, x: 60, y: 100 })).toMatch(/H60$/);
    });
    it("survives owners that own each other", () => {
        const d = layout([node("Pod", "a", "Pod/b"), node("Pod", "b", "Pod/a")], new Set());
        expect(d.boxes).toHaveLength(1);
    });
});
