/* Differences, cluster left and Git right; side by side when there is room, else unified. */
import { useMemo, useState } from "preact/hooks";
import type { Application } from "../api/types";
import { t } from "../i18n";
import { useLoad } from "../load";
import { diffLines, keyOf, type DiffLine } from "../model";
import { Empty, Sync, Time } from "../ui/kit";
import { toYaml } from "../yaml";
import { Loaded } from "./page";

export interface DiffItem {
    group?: string;
    kind: string;
    namespace?: string;
    name: string;
    status?: "Synced" | "OutOfSync" | "Unknown";
    reason?: string;
    message?: string;
    ignored?: boolean;
    live?: unknown;
    wanted?: unknown;
    fields?: { path: string; live?: unknown; wanted?: unknown; manager?: string; time?: string }[];
}

/** As YAML, without what the server keeps for itself. */
export function readable(object: unknown): string {
    if (typeof object !== "object" || object === null) return "";
    const copy = structuredClone(object) as Record<string, unknown>;
    delete copy.status;
    const meta = copy.metadata as Record<string, unknown> | undefined;
    for (const own of [
        "managedFields",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
    ])
        delete meta?.[own];
    return toYaml(copy);
}

function Unified({ lines }: { lines: DiffLine[] }) {
    return (
        <table class="diff">
            <colgroup>
                <col style={{ width: "44px" }} />
                <col style={{ width: "44px" }} />
                <col />
            </colgroup>
            <tbody>
                {lines.map((l, i) =>
                    l.kind === "gap" ? (
                        <tr class="gap" key={i}>
                            <td colSpan={3}>{t("detail.gap", { n: l.count ?? 0 })}</td>
                        </tr>
                    ) : (
                        <tr key={i}>
                            <td class="ln">{l.left ?? ""}</td>
                            <td class="ln">{l.right ?? ""}</td>
                            <td class={`c ${l.kind === "same" ? "" : l.kind}`}>{l.text}</td>
                        </tr>
                    ),
                )}
            </tbody>
        </table>
    );
}

function Item({ item }: { item: DiffItem }) {
    const [open, setOpen] = useState(true);
    const lines = useMemo(
        () => diffLines(readable(item.live), readable(item.wanted)),
        [item.live, item.wanted],
    );
    return (
        <section class="card gap-top" aria-label={`${item.kind} ${item.name}`}>
            <div class="hd">
                <button
                    type="button"
                    class="link"
                    aria-expanded={open}
                    onClick={() => setOpen(!open)}
                >
                    {item.kind} {item.namespace ? `${item.namespace}/` : ""}
                    {item.name}
                </button>
                <span class="push">{item.status && <Sync of={item.status} />}</span>
            </div>
            {item.message && <p class="pad t2 wrap-any">{item.message}</p>}
            {open && <Unified lines={lines} />}
            {open && (item.fields ?? []).length > 0 && (
                <ul class="pad t2">
                    {item.fields!.map((f) => (
                        <li key={f.path}>
                            <code>{f.path}</code>
                            {f.manager && ` · ${t("detail.setBy", { who: f.manager })}`}
                            {f.time && (
                                <>
                                    {" "}
                                    <Time at={f.time} />
                                </>
                            )}
                        </li>
                    ))}
                </ul>
            )}
        </section>
    );
}

export function Diff({ app, devops }: { app: Application; devops: string }) {
    const stamp = `${app.status?.sync?.revision ?? ""}-${app.status?.reconciledAt ?? ""}`;
    const load = useLoad<{ items: DiffItem[] }>(
        `taut/v1/devops/${devops}/apps/${app.metadata.name}/diff?at=${encodeURIComponent(stamp)}`,
    );
    return (
        <Loaded ready={load.value !== null} error={load.error} again={load.again}>
            {() => {
                const items = (load.value?.items ?? []).filter((x) => x.status !== "Synced");
                if (items.length === 0)
                    return (
                        <Empty
                            icon="i-diff"
                            title={t("detail.noDiff")}
                            text={t("detail.noDiffHelp")}
                        />
                    );
                return (
                    <>
                        <p class="t3 gap-top">
                            <span class="minus">− {t("detail.live")}</span>{" "}
                            <span class="plus">+ {t("detail.desired")}</span>
                        </p>
                        {items.map((x) => (
                            <Item item={x} key={keyOf(x)} />
                        ))}
                    </>
                );
            }}
        </Loaded>
    );
}
