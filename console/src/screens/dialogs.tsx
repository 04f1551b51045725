/* Edit Information, Edit Settings, Edit YAML of a deployment: each merges, and asks when others wrote. */
import { useState } from "preact/hooks";
import { ApiError, get, send } from "../api/client";
import type { Application } from "../api/types";
import { t } from "../i18n";
import { ALIAS, DESCRIPTION } from "../model";
import { applyPatch, mergePatch, overlap, pathsOf, same } from "../merge";
import { useAsked, usePreview } from "../preview";
import { drafts } from "../session";
import { settingsOf, withSettings, type Settings } from "../settings";
import { Footer, useAction, useDraft } from "../ui/action";
import { CodeEdit, type Problem } from "../ui/code";
import { Button, Note, TextField } from "../ui/kit";
import { Dialog } from "../ui/overlay";
import { toYaml } from "../yaml";
import { isApplication } from "../draft";
import { EffectCounts, EffectNotes } from "./effect";
import { SettingsForm } from "./settings-form";
import { useRepoName } from "./sync-dialog";

export { DeleteDialog } from "./delete-dialog";
export { SyncDialog } from "./sync-dialog";

const MERGE = "application/merge-patch+json";

export function addressOf(app: Application): string {
    return `apis/argoproj.io/v1alpha1/namespaces/${app.metadata.namespace}/applications/${app.metadata.name}`;
}

/** What a person edits of an object: no status, no operation, nothing that the server sets. */
export function editable(app: Application): Application {
    const { status: _status, operation: _operation, ...rest } = app;
    const meta = { ...rest.metadata } as Record<string, unknown>;
    for (const own of ["managedFields", "uid", "generation", "creationTimestamp", "selfLink"])
        delete meta[own];
    delete meta.resourceVersion;
    return { ...rest, metadata: meta } as unknown as Application;
}

interface Conflict {
    theirs: string[];
    both: string[];
    who: string;
}

/** The controller's own notes on an object: their change is nobody's edit. */
const notes = ["taut.dev/updated-at", "argocd.argoproj.io/refresh"].map(
    (name) => `metadata.annotations.${name}`,
);
/** A controller that writes status meanwhile is waited out so often. */
const TRIES = 10;

/** What people changed between the two. */
export function othersPaths(before: Application, latest: Application): string[] {
    return pathsOf(mergePatch(editable(before), editable(latest))).filter(
        (path) => !notes.includes(path),
    );
}

interface Owner {
    manager?: string;
    time?: string;
}

/** Who wrote last, as the server noted it. */
export function lastWriter(app: Application): string {
    const fields = (app.metadata as { managedFields?: Owner[] }).managedFields ?? [];
    const newest = [...fields].sort((a, b) => ((a.time ?? "") < (b.time ?? "") ? 1 : -1))[0];
    return newest?.manager ?? "";
}

/**
 * Saves `after`, which was made from `before`: only what differs is sent, with the version it was made
 * from. When somebody wrote meanwhile, what he changed is told and both can be kept.
 */
export function useSave(before: Application, close: () => void) {
    const [conflict, setConflict] = useState<Conflict | null>(null);
    const action = useAction(close);
    const write = async (after: Application, base: Application, version: string) => {
        const patch = mergePatch(editable(base), editable(after)) as
            Record<string, unknown> | undefined;
        if (patch === undefined) return;
        const metadata = { ...(patch.metadata as object), resourceVersion: version };
        await send("PATCH", addressOf(before), { ...patch, metadata }, MERGE);
    };
    const save = (after: Application) =>
        action.run(async () => {
            let version = before.metadata.resourceVersion ?? "";
            for (let tries = 0; ; tries++) {
                try {
                    await write(after, before, version);
                    return;
                } catch (e) {
                    if (!(e instanceof ApiError) || e.status !== 409 || tries >= TRIES) throw e;
                }
                const latest = await get<Application>(addressOf(before));
                const theirs = othersPaths(before, latest);
                const ours = pathsOf(mergePatch(editable(before), editable(after)));
                if (theirs.length === 0) {
                    version = latest.metadata.resourceVersion ?? "";
                    continue;
                }
                setConflict({
                    theirs,
                    both: overlap(ours, theirs),
                    who: lastWriter(latest),
                });
                throw new Error("");
            }
        }, t("common.saved"));
    const keepBoth = (after: Application) =>
        action.run(async () => {
            const ours = mergePatch(editable(before), editable(after)) ?? {};
            for (let tries = 0; ; tries++) {
                const latest = await get<Application>(addressOf(before));
                const merged = applyPatch(editable(latest), ours) as Application;
                try {
                    await write(merged, latest, latest.metadata.resourceVersion ?? "");
                    return;
                } catch (e) {
                    if (!(e instanceof ApiError) || e.status !== 409 || tries >= TRIES) throw e;
                }
            }
        }, t("common.saved"));
    return { ...action, conflict, save, keepBoth };
}

export function ConflictNote({
    conflict,
    onBoth,
    busy,
}: {
    conflict: Conflict;
    onBoth: () => void;
    busy: boolean;
}) {
    return (
        <div class="dlg-error">
            <Note
                look="outofsync"
                title={t("conflict.title", { who: conflict.who || t("conflict.somebody") })}
                text={conflict.theirs.join(", ")}
            >
                <p class="t2">
                    {conflict.both.length > 0
                        ? t("conflict.overlap", { paths: conflict.both.join(", ") })
                        : t("conflict.apart")}
                </p>
                <Button kind="small" busy={busy} onClick={onBoth}>
                    {t("conflict.both")}
                </Button>
            </Note>
        </div>
    );
}

export function InfoDialog({ app, close }: { app: Application; close: () => void }) {
    const [before] = useState(app);
    const notes = before.metadata.annotations ?? {};
    const draft = useDraft(`info.${app.metadata.namespace}.${app.metadata.name}`, {
        alias: notes[ALIAS] ?? "",
        description: notes[DESCRIPTION] ?? "",
    });
    const { alias, description } = draft.value;
    const end = () => {
        draft.drop();
        close();
    };
    const action = useAction(end);
    const ok = () =>
        void action.run(
            () =>
                send(
                    "PATCH",
                    addressOf(app),
                    {
                        metadata: {
                            annotations: {
                                [ALIAS]: alias || null,
                                [DESCRIPTION]: description || null,
                            },
                        },
                    },
                    MERGE,
                ),
            t("common.saved"),
        );
    return (
        <Dialog
            title={t("info.title", { name: app.metadata.name })}
            size="s"
            onClose={end}
            onPrimary={ok}
            error={action.error || undefined}
            footer={<Footer close={end} label={t("common.ok")} busy={action.busy} onOk={ok} />}
        >
            <div class="body col">
                <TextField
                    label={t("common.name")}
                    value={app.metadata.name}
                    onValue={() => {}}
                    disabled
                />
                <TextField
                    label={t("common.alias")}
                    value={alias}
                    autofocus
                    onValue={(v) => draft.change({ alias: v.slice(0, 63) })}
                />
                <TextField
                    label={t("common.description")}
                    value={description}
                    onValue={(v) => draft.change({ description: v.slice(0, 256) })}
                />
            </div>
        </Dialog>
    );
}

/** What the changed settings would do, once they differ from what is saved. */
function SettingsEffect({ app, after }: { app: Application; after: Application | null }) {
    const preview = usePreview(
        app.spec.project,
        after && { name: app.metadata.name, spec: after.spec },
    );
    if (!after || !preview.value) return null;
    return (
        <section class="sect" aria-live="polite" aria-busy={preview.busy}>
            <h3 class="h">{t("settings.effect")}</h3>
            {!preview.value.error && <EffectCounts rows={preview.value.resources} />}
            <EffectNotes preview={preview.value} />
        </section>
    );
}

export function SettingsDialog({ app, close }: { app: Application; close: () => void }) {
    const key = `settings.${app.metadata.namespace}.${app.metadata.name}`;
    const [before] = useState(app);
    const saved = settingsOf(before);
    const [value, setValue] = useState<Settings>(() => drafts.load<Settings>(key) ?? saved);
    const [checked, setChecked] = useState(false);
    const repo = useRepoName(before.spec.project, before);
    const end = () => {
        drafts.drop(key);
        close();
    };
    const save = useSave(before, end);
    const after = same(value, saved) ? before : withSettings(before, value);
    const ok = () => {
        setChecked(true);
        if (!value.project || !value.cluster) return;
        if (after === before) end();
        else void save.save(after);
    };
    const change = (to: Partial<Settings>) => {
        const next = { ...value, ...to };
        setValue(next);
        drafts.save(key, next);
    };
    return (
        <Dialog
            title={t("settings.title", { name: app.metadata.name })}
            size="m"
            onClose={end}
            onPrimary={ok}
            error={save.error || undefined}
            footer={<Footer close={end} label={t("common.ok")} busy={save.busy} onOk={ok} />}
        >
            {save.conflict && (
                <ConflictNote
                    conflict={save.conflict}
                    busy={save.busy}
                    onBoth={() => void save.keepBoth(after)}
                />
            )}
            <div class="body">
                <SettingsForm
                    value={value}
                    devops={before.spec.project}
                    repo={repo}
                    errors={{
                        cluster:
                            checked && !value.cluster ? t("create.clusterRequired") : undefined,
                        project:
                            checked && !value.project ? t("create.projectRequired") : undefined,
                    }}
                    onValue={change}
                />
                <SettingsEffect app={before} after={after === before ? null : after} />
            </div>
        </Dialog>
    );
}

interface Read {
    value?: unknown;
    error?: Problem;
}

/** Null = it may be saved; the object is the same deployment. */
export function yamlProblem(value: unknown, app: Application): string | null {
    if (!isApplication(value)) return t("yaml.notApplication");
    if (
        value.metadata.name !== app.metadata.name ||
        (value.metadata.namespace ?? app.metadata.namespace) !== app.metadata.namespace
    )
        return t("yaml.identity");
    return null;
}

export function YamlDialog({ app, close }: { app: Application; close: () => void }) {
    const key = `yaml.${app.metadata.namespace}.${app.metadata.name}`;
    const [before, setBefore] = useState(app);
    const [text, setText] = useState(() => drafts.load<string>(key) ?? toYaml(editable(before)));
    /* Until something is typed, what was changed elsewhere is taken over. */
    if (app !== before && text === toYaml(editable(before))) {
        setBefore(app);
        setText(toYaml(editable(app)));
    }
    const [after, setAfter] = useState<Application | null>(null);
    const read = useAsked<Read>("taut/v1/yaml", { text });
    const end = () => {
        drafts.drop(key);
        close();
    };
    const save = useSave(before, end);
    const ok = () => {
        if (save.busy) return;
        save.setError("");
        send<Read>("POST", "taut/v1/yaml", { text }).then(
            (answer) => {
                const wrong = answer.error
                    ? answer.error.message
                    : yamlProblem(answer.value, before);
                if (wrong) {
                    save.setError(wrong);
                    return;
                }
                const next = answer.value as Application;
                setAfter(next);
                void save.save(next);
            },
            (e: unknown) => save.setError((e as Error).message),
        );
    };
    const found = read.value?.error ?? null;
    const wrong =
        !found && read.value && "value" in read.value
            ? yamlProblem(read.value.value, before)
            : null;
    return (
        <Dialog
            title={t("yaml.title", { name: app.metadata.name })}
            size="l"
            onClose={end}
            onPrimary={ok}
            error={save.error || undefined}
            footer={
                <Footer
                    close={end}
                    label={t("common.ok")}
                    busy={save.busy}
                    onOk={ok}
                    hint={t("yaml.help")}
                />
            }
        >
            {save.conflict && after && (
                <ConflictNote
                    conflict={save.conflict}
                    busy={save.busy}
                    onBoth={() => void save.keepBoth(after)}
                />
            )}
            <div class="body">
                <CodeEdit
                    label={t("yaml.title", { name: app.metadata.name })}
                    value={text}
                    onValue={(to) => {
                        setText(to);
                        drafts.save(key, to);
                    }}
                    problem={found ?? (wrong ? { message: wrong } : null)}
                />
            </div>
        </Dialog>
    );
}
