/* The difference of a whole deployment: live with Git, or two revisions; a list beside its sections. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Application } from "../api/types";
import { compareTexts } from "../diff";
import { entriesOf, itemsBetween, type DiffItem, type Entry } from "../diff-items";
import { t, type Key } from "../i18n";
import { useLoad } from "../load";
import { query, setQuery } from "../router";
import { keyOfNode } from "../tree";
import { DiffView } from "../ui/diff-view";
import { Button, Empty, Icon, Note } from "../ui/kit";
import { useKeys } from "../ui/keys";
import { useSpan } from "../ui/window";
import { Fields } from "./panel";
import { Loaded } from "./page";
import { appBase } from "./tree-data";

const LINE_PX = 20;
const FILE_PX = 48;

function reasonOf(item: DiffItem): string {
    if (item.reason === "added" || item.reason === "removed")
        return t(`diff.reason.${item.reason}`);
    if (item.reason) return t(`tree.difference.${item.reason}` as Key);
    return item.ignored ? t("diff.ignored") : "";
}

function Counts({ e }: { e: Entry }) {
    if (!e.compared) return <span class="t3">{t("diff.lines", { n: e.lines })}</span>;
    return (
        <span class="mono nowrap">
            <span class="plus">+{e.compared.added}</span>{" "}
            <span class="minus">−{e.compared.removed}</span>
        </span>
    );
}

/** Draws its content when it comes near the part of the page that is seen. */
function Lazy({ px, children }: { px: number; children: () => preact.ComponentChild }) {
    const [near, setNear] = useState(false);
    const box = useRef<HTMLDivElement>(null);
    useEffect(() => {
        const look = new IntersectionObserver(
            (all) => setNear(all[all.length - 1]!.isIntersecting),
            { rootMargin: "900px" },
        );
        look.observe(box.current!);
        return () => look.disconnect();
    }, []);
    return (
        <div ref={box} style={near ? undefined : { height: `${px}px` }}>
            {near && children()}
        </div>
    );
}

function Section({
    e,
    open,
    unified,
    heads,
    toggle,
    live,
}: {
    e: Entry;
    open: boolean;
    unified: boolean;
    heads: [string, string];
    toggle: () => void;
    live: boolean;
}) {
    const { item } = e;
    const compared = useMemo(
        () => (open ? (e.compared ?? compareTexts(e.before, e.after)) : null),
        [open, e],
    );
    const changed = compared?.rows.filter((r) => r.kind !== "same").length ?? 0;
    const reason = reasonOf(item);
    const title = `${item.kind} ${item.name}`;
    return (
        <section class="card diff-card clip" aria-label={title} data-diff={e.key}>
            <div class="hd">
                <button
                    type="button"
                    class="btn ghost small icon"
                    aria-expanded={open}
                    aria-label={title}
                    onClick={toggle}
                >
                    <Icon name={open ? "i-down" : "i-right"} />
                </button>
                <span class="t2">{item.kind}</span>
                <h2 class="m wrap-any">{item.name}</h2>
                {reason && <span class="tag">{reason}</span>}
                <span class="push row">
                    <Counts e={e} />
                    {live && (
                        <Button
                            kind="ghost small"
                            onClick={() =>
                                setQuery({ tab: null, res: keyOfNode(item), panel: null }, false)
                            }
                        >
                            {t("diff.open")}
                        </Button>
                    )}
                </span>
            </div>
            {open && compared && (
                <>
                    {item.message && item.reason !== "field" && (
                        <div class="pad">
                            <Note look="outofsync" text={item.message} />
                        </div>
                    )}
                    {changed === 0 ? (
                        <p class="pad t2">
                            {t(item.ignored ? "diff.ignoredHelp" : "diff.emptyHelp")}
                        </p>
                    ) : (
                        <Lazy px={Math.min(changed + 14, 4000) * LINE_PX}>
                            {() => (
                                <DiffView
                                    compared={compared}
                                    unified={unified}
                                    label={title}
                                    heads={heads}
                                />
                            )}
                        </Lazy>
                    )}
                    {(item.fields ?? []).some((f) => f.manager) && (
                        <details class="pad">
                            <summary class="t2">{t("diff.who")}</summary>
                            <Fields item={item} />
                        </details>
                    )}
                </>
            )}
        </section>
    );
}

function Files({ entries, at, go }: { entries: Entry[]; at: string; go: (key: string) => void }) {
    const box = useRef<HTMLElement>(null);
    const list = useRef<HTMLUListElement>(null);
    const ends = useMemo(() => entries.map((_, i) => (i + 1) * FILE_PX), [entries]);
    const span = useSpan(ends, list, box);
    return (
        <nav class="files" aria-label={t("diff.files")} ref={box}>
            <h2 class="m">{t("diff.differ", { n: entries.length })}</h2>
            <ul ref={list}>
                {span.above > 0 && <li aria-hidden="true" style={{ height: `${span.above}px` }} />}
                {entries.slice(span.from, span.to).map((e) => (
                    <li key={e.key}>
                        <button
                            type="button"
                            aria-current={e.key === at ? "true" : undefined}
                            onClick={() => go(e.key)}
                        >
                            <span class="min0">
                                <span class="cut" title={e.item.name}>
                                    {e.item.name}
                                </span>
                                <span class="sub cut">{e.item.kind}</span>
                            </span>
                            <Counts e={e} />
                        </button>
                    </li>
                ))}
                {span.below > 0 && <li aria-hidden="true" style={{ height: `${span.below}px` }} />}
            </ul>
            <p class="t3 keys" aria-hidden="true">
                <kbd>[</kbd> <kbd>]</kbd> {t("diff.keys")}
            </p>
        </nav>
    );
}

function useNarrow(): boolean {
    const media = useMemo(() => matchMedia("(max-width: 800px)"), []);
    const [narrow, setNarrow] = useState(media.matches);
    useEffect(() => {
        const on = () => setNarrow(media.matches);
        media.addEventListener("change", on);
        return () => media.removeEventListener("change", on);
    }, []);
    return narrow;
}

function Sections({
    entries,
    heads,
    live,
    bar,
}: {
    entries: Entry[];
    heads: [string, string];
    live: boolean;
    bar: preact.ComponentChildren;
}) {
    const narrow = useNarrow();
    const unified = narrow || query.value.get("diff") === "unified";
    const few = entries.length <= 40;
    const [open, setOpen] = useState<Record<string, boolean>>({});
    const at = query.value.get("item") ?? "";
    const isOpen = (e: Entry) => open[e.key] ?? (e.compared !== null && few);
    const anyOpen = entries.some(isOpen);
    const body = useRef<HTMLDivElement>(null);
    const ends = useMemo(() => {
        let y = 0;
        return entries.map((e) => (y += isOpen(e) ? 400 : 60));
    }, [entries, open]);
    const span = useSpan(ends, body);
    const all = (to: boolean) => setOpen(Object.fromEntries(entries.map((e) => [e.key, to])));
    const go = (key: string) => {
        setQuery({ item: key });
        setOpen((was) => ({ ...was, [key]: true }));
        const i = entries.findIndex((e) => e.key === key);
        const find = () => document.querySelector<HTMLElement>(`[data-diff="${CSS.escape(key)}"]`);
        if (!find() && body.current)
            scrollTo({
                top: body.current.getBoundingClientRect().top + scrollY + (ends[i - 1] ?? 0) - 80,
            });
        requestAnimationFrame(() =>
            requestAnimationFrame(() => {
                const section = find();
                section?.scrollIntoView({ block: "start" });
                section?.querySelector<HTMLElement>("button")?.focus({ preventScroll: true });
            }),
        );
    };
    const step = (by: number) => {
        const i = entries.findIndex((e) => e.key === at);
        const to = i < 0 ? 0 : Math.min(entries.length - 1, Math.max(0, i + by));
        if (entries[to]) go(entries[to].key);
    };
    useKeys({
        "[": () => step(-1),
        "]": () => step(1),
        u: () => setQuery({ diff: unified ? null : "unified" }),
    });
    const many = entries.some((e) => e.compared === null);
    return (
        <>
            <div class="bar">
                {bar}
                <span class="push row">
                    <Button kind="ghost small" onClick={() => all(!anyOpen)}>
                        {t(anyOpen ? "diff.collapse" : "diff.expand")}
                    </Button>
                    {!narrow && (
                        <span class="seg" role="group" aria-label={t("diff.view")}>
                            <button
                                type="button"
                                aria-pressed={!unified}
                                onClick={() => setQuery({ diff: null })}
                            >
                                {t("diff.side")}
                            </button>
                            <button
                                type="button"
                                aria-pressed={unified}
                                onClick={() => setQuery({ diff: "unified" })}
                            >
                                {t("diff.unified")}
                            </button>
                        </span>
                    )}
                </span>
            </div>
            {many && <Note look="unknown" text={t("diff.many")} />}
            <div class="side diffs">
                <Files entries={entries} at={at} go={go} />
                <div ref={body}>
                    <div style={{ height: `${span.above}px` }} />
                    {entries.slice(span.from, span.to).map((e) => (
                        <Section
                            key={e.key}
                            e={e}
                            open={isOpen(e)}
                            unified={unified}
                            heads={heads}
                            live={live}
                            toggle={() => setOpen({ ...open, [e.key]: !isOpen(e) })}
                        />
                    ))}
                    <div style={{ height: `${span.below}px` }} />
                </div>
            </div>
        </>
    );
}

interface Pair {
    from: string;
    to: string;
}

/** "Compare [Live] with [Git]": both in the address. */
function PairBar({ app, pair }: { app: Application; pair: Pair }) {
    const history = [...(app.status?.history ?? [])].reverse();
    const git = app.status?.sync?.revision ?? "";
    const options = [
        { value: "git", label: t("diff.git", { revision: git.slice(0, 7) }) },
        ...history
            .filter(
                (h, i) => h.revision && history.findIndex((x) => x.revision === h.revision) === i,
            )
            .map((h) => ({
                value: h.revision!,
                label: t("diff.entry", { id: h.id, revision: h.revision!.slice(0, 7) }),
            })),
    ];
    const other = (value: string) =>
        value && value !== "live" && !options.some((o) => o.value === value)
            ? [{ value, label: value.slice(0, 40) }]
            : [];
    const pick = (
        name: "from" | "to",
        value: string,
        list: { value: string; label: string }[],
        label: string,
    ) => (
        <span class="box fit">
            <select
                class="in fit"
                aria-label={label}
                value={value}
                onChange={(e) => setQuery({ [name]: e.currentTarget.value, item: null })}
            >
                {[...list, ...other(value)].map((o) => (
                    <option key={o.value} value={o.value} selected={o.value === value}>
                        {o.label}
                    </option>
                ))}
            </select>
            <span class="i end">
                <Icon name="i-down" />
            </span>
        </span>
    );
    const live = { value: "live", label: t("diff.live") };
    return (
        <span class="row wrap">
            <span class="t2">{t("diff.compare")}</span>
            {pick("from", pair.from, [live, ...options], t("diff.from"))}
            <span class="t2">{t("diff.with")}</span>
            {pair.from === "live" ? (
                <span class="m">{options[0]!.label}</span>
            ) : (
                <>
                    {pick("to", pair.to, options, t("diff.to"))}
                    <input
                        class="in fit mono"
                        aria-label={t("diff.other")}
                        placeholder={t("diff.other")}
                        onKeyDown={(e) => {
                            const text = e.currentTarget.value.trim();
                            if (e.key === "Enter" && text) setQuery({ to: text, item: null });
                        }}
                    />
                </>
            )}
        </span>
    );
}

function Nothing({
    app,
    bar,
    live,
}: {
    app: Application;
    bar: preact.ComponentChildren;
    live: boolean;
}) {
    const rules = ((app.spec.ignoreDifferences as unknown[] | undefined) ?? []).length;
    const unknown = app.status?.sync?.status === "Unknown";
    return (
        <>
            <div class="bar">{bar}</div>
            <Empty
                icon="i-diff"
                title={t(live && unknown ? "diff.notCompared" : "detail.noDiff")}
                text={
                    !live
                        ? t("diff.sameRevisions")
                        : unknown
                          ? t("diff.notComparedHelp")
                          : rules > 0
                            ? t("diff.rules", { n: rules })
                            : t("detail.noDiffHelp")
                }
            />
        </>
    );
}

function LiveDiff({ app, devops, pair }: { app: Application; devops: string; pair: Pair }) {
    const stamp = `${app.status?.sync?.revision ?? ""}-${app.status?.reconciledAt ?? ""}`;
    const name = app.metadata.name;
    const load = useLoad<{ items: DiffItem[] }>(
        `${appBase(devops, name)}/diff?at=${encodeURIComponent(stamp)}`,
    );
    const bar = <PairBar app={app} pair={pair} />;
    const entries = useMemo(() => entriesOf(load.value?.items ?? []), [load.value]);
    return (
        <Loaded ready={load.value !== null} error={load.error} again={load.again}>
            {() =>
                entries.length === 0 ? (
                    <Nothing app={app} bar={bar} live />
                ) : (
                    <Sections
                        entries={entries}
                        heads={[
                            t("diff.live"),
                            t("diff.git", {
                                revision: (app.status?.sync?.revision ?? "").slice(0, 7),
                            }),
                        ]}
                        bar={bar}
                        live
                    />
                )
            }
        </Loaded>
    );
}

interface Rendered {
    commit: string;
    objects: object[];
}

function RevisionDiff({ app, devops, pair }: { app: Application; devops: string; pair: Pair }) {
    const at = (revision: string) =>
        `${appBase(devops, app.metadata.name)}/manifests${revision === "git" ? "" : `?revision=${encodeURIComponent(revision)}`}`;
    const before = useLoad<Rendered>(at(pair.from));
    const after = useLoad<Rendered>(at(pair.to));
    const bar = <PairBar app={app} pair={pair} />;
    const entries = useMemo(
        () =>
            before.value && after.value
                ? entriesOf(itemsBetween(before.value.objects, after.value.objects))
                : [],
        [before.value, after.value],
    );
    return (
        <>
            {(before.error || after.error) && <div class="bar">{bar}</div>}
            <Loaded
                ready={before.value !== null && after.value !== null}
                error={before.error ?? after.error}
                again={() => {
                    before.again();
                    after.again();
                }}
            >
                {() =>
                    entries.length === 0 ? (
                        <Nothing app={app} bar={bar} live={false} />
                    ) : (
                        <Sections
                            entries={entries}
                            heads={[
                                before.value!.commit.slice(0, 7),
                                after.value!.commit.slice(0, 7),
                            ]}
                            bar={bar}
                            live={false}
                        />
                    )
                }
            </Loaded>
        </>
    );
}

export function Diff({ app, devops }: { app: Application; devops: string }) {
    const pair = {
        from: query.value.get("from") ?? "live",
        to: query.value.get("to") ?? "git",
    };
    return pair.from === "live" ? (
        <LiveDiff app={app} devops={devops} pair={pair} />
    ) : (
        <RevisionDiff key={`${pair.from} ${pair.to}`} app={app} devops={devops} pair={pair} />
    );
}
