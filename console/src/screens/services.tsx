/* Projects that deployments write to, and their Services with Edit External Access (seed C1–C4). */
import { useMemo, useRef, useState } from "preact/hooks";
import { send } from "../api/client";
import type { AppRow } from "../api/types";
import { exact, t } from "../i18n";
import { useLive } from "../live";
import { closeDialog, dialog, dialogOn, go, href, openDialog, query, setQuery } from "../router";
import { boot, lacks, may } from "../session";
import { keyOfNode } from "../tree";
import { Footer, useAction } from "../ui/action";
import { Button, Check, Choices, CopyButton, Empty, Icon, Note, Status } from "../ui/kit";
import { Dialog, Menu } from "../ui/overlay";
import { useSpan } from "../ui/window";
import { Loaded } from "./page";
import { Head, Shell } from "./shell";

export interface Service {
    name: string;
    project: string;
    cluster: string;
    application: string;
    type: string;
    clusterIP?: string;
    created?: string;
    ports: { name?: string; port: number; protocol?: string; nodePort?: number }[];
    links: string[];
    /** Addresses of its load balancer; none yet: it is waited for. */
    balancers?: string[];
    /** Why no node's address is known: noNodes, notReady, or the cluster's sentence. */
    noAddress?: string;
    git?: {
        type: string;
        nodePorts: number[];
        replace: boolean;
        kept: boolean;
        undone: Record<string, "" | "selfHeal" | "nextSync">;
    };
}

const modes: Record<string, string> = {
    ClusterIP: "None",
    NodePort: "NodePort",
    LoadBalancer: "LoadBalancer",
};

function keyOf(s: Service): string {
    return `${s.cluster}/${s.project}/${s.name}`;
}

function gitSays(s: Service): string {
    const git = s.git!;
    if (git.type && git.nodePorts.length > 0)
        return t("services.gitTypePort", { type: git.type, port: git.nodePorts.join(", ") });
    if (git.type) return t("services.gitType", { type: git.type });
    return t("services.gitReplace");
}

/** Only what would really happen: Git says otherwise, and what then undoes the change. */
function Undone({
    service,
    mode,
    mayKeep,
    keep,
    setKeep,
}: {
    service: Service;
    mode: string;
    mayKeep: boolean;
    keep: boolean;
    setKeep: (to: boolean) => void;
}) {
    const by = service.git?.undone[mode];
    if (!by) return null;
    return (
        <>
            <Note
                look="outofsync"
                title={t(by === "selfHeal" ? "services.undoneNow" : "services.undoneLater")}
                help={gitSays(service)}
            />
            {mayKeep && (
                <Check
                    label={t("services.keep")}
                    help={t("services.keepHelp", { name: service.application })}
                    checked={keep}
                    onValue={setKeep}
                />
            )}
        </>
    );
}

function AccessDialog({
    devops,
    service,
    close,
    done,
}: {
    devops: string;
    service: Service;
    close: () => void;
    done: () => void;
}) {
    const [mode, setMode] = useState(modes[service.type] ?? "None");
    const [keep, setKeep] = useState(false);
    const keeps = keep && Boolean(service.git?.undone[mode]);
    const action = useAction(close);
    const ok = () =>
        void action.run(async () => {
            await send(
                "PUT",
                `taut/v1/devops/${devops}/services/${service.cluster}/${service.project}/${service.name}/access`,
                { mode, ...(keeps && { keep: true }) },
            );
            done();
        }, t("common.saved"));
    const command = `taut service access ${service.project}/${service.name} --devops ${devops} --cluster ${service.cluster} --mode ${mode}${keeps ? " --keep" : ""}`;
    const option = (value: string, label: string, help: string) => ({ value, label, help });
    return (
        <Dialog
            title={t("services.accessTitle", { name: service.name })}
            onClose={close}
            onPrimary={ok}
            error={action.error || undefined}
            footer={
                <>
                    <CopyButton text={command} label={t("common.copyCommand")} />
                    <Footer close={close} label={t("common.ok")} busy={action.busy} onOk={ok} />
                </>
            }
        >
            <div class="body col">
                <h3 class="h">{t("services.mode")}</h3>
                <Choices
                    label={t("services.mode")}
                    value={mode}
                    options={[
                        option("None", t("services.none"), t("services.noneHelp")),
                        option("NodePort", "NodePort", t("services.nodePortHelp")),
                        option("LoadBalancer", "LoadBalancer", t("services.loadBalancerHelp")),
                    ]}
                    onValue={setMode}
                />
                <Undone
                    service={service}
                    mode={mode}
                    mayKeep={may("update applications", devops)}
                    keep={keep}
                    setKeep={setKeep}
                />
                {mode === "NodePort" && <p class="t3">{t("services.openPort")}</p>}
            </div>
        </Dialog>
    );
}

function noAddress(s: Service): string {
    if (s.noAddress === "noNodes") return t("services.noNodes");
    if (s.noAddress === "notReady") return t("services.notReady");
    return s.noAddress ?? "";
}

function External({ s }: { s: Service }) {
    if (s.type === "LoadBalancer") {
        const known = s.balancers ?? [];
        if (known.length === 0) return <Status look="progressing" word={t("services.pending")} />;
        return (
            <>
                {known.flatMap((host) =>
                    s.ports.map((p) => (
                        <a
                            key={`${host}:${p.port}`}
                            class="block"
                            href={`http://${host}:${p.port}`}
                            target="_blank"
                            rel="noreferrer"
                        >
                            {host}:{p.port}
                        </a>
                    )),
                )}
            </>
        );
    }
    const ports = s.ports.filter((p) => p.nodePort);
    if (ports.length === 0) return <span class="t3">–</span>;
    return (
        <>
            {ports.map((p, i) => {
                const link = s.links[i];
                return (
                    <span key={`${p.nodePort}/${p.protocol}`} class="row">
                        {link && (p.protocol ?? "TCP") === "TCP" ? (
                            <a href={`http://${link}`} target="_blank" rel="noreferrer">
                                {link}
                            </a>
                        ) : (
                            <span>{link ?? `nodeIP:${p.nodePort}`}</span>
                        )}
                        <span class="t3">/{p.protocol ?? "TCP"}</span>
                    </span>
                );
            })}
            {s.noAddress && <span class="sub wrap-any">{noAddress(s)}</span>}
        </>
    );
}

const ROW_PX = 48;

function Row({ s, devops }: { s: Service; devops: string }) {
    const resource = new URLSearchParams({
        res: keyOfNode({ kind: "Service", namespace: s.project, name: s.name }),
        panel: "live",
    });
    return (
        <tr>
            <td class="m wrap-any">
                {s.name}
                <span class="sub">{s.project}</span>
            </td>
            <td class="t2">{s.type}</td>
            <td class="t2">
                {s.clusterIP || "–"}
                <span class="sub">
                    {s.ports.map((p) => `${p.port}/${p.protocol ?? "TCP"}`).join("; ")}
                </span>
            </td>
            <td>
                <External s={s} />
            </td>
            <td class="t2 nowrap">{exact(s.created)}</td>
            <td>
                <a href={href(`/devops/${devops}/apps/${s.application}`)}>{s.application}</a>
            </td>
            <td class="last">
                <Menu
                    label={t("common.more", { name: s.name })}
                    icon="i-more"
                    items={[
                        {
                            label: t("services.edit"),
                            icon: "i-edit",
                            lacks: lacks("update applications/resources", devops),
                            onPick: () => openDialog("access", keyOf(s)),
                        },
                        {
                            label: t("apps.editYaml"),
                            icon: "i-yaml",
                            onPick: () => go(`/devops/${devops}/apps/${s.application}?${resource}`),
                        },
                    ]}
                />
            </td>
        </tr>
    );
}

function Rows({ items, devops }: { items: Service[]; devops: string }) {
    const body = useRef<HTMLTableSectionElement>(null);
    const ends = useMemo(() => items.map((_, i) => (i + 1) * ROW_PX), [items.length]);
    const span = useSpan(ends, body, undefined, { whole: 40 });
    const heads = [
        t("common.name"),
        t("services.type"),
        t("services.internal"),
        t("services.external"),
        t("common.created"),
        t("services.deployment"),
    ];
    return (
        <div class="scroll" tabIndex={0} role="group" aria-label={t("services.title")}>
            <table class="tbl" aria-label={t("services.title")} aria-rowcount={items.length + 1}>
                <thead>
                    <tr>
                        {heads.map((h) => (
                            <th scope="col" key={h}>
                                {h}
                            </th>
                        ))}
                        <th scope="col" class="last">
                            <span class="vh">{t("common.moreActions")}</span>
                        </th>
                    </tr>
                </thead>
                <tbody ref={body}>
                    {span.above > 0 && (
                        <tr aria-hidden="true" style={{ height: `${span.above}px` }} />
                    )}
                    {items.slice(span.from, span.to).map((s) => (
                        <Row key={keyOf(s)} s={s} devops={devops} />
                    ))}
                    {span.below > 0 && (
                        <tr aria-hidden="true" style={{ height: `${span.below}px` }} />
                    )}
                </tbody>
            </table>
        </div>
    );
}

export function ServicesTable({ devops, only }: { devops: string; only: (s: Service) => boolean }) {
    const live = useLive<{ items: Service[] }>(`services:${devops}`);
    const all = (live.value.value?.items ?? []).filter(only);
    const find = (query.value.get("q") ?? "").trim().toLowerCase();
    const items = all.filter((s) =>
        `${s.name} ${s.project} ${s.application}`.toLowerCase().includes(find),
    );
    const chosen = all.find((s) => keyOf(s) === dialogOn.value);
    return (
        <Loaded ready={live.value.value !== null} error={live.error.value} again={live.again}>
            {() => (
                <>
                    {all.length > 0 && <Search />}
                    {all.length === 0 ? (
                        <Empty
                            icon="i-plug"
                            title={t("services.empty")}
                            text={t("services.emptyHelp")}
                        >
                            <a class="btn" href={href(`/devops/${devops}/apps`)}>
                                {t("apps.title")}
                            </a>
                        </Empty>
                    ) : items.length === 0 ? (
                        <NoMatch />
                    ) : (
                        <Rows items={items} devops={devops} />
                    )}
                    {dialog.value === "access" && chosen && (
                        <AccessDialog
                            devops={devops}
                            service={chosen}
                            close={closeDialog}
                            done={live.again}
                        />
                    )}
                </>
            )}
        </Loaded>
    );
}

interface Project {
    cluster: string;
    name: string;
    apps: Set<string>;
}

function projectsOf(rows: Iterable<AppRow>): Project[] {
    const found = new Map<string, Project>();
    for (const row of rows) {
        for (const name of row.projects ?? (row.project ? [row.project] : [])) {
            const key = `${row.cluster}/${name}`;
            const project = found.get(key) ?? {
                cluster: row.cluster ?? "",
                name,
                apps: new Set<string>(),
            };
            project.apps.add(row.name);
            found.set(key, project);
        }
    }
    return [...found.values()].sort((a, b) =>
        `${a.cluster}/${a.name}` < `${b.cluster}/${b.name}` ? -1 : 1,
    );
}

function ProjectRow({ p, devops }: { p: Project; devops: string }) {
    const apps = [...p.apps];
    const simulated = boot.value?.clusters.find((c) => c.name === p.cluster)?.simulated;
    return (
        <tr>
            <td>
                <a
                    class="name"
                    href={href(`/devops/${devops}/projects/${p.cluster}/${p.name}/services`)}
                >
                    {p.name}
                </a>
            </td>
            <td class="t2">
                {p.cluster}
                {simulated && ` (${t("apps.simulated")})`}
            </td>
            <td class="t2" title={apps.join(", ")}>
                {apps.slice(0, 5).map((name, i) => (
                    <span key={name}>
                        {i > 0 && t("common.comma")}
                        <a href={href(`/devops/${devops}/apps/${name}`)}>{name}</a>
                    </span>
                ))}
                {apps.length > 5 && ` ${t("graph.more", { n: apps.length - 5 })}`}
            </td>
        </tr>
    );
}

function ProjectTable({ projects, devops }: { projects: Project[]; devops: string }) {
    const body = useRef<HTMLTableSectionElement>(null);
    const ends = useMemo(() => projects.map((_, i) => (i + 1) * ROW_PX), [projects.length]);
    const span = useSpan(ends, body, undefined, { whole: 60 });
    return (
        <div class="scroll">
            <table class="tbl" aria-label={t("projects.title")} aria-rowcount={projects.length + 1}>
                <thead>
                    <tr>
                        <th scope="col">{t("common.name")}</th>
                        <th scope="col">{t("create.cluster")}</th>
                        <th scope="col">{t("apps.title")}</th>
                    </tr>
                </thead>
                <tbody ref={body}>
                    {span.above > 0 && (
                        <tr aria-hidden="true" style={{ height: `${span.above}px` }} />
                    )}
                    {projects.slice(span.from, span.to).map((p) => (
                        <ProjectRow key={`${p.cluster}/${p.name}`} p={p} devops={devops} />
                    ))}
                    {span.below > 0 && (
                        <tr aria-hidden="true" style={{ height: `${span.below}px` }} />
                    )}
                </tbody>
            </table>
        </div>
    );
}

function Search() {
    return (
        <div class="bar flush">
            <div class="box find-box">
                <Icon name="i-search" />
                <input
                    class="in"
                    type="search"
                    aria-label={t("common.search")}
                    placeholder={t("common.search")}
                    value={query.value.get("q") ?? ""}
                    onInput={(e) => setQuery({ q: e.currentTarget.value })}
                />
            </div>
        </div>
    );
}

function NoMatch() {
    return (
        <Empty icon="i-filter" title={t("common.noMatch")}>
            <Button onClick={() => setQuery({ q: null })}>{t("common.clear")}</Button>
        </Empty>
    );
}

export function Projects({ devops }: { devops: string }) {
    const list = useLive<Record<string, AppRow>>(`apps:${devops}`);
    const all = projectsOf(Object.values(list.value.value ?? {}));
    const find = (query.value.get("q") ?? "").trim().toLowerCase();
    const projects = all.filter((p) => `${p.name} ${p.cluster}`.toLowerCase().includes(find));
    return (
        <Shell
            devops={devops}
            crumbs={[{ text: devops, to: `/devops/${devops}/apps` }, { text: t("projects.title") }]}
        >
            <Head title={t("projects.title")} />
            <Loaded ready={list.value.value !== null} error={list.error.value} again={list.again}>
                {() =>
                    all.length === 0 ? (
                        <Empty
                            icon="i-folder"
                            title={t("projects.empty")}
                            text={t("projects.emptyHelp")}
                        >
                            <a class="btn" href={href(`/devops/${devops}/apps`)}>
                                {t("nav.apps")}
                            </a>
                        </Empty>
                    ) : (
                        <>
                            <Search />
                            {projects.length === 0 ? (
                                <NoMatch />
                            ) : (
                                <ProjectTable projects={projects} devops={devops} />
                            )}
                        </>
                    )
                }
            </Loaded>
        </Shell>
    );
}

export function ProjectServices({
    devops,
    cluster,
    project,
}: {
    devops: string;
    cluster: string;
    project: string;
}) {
    return (
        <Shell
            devops={devops}
            project={{ cluster, name: project }}
            crumbs={[
                { text: devops, to: `/devops/${devops}/apps` },
                { text: t("projects.title"), to: `/devops/${devops}/projects` },
                { text: `${cluster}/${project}` },
            ]}
        >
            <Head title={t("services.title")} aside={`${cluster}/${project}`} />
            <ServicesTable
                devops={devops}
                only={(s) => s.cluster === cluster && s.project === project}
            />
        </Shell>
    );
}
