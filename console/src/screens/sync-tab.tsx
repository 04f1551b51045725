/* Sync Status and Sync Result: steps and rows, live while an operation runs. */
import { useMemo, useRef } from "preact/hooks";
import { send } from "../api/client";
import type { Application } from "../api/types";
import { duration, exact, t, type Key } from "../i18n";
import { isAuto } from "../model";
import { query, setQuery } from "../router";
import { lacks } from "../session";
import { isRunning, resultRows, steps, type ResultRow, type Step } from "../sync";
import { Button, Empty, Health, minute, Note, PhaseStatus, Status } from "../ui/kit";
import { toast } from "../ui/overlay";
import { useSpan } from "../ui/window";
import { addressOf } from "./dialogs";
import type { Facts } from "./tree-data";

const looks: Record<string, string> = {
    Synced: "synced",
    SyncFailed: "degraded",
    Pruned: "synced",
    PruneSkipped: "outofsync",
    Waiting: "quiet",
    Running: "progressing",
};

const ROW_PX = 36;

function Row({ r }: { r: ResultRow }) {
    return (
        <tr>
            <td class="m va wrap-any">{r.name}</td>
            <td class="t2 va">{r.kind}</td>
            <td class="t2 va">{r.namespace}</td>
            <td class="va">
                <Status
                    look={looks[r.result] ?? "unknown"}
                    word={t(`status.result.${r.result}` as Key)}
                />
            </td>
            <td class="va">{r.health ? <Health of={r.health} /> : <span class="t3">–</span>}</td>
            <td class="t2 va wrap-any">{r.message}</td>
        </tr>
    );
}

function Results({ rows, running }: { rows: ResultRow[]; running: boolean }) {
    const show = query.value.get("result") ?? "all";
    const body = useRef<HTMLTableSectionElement>(null);
    const failed = rows.filter((r) => r.result === "SyncFailed");
    const changed = rows.filter((r) => r.result !== "Waiting" && !r.message.endsWith("unchanged"));
    const shown = show === "failed" ? failed : show === "changed" ? changed : rows;
    const ends = useMemo(() => shown.map((_, i) => (i + 1) * ROW_PX), [shown.length]);
    const span = useSpan(ends, body);
    const done = rows.filter((r) => r.result !== "Waiting" && r.result !== "Running").length;
    const pick = (name: string, label: string) => (
        <button
            type="button"
            aria-pressed={show === name}
            onClick={() => setQuery({ result: name === "all" ? null : name })}
        >
            {label}
        </button>
    );
    return (
        <section aria-labelledby="sr" class="gap-top">
            <div class="bar flush">
                <h2 class="h" id="sr">
                    {t("detail.result")}
                </h2>
                {running && (
                    <span class="t3">{t("sync.done", { n: done, total: rows.length })}</span>
                )}
                <span class="seg push" role="group" aria-label={t("detail.result")}>
                    {pick("all", t("detail.resultAll", { n: rows.length }))}
                    {pick("changed", t("detail.resultChanged", { n: changed.length }))}
                    {pick("failed", t("detail.resultFailed", { n: failed.length }))}
                </span>
            </div>
            {shown.length === 0 ? (
                <p class="t3">{t(rows.length === 0 ? "sync.noRows" : "common.noMatch")}</p>
            ) : (
                <div class="scroll" tabIndex={0} role="group" aria-label={t("detail.result")}>
                    <table class="tbl compact results" aria-label={t("detail.result")}>
                        <thead>
                            <tr>
                                <th scope="col">{t("common.name")}</th>
                                <th scope="col">{t("detail.type")}</th>
                                <th scope="col">{t("detail.project")}</th>
                                <th scope="col">{t("sync.result")}</th>
                                <th scope="col">{t("apps.health")}</th>
                                <th scope="col">{t("detail.message")}</th>
                            </tr>
                        </thead>
                        <tbody ref={body}>
                            {span.above > 0 && (
                                <tr aria-hidden="true" style={{ height: `${span.above}px` }} />
                            )}
                            {shown.slice(span.from, span.to).map((r) => (
                                <Row key={r.key} r={r} />
                            ))}
                            {span.below > 0 && (
                                <tr aria-hidden="true" style={{ height: `${span.below}px` }} />
                            )}
                        </tbody>
                    </table>
                </div>
            )}
        </section>
    );
}

function stepText(s: Step, revision: string): string {
    if (s.name === "resolve") return revision || (s.state === "now" ? t("sync.resolving") : "–");
    if (s.name === "render") return s.done > 0 ? t("sync.resources", { n: s.done }) : "–";
    if (s.state === "later") return s.name === "prune" ? t("sync.nothingToPrune") : "–";
    if (s.name === "prune" && s.total === 0) return t("sync.nothingToPrune");
    if (s.name === "wait" && s.first)
        return s.more > 0
            ? t("sync.waitsMore", { who: s.first, n: s.more })
            : t("sync.waits", { who: s.first });
    if (s.name === "wait" && s.total === 0) return "–";
    return t("sync.done", { n: s.done, total: s.total });
}

const stepLooks = { done: "healthy", now: "progressing", later: "", failed: "degraded" };

function Steps({ list, revision }: { list: Step[]; revision: string }) {
    return (
        <ol class="progress" aria-label={t("sync.steps")}>
            {list.map((s) => (
                <li
                    key={s.name}
                    class={stepLooks[s.state]}
                    aria-current={s.state === "now" ? "step" : undefined}
                >
                    <span
                        class="track"
                        style={{
                            "--done":
                                s.state === "now" && s.total > 0
                                    ? `${(100 * s.done) / s.total}%`
                                    : s.state === "now"
                                      ? "50%"
                                      : s.state === "later"
                                        ? "0%"
                                        : "100%",
                        }}
                    />
                    <span class="m">{t(`sync.step.${s.name}` as Key)}</span>
                    <span class="sub wrap-any">{stepText(s, revision)}</span>
                    {s.state === "failed" && <span class="vh">{t("status.phase.Failed")}</span>}
                </li>
            ))}
        </ol>
    );
}

export function SyncTab({
    app,
    devops,
    facts,
}: {
    app: Application;
    devops: string;
    facts: Facts;
}) {
    const state = app.status?.operationState;
    const rows = useMemo(() => resultRows(app), [app]);
    void minute.value;
    const running = isRunning(app);
    if (!state && !running)
        return <Empty icon="i-sync" title={t("detail.noSync")} text={t("sync.neverHelp")} />;
    const list = steps(app, facts.sync);
    const who = state?.operation?.initiatedBy;
    const revision = (state?.syncResult?.revision ?? "").slice(0, 7);
    const message = running ? facts.message || state?.message : state?.message;
    const bad = state?.phase === "Failed" || state?.phase === "Error";
    const terminate = () =>
        send(
            "PATCH",
            addressOf(app),
            { status: { operationState: { phase: "Terminating" } } },
            "application/merge-patch+json",
        ).catch((e: Error) => toast(e.message, true));
    const fact = (name: string, value: preact.ComponentChildren) => (
        <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
        </div>
    );
    return (
        <div class="gap-top">
            <section class="card" aria-labelledby="ss">
                <div class="hd">
                    <h2 class="h" id="ss">
                        {running ? t("detail.currentSync") : t("detail.lastSync")}
                    </h2>
                    <PhaseStatus of={state?.phase ?? "Running"} />
                    {running && state?.phase === "Running" && (
                        <span class="push">
                            <Button
                                kind="small"
                                lacks={lacks("sync applications", devops)}
                                onClick={() => void terminate()}
                            >
                                {t("detail.terminate")}
                            </Button>
                        </span>
                    )}
                </div>
                <div class="pad col">
                    {message && bad && <Note look="degraded" text={message} />}
                    <Steps list={list} revision={revision} />
                    {message && !bad && <p class="t2 wrap-any">{message}</p>}
                    <dl class="facts wide">
                        {fact(t("detail.start"), exact(state?.startedAt))}
                        {fact(t("detail.end"), exact(state?.finishedAt))}
                        {fact(t("detail.duration"), duration(state?.startedAt, state?.finishedAt))}
                        {fact(
                            t("create.strategy"),
                            isAuto(app) ? t("apps.auto") : t("apps.manual"),
                        )}
                        {fact(t("apps.revision"), <code>{revision || "–"}</code>)}
                        {fact(
                            t("detail.startedBy"),
                            who?.automated ? t("detail.automated") : (who?.username ?? "–"),
                        )}
                    </dl>
                </div>
            </section>
            <Results rows={rows} running={running} />
        </div>
    );
}
