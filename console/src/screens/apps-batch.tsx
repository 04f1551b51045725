/* What is done to several deployments: one after the other, with what was skipped and why. */
import { useRef, useState } from "preact/hooks";
import { get, send } from "../api/client";
import type { Application } from "../api/types";
import { t, type Key } from "../i18n";
import type { Row } from "../model";
import { namespaceOf, lacks } from "../session";
import { Button, Choices, Icon, Note, TextField } from "../ui/kit";
import { Dialog } from "../ui/overlay";
import { remove } from "./delete-dialog";

export type Batch = "sync" | "refresh" | "delete";

type State = "waiting" | "running" | "done" | "skipped" | "failed";
interface Item {
    row: Row;
    state: State;
    why: string;
}

const looks: Record<State, string> = {
    waiting: "s-unknown",
    running: "s-progressing",
    done: "s-synced",
    skipped: "s-suspended",
    failed: "s-degraded",
};

/** Why it is not even tried, or "". */
export function skipReason(batch: Batch, row: Row): Key | "" {
    if (row.deleting) return "batch.deleting";
    if (batch === "sync" && (row.phase === "Running" || row.phase === "Terminating"))
        return "batch.running";
    return "";
}

async function run(batch: Batch, devops: string, row: Row, keep: boolean): Promise<void> {
    const at = `taut/v1/devops/${devops}/apps/${row.name}`;
    if (batch === "sync") await send("POST", `${at}/sync`, row.prune ? { prune: true } : {});
    else if (batch === "refresh") await send("POST", `${at}/refresh`);
    else {
        const place = namespaceOf(devops);
        const object = `apis/argoproj.io/v1alpha1/namespaces/${place}/applications/${row.name}`;
        await remove(await get<Application>(object), !keep, []);
    }
}

/** Runs the items in order; `stop` ends it before the next one. */
export function useBatch(batch: Batch, devops: string, rows: Row[]) {
    const [items, setItems] = useState<Item[]>([]);
    const stop = useRef(false);
    const start = async (keep: boolean) => {
        const all = rows.map((row): Item => ({ row, state: "waiting", why: "" }));
        const set = (at: number, state: State, why = "") => {
            all[at] = { ...all[at]!, state, why };
            setItems([...all]);
        };
        setItems([...all]);
        for (const [i, { row }] of all.entries()) {
            const skip = stop.current ? "batch.stopped" : skipReason(batch, row);
            if (skip) {
                set(i, "skipped", t(skip));
                continue;
            }
            set(i, "running");
            try {
                await run(batch, devops, row, keep);
                set(i, "done");
            } catch (e) {
                set(i, "failed", (e as Error).message);
            }
        }
    };
    return { items, start, stop: () => (stop.current = true) };
}

function Progress({ items }: { items: Item[] }) {
    const over = items.filter((i) => i.state !== "waiting" && i.state !== "running").length;
    const told = items.filter((i) => i.state !== "waiting").slice(-200);
    return (
        <div class="col">
            <p role="status">{t("batch.progress", { n: over, total: items.length })}</p>
            <progress
                value={over}
                max={items.length}
                aria-label={t("batch.progress", { n: over, total: items.length })}
            />
            <ul class="batch-list">
                {told.map((i) => (
                    <li key={i.row.name} class={looks[i.state].slice(2)}>
                        <Icon name={looks[i.state]} small spin={i.state === "running"} />
                        <span class="m">{i.row.name}</span>
                        <span class="t2 wrap-any">
                            {i.why || t(`batch.state.${i.state}` as Key)}
                        </span>
                    </li>
                ))}
            </ul>
        </div>
    );
}

export function BatchDialog({
    batch,
    devops,
    rows,
    close,
}: {
    batch: Batch;
    devops: string;
    rows: Row[];
    close: (done: boolean) => void;
}) {
    /* What was chosen when it was opened: rows that go meanwhile stay in the report. */
    const [chosen] = useState(rows);
    const work = useBatch(batch, devops, chosen);
    const [keep, setKeep] = useState("no");
    const [typed, setTyped] = useState("");
    const [started, setStarted] = useState(false);
    const busy = work.items.some((i) => i.state === "waiting" || i.state === "running");
    const n = chosen.length;
    const sure = batch !== "delete" || typed.trim() === String(n);
    const ok = () => {
        if (started || !sure) return;
        setStarted(true);
        void work.start(keep === "yes");
    };
    return (
        <Dialog
            title={t(`batch.${batch}` as Key, { n })}
            size="s"
            onClose={() => (busy ? work.stop() : close(started))}
            onPrimary={ok}
            footer={
                <span class="push row">
                    {busy ? (
                        <Button onClick={work.stop}>{t("batch.stop")}</Button>
                    ) : (
                        <Button onClick={() => close(started)}>
                            {t(started ? "common.close" : "common.cancel")}
                        </Button>
                    )}
                    {!started && (
                        <Button
                            kind={batch === "delete" ? "danger" : "primary"}
                            busy={!sure}
                            onClick={ok}
                        >
                            {t(`batch.${batch}` as Key, { n })}
                        </Button>
                    )}
                </span>
            }
        >
            <div class="body col">
                {started ? (
                    <Progress items={work.items} />
                ) : (
                    <>
                        <ul class="batch-list">
                            {chosen.slice(0, 200).map((r) => {
                                const why = skipReason(batch, r);
                                return (
                                    <li key={r.name}>
                                        <span class="m">{r.name}</span>
                                        {why && <span class="t3">{t(why)}</span>}
                                    </li>
                                );
                            })}
                            {n > 200 && <li class="t3">{t("batch.more", { n: n - 200 })}</li>}
                        </ul>
                        {batch === "delete" && (
                            <>
                                <Choices
                                    label={t("batch.delete", { n })}
                                    value={keep}
                                    options={[
                                        {
                                            value: "no",
                                            label: t("batch.withResources"),
                                            help: t("batch.withResourcesHelp"),
                                        },
                                        {
                                            value: "yes",
                                            label: t("delete.keep"),
                                            help: t("batch.keepHelp"),
                                        },
                                    ]}
                                    onValue={setKeep}
                                />
                                {keep === "no" && (
                                    <Note look="degraded" text={t("batch.deleteWarning")} />
                                )}
                                <TextField
                                    label={t("batch.type", { n })}
                                    value={typed}
                                    onValue={setTyped}
                                />
                            </>
                        )}
                    </>
                )}
            </div>
        </Dialog>
    );
}

/** The bar over the table while something is chosen. */
export function SelectionBar({
    rows,
    devops,
    start,
    clear,
}: {
    rows: Row[];
    devops: string;
    start: (batch: Batch) => void;
    clear: () => void;
}) {
    const differ = rows.reduce((n, r) => n + r.differ, 0);
    const n = rows.length;
    return (
        <div class="selection" role="toolbar" aria-label={t("apps.selected", { n })}>
            <span class="m">{t("apps.selected", { n })}</span>
            {differ > 0 && <span class="t2">{t("apps.selectedDiffer", { n: differ })}</span>}
            <span class="push row">
                <Button
                    kind="small"
                    icon="i-refresh"
                    lacks={lacks("sync applications", devops)}
                    onClick={() => start("refresh")}
                >
                    {t("common.refresh")}
                </Button>
                <Button
                    kind="small"
                    icon="i-sync"
                    lacks={lacks("sync applications", devops)}
                    onClick={() => start("sync")}
                >
                    {t("apps.syncN", { n })}
                </Button>
                <Button
                    kind="ghost small apart"
                    icon="i-trash"
                    lacks={lacks("delete applications", devops)}
                    onClick={() => start("delete")}
                >
                    {t("common.delete")}
                </Button>
                <Button
                    kind="ghost small icon"
                    icon="i-close"
                    aria-label={t("apps.clearSelection")}
                    onClick={clear}
                />
            </span>
        </div>
    );
}
