/* The outline: resources by purpose with what they own, as a treegrid; long ones are virtual. */
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { age, exact, t, type Key } from "../i18n";
import { query, setQuery } from "../router";
import { commonPrefix, forest, idOfKey, isTrouble, keyOfNode, nameParts, outline } from "../tree";
import type { Choice, Line, TreeNode } from "../tree";
import { Button, Empty, Health, Icon, minute, Sync } from "../ui/kit";
import { useSpan } from "../ui/window";

const ROW_PX = 36;
const GROUP_PX = 32;

/** What a row says beyond its states: the cause, else what differs, else one fact. */
export function details(n: TreeNode): string {
    if (isTrouble(n) && n.reason) return n.reason;
    if (n.difference) return t(`tree.difference.${n.difference}` as Key);
    if (!n.info) return "";
    if (!/^\d+\/\d+$/.test(n.info)) return n.info;
    const ready = t(n.kind === "Job" ? "tree.completed" : "tree.ready", { info: n.info });
    return n.node ? t("tree.onNode", { ready, node: n.node }) : ready;
}

function Name({ n, prefix, parent }: { n: TreeNode; prefix: string; parent: string | undefined }) {
    const [pre, own] = nameParts(n.name, prefix, parent);
    const long = !pre && own.length > 40;
    return (
        <span class="nm m" title={n.name}>
            {pre && parent ? (
                <>
                    <span class="pre">{pre}</span>
                    <span class="nowrap">{own}</span>
                </>
            ) : long ? (
                <>
                    <span class="cut">{own.slice(0, -12)}</span>
                    <span class="nowrap">{own.slice(-12)}</span>
                </>
            ) : (
                <span class="cut">
                    {pre && <span class="pre">{pre}</span>}
                    {own}
                </span>
            )}
        </span>
    );
}

function Row({
    line,
    prefix,
    parent,
    current,
    chosen,
    index,
    on,
}: {
    line: Line;
    prefix: string;
    parent: string | undefined;
    current: boolean;
    chosen: boolean;
    index: number;
    on: { toggle: () => void; pick: () => void };
}) {
    const n = line.node;
    const shared = {
        "data-id": line.id,
        "aria-level": line.level,
        "aria-rowindex": index + 2,
        "aria-expanded": line.open,
        tabIndex: current ? 0 : -1,
    };
    const twist = (
        <span
            class="tw"
            onClick={(e) => {
                e.stopPropagation();
                on.toggle();
            }}
        >
            {line.open !== undefined && <Icon name={line.open ? "i-down" : "i-right"} />}
        </span>
    );
    if (!n)
        return (
            <tr class="grp" role="row" {...shared} onClick={on.toggle}>
                <td>
                    <div>
                        {twist}
                        {t(`detail.group.${line.group}` as Key)}{" "}
                        <span class="t3 light">{line.count}</span>
                    </div>
                </td>
                <td class="c-kind" />
                <td>{!line.open && line.health && <Health of={line.health} />}</td>
                <td>{!line.open && line.sync && <Sync of={line.sync} />}</td>
                <td class="c-kind c-info" />
                <td class="c-age" />
            </tr>
        );
    const text = details(n);
    return (
        <tr
            role="row"
            {...shared}
            aria-selected={chosen}
            style={{ "--d": line.level - 1 }}
            onClick={on.pick}
        >
            <td>
                <div>
                    {Array.from({ length: line.level - 1 }, (_, i) => (
                        <span class="g" key={i} />
                    ))}
                    {twist}
                    <Name n={n} prefix={prefix} parent={parent} />
                </div>
            </td>
            <td class="t3 c-kind">{n.kind}</td>
            <td>{n.health ? <Health of={n.health} /> : <span class="t3">–</span>}</td>
            <td>{n.managed && n.status ? <Sync of={n.status} /> : null}</td>
            <td class={`t2 c-kind c-info${isTrouble(n) ? " trouble" : ""}`} title={text}>
                {n.deleting ? t("status.deleting") : text}
            </td>
            <td class="num t3 c-age" title={exact(n.created)}>
                {age(n.created, minute.value)}
            </td>
        </tr>
    );
}

/** Arrow keys as the treegrid pattern has them; returns the row that is to be current. */
function move(key: string, lines: Line[], at: number, set: (id: string, open: boolean) => void) {
    const line = lines[at]!;
    if (key === "ArrowDown") return Math.min(at + 1, lines.length - 1);
    if (key === "ArrowUp") return Math.max(at - 1, 0);
    if (key === "Home") return 0;
    if (key === "End") return lines.length - 1;
    if (key === "ArrowRight") {
        if (line.open === false) set(line.id, true);
        else if (line.open) return Math.min(at + 1, lines.length - 1);
    } else if (key === "ArrowLeft") {
        if (line.open) set(line.id, false);
        else if (line.parent) return lines.findIndex((l) => l.id === line.parent);
    } else if (key === "*") {
        for (const l of lines) if (l.parent === line.parent && l.open === false) set(l.id, true);
    } else return -1;
    return at;
}

export function Outline({ nodes, choice }: { nodes: TreeNode[]; choice: Choice }) {
    const [opened, setOpened] = useState<Record<string, boolean>>({});
    const [current, setCurrent] = useState("");
    const body = useRef<HTMLTableSectionElement>(null);
    const wanted = useRef("");
    const chosen = query.value.get("res");
    const f = useMemo(() => forest(nodes), [nodes]);
    const lines = useMemo(() => outline(nodes, choice, opened), [nodes, choice, opened]);
    const prefix = useMemo(() => commonPrefix(f.roots.map((n) => n.name)), [f]);
    const ends = useMemo(() => {
        let y = 0;
        return lines.map((l) => (y += l.node ? ROW_PX : GROUP_PX));
    }, [lines]);
    const span = useSpan(ends, body, undefined, { whole: 60 });
    const at = Math.max(
        0,
        lines.findIndex((l) => l.id === current),
    );
    const set = (id: string, open: boolean) => setOpened((was) => ({ ...was, [id]: open }));
    const pick = (n: TreeNode) => setQuery({ res: keyOfNode(n), panel: null }, false);

    /* A row that was moved to may be drawn only after the page has scrolled. */
    useLayoutEffect(() => {
        if (!wanted.current) return;
        const row = body.current?.querySelector<HTMLElement>(
            `tr[data-id="${CSS.escape(wanted.current)}"]`,
        );
        if (!row) return;
        wanted.current = "";
        row.focus({ preventScroll: true });
        row.scrollIntoView({ block: "nearest" });
    });
    const onKey = (e: KeyboardEvent) => {
        if (e.ctrlKey || e.metaKey || e.altKey || lines.length === 0) return;
        const line = lines[at]!;
        if (e.key === "Enter" || e.key === " ") {
            e.preventDefault();
            if (line.node) pick(line.node);
            else set(line.id, !line.open);
            return;
        }
        const to = move(e.key, lines, at, set);
        if (to < 0) return;
        e.preventDefault();
        const next = lines[to]!;
        setCurrent(next.id);
        wanted.current = next.id;
        if (to < span.from || to >= span.to) {
            const top = body.current!.getBoundingClientRect().top + scrollY;
            scrollTo({ top: top + ends[to]! - innerHeight / 2 });
        }
    };
    if (lines.length === 0)
        return (
            <Empty icon="i-filter" title={t("common.noMatch")}>
                <Button
                    onClick={() =>
                        setQuery({ find: null, problems: null, kind: null, state: null })
                    }
                >
                    {t("common.clear")}
                </Button>
            </Empty>
        );
    return (
        <div class="scroll">
            <table
                class="tbl compact fixed tree"
                role="treegrid"
                aria-label={t("detail.resources")}
                aria-rowcount={lines.length + 1}
            >
                <colgroup>
                    <col class="w-name" />
                    <col class="c-kind w-kind" />
                    <col class="w-state" />
                    <col class="w-state" />
                    <col class="c-kind c-info" />
                    <col class="c-age w-age" />
                </colgroup>
                <thead>
                    <tr>
                        <th scope="col">{t("common.name")}</th>
                        <th scope="col" class="c-kind">
                            {t("detail.kind")}
                        </th>
                        <th scope="col">{t("apps.health")}</th>
                        <th scope="col">{t("apps.sync")}</th>
                        <th scope="col" class="c-kind c-info">
                            {t("tree.details")}
                        </th>
                        <th scope="col" class="num c-age">
                            {t("tree.age")}
                        </th>
                    </tr>
                </thead>
                <tbody
                    ref={body}
                    onKeyDown={onKey}
                    onFocusIn={(e) => {
                        const id = (e.target as HTMLElement).dataset.id;
                        if (id) setCurrent(id);
                    }}
                >
                    {span.above > 0 && (
                        <tr
                            aria-hidden="true"
                            class="space"
                            style={{ height: `${span.above}px` }}
                        />
                    )}
                    {lines.slice(span.from, span.to).map((line, i) => (
                        <Row
                            key={line.id}
                            line={line}
                            prefix={prefix}
                            parent={line.node?.parent && f.byId.get(line.node.parent)?.name}
                            current={span.from + i === at}
                            chosen={Boolean(chosen) && idOfKey(chosen!) === line.id}
                            index={span.from + i}
                            on={{
                                toggle: () => set(line.id, !line.open),
                                pick: () => {
                                    setCurrent(line.id);
                                    if (line.node) pick(line.node);
                                },
                            }}
                        />
                    ))}
                    {span.below > 0 && (
                        <tr
                            aria-hidden="true"
                            class="space"
                            style={{ height: `${span.below}px` }}
                        />
                    )}
                </tbody>
            </table>
        </div>
    );
}
