/*
 * Create Continuous Deployment: Basic Information, Deployment Settings, Review. One draft, shown as a
 * form or as YAML; it is kept through a reload and an ended session.
 */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError, get, send } from "../api/client";
import type { Application, DevOps, Repository } from "../api/types";
import { createCommand } from "../command";
import {
    changeInfo,
    changeSettings,
    firstDraft,
    formOf,
    fromYaml,
    isApplication,
    type Draft,
} from "../draft";
import { t } from "../i18n";
import { useLoad } from "../load";
import { nameProblem } from "../model";
import { useAsked, usePreview, type Preview } from "../preview";
import { boot, drafts } from "../session";
import { infoOf, settingsOf } from "../settings";
import { Combobox } from "../ui/combobox";
import { CodeEdit, type Problem } from "../ui/code";
import { Button, CopyButton, Icon, Note, Skeleton, TextField } from "../ui/kit";
import { Dialog, toast } from "../ui/overlay";
import { toYaml } from "../yaml";
import { APPS } from "./apps";
import { EffectCounts, EffectNotes, EffectTable, sorted } from "./effect";
import { ImportDialog } from "./import";
import { SettingsForm } from "./settings-form";

function Steps({ at, onStep }: { at: number; onStep: (to: 1 | 2 | 3) => void }) {
    const steps = [
        [t("create.basic"), t("create.basicHelp")],
        [t("create.settings"), t("create.settingsHelp")],
        [t("create.review"), t("create.reviewHelp")],
    ];
    return (
        <ol class="steps" aria-label={t("create.steps")}>
            {steps.map(([name, help], i) => (
                <li
                    key={name}
                    class={i + 1 < at ? "done" : ""}
                    aria-current={i + 1 === at ? "step" : undefined}
                >
                    <span class="dot">{i + 1 < at ? <Icon name="i-check" small /> : i + 1}</span>
                    {i + 1 < at ? (
                        <button
                            type="button"
                            class="link"
                            onClick={() => onStep((i + 1) as 1 | 2 | 3)}
                        >
                            {name}
                        </button>
                    ) : (
                        <span class="m">{name}</span>
                    )}
                    <span class="sub">{help}</span>
                </li>
            ))}
        </ol>
    );
}

/** Does a deployment of this name exist already? Asked when the typing pauses. */
function useTaken(devops: string, name: string): boolean {
    const [taken, setTaken] = useState("");
    useEffect(() => {
        if (nameProblem(name)) return;
        const abort = new AbortController();
        const timer = setTimeout(() => {
            const at = `taut/v1/devops/${devops}/apps?q=${name}&limit=100`;
            get<{ items: { name: string }[] }>(at, abort.signal).then(
                (found) => setTaken(found.items.some((a) => a.name === name) ? name : ""),
                () => undefined,
            );
        }, 300);
        return () => {
            clearTimeout(timer);
            abort.abort();
        };
    }, [devops, name]);
    return taken !== "" && taken === name;
}

function repoChoices(repos: Repository[]) {
    return repos.map((r) => ({
        value: r.name,
        label: r.alias ? `${r.name} (${r.alias})` : r.name,
        sub: r.url,
        icon: "i-repo",
        aside:
            r.connection?.state === "failed"
                ? t("repos.failed")
                : r.connection?.state === "ok"
                  ? t("repos.ok")
                  : undefined,
    }));
}

function BasicForm({
    draft,
    change,
    repos,
    checked,
    taken,
    onImport,
}: {
    draft: Draft;
    change: (to: Draft) => void;
    repos: Repository[];
    checked: boolean;
    taken: boolean;
    onImport: () => void;
}) {
    const info = infoOf(draft.app);
    const wrong = nameProblem(info.name);
    const nameError =
        wrong && (checked || info.name) ? t(wrong) : taken ? t("create.taken") : undefined;
    return (
        <div class="col">
            <TextField
                label={t("common.name")}
                required
                autofocus
                value={info.name}
                help={t("name.help")}
                error={nameError}
                onValue={(name) => change(changeInfo(draft, { name }))}
            />
            <TextField
                label={t("common.alias")}
                value={info.alias}
                onValue={(alias) => change(changeInfo(draft, { alias: alias.slice(0, 63) }))}
            />
            <TextField
                label={t("common.description")}
                value={info.description}
                onValue={(text) => change(changeInfo(draft, { description: text.slice(0, 256) }))}
            />
            <Combobox
                label={t("create.repo")}
                icon="i-repo"
                required
                strict
                value={draft.repo}
                error={checked && !info.repoURL ? t("create.repoRequired") : undefined}
                help={info.repoURL || undefined}
                choices={repoChoices(repos)}
                action={{ label: t("repos.importTitle"), icon: "i-plus", onPick: onImport }}
                onValue={(name) => {
                    const url = repos.find((r) => r.name === name)?.url ?? "";
                    change({ ...changeInfo(draft, { repoURL: url }), repo: name });
                }}
            />
        </div>
    );
}

/** What will be created or changed, rendered and asked of the cluster. */
function Review({ preview, draft }: { preview: ReturnType<typeof usePreview>; draft: Draft }) {
    const box = useRef<HTMLDivElement>(null);
    const s = settingsOf(draft.app);
    const value = preview.value;
    const rows = sorted(value);
    if (!value && preview.error)
        return (
            <Note look="degraded" title={t("preview.failed")} text={preview.error}>
                <Button kind="small" onClick={preview.again}>
                    {t("common.retry")}
                </Button>
            </Note>
        );
    if (!value) return <Skeleton rows={8} />;
    return (
        <div class="review" ref={box} aria-busy={preview.busy}>
            <h3 class="h">
                {value.commit
                    ? t("create.reviewTitle", { n: rows.length, commit: value.commit.slice(0, 7) })
                    : t("create.review")}
            </h3>
            <p class="t2">
                {t(s.auto ? "create.goesAuto" : "create.goesManual", {
                    path: s.path,
                    repo: draft.repo || infoOf(draft.app).repoURL,
                    project: s.project,
                    cluster: s.cluster,
                })}
            </p>
            {value.commit && !value.error && <EffectCounts rows={rows} />}
            <EffectNotes preview={value} />
            {rows.length > 0 && (
                <EffectTable rows={rows} label={t("detail.resources")} scroller={box} />
            )}
        </div>
    );
}

function trouble(preview: Preview): string {
    if (preview.error) return preview.error.message;
    const bad = preview.resources.filter((r) => r.effect === "refused" || r.effect === "forbidden");
    if (bad.length === 0) return "";
    const first = bad[0]!;
    return t("create.refused", {
        n: bad.length,
        kind: first.kind,
        name: first.name,
        why: first.message ?? first.reason,
    });
}

interface Read {
    value?: unknown;
    error?: Problem;
}

type Place = Pick<DevOps, "name" | "namespace">;

export function CreateWizard({ devops, close }: { devops: Place; close: () => void }) {
    const key = `create.${devops.name}`;
    const load = useLoad<{ items: Repository[] }>(`taut/v1/devops/${devops.name}/repos`);
    const repos = load.value?.items ?? [];
    const [draft, setDraft] = useState<Draft>(
        () =>
            drafts.load<Draft>(key) ??
            firstDraft(
                devops,
                boot.value?.user.name ?? "",
                (boot.value?.clusters ?? []).map((c) => c.name),
            ),
    );
    const [checked, setChecked] = useState(false);
    const [error, setError] = useState("");
    const [warned, setWarned] = useState("");
    const [busy, setBusy] = useState(false);
    const [importing, setImporting] = useState(false);
    const [typed, setTyped] = useState(false);

    const body = useRef<HTMLDivElement>(null);
    const place = `${draft.step}${draft.view}`;
    const before = useRef(place);
    /* The button that was pressed may be gone: focus goes to what came. */
    useLayoutEffect(() => {
        if (before.current === place) return;
        before.current = place;
        const first = draft.step === 3 ? null : body.current?.querySelector("input, textarea");
        ((first as HTMLElement | null | undefined) ?? body.current)?.focus();
    }, [place]);

    const change = (next: Draft) => {
        setDraft(next);
        setTyped(true);
        drafts.save(key, next);
        setError("");
        setWarned("");
    };
    const info = infoOf(draft.app);
    const s = formOf(draft);
    const taken = useTaken(devops.name, info.name);
    const yaml = draft.text || toYaml(draft.app);
    const read = useAsked<Read>("taut/v1/yaml", draft.view === "yaml" ? { text: yaml } : null);
    const preview = usePreview(devops.name, draft.step === 3 ? { application: draft.app } : null);

    const wrongFirst = nameProblem(info.name) !== null || taken || !info.repoURL;
    const wrongSecond = !s.project || !s.cluster;

    /** The object as the editor has it now; null with the error told when it cannot be read. */
    const settle = async (): Promise<Draft | null> => {
        if (draft.view === "form" || !draft.text) return draft;
        const answer = await send<Read>("POST", "taut/v1/yaml", { text: draft.text });
        if (answer.error) {
            setError(problemText(answer.error));
            return null;
        }
        if (!isApplication(answer.value)) {
            setError(t("yaml.notApplication"));
            return null;
        }
        return fromYaml(draft, answer.value, devops.namespace, repos);
    };
    const guarded = async (run: () => Promise<void>) => {
        if (busy) return;
        setBusy(true);
        setError("");
        try {
            await run();
        } catch (e) {
            setError((e as ApiError).message);
        }
        setBusy(false);
    };
    const view = (to: "form" | "yaml") =>
        void guarded(async () => {
            const next = await settle();
            if (next) change({ ...next, view: to, text: "" });
        });
    const go = (step: 1 | 2 | 3) =>
        void guarded(async () => {
            const next = await settle();
            if (!next) return;
            const first = infoOf(next.app);
            const bad = nameProblem(first.name) !== null || taken || !first.repoURL;
            setChecked(step > draft.step && (bad || (step === 3 && wrongSecond)));
            if (step > draft.step && bad) change({ ...next, step: 1 });
            else if (step === 3 && !(settingsOf(next.app).project && settingsOf(next.app).cluster))
                change({ ...next, step: 2 });
            else change({ ...next, step });
        });
    const create = () =>
        void guarded(async () => {
            const next = await settle();
            if (!next) return;
            const where = settingsOf(next.app);
            const first = infoOf(next.app);
            setChecked(true);
            if (nameProblem(first.name) || taken || !first.repoURL) {
                setDraft({ ...next, step: 1 });
                return;
            }
            if (!where.project || !where.cluster) {
                setDraft({ ...next, step: 2 });
                return;
            }
            if (!warned) {
                const found = await send<Preview>("POST", `taut/v1/devops/${devops.name}/preview`, {
                    application: next.app,
                });
                const why = trouble(found);
                if (why) {
                    setWarned(why);
                    return;
                }
            }
            await send<Application>("POST", `${APPS}/${devops.namespace}/applications`, next.app);
            drafts.drop(key);
            toast(t("create.done", { name: first.name }));
            close();
        });
    const problem = read.value?.error ?? null;
    const footer = (
        <>
            <span class="seg" role="group" aria-label={t("create.editAs")}>
                <button
                    type="button"
                    aria-pressed={draft.view === "form"}
                    onClick={() => view("form")}
                >
                    {t("create.form")}
                </button>
                <button
                    type="button"
                    aria-pressed={draft.view === "yaml"}
                    onClick={() => view("yaml")}
                >
                    YAML
                </button>
            </span>
            {typed && <span class="t3 spare">{t("create.draftSaved")}</span>}
            <span class="spare">
                <CopyButton
                    label={t("common.copyCommand")}
                    text={createCommand(devops.name, draft.app, draft.repo)}
                />
            </span>
            <span class="push row">
                <Button onClick={close}>{t("common.cancel")}</Button>
                {draft.step > 1 && (
                    <Button onClick={() => go((draft.step - 1) as 1 | 2)}>
                        {t("common.previous")}
                    </Button>
                )}
                {draft.step === 1 && (
                    <Button kind="primary" busy={busy} onClick={() => go(2)}>
                        {t("common.next")}
                    </Button>
                )}
                {draft.step === 2 && (
                    <Button busy={busy} onClick={() => go(3)}>
                        {t("create.review")}
                    </Button>
                )}
                {draft.step > 1 && (
                    <Button kind="primary" busy={busy} onClick={create}>
                        {t(warned ? "create.anyway" : "common.create")}
                    </Button>
                )}
            </span>
        </>
    );
    return (
        <Dialog
            title={t("create.title")}
            size="l fix"
            onClose={close}
            error={error || undefined}
            onPrimary={() => (draft.step === 1 ? go(2) : create())}
            footer={footer}
        >
            {warned && (
                <div class="dlg-error">
                    <Note look="outofsync" title={t("create.warned")} text={warned} />
                </div>
            )}
            <div class="halves wiz">
                <Steps at={draft.step} onStep={go} />
                <div class="wiz-body" ref={body} tabIndex={-1}>
                    {draft.step === 3 ? (
                        <Review preview={preview} draft={draft} />
                    ) : draft.view === "yaml" ? (
                        <CodeEdit
                            label={t("create.yaml")}
                            value={yaml}
                            problem={problem}
                            onValue={(text) => change({ ...draft, text })}
                        />
                    ) : draft.step === 1 ? (
                        <BasicForm
                            draft={draft}
                            change={change}
                            repos={repos}
                            checked={checked && wrongFirst}
                            taken={taken}
                            onImport={() => setImporting(true)}
                        />
                    ) : (
                        <SettingsForm
                            value={s}
                            devops={devops.name}
                            repo={draft.repo}
                            errors={{
                                cluster:
                                    checked && !s.cluster ? t("create.clusterRequired") : undefined,
                                project:
                                    checked && !s.project ? t("create.projectRequired") : undefined,
                            }}
                            onValue={(to) => change(changeSettings(draft, to))}
                        />
                    )}
                </div>
            </div>
            {importing && (
                <ImportDialog
                    devops={devops.name}
                    close={() => setImporting(false)}
                    done={(made) => {
                        load.again();
                        change({ ...changeInfo(draft, { repoURL: made.url }), repo: made.name });
                    }}
                />
            )}
        </Dialog>
    );
}

export function problemText(problem: Problem): string {
    return problem.line
        ? `${t("yaml.line", { n: problem.line })}: ${problem.message}`
        : problem.message;
}
