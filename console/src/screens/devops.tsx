/* DevOps Projects: name, alias, my role, deployments by health, creation time; create. Live. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { DevOps, HealthStatus } from "../api/types";
import { exact, t, type Key } from "../i18n";
import { useLive } from "../live";
import { closeDialog, dialog, href, openDialog, query, setQuery } from "../router";
import { lacks, loadBoot } from "../session";
import { Button, Empty, healthLooks, Icon } from "../ui/kit";
import { Scroll } from "../ui/scroll";
import { useSpan } from "../ui/window";
import { CreateDevops } from "./create-devops";
import { FirstRun, isFirstRun, NoDevops } from "./no-devops";
import { Loaded } from "./page";
import { Head, Shell } from "./shell";

const ROW_PX = 48;
const order = ["Degraded", "Missing", "Unknown", "Progressing", "Suspended", "Healthy"];
const sorts = {
    name: (d: DevOps) => d.name,
    role: (d: DevOps) => `${d.role ?? ""} ${d.name}`,
    applications: (d: DevOps) => String(d.applications ?? 0).padStart(9, "0"),
    created: (d: DevOps) => d.created ?? "",
};
type Sort = keyof typeof sorts;

/** Rows that a search finds, in the order that the address says. */
export function selectProjects(all: DevOps[], text: string, sort: Sort, down: boolean): DevOps[] {
    const wanted = text.trim().toLowerCase();
    const by = sorts[sort];
    return all
        .filter((d) =>
            `${d.name} ${d.alias ?? ""} ${d.description ?? ""}`.toLowerCase().includes(wanted),
        )
        .map((d) => ({ d, key: by(d) }))
        .sort((a, b) =>
            a.key === b.key
                ? a.d.name < b.d.name
                    ? -1
                    : 1
                : (a.key < b.key ? -1 : 1) * (down ? -1 : 1),
        )
        .map((x) => x.d);
}

function Counts({ of }: { of: DevOps }) {
    const health = of.health ?? {};
    const known = order.filter((h) => health[h]) as HealthStatus[];
    if (known.length === 0) return <span class="t3">{t("devops.noDeployments")}</span>;
    return (
        <span class="row counts">
            {known.map((h) => (
                <a
                    key={h}
                    class={`st ${healthLooks[h]}`}
                    href={href(`/devops/${of.name}/apps?health=${h}`)}
                    title={t(`status.health.${h}` as Key)}
                >
                    <Icon name={`s-${healthLooks[h]}`} small />
                    {health[h]}
                    <span class="vh">{t(`status.health.${h}` as Key)}</span>
                </a>
            ))}
        </span>
    );
}

function Row({ of, index }: { of: DevOps; index: number }) {
    return (
        <tr data-row={of.name} aria-rowindex={index + 2}>
            <td class="c-name">
                <a class="name" href={href(`/devops/${of.name}/apps`)} title={of.name}>
                    {of.name}
                </a>{" "}
                {of.alias && <span class="t3">{of.alias}</span>}
                {of.description && (
                    <span class="sub cut" title={of.description}>
                        {of.description}
                    </span>
                )}
            </td>
            <td class="c-role">{of.role ? t(`members.role.${of.role}` as Key) : "–"}</td>
            <td class="c-health">
                <Counts of={of} />
            </td>
            <td class="c-time t2">{exact(of.created)}</td>
        </tr>
    );
}

function Table({ rows, sort, down }: { rows: DevOps[]; sort: Sort; down: boolean }) {
    const body = useRef<HTMLTableSectionElement>(null);
    const ends = useMemo(
        () => Array.from({ length: rows.length }, (_, i) => (i + 1) * ROW_PX),
        [rows.length],
    );
    const span = useSpan(ends, body, undefined, { whole: 50, margin: 300 });
    const head = (by: Sort, label: string) => (
        <th
            scope="col"
            {...(sort === by
                ? { "aria-sort": (down ? "descending" : "ascending") as "descending" }
                : {})}
        >
            <button
                type="button"
                onClick={() => setQuery({ sort: by, order: sort === by && !down ? "desc" : null })}
            >
                {label}
                {sort === by && <Icon name="i-arrowdown" small />}
            </button>
        </th>
    );
    return (
        <Scroll label={t("devops.title")}>
            <table
                class="tbl fixed projects"
                aria-label={t("devops.title")}
                aria-rowcount={rows.length + 1}
            >
                <colgroup>
                    <col />
                    <col style={{ width: "14%" }} />
                    <col style={{ width: "26%" }} />
                    <col style={{ width: "180px" }} />
                </colgroup>
                <thead>
                    <tr aria-rowindex={1}>
                        {head("name", t("common.name"))}
                        {head("role", t("devops.myRole"))}
                        {head("applications", t("apps.title"))}
                        {head("created", t("common.created"))}
                    </tr>
                </thead>
                <tbody ref={body}>
                    {span.above > 0 && (
                        <tr
                            class="space"
                            aria-hidden="true"
                            style={{ height: `${span.above}px` }}
                        />
                    )}
                    {rows.slice(span.from, span.to).map((d, i) => (
                        <Row key={d.name} of={d} index={span.from + i} />
                    ))}
                    {span.below > 0 && (
                        <tr
                            class="space"
                            aria-hidden="true"
                            style={{ height: `${span.below}px` }}
                        />
                    )}
                </tbody>
            </table>
        </Scroll>
    );
}

function List({ all }: { all: DevOps[] }) {
    const text = query.value.get("q") ?? "";
    const asked = query.value.get("sort") ?? "name";
    const sort: Sort = asked in sorts ? (asked as Sort) : "name";
    const down = query.value.get("order") === "desc";
    const rows = useMemo(() => selectProjects(all, text, sort, down), [all, text, sort, down]);
    return (
        <>
            <div class="bar" role="search">
                <div class="box find-box">
                    <Icon name="i-search" />
                    <input
                        class="in"
                        type="search"
                        aria-label={t("devops.search")}
                        placeholder={t("devops.search")}
                        value={text}
                        onInput={(e) => setQuery({ q: e.currentTarget.value })}
                    />
                </div>
                <span class="push t3" role="status">
                    {t("devops.count", { n: rows.length })}
                </span>
            </div>
            {rows.length === 0 ? (
                <Empty icon="i-filter" title={t("common.noMatch")}>
                    <Button onClick={() => setQuery({ q: null })}>{t("common.clear")}</Button>
                </Empty>
            ) : (
                <Table rows={rows} sort={sort} down={down} />
            )}
        </>
    );
}

export function DevopsList() {
    const live = useLive<{ items: Record<string, DevOps> }>("devops");
    const all = useMemo(() => Object.values(live.value.value?.items ?? {}), [live.value.value]);
    /* The rail's switch and the rights come with the start answer: asked again with the page. */
    useEffect(() => {
        void loadBoot();
    }, []);
    return (
        <Shell crumbs={[{ text: t("devops.title") }]}>
            <Head title={t("devops.title")}>
                <Button
                    kind="primary"
                    icon="i-plus"
                    lacks={lacks("create devopsprojects")}
                    onClick={() => openDialog("create")}
                >
                    {t("devops.create")}
                </Button>
            </Head>
            <Loaded ready={live.value.value !== null} error={live.error.value} again={live.again}>
                {() =>
                    all.length === 0 ? (
                        <NoDevops />
                    ) : (
                        <>
                            {isFirstRun(all) && <FirstRun />}
                            <List all={all} />
                        </>
                    )
                }
            </Loaded>
            {dialog.value === "create" && <CreateDevops close={closeDialog} />}
        </Shell>
    );
}
