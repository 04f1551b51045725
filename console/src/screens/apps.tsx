/* Continuous Deployments: status strip that filters, search, sort, row menu. Live. */
import { useMemo, useState } from "preact/hooks";
import type { Application, AppRow, HealthStatus, Repository, SyncStatus } from "../api/types";
import { t, type Key } from "../i18n";
import { useLive } from "../live";
import { select, rowFrom, type Filter, type Row, type SortKey } from "../model";
import { closeDialog, dialog, dialogOn, href, openDialog, query, setQuery } from "../router";
import { boot, devopsOf } from "../session";
import { Button, Empty, Health, healthLooks, Icon, Sync, syncLooks, Time } from "../ui/kit";
import { Menu } from "../ui/overlay";
import { useLoad } from "../load";
import { CreateWizard } from "./create";
import { DeleteDialog, InfoDialog, SettingsDialog, SyncDialog, YamlDialog } from "./dialogs";
import { Loaded } from "./page";
import { Head, Shell } from "./shell";

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
        const counts = values.map((v) => rows.filter((r) => of(r) === v).length);
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

function SortHead({ label, by, filter }: { label: string; by: SortKey; filter: Filter }) {
    const on = filter.sort === by;
    return (
        <th
            scope="col"
            aria-sort={on ? (filter.ascending ? "ascending" : "descending") : undefined}
        >
            <button
                type="button"
                onClick={() =>
                    setQuery({ sort: by, order: on ? (filter.ascending ? "desc" : "asc") : "asc" })
                }
            >
                {label}
                {on && <Icon name="i-arrowdown" small />}
            </button>
        </th>
    );
}

export function strategy(r: Row): string {
    if (!r.auto) return t("apps.manual");
    const more = [r.prune && t("apps.prune"), r.selfHeal && t("apps.selfHeal")].filter(Boolean);
    return [t("apps.auto"), ...more].join(", ");
}

function TableRow({ row, devops, act }: { row: Row; devops: string; act: (verb: string) => void }) {
    const differ = row.differ > 0 ? t("apps.differ", { n: row.differ, total: row.total }) : "";
    const simulated = boot.value?.clusters.find((c) => c.name === row.cluster)?.simulated;
    return (
        <tr>
            <td class="c-name" style={{ paddingLeft: 0 }}>
                <a class="name" href={href(`/devops/${devops}/apps/${row.name}`)}>
                    {row.name}
                </a>{" "}
                {row.alias && <span class="t3">{row.alias}</span>}
                <span class="sub cut" title={row.description}>
                    {row.description || row.repo}
                </span>
            </td>
            <td class="c-health">
                <Health
                    of={row.health}
                    sub={row.deleting ? t("status.deleting") : row.healthWhy || undefined}
                />
            </td>
            <td class="c-sync">
                <Sync of={row.sync} sub={row.problem || differ || strategy(row)} />
            </td>
            <td class="c-loc">
                {row.cluster}
                {simulated && <span class="t3"> ({t("apps.simulated")})</span>}
                <span class="sub cut">{row.project}</span>
            </td>
            <td class="c-time">
                <Time at={row.updated} />
            </td>
            <td class="c-rev">
                {row.target}
                <span class="sub">
                    <code>{row.revision || "–"}</code>
                </span>
            </td>
            <td class="last">
                <Menu
                    label={t("common.more", { name: row.name })}
                    icon="i-more"
                    items={[
                        { label: t("apps.editInfo"), icon: "i-edit", onPick: () => act("info") },
                        {
                            label: t("apps.editSettings"),
                            icon: "i-settings",
                            onPick: () => act("settings"),
                        },
                        { label: t("apps.editYaml"), icon: "i-yaml", onPick: () => act("yaml") },
                        {
                            label: t("apps.syncNow"),
                            icon: "i-sync",
                            onPick: () => act("sync"),
                            line: true,
                        },
                        {
                            label: t("common.delete"),
                            icon: "i-trash",
                            onPick: () => act("delete"),
                            risk: true,
                            line: true,
                        },
                    ]}
                />
            </td>
        </tr>
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

/** Rows above this are shown in steps, so that a page stays light. */
const STEP = 100;

function Table({
    rows,
    all,
    filter,
    devops,
    act,
}: {
    rows: Row[];
    all: number;
    filter: Filter;
    devops: string;
    act: (verb: string, name: string) => void;
}) {
    const [shown, setShown] = useState(STEP);
    if (rows.length === 0 && all > 0)
        return (
            <Empty icon="i-filter" title={t("common.noMatch")}>
                <Button onClick={() => setQuery({ q: null, health: null, sync: null })}>
                    {t("common.clear")}
                </Button>
            </Empty>
        );
    return (
        <div
            class="scroll"
            ref={(el) => {
                if (!el || shown >= rows.length) return;
                const end = el.querySelector(".more-rows");
                if (!end) return;
                const seen = new IntersectionObserver((e) => {
                    if (e[0]?.isIntersecting) setShown((s) => s + STEP);
                });
                seen.observe(end);
                return () => seen.disconnect();
            }}
        >
            <table
                class="tbl stack fixed"
                aria-label={t("apps.title")}
                aria-rowcount={rows.length + 1}
            >
                <colgroup>
                    <col style={{ width: "25%" }} />
                    <col style={{ width: "19%" }} />
                    <col style={{ width: "19%" }} />
                    <col style={{ width: "14%" }} />
                    <col style={{ width: "11%" }} />
                    <col class="c-rev" style={{ width: "12%" }} />
                    <col style={{ width: "44px" }} />
                </colgroup>
                <thead>
                    <tr>
                        <SortHead label={t("common.name")} by="name" filter={filter} />
                        <SortHead label={t("apps.health")} by="health" filter={filter} />
                        <SortHead label={t("apps.sync")} by="sync" filter={filter} />
                        <SortHead label={t("apps.location")} by="location" filter={filter} />
                        <SortHead label={t("apps.updated")} by="updated" filter={filter} />
                        <th scope="col" class="c-rev">
                            {t("apps.revision")}
                        </th>
                        <th scope="col" class="last">
                            <span class="vh">{t("common.moreActions")}</span>
                        </th>
                    </tr>
                </thead>
                <tbody>
                    {rows.slice(0, shown).map((r) => (
                        <TableRow
                            key={r.name}
                            row={r}
                            devops={devops}
                            act={(verb) => act(verb, r.name)}
                        />
                    ))}
                </tbody>
            </table>
            {shown < rows.length && <div class="more-rows" aria-hidden="true" />}
        </div>
    );
}

export function Apps({ devops }: { devops: string }) {
    const place = devopsOf(devops);
    const list = useLive<Record<string, AppRow>>(`apps:${devops}`);
    const repos = useLoad<{ items: Repository[] }>(`taut/v1/devops/${devops}/repos`);
    const filter = readFilter();
    const apps = list.value.value;
    const all = useMemo(() => Object.values(apps ?? {}).map(rowFrom), [apps]);
    const rows = select(all, filter);
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
                    <Button kind="primary" icon="i-plus" onClick={() => openDialog("create")}>
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
                        <>
                            <Strip rows={all} filter={filter} />
                            <div class="bar">
                                <div class="box find-box">
                                    <Icon name="i-search" />
                                    <input
                                        class="in"
                                        type="search"
                                        aria-label={t("apps.search")}
                                        placeholder={t("apps.search")}
                                        value={filter.text}
                                        onInput={(e) => setQuery({ q: e.currentTarget.value })}
                                    />
                                </div>
                                <span class="push t3">{t("apps.count", { n: rows.length })}</span>
                            </div>
                            <Table
                                rows={rows}
                                all={all.length}
                                filter={filter}
                                devops={devops}
                                act={openDialog}
                            />
                        </>
                    )
                }
            </Loaded>
            {verb === "create" && place && <CreateWizard devops={place} close={closeDialog} />}
            {target && apps?.[target] && (
                <NamedAppDialog devops={devops} verb={verb} name={target} close={closeDialog} />
            )}
        </Shell>
    );
}
