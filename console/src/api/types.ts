/*
 * The shapes that the console reads; the server's objects hold more. What /taut/v1 answers is made
 * from its description (types.gen.ts); here is what Kubernetes objects look like to a page.
 */
import type { DevOps } from "./types.gen";

export type {
    AppRow,
    Cluster,
    Credential,
    DevOps,
    Member,
    PlatformRole,
    Repository,
    Role as ProjectRole,
    Token,
    TokenMade,
    User,
} from "./types.gen";

export interface Meta {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    finalizers?: string[];
    annotations?: Record<string, string>;
    labels?: Record<string, string>;
}

export type HealthStatus =
    "Healthy" | "Degraded" | "Progressing" | "Suspended" | "Missing" | "Unknown";
export type SyncStatus = "Synced" | "OutOfSync" | "Unknown";
export type Phase = "Running" | "Terminating" | "Failed" | "Error" | "Succeeded";

export interface Source {
    repoURL: string;
    path?: string;
    targetRevision?: string;
    directory?: Record<string, unknown>;
    kustomize?: Record<string, unknown>;
}

export interface SyncPolicy {
    automated?: { prune?: boolean; selfHeal?: boolean; enabled?: boolean; allowEmpty?: boolean };
    syncOptions?: string[];
    [other: string]: unknown;
}

export interface ResourceStatus {
    group?: string;
    version: string;
    kind: string;
    namespace?: string;
    name: string;
    status?: SyncStatus;
    health?: { status?: HealthStatus; message?: string };
    requiresPruning?: boolean;
    message?: string;
}

export interface ResourceResult {
    group?: string;
    version?: string;
    kind: string;
    namespace?: string;
    name: string;
    status?: "Synced" | "SyncFailed" | "Pruned" | "PruneSkipped";
    hookPhase?: string;
    message?: string;
}

export interface OperationState {
    phase: Phase;
    message?: string;
    startedAt: string;
    finishedAt?: string;
    operation?: { initiatedBy?: { username?: string; automated?: boolean }; sync?: SyncRequest };
    syncResult?: { revision?: string; resources?: ResourceResult[] };
}

export interface SyncRequest {
    revision?: string;
    prune?: boolean;
    dryRun?: boolean;
    syncOptions?: string[];
    resources?: { group?: string; kind: string; namespace?: string; name: string }[];
    syncStrategy?: { apply?: { force?: boolean }; hook?: { force?: boolean } };
}

export interface HistoryEntry {
    id: number;
    revision?: string;
    deployedAt?: string;
    deployStartedAt?: string;
    initiatedBy?: { username?: string; automated?: boolean };
    source?: Source;
}

export interface Application {
    apiVersion: string;
    kind: string;
    metadata: Meta;
    spec: {
        project: string;
        destination: { server?: string; name?: string; namespace?: string };
        source?: Source;
        syncPolicy?: SyncPolicy;
        [other: string]: unknown;
    };
    operation?: unknown;
    status?: {
        health?: { status?: HealthStatus; message?: string; lastTransitionTime?: string };
        sync?: { status?: SyncStatus; revision?: string };
        resources?: ResourceStatus[];
        conditions?: { type: string; message: string; lastTransitionTime?: string }[];
        operationState?: OperationState;
        history?: HistoryEntry[];
        reconciledAt?: string;
        sourceType?: string;
        summary?: { images?: string[]; externalURLs?: string[] };
    };
}

export interface ListOf<T> {
    metadata: { resourceVersion?: string; continue?: string };
    items: T[];
}

/** What bounds a DevOps Project, as its create form and its settings edit it. */
export type Allowlist = Pick<DevOps, "repos" | "locations" | "clusterResources">;

/** `rights` are those on the platform, and so in each project, such as "create users"; `rightSets` are
 * those in a project, to which its own `rights` counts; `admins` are whom a newcomer can ask. */
export type { Bootstrap } from "./types.gen";
