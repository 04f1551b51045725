/*
 * Continuous Deployments: status strip that filters (or inside, and between), search, sort, columns,
 * selection with work on several, keys. Live; filters and sorting are in the address.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { send } from "../api/client";
import type { Application, AppRow, HealthStatus, Repository, SyncStatus } from "../api/types";
import { t, type Key } from "../i18n";
import { useLive } from "../live";
import { select, rowFrom, type Filter, type Row, type SortKey } from "../model";
import { closeDialog, dialog, dialogOn, go, href, openDialog, query, setQuery } from "../router";
import { devopsOf, lacks, namespaceOf, may } from "../session";
import { FilterChip } from "../ui/chip";
import { useKeys } from "../ui/keys";
import { Button, Empty, healthLooks, Icon, syncLooks } from "../ui/kit";
import { Menu, toast } from "../ui/overlay";
import { useLoad } from "../load";
import { BatchDialog, SelectionBar, type Batch } from "./apps-batch";
import { AppsTable, columns, columnTitles, readView, saveView, type Verb } from "./apps-table";
import { CreateWizard } from "./create";
import { DeleteDialog, InfoDialog, SettingsDialog, SyncDialog, YamlDialog } from "./dialogs";
import { Loaded } from "./page";
import { Head, Shell } from "./shell";

export { strategy } from "./apps-table";
export const APPS = "apis/argoproj.io/v1alpha1/namespaces";
const healths: HealthStatus[] = [
    "Healthy",
    "Degraded",
    "Progressing",
    "Suspended",
    "Missing",
    "Unknown",
];
const syncs: SyncStatus[] = ["Synced", "OutOfSync", "Unknown"];

function toggled(list: string[], value: string): string {
    return (list.includes(value) ? list.filter((x) => x !== value) : [...list, value]).join(",");
}

function readFilter(): Filter {
    const q = query.value;
    const list = (key: string) => (q.get(key) ?? "").split(",").filter(Boolean);
    return {
        text: q.get("q") ?? "",
        health: list("health"),
        sync: list("sync"),
        cluster: list("cluster"),
        sort: (q.get("sort") as SortKey | null) ?? "created",
        ascending: q.get("order") === "asc",
    };
}

function Strip({ rows, filter }: { rows: Row[]; filter: Filter }) {
    const part = (
        title: string,
        param: "health" | "sync",
        values: string[],
        looks: Record<string, string>,
        of: (r: Row) => string,
    ) => {
        const tally = new Map<string, number>();
        for (const r of rows) tally.set(of(r), (tally.get(of(r)) ?? 0) + 1);
        const counts = values.map((v) => tally.get(v) ?? 0);
        return (
            <div>
                <h2 id={`strip-${param}`}>{title}</h2>
                <ul aria-labelledby={`strip-${param}`}>
                    {values.map((v, i) => (
                        <li key={v} class={counts[i] === 0 ? "zero" : ""}>
                            <button
                                type="button"
                                class={looks[v]!}
                                aria-pressed={filter[param].includes(v)}
                                onClick={() => setQuery({ [param]: toggled(filter[param], v) })}
                            >
                                <span class="fig">
                                    <Icon name={`s-${looks[v]}`} />
                                    {counts[i]}
                                </span>
                                <span class="w">{t(`status.${param}.${v}` as Key)}</span>
                            </button>
                        </li>
                    ))}
                </ul>
                <div class="meter" aria-hidden="true">
                    {values.map((v, i) => (
                        <i class={looks[v]!} style={{ "--n": counts[i]! }} key={v} />
                    ))}
                </div>
            </div>
        );
    };
    return (
        <section class="strip">
            {part(t("apps.health"), "health", healths, healthLooks, (r) => r.health)}
            {part(t("apps.sync"), "sync", syncs, syncLooks, (r) => r.sync)}
        </section>
    );
}

export function AppDialog({
    verb,
    app,
    close,
}: {
    verb: string;
    app: Application | undefined;
    close: () => void;
}) {
    if (!app) return null;
    if (verb === "info") return <InfoDialog app={app} close={close} />;
    if (verb === "settings") return <SettingsDialog app={app} close={close} />;
    if (verb === "yaml") return <YamlDialog app={app} close={close} />;
    if (verb === "sync") return <SyncDialog app={app} close={close} />;
    if (verb === "delete") return <DeleteDialog app={app} close={close} />;
    return null;
}

/** The dialog of a row: rows do not hold the whole Application. */
function NamedAppDialog({
    devops,
    name,
    ...rest
}: {
    devops: string;
    name: string;
    verb: string;
    close: () => void;
}) {
    const app = useLive<Application>(`app:${devops}/${name}`);
    return <AppDialog app={app.value.value ?? undefined} {...rest} />;
}

const cleared = { q: null, health: null, sync: null, cluster: null };

function ActiveFilters({ filter }: { filter: Filter }) {
    const part = (title: Key, param: "health" | "sync") =>
        filter[param].length > 0 && (
            <button type="button" class="chip on" onClick={() => setQuery({ [param]: null })}>
                {t("common.filterIs", {
                    label: t(title),
                    value: filter[param].map((v) => t(`status.${param}.${v}` as Key)).join(", "),
                })}
                <Icon name="i-close" small />
                <span class="vh">{t("common.filterClear", { label: t(title) })}</span>
            </button>
        );
    return (
        <>
            {part("apps.health", "health")}
            {part("apps.sync", "sync")}
        </>
    );
}

/** Rows that came up while somebody reads further down wait until they are asked for. */
function useArrivals(
    all: Row[],
    busy: boolean,
): { shown: Row[]; waiting: number; show: () => void } {
    const known = useRef<Set<string> | null>(null);
    const [, again] = useState(0);
    const take = () => (known.current = new Set(all.map((r) => r.name)));
    if (all.length > 0 && (known.current === null || (scrollY < 80 && !busy))) take();
    const shown = useMemo(
        () => (known.current ? all.filter((r) => known.current!.has(r.name)) : all),
        [all, known.current],
    );
    return {
        shown,
        waiting: all.length - shown.length,
        show: () => {
            take();
            again((n) => n + 1);
            scrollTo({ top: 0 });
        },
    };
}

function useSelection(rows: Row[]) {
    const [names, setNames] = useState<Set<string>>(new Set());
    const anchor = useRef("");
    const chosen = rows.filter((r) => names.has(r.name));
    const choose = (name: string, range: boolean) => {
        const next = new Set(names);
        const from = rows.findIndex((r) => r.name === anchor.current);
        const to = rows.findIndex((r) => r.name === name);
        const on = !names.has(name);
        if (range && from >= 0 && to >= 0)
            for (const r of rows.slice(Math.min(from, to), Math.max(from, to) + 1))
                next.add(r.name);
        else if (on) next.add(name);
        else next.delete(name);
        anchor.current = name;
        setNames(next);
    };
    return {
        names,
        chosen,
        choose,
        chooseAll: (on: boolean) => setNames(on ? new Set(rows.map((r) => r.name)) : new Set()),
        clear: () => setNames(new Set()),
    };
}

async function refresh(devops: string, name: string): Promise<void> {
    try {
        await send("POST", `taut/v1/devops/${devops}/apps/${name}/refresh`);
        toast(t("apps.refreshing", { name }));
    } catch (e) {
        toast((e as Error).message, true);
    }
}

/** The row that has the focus, or that had it last. */
function useRowKeys(
    devops: string,
    rows: Row[],
    choose: (name: string, range: boolean) => void,
    search: () => void,
) {
    const reveal = useRef<(name: string) => void>(() => undefined);
    const at = useRef("");
    useEffect(() => {
        const on = (e: FocusEvent) => {
            const row = (e.target as Element).closest?.("[data-row]");
            if (row) at.current = row.getAttribute("data-row")!;
        };
        addEventListener("focusin", on);
        return () => removeEventListener("focusin", on);
    }, []);
    const move = (by: number, range: boolean) => {
        const now = rows.findIndex((r) => r.name === at.current);
        const next = rows[Math.max(0, Math.min(rows.length - 1, now < 0 ? 0 : now + by))];
        if (!next) return;
        if (range && now >= 0) {
            choose(at.current, false);
            choose(next.name, true);
        }
        at.current = next.name;
        reveal.current(next.name);
    };
    const here = (run: (name: string) => void) => () => {
        if (rows.some((r) => r.name === at.current)) run(at.current);
    };
    const page = (tab: string) => here((name) => go(`/devops/${devops}/apps/${name}?tab=${tab}`));
    useKeys({
        "/": search,
        j: () => move(1, false),
        k: () => move(-1, false),
        s: here((name) => {
            if (may("sync applications", devops)) openDialog("sync", name);
        }),
        r: here((name) => {
            if (may("sync applications", devops)) void refresh(devops, name);
        }),
        d: page("diff"),
        h: page("history"),
    });
    /* Arrows scroll the page unless a row has the focus. */
    const onKeyDown = (e: KeyboardEvent) => {
        if (!(e.target as Element).matches("a.name")) return;
        if (e.key === "ArrowDown" || e.key === "ArrowUp")
            move(e.key === "ArrowDown" ? 1 : -1, e.shiftKey);
        else if (e.key === " ") choose(at.current, e.shiftKey);
        else return;
        e.preventDefault();
    };
    return { reveal, onKeyDown };
}

function ViewMenu({
    view,
    onView,
}: {
    view: ReturnType<typeof readView>;
    onView: (v: typeof view) => void;
}) {
    return (
        <Menu
            label={t("apps.columns")}
            icon="i-settings"
            items={[
                ...columns.map((c) => ({
                    label: t(columnTitles[c]),
                    icon: "i-none",
                    toggles: true,
                    checked: !view.hidden.includes(c),
                    onPick: () =>
                        onView({
                            ...view,
                            hidden: view.hidden.includes(c)
                                ? view.hidden.filter((x) => x !== c)
                                : [...view.hidden, c],
                        }),
                })),
                {
                    label: t("apps.compact"),
                    icon: "i-none",
                    toggles: true,
                    checked: view.compact,
                    line: true,
                    onPick: () => onView({ ...view, compact: !view.compact }),
                },
            ]}
        />
    );
}

function List({ devops, all }: { devops: string; all: Row[] }) {
    const filter = readFilter();
    const [view, setView] = useState(readView);
    const [batch, setBatch] = useState<Batch | null>(null);
    const search = useRef<HTMLInputElement>(null);
    const busy = useRef(false);
    const arrivals = useArrivals(all, busy.current);
    const rows = useMemo(
        () => select(arrivals.shown, filter),
        [arrivals.shown, query.value.toString()],
    );
    const selection = useSelection(rows);
    busy.current = selection.chosen.length > 0 || batch !== null;
    const keys = useRowKeys(devops, rows, selection.choose, () => search.current?.focus());
    const clusters = useMemo(() => {
        const counts = new Map<string, number>();
        for (const r of all) counts.set(r.cluster, (counts.get(r.cluster) ?? 0) + 1);
        return [...counts].sort().map(([value, count]) => ({ value, label: value, count }));
    }, [all]);
    const filtered =
        filter.text || filter.health.length || filter.sync.length || filter.cluster.length;
    const act = (verb: Verb, name: string) => openDialog(verb, name);

    return (
        <>
            <Strip rows={all} filter={filter} />
            <div class="bar" role="search">
                <div class="box find-box">
                    <Icon name="i-search" />
                    <input
                        ref={search}
                        class="in"
                        type="search"
                        aria-label={t("apps.search")}
                        placeholder={t("apps.search")}
                        value={filter.text}
                        onInput={(e) => setQuery({ q: e.currentTarget.value })}
                    />
                </div>
                <ActiveFilters filter={filter} />
                <FilterChip
                    label={t("apps.cluster")}
                    options={clusters}
                    chosen={filter.cluster}
                    onChoose={(to) => setQuery({ cluster: to.join(",") })}
                />
                {Boolean(filtered) && (
                    <button type="button" class="link" onClick={() => setQuery(cleared)}>
                        {t("common.clear")}
                    </button>
                )}
                <span class="push t3" role="status">
                    {filtered
                        ? t("apps.countOf", { n: rows.length, total: all.length })
                        : t("apps.count", { n: rows.length })}
                </span>
                <ViewMenu
                    view={view}
                    onView={(to) => {
                        saveView(to);
                        setView(to);
                    }}
                />
            </div>
            {selection.chosen.length > 0 && (
                <SelectionBar
                    rows={selection.chosen}
                    devops={devops}
                    start={setBatch}
                    clear={selection.clear}
                />
            )}
            {arrivals.waiting > 0 && (
                <p class="arrivals">
                    <Button kind="small" icon="i-refresh" onClick={arrivals.show}>
                        {t("apps.arrived", { n: arrivals.waiting })}
                    </Button>
                </p>
            )}
            {rows.length === 0 ? (
                <Empty icon="i-filter" title={t("common.noMatch")}>
                    <Button onClick={() => setQuery(cleared)}>{t("common.clear")}</Button>
                </Empty>
            ) : (
                <div class="scroll" onKeyDown={keys.onKeyDown}>
                    <AppsTable
                        rows={rows}
                        filter={filter}
                        devops={devops}
                        view={view}
                        chosen={selection.names}
                        choose={selection.choose}
                        chooseAll={selection.chooseAll}
                        act={act}
                        reveal={keys.reveal}
                    />
                </div>
            )}
            {batch && (
                <BatchDialog
                    batch={batch}
                    devops={devops}
                    rows={selection.chosen}
                    close={(done) => {
                        setBatch(null);
                        if (done) selection.clear();
                    }}
                />
            )}
        </>
    );
}

export function Apps({ devops }: { devops: string }) {
    const list = useLive<Record<string, AppRow>>(`apps:${devops}`);
    const repos = useLoad<{ items: Repository[] }>(`taut/v1/devops/${devops}/repos`);
    const apps = list.value.value;
    const known = devopsOf(devops) !== undefined || apps !== null;
    const all = useMemo(() => Object.values(apps ?? {}).map(rowFrom), [apps]);
    const verb = dialog.value;
    const target = dialogOn.value;
    const canCreate = (repos.value?.items.length ?? 0) > 0;

    return (
        <Shell
            devops={devops}
            crumbs={[{ text: devops, to: `/devops/${devops}/apps` }, { text: t("apps.title") }]}
        >
            <Head title={t("apps.title")}>
                {canCreate && (
                    <Button
                        kind="primary"
                        icon="i-plus"
                        lacks={lacks("create applications", devops)}
                        onClick={() => openDialog("create")}
                    >
                        {t("apps.create")}
                    </Button>
                )}
            </Head>
            <Loaded
                ready={apps !== null && (repos.value !== null || repos.error !== null)}
                error={list.error.value}
                again={list.again}
            >
                {() =>
                    all.length === 0 ? (
                        <Empty
                            icon="i-deploy"
                            title={t("apps.empty")}
                            text={canCreate ? t("apps.emptyHelp") : t("apps.emptyRepos")}
                        >
                            {canCreate ? (
                                <Button
                                    kind="primary"
                                    icon="i-plus"
                                    lacks={lacks("create applications", devops)}
                                    onClick={() => openDialog("create")}
                                >
                                    {t("apps.create")}
                                </Button>
                            ) : (
                                <a
                                    class="btn primary"
                                    href={href(`/devops/${devops}/repos?dialog=import`)}
                                >
                                    {t("repos.importTitle")}
                                </a>
                            )}
                        </Empty>
                    ) : (
                        <List devops={devops} all={all} />
                    )
                }
            </Loaded>
            {verb === "create" && known && (
                <CreateWizard
                    devops={{ name: devops, namespace: namespaceOf(devops) }}
                    close={closeDialog}
                />
            )}
            {target && apps?.[target] && (
                <NamedAppDialog devops={devops} verb={verb} name={target} close={closeDialog} />
            )}
        </Shell>
    );
}
