/* Delete: what goes, what stays and why, the typed name where it matters; Forget where nobody answers. */
import { useMemo, useRef, useState } from "preact/hooks";
import { ApiError, send } from "../api/client";
import type { Application } from "../api/types";
import { deleteCommand } from "../command";
import { t } from "../i18n";
import { clusterOf, FINALIZER } from "../model";
import { usePreview, type Preview, type PreviewRow } from "../preview";
import { boot } from "../session";
import { useAction } from "../ui/action";
import { Button, Check, Choices, CopyButton, Note, Skeleton, TextField } from "../ui/kit";
import { Dialog } from "../ui/overlay";
import { EffectTable } from "./effect";

const MERGE = "application/merge-patch+json";
export const ALSO = "taut.dev/delete-also";

function addressOf(app: Application): string {
    return `apis/argoproj.io/v1alpha1/namespaces/${app.metadata.namespace}/applications/${app.metadata.name}`;
}

const nameOf = (row: PreviewRow) => `${row.kind}/${row.name}`;

const APPROVED = "argocd.argoproj.io/deletion-approved";

/** What a deletion that runs waits for a person to approve (Delete=confirm); "" = nothing. */
export function approvalOf(app: Application): string {
    const message = app.status?.operationState?.message ?? "";
    const waits = /^waiting for deletion confirmation of /.test(message);
    return app.metadata.deletionTimestamp && waits ? message : "";
}

/** Kept unless ticked: definitions, and namespaces that hold what would be lost. */
export function canTick(row: PreviewRow): boolean {
    return row.reason === "definition" || (row.reason === "when-empty" && Boolean(row.held));
}

export function goesWith(row: PreviewRow, ticked: Set<string>): boolean {
    return row.effect === "delete" || (canTick(row) && ticked.has(nameOf(row)));
}

export async function remove(app: Application, cascade: boolean, also: string[]): Promise<void> {
    const others = (app.metadata.finalizers ?? []).filter((f) => !f.startsWith(FINALIZER));
    await send(
        "PATCH",
        addressOf(app),
        {
            metadata: {
                finalizers: cascade ? [...others, FINALIZER] : others,
                annotations: { [ALSO]: cascade && also.length > 0 ? also.join(",") : null },
            },
        },
        MERGE,
    );
    try {
        await send("DELETE", addressOf(app));
    } catch (e) {
        /* Taking the finalizers off one that was being deleted has ended it. */
        if (!(e instanceof ApiError) || e.status !== 404) throw e;
    }
}

function Ticks({
    rows,
    ticked,
    onTick,
}: {
    rows: PreviewRow[];
    ticked: Set<string>;
    onTick: (name: string, on: boolean) => void;
}) {
    if (rows.length === 0) return null;
    return (
        <fieldset class="col list">
            <legend class="lab">{t("delete.also")}</legend>
            {rows.map((row) => (
                <Check
                    key={nameOf(row)}
                    label={`${row.kind} ${row.name}`}
                    help={
                        row.held
                            ? t("delete.holds", { what: row.held })
                            : row.objects === undefined
                              ? t("delete.objectsUnknown")
                              : t(row.objectsAreMore ? "delete.objectsMore" : "delete.objects", {
                                    n: row.objects,
                                })
                    }
                    checked={ticked.has(nameOf(row))}
                    onValue={(on) => onTick(nameOf(row), on)}
                />
            ))}
        </fieldset>
    );
}

function What({
    preview,
    ticked,
    onTick,
}: {
    preview: Preview;
    ticked: Set<string>;
    onTick: (name: string, on: boolean) => void;
}) {
    const box = useRef<HTMLDivElement>(null);
    const rows = useMemo(
        () =>
            preview.resources.map((r) =>
                goesWith(r, ticked) ? { ...r, effect: "delete" as const } : r,
            ),
        [preview, ticked],
    );
    const going = rows.filter((r) => r.effect === "delete").length;
    if (rows.length === 0) return <Note title={t("delete.nothing")} />;
    return (
        <>
            <div class="col card goes-card">
                <p class="row between">
                    <strong class="m">{t("delete.these")}</strong>
                    <span class="t3">{t("delete.count", { n: going, total: rows.length })}</span>
                </p>
                <div
                    class="goes"
                    ref={box}
                    tabIndex={0}
                    role="group"
                    aria-label={t("delete.these")}
                >
                    <EffectTable
                        rows={[...rows].sort((a, b) => (a.effect < b.effect ? -1 : 1))}
                        label={t("delete.these")}
                        scroller={box}
                    />
                </div>
            </div>
            <Ticks rows={preview.resources.filter(canTick)} ticked={ticked} onTick={onTick} />
        </>
    );
}

export function DeleteDialog({ app, close }: { app: Application; close: () => void }) {
    const devops = app.spec.project;
    const name = app.metadata.name;
    const [cascade, setCascade] = useState("yes");
    const [ticked, setTicked] = useState<Set<string>>(new Set());
    const [typed, setTyped] = useState("");
    const action = useAction(close);
    const preview = usePreview(devops, { name, deletion: true });
    const cluster = boot.value?.clusters.find((c) => c.name === clusterOf(app));
    const production = cluster?.environment === "production";
    const going = (preview.value?.resources ?? []).filter((r) => goesWith(r, ticked)).length;
    const gone = cascade === "yes" && preview.value?.error?.at === "cluster";
    const tick = (key: string, on: boolean) => {
        const next = new Set(ticked);
        if (on) next.add(key);
        else next.delete(key);
        setTicked(next);
    };
    const approval = approvalOf(app);
    const approve = () =>
        void action.run(
            () =>
                send(
                    "PATCH",
                    addressOf(app),
                    {
                        metadata: {
                            annotations: {
                                [APPROVED]: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
                            },
                        },
                    },
                    MERGE,
                ),
            t("delete.approved"),
        );
    const ok = (with_: boolean) => {
        if (production && typed !== name) {
            action.setError(t("delete.typeName", { name }));
            return;
        }
        void action.run(
            () => remove(app, with_, [...ticked]),
            t(with_ ? "delete.started" : "delete.forgotten", { name }),
        );
    };
    return (
        <Dialog
            title={t("delete.title", { name })}
            sub={t("delete.where", {
                project: app.spec.destination.namespace ?? "",
                cluster: clusterOf(app),
            })}
            onClose={close}
            error={action.error || undefined}
            footer={
                <>
                    <span class="t2 wide">
                        {production && t("delete.production", { cluster: clusterOf(app) })}
                    </span>
                    <span class="push row">
                        <CopyButton
                            label={t("common.copyCommand")}
                            text={deleteCommand(devops, app, cascade === "yes")}
                        />
                        <Button onClick={close}>{t("common.cancel")}</Button>
                        {gone && (
                            <Button busy={action.busy} onClick={() => ok(false)}>
                                {t("delete.forget")}
                            </Button>
                        )}
                        <Button
                            kind="danger"
                            busy={action.busy}
                            onClick={() => ok(cascade === "yes")}
                        >
                            {cascade === "yes" && going > 0
                                ? t("delete.buttonCount", { n: going })
                                : t("delete.button")}
                        </Button>
                    </span>
                </>
            }
        >
            <div class="body col">
                <Choices
                    label={t("delete.title", { name })}
                    value={cascade}
                    options={[
                        {
                            value: "yes",
                            label: t("delete.withResources"),
                            help: t("delete.withResourcesWhere", {
                                project: app.spec.destination.namespace ?? "",
                                cluster: clusterOf(app),
                            }),
                        },
                        { value: "no", label: t("delete.keep"), help: t("delete.keepHelp") },
                    ]}
                    onValue={setCascade}
                />
                {approval && (
                    <Note look="outofsync" title={t("delete.approval")} text={approval}>
                        <Button kind="small" busy={action.busy} onClick={approve}>
                            {t("delete.approve")}
                        </Button>
                    </Note>
                )}
                {gone && (
                    <Note
                        look="outofsync"
                        title={t("delete.unreachable", { cluster: clusterOf(app) })}
                        text={preview.value!.error!.message}
                    >
                        <p class="t2">{t("delete.forgetHelp")}</p>
                    </Note>
                )}
                {cascade === "yes" && !preview.value && !preview.error && <Skeleton rows={4} />}
                {cascade === "yes" && preview.error && (
                    <Note look="degraded" title={t("preview.failed")} text={preview.error} />
                )}
                {cascade === "yes" && preview.value && !preview.value.error && (
                    <What preview={preview.value} ticked={ticked} onTick={tick} />
                )}
                {production && (
                    <TextField
                        label={t("delete.type", { name })}
                        value={typed}
                        onValue={setTyped}
                    />
                )}
            </div>
        </Dialog>
    );
}
