/* The tree as a drawing: only what is seen is in the document; zoom, fit, arrows walk it. */
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { layout, neighbour, visible, type Box, type View } from "../graph";
import type { Application } from "../api/types";
import { t, type Key } from "../i18n";
import { rowOf } from "../model";
import { query, setQuery } from "../router";
import {
    commonPrefix,
    forest,
    idOfKey,
    keep,
    keyOfNode,
    type Choice,
    type TreeNode,
} from "../tree";
import { Button, Empty, healthLooks, Icon, syncLooks } from "../ui/kit";

const LEAST = 0.4;
const MOST = 1.5;
const EDGE_PX = 16;

/** The end of a long name says more than its beginning, which the owner has too. */
function shortName(name: string, prefix: string): string {
    const own = prefix && name.startsWith(prefix) ? name.slice(prefix.length) : name;
    const cut = own.length > 24 ? own.slice(own.length - 22) : own;
    return cut === name ? name : `…${cut}`;
}

function states(n: { health?: string | undefined; status?: string | undefined }) {
    const list: { look: string; word: string }[] = [];
    if (n.status)
        list.push({
            look: syncLooks[n.status as keyof typeof syncLooks] ?? "syncunknown",
            word: t(`status.sync.${n.status}` as Key),
        });
    if (n.health)
        list.push({
            look: healthLooks[n.health as keyof typeof healthLooks] ?? "unknown",
            word: t(`status.health.${n.health}` as Key),
        });
    return list;
}

function badLook(list: { look: string }[]): string {
    return list.find((s) => s.look !== "healthy" && s.look !== "synced")?.look ?? "";
}

function Node({
    b,
    app,
    prefix,
    chosen,
    current,
    pick,
}: {
    b: Box;
    app: Application;
    prefix: string;
    chosen: boolean;
    current: boolean;
    pick: () => void;
}) {
    const place = { left: `${b.x}px`, top: `${b.y}px` };
    const shared = { "data-id": b.id, style: place, tabIndex: current ? 0 : -1, onClick: pick };
    if (b.fold) {
        const what = b.fold.group
            ? t("graph.group", { n: b.fold.count, group: t(`detail.group.${b.fold.group}` as Key) })
            : t("graph.more", { n: b.fold.count });
        return (
            <button
                type="button"
                {...shared}
                class={`node more${b.fold.bad ? " bad outofsync" : ""}`}
                aria-expanded={false}
            >
                <span class="row">
                    <Icon name="i-plus" small />
                    <span class="t2 cut">{what}</span>
                </span>
            </button>
        );
    }
    if (!b.node) {
        const row = rowOf(app);
        const list = states({ health: row.health, status: row.sync });
        const bad = badLook(list);
        return (
            <button
                type="button"
                {...shared}
                class={`node root${bad ? ` bad ${bad}` : ""}`}
                aria-label={[row.name, ...list.map((s) => s.word)].join(", ")}
            >
                <Icon name="i-deploy" />
            </button>
        );
    }
    const n = b.node;
    const list = states({ health: n.health, status: n.managed ? n.status : undefined });
    const bad = badLook(list);
    return (
        <button
            type="button"
            {...shared}
            class={`node${bad ? ` bad ${bad}` : ""}`}
            aria-pressed={chosen}
            title={[n.name, n.reason].filter(Boolean).join("\n")}
        >
            <span class="sub cut">{n.kind}</span>
            <span class="b cut">
                <span aria-hidden="true">{shortName(n.name, prefix)}</span>
                <span class="vh">{n.name}</span>
            </span>
            <span class="sts">
                {list.map((s) => (
                    <span class={s.look} key={s.look}>
                        <Icon name={`s-${s.look}`} spin={s.look === "progressing"} />
                        <span class="vh">{s.word}</span>
                    </span>
                ))}
            </span>
        </button>
    );
}

export function Graph({
    app,
    nodes,
    choice,
}: {
    app: Application;
    nodes: TreeNode[];
    choice: Choice;
}) {
    const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
    const [zoom, setZoom] = useState(1);
    const [view, setView] = useState<View>({ left: 0, top: 0, right: 1600, bottom: 1000 });
    const [current, setCurrent] = useState("root");
    const box = useRef<HTMLDivElement>(null);
    const wanted = useRef("");
    const kept = useMemo(() => {
        const ids = keep(forest(nodes), choice);
        return ids ? nodes.filter((n) => ids.has(n.id)) : nodes;
    }, [nodes, choice]);
    const drawing = useMemo(() => layout(kept, opened), [kept, opened]);
    const prefix = useMemo(
        () => commonPrefix(nodes.filter((n) => !n.parent).map((n) => n.name)),
        [nodes],
    );
    const look = () => {
        const at = box.current;
        if (!at) return;
        const more = 300;
        setView({
            left: at.scrollLeft / zoom - more,
            top: at.scrollTop / zoom - more,
            right: (at.scrollLeft + at.clientWidth) / zoom + more,
            bottom: (at.scrollTop + at.clientHeight) / zoom + more,
        });
    };
    useLayoutEffect(() => {
        look();
        addEventListener("resize", look);
        return () => removeEventListener("resize", look);
    }, [zoom, drawing]);
    useLayoutEffect(() => {
        if (!wanted.current) return;
        const node = box.current?.querySelector<HTMLElement>(
            `[data-id="${CSS.escape(wanted.current)}"]`,
        );
        if (!node) return;
        wanted.current = "";
        node.focus({ preventScroll: true });
        node.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
    const seen = useMemo(() => visible(drawing, view), [drawing, view]);
    const fit = () => {
        const at = box.current!;
        const to = Math.min(at.clientWidth / drawing.width, at.clientHeight / drawing.height);
        setZoom(Math.min(1, Math.max(LEAST, to)));
        at.scrollTo(0, 0);
    };
    const by = (factor: number) =>
        setZoom((was) => Math.min(MOST, Math.max(LEAST, Math.round(was * factor * 100) / 100)));
    const onKey = (e: KeyboardEvent) => {
        if (e.ctrlKey || e.metaKey || e.altKey) return;
        if (e.key === "+" || e.key === "=") by(1.25);
        else if (e.key === "-") by(0.8);
        else if (e.key === "0") fit();
        else if (e.key.startsWith("Arrow")) {
            const to = neighbour(drawing, current, e.key);
            if (!to) return;
            setCurrent(to.id);
            wanted.current = to.id;
            const at = box.current!;
            const within = (was: number, from: number, size: number, space: number) =>
                Math.max(
                    Math.min(was, from * zoom - EDGE_PX),
                    (from + size) * zoom + EDGE_PX - space,
                );
            at.scrollTo({
                left: within(at.scrollLeft, to.x, to.width, at.clientWidth),
                top: within(at.scrollTop, to.y, to.height, at.clientHeight),
            });
        } else return;
        e.preventDefault();
        e.stopPropagation();
    };
    const pick = (b: Box) => {
        setCurrent(b.id);
        if (b.fold) setOpened(new Set([...opened, b.id]));
        else if (b.node) setQuery({ res: keyOfNode(b.node), panel: null }, false);
    };
    const chosen = query.value.get("res");
    if (kept.length === 0)
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
    const drawn = seen.boxes.some((b) => b.id === current);
    return (
        <div class="graph-frame">
            <div
                class="graph"
                ref={box}
                role="group"
                tabIndex={drawn ? -1 : 0}
                aria-label={t("graph.title")}
                onKeyDown={onKey}
                onScroll={look}
                onFocusIn={(e) => {
                    const id = (e.target as HTMLElement).dataset.id;
                    if (id) setCurrent(id);
                }}
            >
                <div
                    style={{
                        width: `${drawing.width * zoom}px`,
                        height: `${drawing.height * zoom}px`,
                    }}
                >
                    <div class="canvas" style={{ transform: `scale(${zoom})` }}>
                        <svg
                            class="edges"
                            width={drawing.width}
                            height={drawing.height}
                            aria-hidden="true"
                        >
                            <path d={seen.edges} />
                        </svg>
                        {seen.boxes.map((b) => (
                            <Node
                                key={b.id}
                                b={b}
                                app={app}
                                prefix={prefix}
                                chosen={Boolean(chosen) && idOfKey(chosen!) === b.id}
                                current={b.id === current}
                                pick={() => pick(b)}
                            />
                        ))}
                    </div>
                </div>
            </div>
            <div class="zoom" role="group" aria-label={t("graph.zoom")}>
                <Button kind="small" onClick={() => by(0.8)} aria-label={t("graph.smaller")}>
                    −
                </Button>
                <Button kind="small" onClick={fit}>
                    {t("graph.fit")}
                </Button>
                <Button kind="small" onClick={() => by(1.25)} aria-label={t("graph.larger")}>
                    +
                </Button>
            </div>
        </div>
    );
}
