/* The settings of a deployment, between its object and the forms: what a form does not know stays. */
import type { Application, SyncPolicy } from "./api/types";
import { ALIAS, clusterOf, CREATOR, DESCRIPTION, FINALIZER, isAuto } from "./model";

export interface Settings {
    cluster: string;
    project: string;
    revision: string;
    path: string;
    auto: boolean;
    prune: boolean;
    selfHeal: boolean;
    skipValidation: boolean;
    createNamespace: boolean;
    pruneLast: boolean;
    outOfSyncOnly: boolean;
    propagation: string;
    replace: boolean;
}

export const defaults: Settings = {
    cluster: "",
    project: "",
    revision: "HEAD",
    path: ".",
    auto: true,
    prune: false,
    selfHeal: false,
    skipValidation: false,
    createNamespace: false,
    pruneLast: false,
    outOfSyncOnly: false,
    propagation: "foreground",
    replace: false,
};

/** The options that the forms own: name, and the value that stands for a setting; null = not there. */
const owned: [string, (s: Settings) => string | null][] = [
    ["Validate", (s) => (s.skipValidation ? "false" : null)],
    ["CreateNamespace", (s) => (s.createNamespace ? "true" : null)],
    ["PruneLast", (s) => (s.pruneLast ? "true" : null)],
    ["ApplyOutOfSyncOnly", (s) => (s.outOfSyncOnly ? "true" : null)],
    ["PrunePropagationPolicy", (s) => s.propagation],
    ["Replace", (s) => (s.replace ? "true" : null)],
];

export function optionsOf(s: Settings): string[] {
    return withOptions([], s);
}

/** The options with the form's in their places; others, and values that mean the same, stay. */
export function withOptions(options: string[], s: Settings): string[] {
    const before = optionMap(options);
    const out = options.filter((o) => {
        const [name, value] = split(o);
        const rule = owned.find(([n]) => n === name);
        if (!rule) return true;
        const want = rule[1](s);
        return want === value || (want === null && !means(name, value));
    });
    for (const [name, of] of owned) {
        const want = of(s);
        if (want !== null && before.get(name) !== want) out.push(`${name}=${want}`);
    }
    return out;
}

/** Does the option, as it stands, switch on what its check box says? */
function means(name: string, value: string): boolean {
    return name === "Validate" ? value === "false" : value === "true";
}

function split(option: string): [string, string] {
    const at = option.indexOf("=");
    return at < 0 ? [option, ""] : [option.slice(0, at), option.slice(at + 1)];
}

function optionMap(options: string[]): Map<string, string> {
    return new Map(options.map(split));
}

export function settingsOf(app: Application): Settings {
    const options = optionMap(app.spec.syncPolicy?.syncOptions ?? []);
    const automated = app.spec.syncPolicy?.automated;
    return {
        cluster: clusterOf(app),
        project: app.spec.destination?.namespace ?? "",
        revision: app.spec.source?.targetRevision || "HEAD",
        path: app.spec.source?.path || ".",
        auto: isAuto(app),
        prune: Boolean(automated?.prune),
        selfHeal: Boolean(automated?.selfHeal),
        skipValidation: options.get("Validate") === "false",
        createNamespace: options.get("CreateNamespace") === "true",
        pruneLast: options.get("PruneLast") === "true",
        outOfSyncOnly: options.get("ApplyOutOfSyncOnly") === "true",
        propagation: options.get("PrunePropagationPolicy") ?? "foreground",
        replace: options.get("Replace") === "true",
    };
}

function policyWith(policy: SyncPolicy | undefined, s: Settings): SyncPolicy {
    const { automated, ...rest } = policy ?? {};
    const next: SyncPolicy = {
        ...rest,
        syncOptions: withOptions(policy?.syncOptions ?? [], s),
    };
    if (!s.auto) return next;
    const { enabled: _enabled, ...kept } = automated ?? {};
    return { ...next, automated: { ...kept, prune: s.prune, selfHeal: s.selfHeal } };
}

/** A field is written when it is set, or when it was there before. */
function field(was: string | undefined, now: string, unset: string): string | undefined {
    return was === undefined && now === unset ? undefined : now;
}

/** The object with these settings; everything else stays as it is. */
export function withSettings(app: Application, s: Settings): Application {
    const was = settingsOf(app);
    const destination = { ...app.spec.destination };
    const source = { ...app.spec.source } as NonNullable<Application["spec"]["source"]>;
    if (s.cluster !== was.cluster) {
        destination.name = s.cluster;
        delete destination.server;
    }
    if (s.project !== was.project) destination.namespace = s.project;
    const revision = field(source.targetRevision, s.revision, "HEAD");
    const path = field(source.path, s.path, ".");
    if (revision !== undefined && s.revision !== was.revision) source.targetRevision = revision;
    if (path !== undefined && s.path !== was.path) source.path = path;
    return {
        ...app,
        spec: { ...app.spec, destination, source, syncPolicy: policyWith(app.spec.syncPolicy, s) },
    };
}

export interface Info {
    name: string;
    alias: string;
    description: string;
    repoURL: string;
}

export function infoOf(app: Application): Info {
    const notes = app.metadata?.annotations ?? {};
    return {
        name: app.metadata?.name ?? "",
        alias: notes[ALIAS] ?? "",
        description: notes[DESCRIPTION] ?? "",
        repoURL: app.spec?.source?.repoURL ?? "",
    };
}

export function withInfo(app: Application, info: Info): Application {
    const annotations: Record<string, string> = { ...app.metadata.annotations };
    for (const [key, text] of [
        [ALIAS, info.alias],
        [DESCRIPTION, info.description],
    ] as const) {
        if (text) annotations[key] = text;
        else delete annotations[key];
    }
    return {
        ...app,
        metadata: { ...app.metadata, name: info.name, annotations },
        spec: { ...app.spec, source: { ...app.spec.source, repoURL: info.repoURL } },
    };
}

export function newApplication(
    devops: { name: string; namespace: string },
    info: Info & { creator: string },
    s: Settings,
): Application {
    const annotations: Record<string, string> = { [CREATOR]: info.creator };
    if (info.alias) annotations[ALIAS] = info.alias;
    if (info.description) annotations[DESCRIPTION] = info.description;
    return {
        apiVersion: "argoproj.io/v1alpha1",
        kind: "Application",
        metadata: {
            name: info.name,
            namespace: devops.namespace,
            annotations,
            finalizers: [FINALIZER],
        },
        spec: {
            project: devops.name,
            destination: { name: s.cluster, namespace: s.project },
            source: { repoURL: info.repoURL, path: s.path, targetRevision: s.revision },
            syncPolicy: {
                ...(s.auto ? { automated: { prune: s.prune, selfHeal: s.selfHeal } } : {}),
                syncOptions: optionsOf(s),
            },
        },
    };
}
