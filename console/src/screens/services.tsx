/* Projects that deployments write to, and their Services with Edit External Access (seed C1–C4). */
import { useState } from "preact/hooks";
import { send } from "../api/client";
import type { AppRow } from "../api/types";
import { exact, t } from "../i18n";
import { useLive } from "../live";
import { closeDialog, dialog, dialogOn, href, openDialog } from "../router";
import { boot } from "../session";
import { useLoad } from "../load";
import { Footer, useAction } from "../ui/action";
import { Button, Choices, Empty } from "../ui/kit";
import { Dialog, Menu } from "../ui/overlay";
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
}

const modes: Record<string, string> = {
    ClusterIP: "None",
    NodePort: "NodePort",
    LoadBalancer: "LoadBalancer",
};

function keyOf(s: Service): string {
    return `${s.cluster}/${s.project}/${s.name}`;
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
    const action = useAction(close);
    const ok = () =>
        void action.run(async () => {
            await send(
                "PUT",
                `taut/v1/devops/${devops}/services/${service.cluster}/${service.project}/${service.name}/access`,
                { mode },
            );
            done();
        }, t("common.saved"));
    return (
        <Dialog
            title={t("services.accessTitle", { name: service.name })}
            onClose={close}
            onPrimary={ok}
            error={action.error || undefined}
            footer={<Footer close={close} label={t("common.ok")} busy={action.busy} onOk={ok} />}
        >
            <div class="body col">
                <h3 class="h">{t("services.mode")}</h3>
                <Choices
                    label={t("services.mode")}
                    value={mode}
                    options={[
                        {
                            value: "None",
                            label: t("services.none"),
                            help: t("services.noneHelp"),
                        },
                        {
                            value: "NodePort",
                            label: "NodePort",
                            help: t("services.nodePortHelp"),
                        },
                        {
                            value: "LoadBalancer",
                            label: "LoadBalancer",
                            help: t("services.loadBalancerHelp"),
                        },
                    ]}
                    onValue={setMode}
                />
            </div>
        </Dialog>
    );
}

function External({ s }: { s: Service }) {
    const ports = s.ports.filter((p) => p.nodePort);
    if (s.type === "NodePort" || ports.length > 0)
        return (
            <>
                {ports.map((p, i) => {
                    const link = s.links[i];
                    return (
                        <span key={p.nodePort} class="row">
                            {link ? (
                                <a href={`http://${link}`} target="_blank" rel="noreferrer">
                                    {link}
                                </a>
                            ) : (
                                <span>nodeIP:{p.nodePort}</span>
                            )}
                            <span class="t3">/{p.protocol ?? "TCP"}</span>
                        </span>
                    );
                })}
            </>
        );
    if (s.type === "LoadBalancer")
        return <span class="t2">{s.links.join("; ") || t("services.pending")}</span>;
    return <span class="t3">–</span>;
}

export function ServicesTable({ devops, only }: { devops: string; only: (s: Service) => boolean }) {
    const load = useLoad<{ items: Service[] }>(`taut/v1/devops/${devops}/services`);
    const items = (load.value?.items ?? []).filter(only);
    const chosen = items.find((s) => keyOf(s) === dialogOn.value);
    return (
        <Loaded ready={load.value !== null} error={load.error} again={load.again}>
            {() => (
                <>
                    {items.length === 0 ? (
                        <Empty
                            icon="i-plug"
                            title={t("services.empty")}
                            text={t("services.emptyHelp")}
                        >
                            <Button icon="i-refresh" onClick={load.again}>
                                {t("common.refresh")}
                            </Button>
                        </Empty>
                    ) : (
                        <div class="scroll">
                            <table class="tbl" aria-label={t("services.title")}>
                                <thead>
                                    <tr>
                                        <th scope="col">{t("common.name")}</th>
                                        <th scope="col">{t("services.type")}</th>
                                        <th scope="col">{t("services.internal")}</th>
                                        <th scope="col">{t("services.external")}</th>
                                        <th scope="col">{t("common.created")}</th>
                                        <th scope="col">{t("services.deployment")}</th>
                                        <th scope="col" class="last">
                                            <span class="vh">{t("common.moreActions")}</span>
                                        </th>
                                    </tr>
                                </thead>
                                <tbody>
                                    {items.map((s) => (
                                        <tr key={keyOf(s)}>
                                            <td class="m">
                                                {s.name}
                                                <span class="sub">{s.project}</span>
                                            </td>
                                            <td class="t2">{s.type}</td>
                                            <td class="t2">
                                                {s.clusterIP || "–"}
                                                <span class="sub">
                                                    {s.ports
                                                        .map(
                                                            (p) =>
                                                                `${p.port}/${p.protocol ?? "TCP"}`,
                                                        )
                                                        .join("; ")}
                                                </span>
                                            </td>
                                            <td>
                                                <External s={s} />
                                            </td>
                                            <td class="t2 nowrap">{exact(s.created)}</td>
                                            <td>
                                                <a
                                                    href={href(
                                                        `/devops/${devops}/apps/${s.application}`,
                                                    )}
                                                >
                                                    {s.application}
                                                </a>
                                            </td>
                                            <td class="last">
                                                <Menu
                                                    label={t("common.more", { name: s.name })}
                                                    icon="i-more"
                                                    items={[
                                                        {
                                                            label: t("services.edit"),
                                                            icon: "i-edit",
                                                            onPick: () =>
                                                                openDialog("access", keyOf(s)),
                                                        },
                                                    ]}
                                                />
                                            </td>
                                        </tr>
                                    ))}
                                </tbody>
                            </table>
                        </div>
                    )}
                    {dialog.value === "access" && chosen && (
                        <AccessDialog
                            devops={devops}
                            service={chosen}
                            close={closeDialog}
                            done={load.again}
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

export function Projects({ devops }: { devops: string }) {
    const list = useLive<Record<string, AppRow>>(`apps:${devops}`);
    const projects = projectsOf(Object.values(list.value.value ?? {}));
    return (
        <Shell
            devops={devops}
            crumbs={[{ text: devops, to: `/devops/${devops}/apps` }, { text: t("projects.title") }]}
        >
            <Head title={t("projects.title")} />
            <Loaded ready={list.value.value !== null} error={list.error.value} again={list.again}>
                {() =>
                    projects.length === 0 ? (
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
                        <div class="scroll">
                            <table class="tbl" aria-label={t("projects.title")}>
                                <thead>
                                    <tr>
                                        <th scope="col">{t("common.name")}</th>
                                        <th scope="col">{t("create.cluster")}</th>
                                        <th scope="col">{t("apps.title")}</th>
                                    </tr>
                                </thead>
                                <tbody>
                                    {projects.map((p) => (
                                        <tr key={`${p.cluster}/${p.name}`}>
                                            <td>
                                                <a
                                                    class="name"
                                                    href={href(
                                                        `/devops/${devops}/projects/${p.cluster}/${p.name}/services`,
                                                    )}
                                                >
                                                    {p.name}
                                                </a>
                                            </td>
                                            <td class="t2">
                                                {p.cluster}
                                                {boot.value?.clusters.find(
                                                    (c) => c.name === p.cluster,
                                                )?.simulated && ` (${t("apps.simulated")})`}
                                            </td>
                                            <td class="t2">{[...p.apps].join(", ")}</td>
                                        </tr>
                                    ))}
                                </tbody>
                            </table>
                        </div>
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
