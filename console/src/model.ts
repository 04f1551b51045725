/* What the pages say about an Application: pure functions, tested without a browser. */
import type { Application, AppRow, HealthStatus, ResourceStatus, SyncStatus } from "./api/types";

export const ALIAS = "kubesphere.io/alias-name";
export const DESCRIPTION = "kubesphere.io/description";
export const CREATOR = "kubesphere.io/creator";
export const UPDATED = "taut.dev/updated-at";
export const FINALIZER = "resources-finalizer.argocd.argoproj.io";
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

export function nameProblem(name: string): "name.required" | "name.invalid" | null {
    if (!name) return "name.required";
    return name.length <= 63 && NAME.test(name) ? null : "name.invalid";
}

export interface Row {
    name: string;
    alias: string;
    description: string;
    health: HealthStatus;
    healthWhy: string;
    sync: SyncStatus;
    differ: number;
    total: number;
    cluster: string;
    project: string;
    repo: string;
    target: string;
    revision: string;
    phase: string;
    auto: boolean;
    prune: boolean;
    selfHeal: boolean;
    updated: string | undefined;
    created: string;
    deleting: boolean;
    /** Of a deletion: how far it is. */
    progress: string;
    problem: string;
}

export function clusterOf(app: Application): string {
    const d = app.spec.destination;
    if (d.name) return d.name;
    return d.server === "https://kubernetes.default.svc" ? "in-cluster" : (d.server ?? "");
}

export function isAuto(app: Application): boolean {
    const automated = app.spec.syncPolicy?.automated;
    return Boolean(automated) && automated?.enabled !== false;
}

export function isDifferent(r: ResourceStatus): boolean {
    return r.status === "OutOfSync" || Boolean(r.requiresPruning);
}

export function rowOf(app: Application): Row {
    const notes = app.metadata.annotations ?? {};
    const resources = app.status?.resources ?? [];
    const automated = app.spec.syncPolicy?.automated;
    const problem = app.status?.conditions?.find((c) => c.type.endsWith("Error"));
    return {
        name: app.metadata.name,
        alias: notes[ALIAS] ?? "",
        description: notes[DESCRIPTION] ?? "",
        health: app.status?.health?.status ?? "Progressing",
        healthWhy: app.status?.health?.message ?? "",
        sync: app.status?.sync?.status ?? "Unknown",
        differ: resources.filter(isDifferent).length,
        total: resources.length,
        cluster: clusterOf(app),
        project: app.spec.destination.namespace ?? "",
        repo: app.spec.source?.repoURL ?? "",
        target: app.spec.source?.targetRevision || "HEAD",
        revision: (app.status?.sync?.revision ?? "").slice(0, 7),
        phase: app.status?.operationState?.phase ?? "",
        auto: isAuto(app),
        prune: Boolean(automated?.prune),
        selfHeal: Boolean(automated?.selfHeal),
        updated: notes[UPDATED],
        created: app.metadata.creationTimestamp ?? "",
        deleting: Boolean(app.metadata.deletionTimestamp),
        progress: app.metadata.deletionTimestamp ? (app.status?.operationState?.message ?? "") : "",
        problem: problem?.message ?? "",
    };
}

const rows = new WeakMap<AppRow, Row>();

/** The row as pages read it; the same object as long as nothing of it changed. */
export function rowFrom(r: AppRow): Row {
    const known = rows.get(r);
    if (known) return known;
    const row: Row = {
        name: r.name,
        alias: r.alias ?? "",
        description: r.description ?? "",
        health: r.health,
        healthWhy: r.healthWhy ?? "",
        sync: r.sync,
        differ: r.differ,
        total: r.total,
        cluster: r.cluster ?? "",
        project: r.project ?? "",
        repo: r.repo ?? "",
        target: r.target,
        revision: (r.revision ?? "").slice(0, 7),
        phase: r.phase ?? "",
        auto: Boolean(r.auto),
        prune: Boolean(r.prune),
        selfHeal: Boolean(r.selfHeal),
        updated: r.updated,
        created: r.created,
        deleting: Boolean(r.deleting),
        progress: r.progress ?? "",
        problem: r.problem ?? "",
    };
    rows.set(r, row);
    return row;
}

export type SortKey = "name" | "health" | "sync" | "location" | "updated" | "created";
const healthOrder = ["Degraded", "Missing", "Unknown", "Progressing", "Suspended", "Healthy"];
const syncOrder = ["OutOfSync", "Unknown", "Synced"];

export interface Filter {
    text: string;
    health: string[];
    sync: string[];
    cluster: string[];
    sort: SortKey;
    ascending: boolean;
}

const texts = new WeakMap<Row, string>();

/** What a search looks into, in lower case; made once a row. */
function searched(r: Row): string {
    let text = texts.get(r);
    if (text === undefined) {
        text = `${r.name} ${r.alias} ${r.description} ${r.repo} ${r.project} ${r.cluster}`;
        texts.set(r, (text = text.toLowerCase()));
    }
    return text;
}

export function select(rows: Row[], filter: Filter): Row[] {
    const text = filter.text.trim().toLowerCase();
    const kept = rows.filter(
        (r) =>
            (filter.health.length === 0 || filter.health.includes(r.health)) &&
            (filter.sync.length === 0 || filter.sync.includes(r.sync)) &&
            (filter.cluster.length === 0 || filter.cluster.includes(r.cluster)) &&
            (!text || searched(r).includes(text)),
    );
    const key: Record<SortKey, (r: Row) => string | number> = {
        name: (r) => r.name,
        health: (r) => healthOrder.indexOf(r.health),
        sync: (r) => syncOrder.indexOf(r.sync),
        location: (r) => `${r.cluster}/${r.project}`,
        updated: (r) => r.updated ?? "",
        created: (r) => r.created,
    };
    const by = key[filter.sort];
    const sign = filter.ascending ? 1 : -1;
    return kept.sort((a, b) => {
        const x = by(a);
        const y = by(b);
        if (x === y) return a.name < b.name ? -1 : 1;
        return x < y ? -sign : sign;
    });
}

/* ---- resources by purpose ---- */

export type Group =
    "workloads" | "network" | "config" | "storage" | "access" | "definitions" | "other";

const groups: Record<string, Group> = {
    Deployment: "workloads",
    StatefulSet: "workloads",
    DaemonSet: "workloads",
    ReplicaSet: "workloads",
    ReplicationController: "workloads",
    Job: "workloads",
    CronJob: "workloads",
    Pod: "workloads",
    HorizontalPodAutoscaler: "workloads",
    PodDisruptionBudget: "workloads",
    Service: "network",
    Ingress: "network",
    IngressClass: "network",
    NetworkPolicy: "network",
    Endpoints: "network",
    EndpointSlice: "network",
    ConfigMap: "config",
    Secret: "config",
    Namespace: "config",
    ResourceQuota: "config",
    LimitRange: "config",
    PriorityClass: "config",
    PersistentVolume: "storage",
    PersistentVolumeClaim: "storage",
    StorageClass: "storage",
    ServiceAccount: "access",
    Role: "access",
    RoleBinding: "access",
    ClusterRole: "access",
    ClusterRoleBinding: "access",
    CustomResourceDefinition: "definitions",
    APIService: "definitions",
    MutatingWebhookConfiguration: "definitions",
    ValidatingWebhookConfiguration: "definitions",
};

export function groupOf(r: { kind: string }): Group {
    return groups[r.kind] ?? "other";
}

export function isProblem(r: ResourceStatus): boolean {
    const h = r.health?.status;
    return isDifferent(r) || (h !== undefined && h !== "Healthy");
}

export function keyOf(r: {
    group?: string | undefined;
    kind: string;
    namespace?: string | undefined;
    name: string;
}): string {
    return `${r.group ?? ""}/${r.kind}/${r.namespace ?? ""}/${r.name}`;
}
