/* Sync: what this sync does, on what, and what will happen; asked again at each change. */
import { useMemo, useRef, useState } from "preact/hooks";
import { send } from "../api/client";
import type { Application, SyncRequest } from "../api/types";
import { syncCommand } from "../command";
import { t } from "../i18n";
import { useLoad } from "../load";
import { clusterOf, keyOf } from "../model";
import { countOf, isChange, usePreview, type PreviewRow } from "../preview";
import { settingsOf, withOptions, type Settings } from "../settings";
import { useAction } from "../ui/action";
import { Button, Check, CopyButton, Note, Skeleton } from "../ui/kit";
import { Dialog } from "../ui/overlay";
import type { Repository } from "../api/types";
import { EffectCounts, EffectNotes, EffectTable, sorted } from "./effect";
import { OptionsList, RevisionField } from "./settings-form";

interface Choice {
    revision: string;
    prune: boolean;
    dryRun: boolean;
    applyOnly: boolean;
    force: boolean;
    settings: Settings;
}

function startOf(app: Application): Choice {
    return {
        revision: app.spec.source?.targetRevision || "HEAD",
        prune: Boolean(app.spec.syncPolicy?.automated?.prune),
        dryRun: false,
        applyOnly: false,
        force: false,
        settings: settingsOf(app),
    };
}

export function requestOf(app: Application, c: Choice, chosen: PreviewRow[] | null): SyncRequest {
    return {
        revision: c.revision,
        prune: c.prune,
        dryRun: c.dryRun,
        syncOptions: withOptions(app.spec.syncPolicy?.syncOptions ?? [], c.settings),
        syncStrategy: c.applyOnly ? { apply: { force: c.force } } : { hook: { force: c.force } },
        ...(chosen && {
            resources: chosen.map((r) => ({
                group: r.group,
                kind: r.kind,
                namespace: r.namespace,
                name: r.name,
            })),
        }),
    };
}

const switches = [
    ["prune", "sync.prune", "sync.pruneHelp"],
    ["dryRun", "sync.dryRun", "sync.dryRunHelp"],
    ["applyOnly", "sync.applyOnly", "sync.applyOnlyHelp"],
    ["force", "sync.force", "sync.forceHelp"],
] as const;

function useRepoName(devops: string, app: Application): string {
    const repos = useLoad<{ items: Repository[] }>(`taut/v1/devops/${devops}/repos`);
    const url = app.spec.source?.repoURL;
    return repos.value?.items.find((r) => r.url === url)?.name ?? "";
}

export { useRepoName };

function Options({
    devops,
    app,
    value,
    change,
}: {
    devops: string;
    app: Application;
    value: Choice;
    change: (to: Partial<Choice>) => void;
}) {
    const repo = useRepoName(devops, app);
    return (
        <div class="col options">
            <RevisionField
                devops={devops}
                repo={repo}
                label={t("sync.revision")}
                autofocus
                value={value.revision}
                onValue={(revision) => change({ revision })}
            />
            <fieldset class="col list">
                <legend class="lab">{t("sync.this")}</legend>
                {switches.map(([key, label, help]) => (
                    <Check
                        key={key}
                        label={t(label)}
                        help={t(help)}
                        checked={value[key]}
                        onValue={(to) => change({ [key]: to })}
                    />
                ))}
            </fieldset>
            <OptionsList
                value={value.settings}
                onValue={(to) => change({ settings: { ...value.settings, ...to } })}
            />
        </div>
    );
}

/** Everything, or only what is chosen: with what that leaves out. */
function Scope({ only, onOnly }: { only: boolean; onOnly: (to: boolean) => void }) {
    return (
        <fieldset class="scope">
            <legend class="lab">{t("sync.scope")}</legend>
            {[false, true].map((v) => (
                <label class="ck" key={String(v)}>
                    <input
                        type="radio"
                        name="sync-scope"
                        checked={only === v}
                        onChange={() => onOnly(v)}
                    />
                    <span>{t(v ? "sync.scopeChosen" : "sync.scopeAll")}</span>
                    {v && only && <span class="help">{t("sync.scopeHelp")}</span>}
                </label>
            ))}
        </fieldset>
    );
}

/** Checks one row, or with Shift the rows since the one before. */
function usePicked(rows: PreviewRow[]) {
    const [picked, setPicked] = useState<Set<string>>(new Set());
    const last = useRef(-1);
    const shift = useRef(false);
    const set = (keys: string[], on: boolean) => {
        const next = new Set(picked);
        for (const key of keys) {
            if (on) next.add(key);
            else next.delete(key);
        }
        setPicked(next);
    };
    const toggle = (index: number, on: boolean) => {
        const from = shift.current && last.current >= 0 ? Math.min(last.current, index) : index;
        const to = shift.current && last.current >= 0 ? Math.max(last.current, index) : index;
        set(
            rows.slice(from, to + 1).map((r) => keyOf(r)),
            on,
        );
        last.current = index;
    };
    return { picked, setPicked, toggle, shift };
}

function Picker({
    all,
    shown,
    text,
    onText,
    onPick,
}: {
    all: PreviewRow[];
    shown: number;
    text: string;
    onText: (to: string) => void;
    onPick: (keys: string[]) => void;
}) {
    const differ = all.filter((r) => isChange(r.effect) || r.effect === "keep");
    return (
        <div class="row picker">
            <Button kind="small" onClick={() => onPick(all.map(keyOf))}>
                {t("sync.pickAll", { n: all.length })}
            </Button>
            <Button kind="small" onClick={() => onPick(differ.map(keyOf))}>
                {t("sync.pickDiffer", { n: differ.length })}
            </Button>
            <Button kind="small" onClick={() => onPick([])}>
                {t("sync.pickNone")}
            </Button>
            <input
                class="in plain push"
                type="search"
                aria-label={t("sync.filter", { n: shown })}
                placeholder={t("sync.filter", { n: shown })}
                value={text}
                onInput={(e) => onText(e.currentTarget.value)}
            />
        </div>
    );
}

function consequence(rows: PreviewRow[], cluster: string, dryRun: boolean): string {
    const counts = countOf(rows);
    const changed = counts.create + counts.update + counts.replace;
    if (dryRun) return t("sync.willDryRun");
    if (changed + counts.delete === 0) return t("sync.effectNone");
    return [
        changed > 0 && t("sync.willChange", { n: changed, cluster }),
        counts.delete > 0 ? t("sync.willDelete", { n: counts.delete }) : t("sync.willNotDelete"),
    ]
        .filter(Boolean)
        .join(" ");
}

export function SyncDialog({ app, close }: { app: Application; close: () => void }) {
    const devops = app.spec.project;
    const [choice, setChoice] = useState<Choice>(() => startOf(app));
    const [only, setOnly] = useState(false);
    const [text, setText] = useState("");
    const box = useRef<HTMLDivElement>(null);
    const action = useAction(close);

    const asked = { ...requestOf(app, choice, null), dryRun: false };
    const preview = usePreview(devops, { name: app.metadata.name, sync: asked });
    const every = useMemo(() => sorted(preview.value), [preview.value]);
    /* A sync of chosen resources makes no project. */
    const made = every.find((r) => r.reason === "auto-create");
    const rows = useMemo(
        () => (only ? every.filter((r) => r.reason !== "auto-create") : every),
        [every, only],
    );
    const shown = useMemo(() => {
        const want = text.trim().toLowerCase();
        return want
            ? rows.filter((r) => `${r.name} ${r.kind} ${r.namespace}`.toLowerCase().includes(want))
            : rows;
    }, [rows, text]);
    const { picked, setPicked, toggle, shift } = usePicked(shown);
    const chosen = only ? rows.filter((r) => picked.has(keyOf(r))) : rows;
    const request = requestOf(app, choice, only ? chosen : null);
    const changed = chosen.filter((r) => isChange(r.effect)).length;

    const ok = () => {
        if (only && chosen.length === 0) {
            action.setError(t("sync.chooseOne"));
            return;
        }
        void action.run(
            () => send("POST", `taut/v1/devops/${devops}/apps/${app.metadata.name}/sync`, request),
            t("sync.started", { name: app.metadata.name }),
        );
    };
    const label = only
        ? t("sync.buttonChosen", { n: chosen.length, total: rows.length })
        : preview.value && !preview.value.error
          ? changed > 0
              ? t("sync.buttonCount", { n: changed })
              : t("sync.buttonNone")
          : t("sync.button");
    return (
        <Dialog
            title={t("sync.title", { name: app.metadata.name })}
            sub={t("sync.where", {
                repo: app.spec.source?.repoURL ?? "",
                project: app.spec.destination.namespace ?? "",
                cluster: clusterOf(app),
            })}
            size="l fix"
            onClose={close}
            onPrimary={ok}
            error={action.error || undefined}
            footer={
                <>
                    <span class="t2 wide">
                        {preview.value && consequence(chosen, clusterOf(app), choice.dryRun)}
                    </span>
                    <span class="push row">
                        <CopyButton
                            label={t("common.copyCommand")}
                            text={syncCommand(devops, app, request)}
                        />
                        <Button onClick={close}>{t("common.cancel")}</Button>
                        <Button kind="primary" busy={action.busy} onClick={ok}>
                            {label}
                        </Button>
                    </span>
                </>
            }
        >
            <div class="halves effect-first">
                <Options
                    devops={devops}
                    app={app}
                    value={choice}
                    change={(to) => setChoice({ ...choice, ...to })}
                />
                <div ref={box} class="effect-box" aria-busy={preview.busy}>
                    <h3 class="h">{t("sync.effect")}</h3>
                    {!preview.value && preview.error && (
                        <Note look="degraded" title={t("preview.failed")} text={preview.error} />
                    )}
                    {!preview.value && !preview.error && <Skeleton rows={5} />}
                    {preview.value && (
                        <>
                            {!preview.value.error && <EffectCounts rows={chosen} />}
                            <EffectNotes preview={preview.value} />
                            <Scope only={only} onOnly={setOnly} />
                            {only && made && (
                                <Note
                                    look="outofsync"
                                    title={t("sync.noProject", { name: made.name })}
                                />
                            )}
                            <Picker
                                all={rows}
                                shown={shown.length}
                                text={text}
                                onText={setText}
                                onPick={(keys) => {
                                    setOnly(true);
                                    setPicked(new Set(keys));
                                }}
                            />
                            <EffectTable
                                rows={shown}
                                label={t("sync.toSync")}
                                scroller={box}
                                {...(only && {
                                    head: <span class="vh">{t("sync.chosen")}</span>,
                                    cell: (row, i) => (
                                        <input
                                            type="checkbox"
                                            aria-label={`${row.name} ${row.kind}`}
                                            checked={picked.has(keyOf(row))}
                                            onClick={(e) => (shift.current = e.shiftKey)}
                                            onChange={(e) => toggle(i, e.currentTarget.checked)}
                                        />
                                    ),
                                })}
                            />
                        </>
                    )}
                </div>
            </div>
        </Dialog>
    );
}
