/* One continuous deployment: verdict strip, conditions in full, tabs. Live. */
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { send } from "../api/client";
import type { Application } from "../api/types";
import { ago, duration, exact, t, type Key } from "../i18n";
import { en } from "../i18n/en";
import { liveObject } from "../live";
import { CREATOR, ALIAS, rowOf, UPDATED } from "../model";
import { optionsOf, settingsOf } from "../settings";
import { closeDialog, dialog, go, href, openDialog, query, setQuery } from "../router";
import { namespaceOf, lacks, may } from "../session";
import { isRunning, steps } from "../sync";
import { Button, Empty, Health, minute, Note, PhaseStatus, Status, Sync, Time } from "../ui/kit";
import { useKeys } from "../ui/keys";
import { Menu, toast } from "../ui/overlay";
import { APPS, AppDialog, strategy } from "./apps";
import { Diff } from "./diff";
import { addressOf } from "./dialogs";
import { Loaded } from "./page";
import { Resources } from "./resources";
import { Head, Shell } from "./shell";
import { ServicesTable } from "./services";
import { History } from "./history";
import { EventList } from "./events";
import { SyncTab } from "./sync-tab";
import { appBase, useFacts, useTree, type Facts } from "./tree-data";

async function refresh(app: Application): Promise<void> {
    try {
        await send(
            "PATCH",
            addressOf(app),
            { metadata: { annotations: { "argocd.argoproj.io/refresh": "normal" } } },
            "application/merge-patch+json",
        );
    } catch (e) {
        toast((e as Error).message, true);
    }
}

function Cell({ name, children }: { name: string; children: ComponentChildren }) {
    return (
        <div>
            <dt>{name}</dt>
            <dd>{children}</dd>
        </div>
    );
}

/** Where Git is, and when it differs what the cluster runs. */
function gitSentence(app: Application): string {
    const git = rowOf(app).revision;
    const history = app.status?.history ?? [];
    const running = (history[history.length - 1]?.revision ?? "").slice(0, 7);
    if (!git) return "";
    return running && running !== git && app.status?.sync?.status !== "Synced"
        ? t("detail.clusterRuns", { revision: git, running })
        : t("detail.gitAt", { revision: git });
}

/** The four answers: healthy? as Git says? the last sync? what happens by itself? */
function Verdict({ app, facts }: { app: Application; facts: Facts }) {
    const row = rowOf(app);
    const state = app.status?.operationState;
    const running = isRunning(app);
    const who = state?.operation?.initiatedBy;
    const by = who?.automated
        ? t("detail.automated")
        : who?.username
          ? t("detail.by", { who: who.username })
          : "";
    const now = minute.value;
    const differ =
        row.differ > 0
            ? `${t("apps.differ", { n: row.differ, total: row.total })}${t("common.stop")}`
            : row.sync === "Synced"
              ? t("detail.equal", { n: row.total })
              : "";
    const at = steps(app, facts.sync).find((s) => s.state === "now");
    return (
        <dl class="verdict">
            <Cell name={t("apps.health")}>
                <Health of={row.health} sub={row.healthWhy || undefined} />
            </Cell>
            <Cell name={t("apps.sync")}>
                <Sync
                    of={row.sync}
                    sub={
                        [differ, gitSentence(app)].filter(Boolean).join(t("common.space")) ||
                        undefined
                    }
                />
                {facts.gitChecked && (
                    <span class="sub indent" title={exact(facts.gitChecked)}>
                        {t("detail.gitChecked", { when: ago(facts.gitChecked, now) })}
                    </span>
                )}
            </Cell>
            <Cell name={running ? t("detail.currentSync") : t("detail.lastSync")}>
                {running ? (
                    <Status
                        look="progressing"
                        word={at ? t(`sync.step.${at.name}` as Key) : t("status.phase.Running")}
                        sub={[
                            at && at.total > 0
                                ? t("sync.done", { n: at.done, total: at.total })
                                : "",
                            by,
                        ]
                            .filter(Boolean)
                            .join(", ")}
                    />
                ) : state ? (
                    <PhaseStatus
                        of={state.phase}
                        sub={[
                            ago(state.finishedAt ?? state.startedAt, now),
                            by,
                            duration(state.startedAt, state.finishedAt),
                        ]
                            .filter(Boolean)
                            .join(", ")}
                    />
                ) : (
                    <span class="t3">{t("detail.neverSynced")}</span>
                )}
            </Cell>
            <Cell name={t("create.strategy")}>
                <span class="st quiet">{strategy(row)}</span>
                <span class="sub">{row.auto ? t("detail.autoHelp") : t("detail.manualHelp")}</span>
            </Cell>
        </dl>
    );
}

/** Conditions and a failed sync, in full, each with what to do. */
function Troubles({ app, facts }: { app: Application; facts: Facts }) {
    const state = app.status?.operationState;
    const conditions = app.status?.conditions ?? [];
    const failed =
        (state?.phase === "Failed" || state?.phase === "Error") &&
        !conditions.some((c) => c.type === "SyncError");
    return (
        <>
            {app.metadata.deletionTimestamp && (
                <Note
                    look="progressing"
                    title={t("detail.deleting")}
                    {...(facts.message ? { text: facts.message } : {})}
                />
            )}
            {conditions.map((c) => (
                <Note
                    key={`${c.type} ${c.message}`}
                    look={c.type.endsWith("Error") ? "degraded" : "outofsync"}
                    title={c.type}
                    text={c.message}
                    {...(`condition.${c.type}` in en
                        ? { help: t(`condition.${c.type}` as Key) }
                        : {})}
                />
            ))}
            {failed && query.value.get("tab") !== "sync" && (
                <Note look="degraded" title={t("detail.syncFailed")} text={state?.message ?? ""}>
                    <Button kind="small" onClick={() => setQuery({ tab: "sync" }, false)}>
                        {t("detail.showSync")}
                    </Button>
                </Note>
            )}
        </>
    );
}

/** The Sync Settings in the words of the form; what the form does not know as it stands. */
function settingWords(app: Application): string[] {
    const s = settingsOf(app);
    const known = optionsOf(s);
    const policies: Record<string, Key> = {
        foreground: "create.foreground",
        background: "create.background",
        orphan: "create.orphan",
    };
    const policy = policies[s.propagation];
    return [
        s.skipValidation && t("create.skip"),
        s.createNamespace && t("create.namespace"),
        s.pruneLast && t("create.pruneLast"),
        s.outOfSyncOnly && t("create.outOfSync"),
        policy ? t(policy) : s.propagation,
        s.replace && t("create.replace"),
        ...(app.spec.syncPolicy?.syncOptions ?? []).filter((o) => !known.includes(o)),
    ].filter((x): x is string => Boolean(x));
}

function Attributes({ app }: { app: Application }) {
    const row = rowOf(app);
    const images = app.status?.summary?.images ?? [];
    const fact = (name: string, value: preact.ComponentChildren, sub?: string) => (
        <div>
            <dt>{name}</dt>
            <dd>
                {value}
                {sub && <span class="sub">{sub}</span>}
            </dd>
        </div>
    );
    return (
        <dl class="facts">
            {fact(t("apps.location"), <span class="m">{row.cluster}</span>, row.project)}
            {fact(t("detail.repo"), row.repo)}
            {fact(t("apps.revision"), <code>{row.target}</code>)}
            {fact(t("create.path"), <code>{app.spec.source?.path || "."}</code>)}
            {fact(t("detail.settings"), settingWords(app).join(t("common.comma")))}
            {images.length > 0 && fact(t("detail.images"), images.join(", "))}
            {fact(t("common.created"), exact(app.metadata.creationTimestamp))}
            {fact(
                t("apps.updated"),
                row.updated ? exact(app.metadata.annotations?.[UPDATED]) : t("common.never"),
            )}
            {fact(t("detail.lastCheck"), <Time at={app.status?.reconciledAt} />)}
            {fact(t("detail.creator"), app.metadata.annotations?.[CREATOR] || "–")}
        </dl>
    );
}

const tabs = ["resources", "diff", "sync", "history", "events", "services"] as const;
type Tab = (typeof tabs)[number];

function Content({
    app,
    devops,
    tab,
    facts,
}: {
    app: Application;
    devops: string;
    tab: Tab;
    facts: Facts;
}) {
    if (tab === "diff") return <Diff app={app} devops={devops} />;
    if (tab === "sync") return <SyncTab app={app} devops={devops} facts={facts} />;
    if (tab === "history") return <History app={app} />;
    if (tab === "events")
        return (
            <div class="gap-top">
                <EventList at={`${appBase(devops, app.metadata.name)}/events`} wide />
            </div>
        );
    if (tab === "services")
        return (
            <div class="gap-top">
                <ServicesTable devops={devops} only={(s) => s.application === app.metadata.name} />
            </div>
        );
    return <ResourcesTab app={app} devops={devops} />;
}

function ResourcesTab({ app, devops }: { app: Application; devops: string }) {
    const tree = useTree(devops, app.metadata.name);
    return (
        <Resources
            app={app}
            devops={devops}
            tree={tree}
            aside={
                <>
                    <aside aria-label={t("detail.attributes")}>
                        <Attributes app={app} />
                    </aside>
                    <details class="attributes">
                        <summary>{t("detail.attributes")}</summary>
                        <Attributes app={app} />
                    </details>
                </>
            }
        />
    );
}

/** A sync that begins while its dialog was just open here opens its tab. */
function useSyncTab(app: Application, tab: Tab): void {
    const asked = useRef(0);
    const begun = `${isRunning(app)} ${app.status?.operationState?.startedAt ?? ""}`;
    const was = useRef(begun);
    const open = dialog.value === "sync";
    useEffect(() => {
        if (open) asked.current = Date.now();
        return () => {
            if (open) asked.current = Date.now();
        };
    }, [open]);
    useEffect(() => {
        if (begun !== was.current && Date.now() - asked.current < 10_000 && tab !== "sync")
            setQuery({ tab: "sync", res: null, panel: null });
        was.current = begun;
    }, [begun]);
}

function Page({ app, devops }: { app: Application; devops: string }) {
    const row = rowOf(app);
    const tab = (tabs.find((x) => x === query.value.get("tab")) ?? "resources") as Tab;
    const facts = useFacts(devops, row.name);
    const running = isRunning(app);
    const verb = dialog.value;
    useSyncTab(app, tab);
    useKeys({
        r: () => may("sync applications", devops) && void refresh(app),
        s: () => !running && may("sync applications", devops) && openDialog("sync"),
        d: () => setQuery({ tab: "diff", res: null, panel: null }, false),
        h: () => setQuery({ tab: "history", res: null, panel: null }, false),
    });
    const here = `/devops/${devops}/apps/${row.name}`;
    const titles: Record<Tab, string> = {
        resources: t("detail.resources"),
        diff: t("detail.diff"),
        sync: t("detail.syncTab"),
        history: t("detail.history"),
        events: t("events.title"),
        services: t("detail.services"),
    };
    return (
        <>
            <Head title={row.name} aside={app.metadata.annotations?.[ALIAS] ?? ""}>
                <Button
                    icon="i-refresh"
                    lacks={lacks("sync applications", devops)}
                    onClick={() => void refresh(app)}
                >
                    {t("detail.refresh")}
                </Button>
                <Button
                    kind="primary"
                    icon="i-sync"
                    busy={running}
                    lacks={lacks("sync applications", devops)}
                    onClick={() => openDialog("sync")}
                >
                    {running ? t("detail.syncing") : t("detail.sync")}
                </Button>
                <Menu
                    label={t("common.more", { name: row.name })}
                    icon="i-more"
                    kind="icon"
                    items={[
                        {
                            label: t("apps.editInfo"),
                            icon: "i-edit",
                            lacks: lacks("patch applications", devops),
                            onPick: () => openDialog("info"),
                        },
                        {
                            label: t("apps.editSettings"),
                            icon: "i-settings",
                            lacks: lacks("patch applications", devops),
                            onPick: () => openDialog("settings"),
                        },
                        {
                            label: t("apps.editYaml"),
                            icon: "i-yaml",
                            lacks: lacks("update applications", devops),
                            onPick: () => openDialog("yaml"),
                        },
                        {
                            label: t("common.delete"),
                            icon: "i-trash",
                            risk: true,
                            line: true,
                            lacks: lacks("delete applications", devops),
                            onPick: () => openDialog("delete"),
                        },
                    ]}
                />
            </Head>
            <Troubles app={app} facts={facts} />
            <Verdict app={app} facts={facts} />
            <nav class="tabs" aria-label={t("detail.sections")}>
                {tabs.map((x) => (
                    <a
                        key={x}
                        href={href(`${here}${x === "resources" ? "" : `?tab=${x}`}`)}
                        aria-current={x === tab ? "page" : undefined}
                    >
                        {titles[x]}
                        {x === "diff" && row.differ > 0 && <span class="n">{row.differ}</span>}
                    </a>
                ))}
            </nav>
            <Content app={app} devops={devops} tab={tab} facts={facts} />
            <AppDialog verb={verb} app={app} close={closeDialog} />
        </>
    );
}

export function Detail({ devops, name }: { devops: string; name: string }) {
    const namespace = namespaceOf(devops);
    const one = useMemo(
        () => liveObject<Application>(`${APPS}/${namespace}/applications`, name),
        [namespace, name],
    );
    useEffect(() => one.stop, [one]);
    const app = one.items.value?.get(name);
    return (
        <Shell
            devops={devops}
            crumbs={[
                { text: devops, to: `/devops/${devops}/apps` },
                { text: t("apps.title"), to: `/devops/${devops}/apps` },
                { text: name },
            ]}
        >
            {one.items.value === null && <Head title={name} />}
            <Loaded ready={one.items.value !== null} error={one.error.value} again={one.again}>
                {() =>
                    app ? (
                        <Page app={app} devops={devops} />
                    ) : (
                        <>
                            <Head title={name} />
                            <Empty icon="i-search" title={t("detail.gone")}>
                                <Button onClick={() => go(`/devops/${devops}/apps`)}>
                                    {t("apps.title")}
                                </Button>
                            </Empty>
                        </>
                    )
                }
            </Loaded>
        </Shell>
    );
}
