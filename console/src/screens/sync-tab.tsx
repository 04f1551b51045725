/* Sync Status and Sync Result, live while an operation runs; History. */
import { useState } from "preact/hooks";
import { send } from "../api/client";
import type { Application, ResourceResult } from "../api/types";
import { duration, exact, t, type Key } from "../i18n";
import { isAuto, keyOf } from "../model";
import { Button, Empty, minute, Note, PhaseStatus, Status } from "../ui/kit";
import { toast } from "../ui/overlay";
import { addressOf } from "./dialogs";

const looks: Record<string, string> = {
    Synced: "synced",
    SyncFailed: "degraded",
    Pruned: "synced",
    PruneSkipped: "unknown",
    Running: "progressing",
};

function stateOf(r: ResourceResult): string {
    return r.hookPhase === "Running" && r.status !== "SyncFailed" && r.status !== "Synced"
        ? "Running"
        : (r.status ?? "Running");
}

function Results({ results }: { results: ResourceResult[] }) {
    const [show, setShow] = useState("all");
    const failed = results.filter((r) => r.status === "SyncFailed");
    const changed = results.filter((r) => !(r.message ?? "").endsWith("unchanged"));
    const shown = show === "failed" ? failed : show === "changed" ? changed : results;
    const pick = (name: string, label: string) => (
        <button type="button" aria-pressed={show === name} onClick={() => setShow(name)}>
            {label}
        </button>
    );
    return (
        <section aria-labelledby="sr" class="gap-top">
            <div class="row between">
                <h2 class="h" id="sr">
                    {t("detail.result")}
                </h2>
                <span class="seg" role="group" aria-label={t("detail.result")}>
                    {pick("all", t("detail.resultAll", { n: results.length }))}
                    {pick("changed", t("detail.resultChanged", { n: changed.length }))}
                    {pick("failed", t("detail.resultFailed", { n: failed.length }))}
                </span>
            </div>
            <div class="scroll" tabIndex={0} role="group" aria-label={t("detail.result")}>
                <table class="tbl compact" aria-label={t("detail.result")}>
                    <thead>
                        <tr>
                            <th scope="col">{t("common.name")}</th>
                            <th scope="col">{t("detail.type")}</th>
                            <th scope="col">{t("detail.project")}</th>
                            <th scope="col">{t("apps.sync")}</th>
                            <th scope="col">{t("detail.message")}</th>
                        </tr>
                    </thead>
                    <tbody>
                        {shown.map((r) => (
                            <tr key={keyOf(r)}>
                                <td class="m">{r.name}</td>
                                <td class="t2">{r.kind}</td>
                                <td class="t2">{r.namespace ?? ""}</td>
                                <td>
                                    <Status
                                        look={looks[stateOf(r)] ?? "unknown"}
                                        word={t(`status.result.${stateOf(r)}` as Key)}
                                    />
                                </td>
                                <td class="t2 wrap-any">{r.message ?? ""}</td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
        </section>
    );
}

export function SyncTab({ app }: { app: Application }) {
    const state = app.status?.operationState;
    void minute.value;
    if (!state) return <Empty icon="i-sync" title={t("detail.noSync")} />;
    const running = state.phase === "Running" || state.phase === "Terminating";
    const who = state.operation?.initiatedBy;
    const terminate = () =>
        send(
            "PATCH",
            addressOf(app),
            { status: { operationState: { phase: "Terminating" } } },
            "application/merge-patch+json",
        ).catch((e: Error) => toast(e.message, true));
    return (
        <div class="gap-top">
            <section class="card" aria-labelledby="ss">
                <div class="hd">
                    <h2 class="h" id="ss">
                        {running ? t("detail.currentSync") : t("detail.lastSync")}
                    </h2>
                    <PhaseStatus of={state.phase} />
                    {running && (
                        <span class="push">
                            <Button kind="small" onClick={() => void terminate()}>
                                {t("detail.terminate")}
                            </Button>
                        </span>
                    )}
                </div>
                <div class="pad col">
                    {state.message && (
                        <Note
                            look={
                                state.phase === "Failed" || state.phase === "Error"
                                    ? "degraded"
                                    : running
                                      ? "progressing"
                                      : "healthy"
                            }
                            text={state.message}
                        />
                    )}
                    <dl class="facts wide">
                        <div>
                            <dt>{t("detail.start")}</dt>
                            <dd>{exact(state.startedAt)}</dd>
                        </div>
                        <div>
                            <dt>{t("detail.end")}</dt>
                            <dd>{exact(state.finishedAt)}</dd>
                        </div>
                        <div>
                            <dt>{t("detail.duration")}</dt>
                            <dd>{duration(state.startedAt, state.finishedAt)}</dd>
                        </div>
                        <div>
                            <dt>{t("create.strategy")}</dt>
                            <dd>{isAuto(app) ? t("apps.auto") : t("apps.manual")}</dd>
                        </div>
                        <div>
                            <dt>{t("apps.revision")}</dt>
                            <dd>
                                <code>{(state.syncResult?.revision ?? "–").slice(0, 7)}</code>
                            </dd>
                        </div>
                        <div>
                            <dt>{t("detail.startedBy")}</dt>
                            <dd>
                                {who?.automated ? t("detail.automated") : (who?.username ?? "–")}
                            </dd>
                        </div>
                    </dl>
                </div>
            </section>
            <Results results={state.syncResult?.resources ?? []} />
        </div>
    );
}

export function History({ app }: { app: Application }) {
    const entries = [...(app.status?.history ?? [])].reverse();
    if (entries.length === 0)
        return (
            <Empty icon="i-clock" title={t("detail.noHistory")} text={t("detail.noHistoryHelp")} />
        );
    return (
        <div class="scroll gap-top" tabIndex={0} role="group" aria-label={t("detail.history")}>
            <table class="tbl compact" aria-label={t("detail.history")}>
                <thead>
                    <tr>
                        <th scope="col">{t("detail.id")}</th>
                        <th scope="col">{t("apps.revision")}</th>
                        <th scope="col">{t("detail.end")}</th>
                        <th scope="col">{t("detail.duration")}</th>
                        <th scope="col">{t("detail.startedBy")}</th>
                    </tr>
                </thead>
                <tbody>
                    {entries.map((h) => (
                        <tr key={h.id}>
                            <td class="m">{h.id}</td>
                            <td>
                                <code>{(h.revision ?? "").slice(0, 7)}</code>
                            </td>
                            <td class="t2">{exact(h.deployedAt)}</td>
                            <td class="t2">{duration(h.deployStartedAt, h.deployedAt)}</td>
                            <td class="t2">
                                {h.initiatedBy?.automated
                                    ? t("detail.automated")
                                    : (h.initiatedBy?.username ?? "–")}
                            </td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}
