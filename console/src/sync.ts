/* What the Sync Status tab says of an operation: steps and rows, pure functions. */
import type { Application, HealthStatus, ResourceResult, ResourceStatus } from "./api/types";
import { keyOf } from "./model";

export type StepState = "done" | "now" | "later" | "failed";
export const stepNames = ["resolve", "render", "apply", "wait", "prune"] as const;
export type StepName = (typeof stepNames)[number];

export interface Step {
    name: StepName;
    state: StepState;
    done: number;
    total: number;
    /** Who is waited for: the first, and how many more. */
    first?: string;
    more: number;
}

export type ResultWord =
    "Synced" | "SyncFailed" | "Pruned" | "PruneSkipped" | "Waiting" | "Running";

export interface ResultRow {
    key: string;
    kind: string;
    name: string;
    namespace: string;
    result: ResultWord;
    health?: HealthStatus;
    message: string;
}

interface Progress {
    step: string;
    tasks: number;
    done: number;
    failed: number;
}

export function isRunning(app: Application): boolean {
    const phase = app.status?.operationState?.phase;
    return Boolean(app.operation) || phase === "Running" || phase === "Terminating";
}

function wordOf(r: ResourceResult): ResultWord {
    if (r.status === "SyncFailed" || r.status === "PruneSkipped") return r.status;
    if (r.hookPhase === "Running" && r.status !== "Synced") return "Running";
    return r.status ?? "Running";
}

/** The rows of the result, and while the operation runs those that have none yet. */
export function resultRows(app: Application): ResultRow[] {
    const resources = new Map((app.status?.resources ?? []).map((r) => [keyOf(r), r]));
    const state = app.status?.operationState;
    const only = state?.operation?.sync?.resources?.map(keyOf);
    const rows: ResultRow[] = (state?.syncResult?.resources ?? []).map((r) => {
        const health = resources.get(keyOf(r))?.health?.status;
        return {
            key: keyOf(r),
            kind: r.kind,
            name: r.name,
            namespace: r.namespace ?? "",
            result: wordOf(r),
            message: r.message ?? "",
            ...(health ? { health } : {}),
        };
    });
    if (!isRunning(app)) return rows;
    const known = new Set(rows.map((r) => r.key));
    for (const [key, r] of resources)
        if (!known.has(key) && (!only || only.length === 0 || only.includes(key)))
            rows.push({
                key,
                kind: r.kind,
                name: r.name,
                namespace: r.namespace ?? "",
                result: "Waiting",
                message: "",
                ...(r.health?.status ? { health: r.health.status } : {}),
            });
    return rows;
}

const unwell = (r: ResourceStatus) =>
    r.health?.status !== undefined && r.health.status !== "Healthy";
const going = (r: ResourceStatus) => r.health?.status === "Progressing";

/** Where the operation is; after its end, what became of each step. */
export function steps(app: Application, progress?: Progress): Step[] {
    const state = app.status?.operationState;
    const results = state?.syncResult?.resources ?? [];
    const running = isRunning(app);
    const at = running ? (progress?.step ?? "resolve") : "";
    const now = stepNames.indexOf(at as StepName);
    const failed = !running && (state?.phase === "Failed" || state?.phase === "Error");
    const applied = results.filter((r) => r.status === "Synced" || r.status === "SyncFailed");
    const pruned = results.filter((r) => r.status === "Pruned" || r.status === "PruneSkipped");
    const resources = (app.status?.resources ?? []).filter((r) => r.health?.status);
    const waits = resources.filter(going);
    const make = (name: StepName, done: number, total: number): Step => {
        const i = stepNames.indexOf(name);
        return {
            name,
            done,
            total,
            more: 0,
            state: !running ? "done" : i < now ? "done" : i === now ? "now" : "later",
        };
    };
    const list = [
        make("resolve", 0, 0),
        make("render", app.status?.resources?.length ?? 0, 0),
        running && progress && progress.tasks > 0
            ? make("apply", progress.done, progress.tasks)
            : make("apply", applied.filter((r) => r.status === "Synced").length, applied.length),
        make("wait", resources.length - resources.filter(unwell).length, resources.length),
        make("prune", pruned.filter((r) => r.status === "Pruned").length, pruned.length),
    ] as [Step, Step, Step, Step, Step];
    const [resolve, render, apply, wait] = list;
    if (!running && waits.length > 0) wait.state = "now";
    if (!running && !failed && resources.some((r) => unwell(r) && !going(r))) wait.state = "failed";
    if (waits[0] && wait.state === "now") {
        wait.first = `${waits[0].kind} ${waits[0].name}`;
        wait.more = waits.length - 1;
    }
    if (failed) {
        const broken = results.length > 0 ? apply : state?.syncResult?.revision ? render : resolve;
        broken.state = "failed";
        for (const s of list.slice(list.indexOf(broken) + 1)) s.state = "later";
    }
    return list;
}
