/* The Resources tab: filters, outline or graph, and the panel of the chosen resource. */
import { useMemo } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { Application } from "../api/types";
import { t, type Key } from "../i18n";
import { query, setQuery } from "../router";
import { idOfKey, type Choice, type TreeNode } from "../tree";
import { FilterChip } from "../ui/chip";
import { Empty, Icon } from "../ui/kit";
import { useKeys } from "../ui/keys";
import { Logs } from "./logs";
import { Outline } from "./outline";
import { Graph } from "./graph";
import { Loaded } from "./page";
import { closePanel, Panel } from "./panel";
import type { TreeLoad } from "./tree-data";

function listOf(name: string): string[] {
    return (query.value.get(name) ?? "").split(",").filter(Boolean);
}

function counts(nodes: TreeNode[], of: (n: TreeNode) => (string | undefined)[]) {
    const found = new Map<string, number>();
    for (const n of nodes) for (const v of of(n)) if (v) found.set(v, (found.get(v) ?? 0) + 1);
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}

function Bar({ nodes }: { nodes: TreeNode[] }) {
    const problems = query.value.get("problems") === "1";
    const graph = query.value.get("view") === "graph";
    const kinds = useMemo(() => counts(nodes, (n) => [n.kind]), [nodes]);
    const states = useMemo(
        () => counts(nodes, (n) => [n.health, n.status && `sync:${n.status}`]),
        [nodes],
    );
    const label = t("detail.filter", { n: nodes.length });
    return (
        <div class="bar flush">
            <div class="box find-box narrow">
                <Icon name="i-search" />
                <input
                    class="in"
                    type="search"
                    data-find
                    aria-label={label}
                    placeholder={label}
                    value={query.value.get("find") ?? ""}
                    onInput={(e) => setQuery({ find: e.currentTarget.value })}
                />
                <kbd aria-hidden="true">/</kbd>
            </div>
            <FilterChip
                label={t("detail.kind")}
                chosen={listOf("kind")}
                options={kinds.map(([value, count]) => ({ value, label: value, count }))}
                onChoose={(to) => setQuery({ kind: to.join(",") })}
            />
            <FilterChip
                label={t("tree.state")}
                chosen={listOf("state")}
                options={states.map(([value, count]) => ({
                    value,
                    count,
                    label: t(
                        (value.startsWith("sync:")
                            ? `status.sync.${value.slice(5)}`
                            : `status.health.${value}`) as Key,
                    ),
                }))}
                onChoose={(to) => setQuery({ state: to.join(",") })}
            />
            <button
                type="button"
                role="switch"
                class="toggle"
                aria-checked={problems}
                onClick={() => setQuery({ problems: problems ? null : "1" })}
            >
                {t("detail.problems")}
            </button>
            <div class="seg push" role="group" aria-label={t("tree.view")}>
                {(["outline", "graph"] as const).map((view) => (
                    <button
                        type="button"
                        key={view}
                        aria-pressed={graph === (view === "graph")}
                        onClick={() => setQuery({ view: view === "graph" ? "graph" : null })}
                    >
                        <Icon name={`i-${view}`} small />
                        {t(`tree.${view}`)}
                    </button>
                ))}
            </div>
        </div>
    );
}

export function Resources({
    app,
    devops,
    tree,
    aside,
}: {
    app: Application;
    devops: string;
    tree: TreeLoad;
    aside: ComponentChildren;
}) {
    const q = query.value;
    const search = q.toString();
    const choice = useMemo<Choice>(
        () => ({
            text: (q.get("find") ?? "").trim().toLowerCase(),
            problems: q.get("problems") === "1",
            kinds: listOf("kind"),
            states: listOf("state"),
        }),
        [search],
    );
    const chosen = q.get("res");
    const n = chosen ? tree.nodes?.find((x) => x.id === idOfKey(chosen)) : undefined;
    useKeys({
        "/": () => document.querySelector<HTMLElement>("[data-find]")?.focus(),
        Escape: () => n && closePanel(),
        ...(n && {
            l: () => n.kind === "Pod" && setQuery({ panel: "logs" }),
            y: () => setQuery({ panel: "live" }),
        }),
    });
    return (
        <div class={n ? "lay docked" : q.get("view") === "graph" ? "lay full" : "lay"}>
            {!n && q.get("view") !== "graph" && aside}
            <Loaded ready={tree.nodes !== null} error={tree.error} again={tree.again}>
                {() =>
                    tree.nodes!.length === 0 ? (
                        <Empty
                            icon="i-outline"
                            title={t("detail.noResources")}
                            text={t(tree.compared ? "tree.noneWanted" : "detail.noResourcesHelp")}
                        />
                    ) : (
                        <div>
                            <Bar nodes={tree.nodes!} />
                            {q.get("view") === "graph" ? (
                                <Graph app={app} nodes={tree.nodes!} choice={choice} />
                            ) : (
                                <Outline nodes={tree.nodes!} choice={choice} />
                            )}
                        </div>
                    )
                }
            </Loaded>
            {n && (
                <Panel
                    app={app}
                    devops={devops}
                    n={n}
                    logs={(base) => <Logs key={base} base={base} />}
                />
            )}
        </div>
    );
}
