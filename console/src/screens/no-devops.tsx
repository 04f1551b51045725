/* What stands where DevOps Projects would be: nothing to see for a newcomer, three steps for an administrator. */
import type { DevOps } from "../api/types";
import { t } from "../i18n";
import { href, openDialog } from "../router";
import { boot, lacks, loadBoot, may } from "../session";
import { Button, Empty, Icon } from "../ui/kit";

function Step({
    done,
    title,
    help,
    children,
}: {
    done: boolean;
    title: string;
    help: string;
    children?: preact.ComponentChildren;
}) {
    return (
        <li>
            <span class={`st ${done ? "healthy" : "unknown"}`}>
                <Icon name={done ? "s-healthy" : "s-missing"} />
                <span class="vh">{done ? t("first.done") : t("first.open")}</span>
            </span>
            <div class="grow">
                <span class="m">{title}</span>
                <span class="sub">{help}</span>
            </div>
            {!done && children}
        </li>
    );
}

/** An administrator on a server where no team has a project yet: `default` alone is none of a team. */
export function isFirstRun(all: DevOps[]): boolean {
    return boot.value?.user.admin === true && all.every((d) => d.name === "default");
}

/** Three steps with their state; `default` alone is no project of a team. */
export function FirstRun() {
    const projects = (boot.value?.devops ?? []).filter((d) => d.name !== "default");
    const clusters = boot.value?.clusters ?? [];
    return (
        <section class="first-run" aria-labelledby="first-run">
            <h2 class="h" id="first-run">
                {t("first.title")}
            </h2>
            <p class="t2">{t("first.text")}</p>
            <ol class="steps-list">
                <Step
                    done={projects.length > 0}
                    title={t("devops.createTitle")}
                    help={t("devops.help")}
                >
                    <Button
                        kind="primary small"
                        lacks={lacks("create devopsprojects")}
                        onClick={() => openDialog("create")}
                    >
                        {t("common.create")}
                    </Button>
                </Step>
                <Step
                    done={clusters.length > 0}
                    title={t("first.cluster")}
                    help={t("first.clusterHelp")}
                >
                    <a class="btn small" href={href("/platform/clusters")}>
                        {t("nav.clusters")}
                    </a>
                </Step>
                <Step done={false} title={t("first.repo")} help={t("first.repoHelp")}>
                    {projects[0] && (
                        <a class="btn small" href={href(`/devops/${projects[0].name}/repos`)}>
                            {t("nav.repos")}
                        </a>
                    )}
                </Step>
            </ol>
        </section>
    );
}

export function NoDevops() {
    const admins = (boot.value?.admins ?? []).join(", ");
    if (boot.value?.user.admin) return <FirstRun />;
    return (
        <Empty
            icon="i-folder"
            title={t("devops.none")}
            text={admins ? t("devops.ask", { admins }) : t("devops.askAdmin")}
        >
            {may("create devopsprojects") ? (
                <Button kind="primary" icon="i-plus" onClick={() => openDialog("create")}>
                    {t("devops.createTitle")}
                </Button>
            ) : (
                <Button icon="i-refresh" onClick={() => void loadBoot()}>
                    {t("common.refresh")}
                </Button>
            )}
        </Empty>
    );
}
