/* Generated data of any size: the same for the same numbers, so that measurements compare. */
import type {
    AppRow,
    Application,
    Cluster,
    Credential,
    DevOps,
    DiffItem,
    Ref,
    Repository,
    Service,
    TreeNode,
} from "../src/api/types.gen";

export interface Sizes {
    apps: number;
    devops: number;
    repos: number;
    branches: number;
    nodes: number;
    diffLines: number;
}

export const usual: Sizes = {
    apps: 2000,
    devops: 5000,
    repos: 200,
    branches: 5000,
    nodes: 500,
    diffLines: 15_000,
};

/** A small generator (mulberry32): numbers from 0 to 1 that look random. */
export function random(seed: number): () => number {
    let a = seed >>> 0;
    return () => {
        a = (a + 0x6d2b79f5) >>> 0;
        let t = Math.imul(a ^ (a >>> 15), a | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
}

const START = Date.parse("2026-11-01T00:00:00Z");
const when = (minutes: number) =>
    new Date(START + minutes * 60_000).toISOString().replace(".000", "");
const areas = ["shop", "search", "billing", "podcast", "login", "ads", "mail", "maps"];
const parts = ["api", "web", "worker", "cache", "cron", "gateway", "index", "store"];
const clusters = ["sandbox", "staging", "prod-hangzhou", "prod-frankfurt"];
const health = ["Healthy", "Healthy", "Healthy", "Healthy", "Healthy", "Degraded"] as const;
const odd = ["Progressing", "Suspended", "Missing", "Unknown"] as const;
const sync = ["Synced", "Synced", "Synced", "OutOfSync", "Unknown"] as const;

function pick<T>(next: () => number, of: readonly T[]): T {
    return of[Math.floor(next() * of.length)]!;
}

function hex(next: () => number, length: number): string {
    return Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join("");
}

export type Rows = AppRow[];

export function rows(count: number): AppRow[] {
    const next = random(1);
    return Array.from({ length: count }, (_, i) => {
        const area = pick(next, areas);
        const name = `${area}-${pick(next, parts)}-${String(i).padStart(5, "0")}`;
        const total = 2 + Math.floor(next() * 30);
        const state = next() < 0.1 ? pick(next, odd) : pick(next, health);
        const row: AppRow = {
            name,
            health: state,
            sync: pick(next, sync),
            differ: 0,
            total,
            cluster: pick(next, clusters),
            project: `${area}-system`,
            repo: `https://git.example/${area}/deploy.git`,
            path: `apps/${name}`,
            target: next() < 0.5 ? "main" : "HEAD",
            revision: hex(next, 40),
            auto: next() < 0.7,
            created: when(i),
        };
        if (row.sync === "OutOfSync") row.differ = 1 + Math.floor(next() * total);
        if (next() < 0.4) row.alias = `${area} ${i}`;
        if (next() < 0.6) row.description = `What ${area} needs of ${name}`;
        if (state === "Degraded") row.healthWhy = "worker: image cannot be pulled, 2 of 3 Pods";
        if (next() < 0.9) row.updated = when(i + Math.floor(next() * 20_000));
        return row;
    });
}

export function application(devops: string, row: AppRow): Application {
    return {
        apiVersion: "argoproj.io/v1alpha1",
        kind: "Application",
        metadata: {
            name: row.name,
            namespace: devops,
            uid: `uid-${row.name}`,
            resourceVersion: "1",
            creationTimestamp: row.created,
            annotations: row.alias ? { "kubesphere.io/alias-name": row.alias } : {},
        },
        spec: {
            project: devops,
            destination: { name: row.cluster, namespace: row.project },
            source: { repoURL: row.repo, path: row.path, targetRevision: row.target },
            syncPolicy: row.auto ? { automated: {} } : {},
        },
        status: {
            health: { status: row.health, message: row.healthWhy },
            sync: { status: row.sync, revision: row.revision },
            resources: [],
            history: [],
        },
    };
}

export function projects(count: number): DevOps[] {
    const next = random(2);
    return Array.from({ length: count }, (_, i) => ({
        name: i === 0 ? "demo" : `team-${String(i).padStart(4, "0")}`,
        namespace: i === 0 ? "demo" : `team-${String(i).padStart(4, "0")}`,
        ...(next() < 0.5 ? { alias: `${pick(next, areas)} team ${i}` } : {}),
        created: when(i),
        repos: ["*"],
        locations: ["*/*"],
        role: pick(next, ["viewer", "operator", "admin"]),
        applications: Math.floor(next() * 40),
        health: { Healthy: Math.floor(next() * 30), Degraded: Math.floor(next() * 3) },
    }));
}

export function repositories(count: number): Repository[] {
    const next = random(3);
    return Array.from({ length: count }, (_, i) => ({
        name: `${pick(next, areas)}-${i}`,
        url: `https://git.example/group/${"sub/".repeat(i % 4)}repository-${i}.git`,
        provider: pick(next, ["git", "github", "gitlab", "bitbucket"]),
        created: when(i),
        connection: { state: next() < 0.9 ? "ok" : "failed", message: "" },
    }));
}

export function credentials(): Credential[] {
    return ["basic", "ssh", "token"].map((type, i) => ({
        name: `${type}-1`,
        type,
        created: when(i),
        usedBy: [],
    }));
}

export function allClusters(): Cluster[] {
    return clusters.map((name) => ({
        name,
        server: `https://${name}.example:6443`,
        version: "v1.34.1",
        reachable: true,
        state: "Ready",
        simulated: name === "sandbox",
    }));
}

export function refs(count: number): Ref[] {
    const next = random(4);
    const branches = Array.from({ length: count }, (_, i) => ({
        name: `refs/heads/${i === 0 ? "main" : `feature/${pick(next, areas)}/${i}`}`,
        commit: hex(next, 40),
    }));
    return [
        { name: "HEAD", commit: branches[0]!.commit, symref: "refs/heads/main" },
        ...branches,
        { name: "refs/tags/v1.0.0", commit: branches[0]!.commit },
    ];
}

/** Deployments with a ReplicaSet and its Pods, ConfigMaps between them. */
export function tree(count: number): TreeNode[] {
    const next = random(5);
    const nodes: TreeNode[] = [];
    const add = (kind: string, group: string, name: string, more: Partial<TreeNode>) => {
        const node = {
            id: `${group}/${kind}/shop/${name}`,
            group,
            version: "v1",
            kind,
            namespace: "shop",
            name,
            created: when(nodes.length),
            ...more,
        };
        nodes.push(node);
        return node.id;
    };
    for (let i = 0; nodes.length < count; i++) {
        add("ConfigMap", "", `settings-${i}`, { managed: true, status: "Synced" });
        const parent = add("Deployment", "apps", `web-${i}`, {
            managed: true,
            status: next() < 0.1 ? "OutOfSync" : "Synced",
            health: next() < 0.1 ? "Degraded" : "Healthy",
        });
        const set = add("ReplicaSet", "apps", `web-${i}-${hex(next, 9)}`, {
            parent,
            health: "Healthy",
        });
        for (let pod = 0; pod < 3 && nodes.length < count; pod++)
            add("Pod", "", `web-${i}-${hex(next, 5)}`, { parent: set, health: "Healthy" });
    }
    return nodes.slice(0, count);
}

export function diff(lines: number): DiffItem[] {
    const data = (edit: string) =>
        Object.fromEntries(
            Array.from({ length: lines }, (_, i) => [
                `key-${String(i).padStart(6, "0")}`,
                i % 97 === 0 ? edit : "the same",
            ]),
        );
    const object = (edit: string) => ({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "large", namespace: "shop" },
        data: data(edit),
    });
    return [
        {
            group: "",
            kind: "ConfigMap",
            namespace: "shop",
            name: "large",
            status: "OutOfSync",
            live: object("before"),
            wanted: object("after"),
            fields: [],
        },
    ];
}

export function services(): Service[] {
    return [
        {
            name: "web",
            project: "shop",
            cluster: "sandbox",
            application: "shop-web-00000",
            type: "NodePort",
            clusterIP: "10.96.0.7",
            created: when(0),
            ports: [{ port: 80, protocol: "TCP", nodePort: 30007 }],
            links: ["127.0.0.1:30007"],
        },
    ];
}
