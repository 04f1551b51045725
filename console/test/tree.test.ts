import { describe, expect, it } from "vitest";
import {
    commonPrefix,
    idOfKey,
    keyOfNode,
    nameParts,
    outline,
    type Choice,
    type TreeNode,
} from "../src/tree";

const all: Choice = { text: "", problems: false, kinds: [], states: [] };

function node(kind: string, name: string, more: Partial<TreeNode> = {}): TreeNode {
    return { id: `/${kind}/p/${name}`, kind, name, namespace: "p", ...more };
}

const web = node("Deployment", "web", { health: "Healthy", status: "Synced", managed: true });
const set = node("ReplicaSet", "web-1", { parent: web.id, health: "Healthy" });
const pod = node("Pod", "web-1-a", { parent: set.id, health: "Healthy" });
const map = node("ConfigMap", "settings", { status: "Synced", managed: true });

const names = (nodes: TreeNode[], c = all, opened = {}) =>
    outline(nodes, c, opened).map((l) => l.group ?? l.node!.name);

describe("the outline", () => {
    it("groups by purpose and keeps what is well closed", () => {
        expect(names([web, set, pod, map])).toEqual(["workloads", "web", "config", "settings"]);
    });
    it("opens the way down to a problem", () => {
        const bad = { ...pod, health: "Degraded" as const };
        expect(names([map, web, set, bad])).toEqual([
            "workloads",
            "web",
            "web-1",
            "web-1-a",
            "config",
            "settings",
        ]);
    });
    it("puts groups with a problem first", () => {
        expect(names([web, { ...map, status: "OutOfSync" }])[0]).toBe("config");
    });
    it("of problems keeps what is above them and nothing else", () => {
        const bad = { ...pod, health: "Degraded" as const };
        const lines = names([map, web, set, bad], { ...all, problems: true });
        expect(lines).toEqual(["workloads", "web", "web-1", "web-1-a"]);
    });
    it("follows what the user opened and closed", () => {
        expect(names([web, set, pod], all, { [web.id]: true })).toEqual([
            "workloads",
            "web",
            "web-1",
        ]);
        expect(names([web, set, pod], all, { "group:workloads": false })).toEqual(["workloads"]);
    });
    it("finds by name, kind and state", () => {
        expect(names([web, set, pod, map], { ...all, text: "web-1-a" })).toContain("web-1-a");
        expect(names([web, map], { ...all, kinds: ["ConfigMap"] })).toEqual(["config", "settings"]);
        expect(names([web, map], { ...all, states: ["sync:OutOfSync"] })).toEqual([]);
    });
    it("survives owners that are missing, own themselves or each other", () => {
        const a = node("Pod", "a", { parent: "/Pod/p/b" });
        const b = node("Pod", "b", { parent: "/Pod/p/a" });
        const self = { ...node("Pod", "self"), parent: "/Pod/p/self" };
        expect(names([a, b, self, node("Pod", "orphan", { parent: "/X/p/gone" })])).toEqual([
            "workloads",
            "orphan",
            "self",
        ]);
    });
});

describe("names", () => {
    it("dim what most of them share", () => {
        expect(commonPrefix(["a-x", "a-y", "a-z", "other"])).toBe("a-");
        expect(commonPrefix(["a-x", "b-y", "c-z"])).toBe("");
        expect(nameParts("a-x", "a-")).toEqual(["a-", "x"]);
        expect(nameParts("a-x-1", "a-", "a-x")).toEqual(["a-x-", "1"]);
        expect(nameParts("a-", "a-")).toEqual(["", "a-"]);
    });
    it("with colons come back from an address", () => {
        const role = { group: "rbac", kind: "ClusterRole", namespace: "", name: "system:a:b" };
        expect(idOfKey(keyOfNode(role))).toBe("rbac/ClusterRole//system:a:b");
    });
});
