/* Resources grouped by purpose; groups with a problem first opened; filter and "problems only". */
import { useState } from "preact/hooks";
import type { Application, ResourceStatus } from "../api/types";
import { t, type Key } from "../i18n";
import { groupOf, isProblem, keyOf, type Group } from "../model";
import { query, setQuery } from "../router";
import { Button, Empty, Health, Icon, Sync } from "../ui/kit";

const order: Group[] = [
    "workloads",
    "network",
    "config",
    "storage",
    "access",
    "definitions",
    "other",
];
const quiet: Group[] = ["access", "definitions"];

function Line({ r }: { r: ResourceStatus }) {
    return (
        <tr aria-level={2}>
            <td>
                <div>
                    <span class="g" />
                    <span class="nm m cut" title={r.name}>
                        {r.name}
                    </span>
                </div>
            </td>
            <td class="t2 c-kind">{r.kind}</td>
            <td class="t2">{r.namespace ?? ""}</td>
            <td>
                {r.health?.status ? <Health of={r.health.status} /> : <span class="t3">–</span>}
            </td>
            <td>
                {r.status ? (
                    <Sync of={r.status} sub={r.requiresPruning ? t("detail.toPrune") : undefined} />
                ) : (
                    <span class="t3">–</span>
                )}
            </td>
            <td class="t2 msg">{r.health?.message || r.message || ""}</td>
        </tr>
    );
}

export function Outline({ app }: { app: Application }) {
    const [open, setOpen] = useState<Record<string, boolean>>({});
    const all = app.status?.resources ?? [];
    const text = (query.value.get("find") ?? "").toLowerCase();
    const problems = query.value.get("problems") === "1";
    const kept = all.filter(
        (r) =>
            (!problems || isProblem(r)) &&
            (!text || `${r.name} ${r.kind} ${r.namespace ?? ""}`.toLowerCase().includes(text)),
    );
    if (all.length === 0)
        return (
            <Empty
                icon="i-outline"
                title={t("detail.noResources")}
                text={t("detail.noResourcesHelp")}
            />
        );
    const isOpen = (g: Group, rs: ResourceStatus[]) =>
        open[g] ?? (Boolean(text) || rs.some(isProblem) || !quiet.includes(g) || all.length < 12);
    return (
        <div>
            <div class="bar">
                <div class="box find-box">
                    <Icon name="i-search" />
                    <input
                        class="in"
                        type="search"
                        aria-label={t("detail.filter", { n: all.length })}
                        placeholder={t("detail.filter", { n: all.length })}
                        value={query.value.get("find") ?? ""}
                        onInput={(e) => setQuery({ find: e.currentTarget.value })}
                    />
                </div>
                <button
                    type="button"
                    role="switch"
                    class="toggle"
                    aria-checked={problems}
                    onClick={() => setQuery({ problems: problems ? null : "1" })}
                >
                    {t("detail.problems")}
                </button>
            </div>
            {kept.length === 0 ? (
                <Empty icon="i-filter" title={t("common.noMatch")}>
                    <Button onClick={() => setQuery({ find: null, problems: null })}>
                        {t("common.clear")}
                    </Button>
                </Empty>
            ) : (
                <div class="scroll" tabIndex={0} role="group" aria-label={t("detail.resources")}>
                    <table
                        class="tbl compact fixed tree"
                        role="treegrid"
                        aria-label={t("detail.resources")}
                    >
                        <colgroup>
                            <col style={{ width: "30%" }} />
                            <col style={{ width: "15%" }} />
                            <col style={{ width: "13%" }} />
                            <col style={{ width: "13%" }} />
                            <col style={{ width: "13%" }} />
                            <col />
                        </colgroup>
                        <thead>
                            <tr>
                                <th scope="col">{t("common.name")}</th>
                                <th scope="col">{t("detail.kind")}</th>
                                <th scope="col">{t("detail.project")}</th>
                                <th scope="col">{t("apps.health")}</th>
                                <th scope="col">{t("apps.sync")}</th>
                                <th scope="col">{t("detail.message")}</th>
                            </tr>
                        </thead>
                        <tbody>
                            {order.map((g) => {
                                const rs = kept.filter((r) => groupOf(r) === g);
                                if (rs.length === 0) return null;
                                const on = isOpen(g, rs);
                                return (
                                    <>
                                        <tr class="grp" key={g} aria-level={1} aria-expanded={on}>
                                            <td colSpan={6}>
                                                <div>
                                                    <button
                                                        type="button"
                                                        class="tw"
                                                        aria-label={t(`detail.group.${g}` as Key)}
                                                        aria-expanded={on}
                                                        onClick={() =>
                                                            setOpen({ ...open, [g]: !on })
                                                        }
                                                    >
                                                        <Icon
                                                            name={on ? "i-down" : "i-right"}
                                                            small
                                                        />
                                                    </button>
                                                    {t(`detail.group.${g}` as Key)}
                                                    <span class="t3">{rs.length}</span>
                                                </div>
                                            </td>
                                        </tr>
                                        {on && rs.map((r) => <Line r={r} key={keyOf(r)} />)}
                                    </>
                                );
                            })}
                        </tbody>
                    </table>
                </div>
            )}
        </div>
    );
}
