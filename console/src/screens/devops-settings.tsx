/* Settings of a DevOps Project: Basic Information, Allowlist, Members. */
import { useEffect, useState } from "preact/hooks";
import { send } from "../api/client";
import type { Allowlist, DevOps } from "../api/types";
import { exact, t } from "../i18n";
import { useLoad } from "../load";
import { closeDialog, dialog, go, href, openDialog, query } from "../router";
import { lacks, loadBoot } from "../session";
import { Footer, useAction } from "../ui/action";
import { Button, TextField } from "../ui/kit";
import { Dialog } from "../ui/overlay";
import { AllowlistFields, allowlistOf, useAllowlist, wordsOf } from "./allowlist";
import { Members } from "./members";
import { Loaded } from "./page";
import { Head, Shell } from "./shell";

type Project = DevOps & Allowlist & { creator?: string };

interface Edit {
    project: Project;
    done: () => void;
}

function EditInformation({ project, done }: Edit) {
    const [alias, setAlias] = useState(project.alias ?? "");
    const [description, setDescription] = useState(project.description ?? "");
    const action = useAction(() => {
        done();
        closeDialog();
    });
    const ok = () =>
        void action.run(
            () => send("PATCH", `taut/v1/devops/${project.name}`, { alias, description }),
            t("common.saved"),
        );
    return (
        <Dialog
            title={t("info.title", { name: project.name })}
            size="s"
            onClose={closeDialog}
            onPrimary={ok}
            error={action.error || undefined}
            footer={
                <Footer close={closeDialog} label={t("common.ok")} busy={action.busy} onOk={ok} />
            }
        >
            <div class="body col">
                <TextField
                    label={t("common.alias")}
                    value={alias}
                    autofocus
                    help={t("devset.aliasHelp")}
                    onValue={setAlias}
                />
                <TextField
                    label={t("common.description")}
                    multiline
                    value={description}
                    onValue={setDescription}
                />
            </div>
        </Dialog>
    );
}

function EditAllowlist({ project, done }: Edit) {
    const [checked, setChecked] = useState(false);
    const allowlist = useAllowlist(project);
    const action = useAction(() => {
        done();
        closeDialog();
    });
    const ok = () => {
        setChecked(true);
        if (allowlist.missing) return;
        void action.run(
            () => send("PATCH", `taut/v1/devops/${project.name}`, allowlistOf(allowlist.draft)),
            t("common.saved"),
        );
    };
    return (
        <Dialog
            title={t("devset.allowlistTitle", { name: project.name })}
            onClose={closeDialog}
            onPrimary={ok}
            error={action.error || undefined}
            footer={
                <Footer close={closeDialog} label={t("common.ok")} busy={action.busy} onOk={ok} />
            }
        >
            <div class="body col">
                <AllowlistFields
                    value={allowlist.draft}
                    error={
                        checked && allowlist.missing ? t("allowlist.locationRequired") : undefined
                    }
                    onValue={allowlist.setDraft}
                />
            </div>
        </Dialog>
    );
}

function DeleteProject({ project }: { project: Project }) {
    const [typed, setTyped] = useState("");
    const [checked, setChecked] = useState(false);
    const action = useAction(() => {
        void loadBoot();
        go("/devops");
    });
    const same = typed.trim() === project.name;
    const ok = () => {
        setChecked(true);
        if (!same) return;
        void action.run(
            () => send("DELETE", `taut/v1/devops/${project.name}`),
            t("devset.deleted", { name: project.name }),
        );
    };
    return (
        <Dialog
            title={t("devset.deleteTitle", { name: project.name })}
            size="s"
            onClose={closeDialog}
            error={action.error || undefined}
            footer={
                <Footer
                    close={closeDialog}
                    label={t("common.delete")}
                    busy={action.busy}
                    onOk={ok}
                    danger
                />
            }
        >
            <div class="body col">
                <p class="t2">{t("devset.deleteHelp")}</p>
                <TextField
                    label={t("devset.typeName", { name: project.name })}
                    value={typed}
                    autofocus
                    error={checked && !same ? t("devset.typeNameWrong") : undefined}
                    onValue={setTyped}
                />
            </div>
        </Dialog>
    );
}

function Line({ word, children }: { word: string; children: preact.ComponentChildren }) {
    return (
        <>
            <dt>{word}</dt>
            <dd>{children || "–"}</dd>
        </>
    );
}

function Information({ project }: { project: Project }) {
    return (
        <section class="card">
            <div class="hd row between">
                <h2 class="h">{t("create.basic")}</h2>
                <Button
                    kind="small"
                    icon="i-edit"
                    lacks={lacks("update devopsprojects", project.name)}
                    onClick={() => openDialog("info")}
                >
                    {t("apps.editInfo")}
                </Button>
            </div>
            <dl class="lines pad">
                <Line word={t("common.name")}>{project.name}</Line>
                <Line word={t("common.alias")}>{project.alias}</Line>
                <Line word={t("common.description")}>{project.description}</Line>
                <Line word={t("detail.creator")}>{project.creator}</Line>
                <Line word={t("common.created")}>{exact(project.created)}</Line>
            </dl>
        </section>
    );
}

function Patterns({ of }: { of: string[] }) {
    return (
        <>
            {of.map((p) => (
                <div key={p} class="wrap-any">
                    {p}
                </div>
            ))}
        </>
    );
}

function AllowlistCard({ project }: { project: Project }) {
    return (
        <section class="card gap-top">
            <div class="hd row between">
                <h2 class="h">{t("devset.allowlist")}</h2>
                <Button
                    kind="small"
                    icon="i-edit"
                    lacks={lacks("update devopsprojects", project.name)}
                    onClick={() => openDialog("allowlist")}
                >
                    {t("devset.editAllowlist")}
                </Button>
            </div>
            <dl class="lines pad">
                <Line word={t("allowlist.repos")}>
                    <Patterns of={wordsOf(project.repos, ["*"])} />
                </Line>
                <Line word={t("allowlist.locations")}>
                    <Patterns of={wordsOf(project.locations, ["*/*"])} />
                </Line>
                <Line word={t("allowlist.clusterResources")}>
                    {project.clusterResources ? t("allowlist.all") : t("allowlist.none")}
                </Line>
            </dl>
            <p class="t3 pad">{t("allowlist.always")}</p>
        </section>
    );
}

function DeleteCard({ project }: { project: Project }) {
    if (project.name === "default") return null;
    return (
        <section class="card gap-top pad row between wrap">
            <div>
                <h2 class="h">{t("devset.delete")}</h2>
                <p class="t2">{t("devset.deleteHelp")}</p>
            </div>
            <Button
                kind="danger"
                icon="i-trash"
                lacks={lacks("delete devopsprojects", project.name)}
                onClick={() => openDialog("delete")}
            >
                {t("common.delete")}
            </Button>
        </section>
    );
}

function Tabs({ devops, tab }: { devops: string; tab: string }) {
    const at = `/devops/${devops}/settings`;
    const tabs = [
        { name: "settings", to: at, label: t("create.basic") },
        { name: "members", to: `${at}?tab=members`, label: t("members.title") },
    ];
    return (
        <nav class="tabs" aria-label={t("nav.settings")}>
            {tabs.map((x) => (
                <a
                    key={x.name}
                    href={href(x.to)}
                    aria-current={x.name === tab ? "page" : undefined}
                >
                    {x.label}
                </a>
            ))}
        </nav>
    );
}

export function DevopsSettings({ devops }: { devops: string }) {
    const load = useLoad<Project>(`taut/v1/devops/${encodeURIComponent(devops)}`);
    const tab = query.value.get("tab") === "members" ? "members" : "settings";
    const project = load.value;
    useEffect(() => {
        if (load.error?.status === 404) void loadBoot();
    }, [load.error]);
    const done = () => {
        load.again();
        void loadBoot();
    };
    return (
        <Shell
            devops={devops}
            crumbs={[
                { text: t("nav.devops"), to: "/devops" },
                { text: devops, to: `/devops/${devops}/apps` },
                { text: t("nav.settings") },
            ]}
        >
            <Head title={t("nav.settings")} aside={devops} />
            <Tabs devops={devops} tab={tab} />
            <Loaded ready={project !== null} error={load.error} again={load.again}>
                {() =>
                    tab === "members" ? (
                        <Members devops={devops} />
                    ) : (
                        <>
                            <Information project={project!} />
                            <AllowlistCard project={project!} />
                            <DeleteCard project={project!} />
                        </>
                    )
                }
            </Loaded>
            {project && dialog.value === "info" && (
                <EditInformation project={project} done={done} />
            )}
            {project && dialog.value === "allowlist" && (
                <EditAllowlist project={project} done={done} />
            )}
            {project && dialog.value === "delete" && <DeleteProject project={project} />}
        </Shell>
    );
}
