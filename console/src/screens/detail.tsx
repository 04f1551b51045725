/* One continuous deployment: verdict strip, conditions in full, tabs. Live. */
import { useEffect, useMemo } from "preact/hooks";
import { send } from "../api/client";
import type { Application } from "../api/types";
import { duration, exact, t } from "../i18n";
import { liveObject } from "../live";
import { CREATOR, ALIAS, rowOf, settingsOf, optionsOf, UPDATED } from "../model";
import { closeDialog, dialog, go, href, openDialog, query, setQuery } from "../router";
import { devopsOf } from "../session";
import { Button, Empty, Health, minute, Note, PhaseStatus, Sync, Time } from "../ui/kit";
import { Menu, toast } from "../ui/overlay";
import { APPS, AppDialog, strategy } from "./apps";
import { Diff } from "./diff";
import { addressOf } from "./dialogs";
import { Loaded } from "./page";
import { Resources } from "./resources";
import { Head, Shell } from "./shell";
import { ServicesTable } from "./services";
import { History, SyncTab } from "./sync-tab";
import { useTree } from "./tree-data";

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

function Verdict({ app }: { app: Application }) {
    const row = rowOf(app);
    const state = app.status?.operationState;
    const running = state?.phase === "Running" || state?.phase === "Terminating";
    const who = state?.operation?.initiatedBy;
    const by = who?.automated
        ? t("detail.automated")
        : who?.username
          ? t("detail.by", { who: who.username })
          : "";
    void minute.value;
    const git = row.revision ? t("detail.gitAt", { revision: row.revision }) : "";
    const differ =
        row.differ > 0
            ? t("apps.differ", { n: row.differ, total: row.total })
            : row.sync === "Synced"
              ? t("detail.equal", { n: row.total })
              : "";
    return (
        <dl class="verdict">
            <div>
                <dt>{t("apps.health")}</dt>
                <dd>
                    <Health of={row.health} sub={row.healthWhy || undefined} />
                </dd>
            </div>
            <div>
                <dt>{t("apps.sync")}</dt>
                <dd>
                    <Sync
                        of={row.sync}
                        sub={`${differ}${differ && git ? ". " : ""}${git}` || undefined}
                    />
                </dd>
            </div>
            <div>
                <dt>{running ? t("detail.currentSync") : t("detail.lastSync")}</dt>
                <dd>
                    {state ? (
                        <PhaseStatus
                            of={state.phase}
                            sub={[
                                exact(state.finishedAt ?? state.startedAt),
                                by,
                                duration(state.startedAt, state.finishedAt),
                            ]
                                .filter(Boolean)
                                .join(", ")}
                        />
                    ) : (
                        <span class="t3">{t("detail.neverSynced")}</span>
                    )}
                </dd>
            </div>
            <div>
                <dt>{t("create.strategy")}</dt>
                <dd>
                    <span class="st quiet">{strategy(row)}</span>
                    <span class="sub">
                        {row.auto ? t("detail.autoHelp") : t("detail.manualHelp")}
                    </span>
                </dd>
            </div>
        </dl>
    );
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
            {fact(t("detail.settings"), optionsOf(settingsOf(app)).join(", "))}
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

const tabs = ["resources", "diff", "sync", "history", "services"] as const;
type Tab = (typeof tabs)[number];

function Content({ app, devops, tab }: { app: Application; devops: string; tab: Tab }) {
    if (tab === "diff") return <Diff app={app} devops={devops} />;
    if (tab === "sync") return <SyncTab app={app} />;
    if (tab === "history") return <History app={app} />;
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
                <aside aria-label={t("detail.attributes")}>
                    <Attributes app={app} />
                </aside>
            }
        />
    );
}

function Page({ app, devops }: { app: Application; devops: string }) {
    const row = rowOf(app);
    const tab = (tabs.find((x) => x === query.value.get("tab")) ?? "resources") as Tab;
    const state = app.status?.operationState;
    const running = Boolean(app.operation) || state?.phase === "Running";
    const verb = dialog.value;
    const here = `/devops/${devops}/apps/${row.name}`;
    const titles: Record<Tab, string> = {
        resources: t("detail.resources"),
        diff: t("detail.diff"),
        sync: t("detail.syncTab"),
        history: t("detail.history"),
        services: t("detail.services"),
    };
    return (
        <>
            <Head title={row.name} aside={app.metadata.annotations?.[ALIAS] ?? ""}>
                <Button icon="i-refresh" onClick={() => void refresh(app)}>
                    {t("detail.refresh")}
                </Button>
                <Button
                    kind="primary"
                    icon="i-sync"
                    busy={running}
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
                            onPick: () => openDialog("info"),
                        },
                        {
                            label: t("apps.editSettings"),
                            icon: "i-settings",
                            onPick: () => openDialog("settings"),
                        },
                        {
                            label: t("apps.editYaml"),
                            icon: "i-yaml",
                            onPick: () => openDialog("yaml"),
                        },
                        {
                            label: t("common.delete"),
                            icon: "i-trash",
                            risk: true,
                            line: true,
                            onPick: () => openDialog("delete"),
                        },
                    ]}
                />
            </Head>
            {row.deleting && <Note look="progressing" title={t("status.deleting")} />}
            {(app.status?.conditions ?? []).map((c) => (
                <Note
                    key={c.type}
                    look={c.type.endsWith("Error") ? "degraded" : "outofsync"}
                    title={c.type}
                    text={c.message}
                />
            ))}
            <Verdict app={app} />
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
            <Content app={app} devops={devops} tab={tab} />
            <AppDialog
                verb={verb}
                app={app}
                close={() => {
                    closeDialog();
                    if (verb === "sync" && tab !== "sync") setQuery({ tab: "sync" });
                }}
            />
        </>
    );
}

export function Detail({ devops, name }: { devops: string; name: string }) {
    const namespace = devopsOf(devops)?.namespace ?? devops;
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
