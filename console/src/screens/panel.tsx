/* One resource, docked beside the tree: in the address, resizable, never modal. Escape closes it. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { sendText, type ApiError } from "../api/client";
import type { Application } from "../api/types";
import { compareTexts } from "../diff";
import { readable, type DiffItem } from "../diff-items";
import { exact, storage, t, type Key } from "../i18n";
import { useLoad } from "../load";
import { query, setQuery } from "../router";
import { lacks } from "../session";
import { idOfKey, type TreeNode } from "../tree";
import { DiffView, YamlView } from "../ui/diff-view";
import { Button, Empty, Health, Note, Sync, Time } from "../ui/kit";
import { toast } from "../ui/overlay";
import { toYaml } from "../yaml";
import { EventList } from "./events";
import { details } from "./outline";
import { Loaded } from "./page";
import { appBase } from "./tree-data";

interface Views {
    kind: string;
    managed: boolean;
    live?: LiveObject;
    desired?: unknown;
}

interface LiveObject {
    metadata?: { labels?: Record<string, string>; resourceVersion?: string };
    [other: string]: unknown;
}

export const panelTabs = ["summary", "diff", "live", "desired", "events", "logs"] as const;
export type PanelTab = (typeof panelTabs)[number];

function tabsOf(n: TreeNode): PanelTab[] {
    return panelTabs.filter(
        (x) =>
            (x !== "diff" && x !== "desired" ? true : Boolean(n.managed)) &&
            (x !== "logs" || n.kind === "Pod"),
    );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
    return (
        <div>
            <dt>{name}</dt>
            <dd>{children}</dd>
        </div>
    );
}

function short(value: unknown): string {
    const text =
        value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value);
    return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}

export function Fields({ item }: { item: DiffItem }) {
    const fields = item.fields ?? [];
    if (fields.length === 0) return null;
    return (
        <ul class="fields">
            {fields.slice(0, 20).map((f) => (
                <li key={f.path}>
                    <code class="wrap-any">{f.path}</code>
                    <span class="sub wrap-any">
                        {short(f.live)} → {short(f.wanted)}
                    </span>
                    {f.manager && (
                        <span class="sub">
                            {t("detail.setBy", { who: f.manager })} {f.time && <Time at={f.time} />}
                        </span>
                    )}
                </li>
            ))}
            {fields.length > 20 && (
                <li class="t3">{t("diff.moreFields", { n: fields.length - 20 })}</li>
            )}
        </ul>
    );
}

function Summary({ n, base, stamp }: { n: TreeNode; base: string; stamp: string }) {
    const views = useLoad<Views>(base);
    const differs = n.managed && n.status === "OutOfSync";
    const diff = useLoad<{ items: DiffItem[] }>(differs ? `${base}/diff?at=${stamp}` : null);
    const item = diff.value?.items[0];
    const labels = Object.entries(views.value?.live?.metadata?.labels ?? {});
    const fields = item?.fields?.length ?? 0;
    return (
        <>
            <div class="row wrap states">
                {n.health && <Health of={n.health} />}
                {n.managed && n.status && <Sync of={n.status} />}
            </div>
            {n.reason && (
                <Note look={n.health === "Degraded" ? "degraded" : "outofsync"} text={n.reason} />
            )}
            {differs && (
                <div class="note outofsync">
                    <strong>
                        {fields > 0
                            ? t("diff.fields", { n: fields })
                            : n.difference
                              ? t(`tree.difference.${n.difference}` as Key)
                              : t("status.sync.OutOfSync")}
                    </strong>
                    {item && <Fields item={item} />}
                </div>
            )}
            <dl class="facts">
                {n.info && (
                    <Fact name={t("tree.details")}>
                        {details({ ...n, reason: "", difference: "" })}
                    </Fact>
                )}
                {n.state && n.state !== n.reason && <Fact name={t("tree.state")}>{n.state}</Fact>}
                {n.restarts !== undefined && <Fact name={t("panel.restarts")}>{n.restarts}</Fact>}
                {n.images && n.images.length > 0 && (
                    <Fact name={t("detail.images")}>
                        {n.images.map((x) => (
                            <code class="block wrap-any" key={x}>
                                {x}
                            </code>
                        ))}
                    </Fact>
                )}
                {n.namespace && <Fact name={t("detail.project")}>{n.namespace}</Fact>}
                {n.created && <Fact name={t("common.created")}>{exact(n.created)}</Fact>}
                {labels.length > 0 && (
                    <Fact name={t("panel.labels")}>
                        <span class="row wrap tags">
                            {labels.map(([k, v]) => (
                                <span class="tag wrap" key={k}>
                                    {k}={v}
                                </span>
                            ))}
                        </span>
                    </Fact>
                )}
                {n.file && (
                    <Fact name={t("panel.file")}>
                        <code class="wrap-any">{n.file}</code>
                    </Fact>
                )}
            </dl>
        </>
    );
}

function DiffTab({ base, stamp, unified }: { base: string; stamp: string; unified: boolean }) {
    const load = useLoad<{ items: DiffItem[] }>(`${base}/diff?at=${stamp}`);
    return (
        <Loaded ready={load.value !== null} error={load.error} again={load.again}>
            {() => {
                const item = load.value!.items[0];
                const compared = compareTexts(readable(item?.live), readable(item?.wanted));
                if (!item || compared.added + compared.removed === 0)
                    return (
                        <Empty
                            icon="i-diff"
                            title={t("detail.noDiff")}
                            text={
                                item?.ignored
                                    ? t("diff.ignoredHelp")
                                    : item?.message || t("detail.noDiffHelp")
                            }
                        />
                    );
                return (
                    <>
                        {item.message && <Note look="outofsync" text={item.message} />}
                        <Fields item={item} />
                        <div class="card gap-top clip">
                            <DiffView
                                compared={compared}
                                unified={unified}
                                label={t("detail.diff")}
                                heads={[t("detail.live"), t("detail.desired")]}
                            />
                        </div>
                    </>
                );
            }}
        </Loaded>
    );
}

function Editor({
    base,
    text,
    done,
}: {
    base: string;
    text: string;
    done: (saved: boolean) => void;
}) {
    const [draft, setDraft] = useState(text);
    const [error, setError] = useState<ApiError | null>(null);
    const [busy, setBusy] = useState(false);
    const save = async () => {
        setBusy(true);
        try {
            await sendText("PUT", base, draft, "application/yaml");
            toast(t("common.saved"));
            done(true);
        } catch (e) {
            setError(e as ApiError);
            setBusy(false);
        }
    };
    return (
        <div class="col fill">
            {error && (
                <Note
                    look="degraded"
                    {...(error.status === 409 ? { title: t("panel.conflict") } : {})}
                    text={error.message}
                >
                    {error.status === 409 && (
                        <Button kind="small" onClick={() => done(true)}>
                            {t("panel.reload")}
                        </Button>
                    )}
                </Note>
            )}
            <textarea
                class="in mono code-edit"
                aria-label={t("panel.edit")}
                spellcheck={false}
                value={draft}
                onInput={(e) => setDraft(e.currentTarget.value)}
                onKeyDown={(e) => {
                    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) void save();
                    if (e.key === "Escape" && draft !== text) e.stopPropagation();
                }}
            />
            <div class="row">
                <span class="t3">{t("panel.editHelp")}</span>
                <span class="push row">
                    <Button kind="small" onClick={() => done(false)}>
                        {t("common.cancel")}
                    </Button>
                    <Button kind="primary small" busy={busy} onClick={() => void save()}>
                        {t("panel.save")}
                    </Button>
                </span>
            </div>
        </div>
    );
}

function Yaml({
    base,
    devops,
    view,
    n,
}: {
    base: string;
    devops: string;
    view: "live" | "desired";
    n: TreeNode;
}) {
    const load = useLoad<Views>(base);
    const [editing, setEditing] = useState(false);
    const [fields, setFields] = useState(false);
    return (
        <Loaded ready={load.value !== null} error={load.error} again={load.again}>
            {() => {
                const object = load.value![view];
                if (!object)
                    return (
                        <Empty
                            icon="i-yaml"
                            title={t(view === "live" ? "panel.notLive" : "panel.notWanted")}
                        />
                    );
                const full = structuredClone(object) as LiveObject & {
                    metadata?: { managedFields?: unknown };
                };
                if (!fields || editing) delete full.metadata?.managedFields;
                const text = toYaml(full);
                if (editing)
                    return (
                        <Editor
                            base={base}
                            text={text}
                            done={(saved) => {
                                setEditing(false);
                                if (saved) load.again();
                            }}
                        />
                    );
                return (
                    <div class="col fill">
                        <div class="row">
                            {view === "live" && n.kind !== "Secret" && (
                                <Button
                                    kind="small"
                                    icon="i-edit"
                                    lacks={lacks("update applications/resources", devops)}
                                    onClick={() => setEditing(true)}
                                >
                                    {t("panel.edit")}
                                </Button>
                            )}
                            {view === "live" && (
                                <label class="ck push">
                                    <input
                                        type="checkbox"
                                        checked={fields}
                                        onChange={(e) => setFields(e.currentTarget.checked)}
                                    />
                                    <span>{t("panel.managed")}</span>
                                </label>
                            )}
                        </div>
                        <YamlView
                            text={text}
                            label={t(view === "live" ? "panel.live" : "panel.desired")}
                        />
                    </div>
                );
            }}
        </Loaded>
    );
}

const LEAST = 320;
const MOST = 1100;

function useWidth(): [number, (to: number) => void] {
    const [width, set] = useState(() => {
        const kept = Number(storage("taut.panel"));
        return kept >= LEAST && kept <= MOST ? kept : 368;
    });
    return [
        width,
        (to) => {
            const fits = Math.round(Math.min(MOST, Math.max(LEAST, to)));
            storage("taut.panel", String(fits));
            set(fits);
        },
    ];
}

function Grip({ width, setWidth }: { width: number; setWidth: (to: number) => void }) {
    return (
        <div
            class="grip"
            role="separator"
            aria-orientation="vertical"
            aria-label={t("panel.resize")}
            aria-valuenow={width}
            aria-valuemin={LEAST}
            aria-valuemax={MOST}
            tabIndex={0}
            onKeyDown={(e) => {
                const by = e.key === "ArrowLeft" ? 32 : e.key === "ArrowRight" ? -32 : 0;
                if (by === 0) return;
                e.preventDefault();
                setWidth(width + by);
            }}
            onPointerDown={(e) => {
                const from = e.clientX;
                const grip = e.currentTarget;
                grip.setPointerCapture(e.pointerId);
                const move = (m: PointerEvent) => setWidth(width + from - m.clientX);
                const up = () => {
                    grip.removeEventListener("pointermove", move);
                    grip.removeEventListener("pointerup", up);
                };
                grip.addEventListener("pointermove", move);
                grip.addEventListener("pointerup", up);
            }}
        />
    );
}

export function closePanel(): void {
    const key = query.value.get("res");
    setQuery({ res: null, panel: null });
    if (key)
        document
            .querySelector<HTMLElement>(`[data-id="${CSS.escape(idOfKey(key))}"]`)
            ?.focus({ preventScroll: true });
}

export function Panel({
    app,
    devops,
    n,
    logs,
}: {
    app: Application;
    devops: string;
    n: TreeNode;
    logs: (base: string) => ComponentChildren;
}) {
    const key = query.value.get("res")!;
    const base = `${appBase(devops, app.metadata.name)}/resources/${encodeURIComponent(key)}`;
    const all = tabsOf(n);
    const tab = all.find((x) => x === query.value.get("panel")) ?? "summary";
    const [width, setWidth] = useWidth();
    const head = useRef<HTMLHeadingElement>(null);
    const stamp = encodeURIComponent(`${app.status?.sync?.revision ?? ""}-${n.status ?? ""}`);
    const first = useRef(true);
    useEffect(() => {
        /* By a link the page's own heading has the focus; by a choice this one. */
        if (!first.current || document.activeElement?.closest("[data-id]"))
            head.current?.focus({ preventScroll: true });
        first.current = false;
    }, [key]);
    const title: Record<PanelTab, string> = {
        summary: t("panel.summary"),
        diff: t("detail.diff"),
        live: t("panel.live"),
        desired: t("panel.desired"),
        events: t("events.title"),
        logs: t("logs.title"),
    };
    const go = (to: PanelTab) => setQuery({ panel: to === "summary" ? null : to });
    const onTabKey = (e: KeyboardEvent) => {
        const by = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0;
        if (by === 0) return;
        e.preventDefault();
        const to = all[(all.indexOf(tab) + by + all.length) % all.length]!;
        go(to);
        document.getElementById(`panel-${to}`)?.focus();
    };
    return (
        <aside
            class="panel"
            aria-labelledby="panel-title"
            style={{ "--panel": `${width}px` }}
            onKeyDown={(e) => {
                if (e.key !== "Escape" || e.defaultPrevented) return;
                e.stopPropagation();
                closePanel();
            }}
        >
            <Grip width={width} setWidth={setWidth} />
            <div class="hd">
                <div class="min0">
                    <p class="sub">
                        {n.namespace
                            ? t("panel.kindIn", { kind: n.kind, project: n.namespace })
                            : n.kind}
                    </p>
                    <h2 class="h wrap-any" id="panel-title" tabIndex={-1} ref={head}>
                        {n.name}
                    </h2>
                </div>
                <span class="push">
                    <Button
                        kind="ghost small icon"
                        icon="i-close"
                        aria-label={t("common.close")}
                        onClick={closePanel}
                    />
                </span>
            </div>
            <div class="tabs" role="tablist" aria-label={t("panel.resource")} onKeyDown={onTabKey}>
                {all.map((x) => (
                    <a
                        key={x}
                        id={`panel-${x}`}
                        role="tab"
                        tabIndex={x === tab ? 0 : -1}
                        aria-selected={x === tab}
                        aria-controls="panel-body"
                        href={`?${new URLSearchParams({ ...Object.fromEntries(query.value), panel: x })}`}
                        onClick={(e) => {
                            e.preventDefault();
                            go(x);
                        }}
                    >
                        {title[x]}
                    </a>
                ))}
            </div>
            <div class="body" id="panel-body" role="tabpanel" aria-label={title[tab]} tabIndex={0}>
                {tab === "summary" && <Summary key={key} n={n} base={base} stamp={stamp} />}
                {tab === "diff" && (
                    <DiffTab key={key} base={base} stamp={stamp} unified={width < 700} />
                )}
                {(tab === "live" || tab === "desired") && (
                    <Yaml key={`${key}/${tab}`} base={base} devops={devops} view={tab} n={n} />
                )}
                {tab === "events" && <EventList key={key} at={`${base}/events`} />}
                {tab === "logs" && logs(base)}
            </div>
        </aside>
    );
}
