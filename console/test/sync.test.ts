import { describe, expect, it } from "vitest";
import type { Application, OperationState, ResourceStatus } from "../src/api/types";
import { resultRows, steps } from "../src/sync";

function app(state: Partial<OperationState>, resources: ResourceStatus[] = []): Application {
    return {
        apiVersion: "argoproj.io/v1alpha1",
        kind: "Application",
        metadata: { name: "a" },
        spec: { project: "demo", destination: {} },
        status: {
            resources,
            operationState: { phase: "Succeeded", startedAt: "2026-01-01T00:00:00Z", ...state },
        },
    };
}

const web: ResourceStatus = {
    version: "v1",
    group: "apps",
    kind: "Deployment",
    name: "web",
    namespace: "p",
    health: { status: "Progressing" },
};
const map: ResourceStatus = { version: "v1", kind: "ConfigMap", name: "m", namespace: "p" };

describe("a running operation", () => {
    it("shows what has no result yet as waiting", () => {
        const rows = resultRows(
            app(
                {
                    phase: "Running",
                    syncResult: { resources: [{ ...map, status: "Synced" } as never] },
                },
                [web, map],
            ),
        );
        expect(rows.map((r) => [r.name, r.result])).toEqual([
            ["m", "Synced"],
            ["web", "Waiting"],
        ]);
    });
    it("leaves out what was not chosen", () => {
        const rows = resultRows(
            app(
                {
                    phase: "Running",
                    operation: {
                        sync: { resources: [{ kind: "ConfigMap", namespace: "p", name: "m" }] },
                    },
                },
                [web, map],
            ),
        );
        expect(rows.map((r) => r.name)).toEqual(["m"]);
    });
    it("is at the step that the engine says", () => {
        const list = steps(app({ phase: "Running" }, [web]), {
            step: "apply",
            tasks: 7,
            done: 3,
            failed: 0,
        });
        expect(list.map((s) => s.state)).toEqual(["done", "done", "now", "later", "later"]);
        expect([list[2]!.done, list[2]!.total]).toEqual([3, 7]);
    });
});

describe("after its end", () => {
    it("names who is not healthy yet", () => {
        const wait = steps(app({}, [web]))[3]!;
        expect([wait.state, wait.first, wait.more]).toEqual(["now", "Deployment web", 0]);
    });
    it("shows where it failed, and what was not reached", () => {
        const failed = app({
            phase: "Failed",
            syncResult: { revision: "abc", resources: [{ ...map, status: "SyncFailed" } as never] },
        });
        expect(steps(failed).map((s) => s.state)).toEqual([
            "done",
            "done",
            "failed",
            "later",
            "later",
        ]);
        expect(steps(app({ phase: "Error" }))[0]!.state).toBe("failed");
    });
});
