/* "Copy as command": what a dialog does, as one line for a shell. */
import type { Application, SyncRequest } from "./api/types";
import { clusterOf } from "./model";
import { infoOf, settingsOf } from "./settings";

/** One word of a shell. */
export function word(text: string): string {
    return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;
}

function line(words: (string | false | undefined)[]): string {
    return words.filter((w): w is string => Boolean(w)).join(" ");
}

function flag(name: string, value: string): string {
    return value ? `--${name} ${word(value)}` : "";
}

export function importCommand(
    devops: string,
    r: { name: string; url: string; credential: string; alias: string; description: string },
    fingerprint = "",
): string {
    return line([
        `taut repo add ${word(r.name)}`,
        flag("devops", devops),
        flag("url", r.url),
        flag("credential", r.credential),
        flag("alias", r.alias),
        flag("description", r.description),
        flag("accept-host-key", fingerprint),
    ]);
}

export function createCommand(devops: string, app: Application, repo: string): string {
    const s = settingsOf(app);
    const info = infoOf(app);
    return line([
        `taut app create ${word(info.name)}`,
        flag("devops", devops),
        flag("repo", repo || info.repoURL),
        flag("revision", s.revision),
        flag("path", s.path),
        flag("cluster", s.cluster),
        flag("namespace", s.project),
        flag("alias", info.alias),
        flag("description", info.description),
        s.auto && "--auto-sync",
        s.auto && s.prune && "--prune",
        s.auto && s.selfHeal && "--self-heal",
        s.skipValidation && "--skip-schema-validation",
        s.createNamespace && "--auto-create-project",
        s.pruneLast && "--prune-last",
        s.outOfSyncOnly && "--apply-out-of-sync-only",
        flag("prune-propagation", s.propagation),
        s.replace && "--replace",
    ]);
}

export function syncCommand(devops: string, app: Application, sync: SyncRequest): string {
    const force = sync.syncStrategy?.apply?.force || sync.syncStrategy?.hook?.force;
    return line([
        `taut app sync ${word(app.metadata.name)}`,
        flag("devops", devops),
        flag("revision", sync.revision ?? ""),
        sync.prune && "--prune",
        sync.dryRun && "--dry-run",
        force && "--force",
        sync.syncStrategy?.apply && "--apply-only",
        ...(sync.syncOptions ?? []).map((o) => flag("sync-option", o)),
        ...(sync.resources ?? []).map((r) =>
            flag("resource", `${r.group ?? ""}:${r.kind}:${r.namespace ?? ""}/${r.name}`),
        ),
    ]);
}

export function deleteCommand(devops: string, app: Application, cascade: boolean): string {
    return line([
        `taut app delete ${word(app.metadata.name)}`,
        flag("devops", devops),
        `--cascade=${String(cascade)}`,
    ]);
}

/** Where it goes, for a sentence. */
export function locationOf(app: Application): string {
    return `${clusterOf(app)} / ${app.spec.destination?.namespace ?? ""}`;
}
