/* The table of deployments: sorted heads, rows near the visible part only, selection, row menu. */
import type { RefObject } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { t, storage, type Key } from "../i18n";
import type { Filter, Row, SortKey } from "../model";
import { href, setQuery } from "../router";
import { boot, lacks } from "../session";
import { Health, Icon, Sync, Time } from "../ui/kit";
import { Menu } from "../ui/overlay";
import { useSpan } from "../ui/window";

/** Columns that can be hidden; the name always stays. */
export const columns = ["health", "sync", "location", "updated", "revision"] as const;
export type Column = (typeof columns)[number];
export const columnTitles: Record<Column, Key> = {
    health: "apps.health",
    sync: "apps.sync",
    location: "apps.location",
    updated: "apps.updated",
    revision: "apps.revision",
};

export interface View {
    hidden: Column[];
    compact: boolean;
}

export function readView(): View {
    const words = (storage("taut.apps.view") ?? "").split(",");
    return {
        hidden: columns.filter((c) => words.includes(c)),
        compact: words.includes("compact"),
    };
}

export function saveView(view: View): void {
    storage("taut.apps.view", [...view.hidden, ...(view.compact ? ["compact"] : [])].join(","));
}

export function strategy(r: Row): string {
    if (!r.auto) return t("apps.manual");
    const more = [r.prune && t("apps.prune"), r.selfHeal && t("apps.selfHeal")].filter(Boolean);
    return [t("apps.auto"), ...more].join(", ");
}

/** "Deleting, 12 of 27" in the reader's language; what else it waits for as the server says it. */
export function deletingText(progress: string): string {
    const found = /^Deleting, (\d+) of (\d+)$/.exec(progress);
    if (found) return t("status.deletingOf", { n: found[1]!, total: found[2]! });
    return progress ? `${t("status.deleting")}: ${progress}` : t("status.deleting");
}

function SortHead({ label, by, filter }: { label: string; by: SortKey; filter: Filter }) {
    const on = filter.sort === by;
    return (
        <button
            type="button"
            onClick={() =>
                setQuery({ sort: by, order: on ? (filter.ascending ? "desc" : "asc") : "asc" })
            }
        >
            {label}
            {on && <Icon name="i-arrowdown" small />}
        </button>
    );
}

export type Verb = "info" | "settings" | "yaml" | "sync" | "delete";

interface RowProps {
    row: Row;
    devops: string;
    index: number;
    view: View;
    chosen: boolean;
    choose: (name: string, range: boolean) => void;
    act: (verb: Verb, name: string) => void;
}

function RowMenu({ row, devops, act }: Pick<RowProps, "row" | "devops" | "act">) {
    const change = lacks("patch applications", devops);
    const pick = (verb: Verb) => () => act(verb, row.name);
    return (
        <Menu
            label={t("common.more", { name: row.name })}
            icon="i-more"
            items={[
                {
                    label: t("apps.editInfo"),
                    icon: "i-edit",
                    onPick: pick("info"),
                    lacks: change,
                },
                {
                    label: t("apps.editSettings"),
                    icon: "i-settings",
                    onPick: pick("settings"),
                    lacks: change,
                },
                { label: t("apps.editYaml"), icon: "i-yaml", onPick: pick("yaml"), lacks: change },
                {
                    label: t("apps.syncNow"),
                    icon: "i-sync",
                    onPick: pick("sync"),
                    line: true,
                    lacks: lacks("sync applications", devops),
                },
                {
                    label: t("common.delete"),
                    icon: "i-trash",
                    onPick: pick("delete"),
                    risk: true,
                    line: true,
                    lacks: lacks("delete applications", devops),
                },
            ]}
        />
    );
}

function TableRow({ row, devops, index, view, chosen, choose, act }: RowProps) {
    const differ = row.differ > 0 ? t("apps.differ", { n: row.differ, total: row.total }) : "";
    const simulated = boot.value?.clusters.find((c) => c.name === row.cluster)?.simulated;
    const shows = (c: Column) => !view.hidden.includes(c);
    const sub = (text: string | undefined) => (view.compact ? undefined : text || undefined);
    return (
        <tr data-row={row.name} aria-rowindex={index + 2} class={chosen ? "on" : ""}>
            <td class="first">
                <input
                    type="checkbox"
                    aria-label={row.name}
                    checked={chosen}
                    onClick={(e) => choose(row.name, e.shiftKey)}
                />
            </td>
            <td class="c-name">
                <a class="name" href={href(`/devops/${devops}/apps/${row.name}`)} title={row.name}>
                    {row.name}
                </a>{" "}
                {row.alias && <span class="t3">{row.alias}</span>}
                {!view.compact && (
                    <span class="sub cut" title={row.description || row.repo}>
                        {row.description || row.repo}
                    </span>
                )}
            </td>
            {shows("health") && (
                <td class="c-health" title={view.compact ? row.healthWhy : undefined}>
                    <Health
                        of={row.health}
                        sub={sub(row.deleting ? deletingText(row.progress) : row.healthWhy)}
                    />
                </td>
            )}
            {shows("sync") && (
                <td class="c-sync">
                    <Sync of={row.sync} sub={sub(row.problem || differ || strategy(row))} />
                </td>
            )}
            {shows("location") && (
                <td class="c-loc">
                    {row.cluster}
                    {simulated && <span class="t3"> ({t("apps.simulated")})</span>}
                    <span class={view.compact ? "t3" : "sub cut"}>
                        {view.compact ? ` / ${row.project}` : row.project}
                    </span>
                </td>
            )}
            {shows("updated") && (
                <td class="c-time">
                    <Time at={row.updated} />
                </td>
            )}
            {shows("revision") && (
                <td class="c-rev">
                    {row.target}{" "}
                    <span class={view.compact ? "t3" : "sub"}>
                        <code>{row.revision || "–"}</code>
                    </span>
                </td>
            )}
            <td class="last">
                <RowMenu row={row} devops={devops} act={act} />
            </td>
        </tr>
    );
}

const widths: Record<Column, string> = {
    health: "18%",
    sync: "19%",
    location: "15%",
    updated: "11%",
    revision: "12%",
};

/** The height of a row as it is drawn: it differs between two lines, one line and a phone. */
function useRowHeight(body: RefObject<HTMLElement | null>, view: View, count: number): number {
    const [height, setHeight] = useState(view.compact ? 36 : 48);
    useLayoutEffect(() => {
        const look = () => {
            const row = body.current?.querySelector<HTMLElement>("[data-row]");
            if (row && row.offsetHeight > 0) setHeight(row.offsetHeight);
        };
        look();
        addEventListener("resize", look);
        return () => removeEventListener("resize", look);
    }, [view.compact, view.hidden.length, count === 0]);
    return height;
}

export function AppsTable({
    rows,
    filter,
    devops,
    view,
    chosen,
    choose,
    chooseAll,
    act,
    reveal,
}: {
    rows: Row[];
    filter: Filter;
    devops: string;
    view: View;
    chosen: Set<string>;
    choose: (name: string, range: boolean) => void;
    chooseAll: (on: boolean) => void;
    act: (verb: Verb, name: string) => void;
    /** Filled here: brings a row into view and gives its link the focus. */
    reveal: { current: (name: string) => void };
}) {
    const body = useRef<HTMLTableSectionElement>(null);
    const height = useRowHeight(body, view, rows.length);
    const ends = useMemo(
        () => Array.from({ length: rows.length }, (_, i) => (i + 1) * height),
        [rows.length, height],
    );
    const span = useSpan(ends, body, undefined, { whole: 30, margin: 240 });
    const waiting = useRef("");
    const focusRow = (name: string): boolean => {
        const link = body.current?.querySelector<HTMLElement>(
            `[data-row="${CSS.escape(name)}"] a.name`,
        );
        link?.focus({ preventScroll: true });
        link?.closest("tr")?.scrollIntoView({ block: "nearest" });
        return Boolean(link);
    };
    reveal.current = (name) => {
        if (focusRow(name)) return;
        /* Not drawn now: scroll to where it is, and focus it when it has been drawn. */
        const at = rows.findIndex((r) => r.name === name);
        const top = body.current?.getBoundingClientRect().top ?? 0;
        waiting.current = name;
        scrollTo({ top: scrollY + top + at * height - innerHeight / 2 });
    };
    useLayoutEffect(() => {
        if (waiting.current && focusRow(waiting.current)) waiting.current = "";
    });
    const shown = columns.filter((c) => !view.hidden.includes(c));
    const some = rows.some((r) => chosen.has(r.name));
    const all = some && rows.every((r) => chosen.has(r.name));
    const sortOf: Record<Column, SortKey | null> = {
        health: "health",
        sync: "sync",
        location: "location",
        updated: "updated",
        revision: null,
    };
    const sorted = (by: SortKey | null) =>
        by && filter.sort === by ? (filter.ascending ? "ascending" : "descending") : undefined;
    const order = (by: SortKey | null) => {
        const is = sorted(by);
        return is ? { "aria-sort": is as "ascending" | "descending" } : {};
    };
    return (
        <table
            class={`tbl stack fixed apps${view.compact ? " compact" : ""}`}
            aria-label={t("apps.title")}
            aria-rowcount={rows.length + 1}
        >
            <colgroup>
                <col style={{ width: "28px" }} />
                <col />
                {shown.map((c) => (
                    <col key={c} class={`k-${c}`} style={{ width: widths[c] }} />
                ))}
                <col style={{ width: "44px" }} />
            </colgroup>
            <thead>
                <tr aria-rowindex={1}>
                    <th class="first" scope="col">
                        <input
                            type="checkbox"
                            aria-label={t("apps.chooseAll")}
                            checked={all}
                            class={some && !all ? "some" : ""}
                            ref={(el) => {
                                if (el) el.indeterminate = some && !all;
                            }}
                            onClick={(e) => chooseAll(e.currentTarget.checked)}
                        />
                    </th>
                    <th scope="col" {...order("name")}>
                        <SortHead label={t("common.name")} by="name" filter={filter} />
                    </th>
                    {shown.map((c) => {
                        const by = sortOf[c];
                        return (
                            <th
                                scope="col"
                                key={c}
                                class={c === "revision" ? "c-rev" : ""}
                                {...order(by)}
                            >
                                {by ? (
                                    <SortHead label={t(columnTitles[c])} by={by} filter={filter} />
                                ) : (
                                    t(columnTitles[c])
                                )}
                            </th>
                        );
                    })}
                    <th scope="col" class="last">
                        <span class="vh">{t("common.moreActions")}</span>
                    </th>
                </tr>
            </thead>
            <tbody ref={body}>
                {span.above > 0 && (
                    <tr class="space" aria-hidden="true" style={{ height: `${span.above}px` }} />
                )}
                {rows.slice(span.from, span.to).map((r, i) => (
                    <TableRow
                        key={r.name}
                        row={r}
                        index={span.from + i}
                        devops={devops}
                        view={view}
                        chosen={chosen.has(r.name)}
                        choose={choose}
                        act={act}
                    />
                ))}
                {span.below > 0 && (
                    <tr class="space" aria-hidden="true" style={{ height: `${span.below}px` }} />
                )}
            </tbody>
        </table>
    );
}
