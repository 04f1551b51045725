/* The frame of every page: rail, top bar, breadcrumb, account. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { connection, type Connection } from "../live";
import { Disconnected } from "./disconnected";
import { href, path } from "../router";
import { boot, devopsOf, lastDevops, may } from "../session";
import { focusHeading } from "../ui/focus";
import { Button, Icon } from "../ui/kit";
import { AccountDialogs, UserMenu } from "./account";
import { Switcher } from "./switcher";

function Link({ to, icon, children }: { to: string; icon: string; children: string }) {
    const here = path.value === to || (to.endsWith("/apps") && path.value.startsWith(to + "/"));
    return (
        <a href={href(to)} aria-current={here ? "page" : undefined} title={children}>
            <Icon name={icon} />
            <span class="txt">{children}</span>
        </a>
    );
}

function Rail({
    devops,
    project,
    open,
}: {
    devops?: string | undefined;
    project?: { cluster: string; name: string } | undefined;
    open: boolean;
}) {
    return (
        <aside class={`rail${open ? " open" : ""}`} aria-label={t("app.name")}>
            <a class="brand" href={href("/")} aria-label={t("app.name")}>
                <svg aria-hidden="true">
                    <use href="#logo" />
                </svg>
                <span class="txt">{t("app.name")}</span>
            </a>
            <Switcher devops={devops} />
            <nav aria-label={t("nav.main")}>
                <Link to="/devops" icon="i-folder">
                    {t("nav.devops")}
                </Link>
                {devops && (
                    <>
                        <h2>{devops}</h2>
                        <Link to={`/devops/${devops}/apps`} icon="i-deploy">
                            {t("nav.apps")}
                        </Link>
                        <Link to={`/devops/${devops}/repos`} icon="i-repo">
                            {t("nav.repos")}
                        </Link>
                        <Link to={`/devops/${devops}/credentials`} icon="i-key">
                            {t("nav.credentials")}
                        </Link>
                        <Link to={`/devops/${devops}/settings`} icon="i-settings">
                            {t("nav.settings")}
                        </Link>
                        <Link to={`/devops/${devops}/projects`} icon="i-outline">
                            {t("projects.title")}
                        </Link>
                        {project && (
                            <>
                                <h2>{project.name}</h2>
                                <Link
                                    to={`/devops/${devops}/projects/${project.cluster}/${project.name}/services`}
                                    icon="i-plug"
                                >
                                    {t("services.title")}
                                </Link>
                            </>
                        )}
                    </>
                )}
                {(may("list clusters") || may("list users")) && <h2>{t("nav.platform")}</h2>}
                {may("list clusters") && (
                    <Link to="/platform/clusters" icon="i-cluster">
                        {t("nav.clusters")}
                    </Link>
                )}
                {may("list users") && (
                    <Link to="/platform/users" icon="i-user">
                        {t("nav.users")}
                    </Link>
                )}
            </nav>
            <div class="foot">
                <span class="row" role="status">
                    <span class={looks[connection.value]}>
                        <Icon name={`s-${looks[connection.value]}`} small />
                    </span>
                    {t(
                        connection.value === "live"
                            ? "live.on"
                            : connection.value === "off"
                              ? "live.off"
                              : "live.connecting",
                    )}
                </span>
                <span>Taut {boot.value?.version}</span>
            </div>
        </aside>
    );
}

const looks: Record<Connection, string> = {
    live: "healthy",
    off: "outofsync",
    connecting: "progressing",
};

export interface Crumb {
    text: string;
    to?: string;
}

export function Shell({
    devops,
    project,
    crumbs,
    children,
}: {
    devops?: string | undefined;
    project?: { cluster: string; name: string };
    crumbs: Crumb[];
    children: ComponentChildren;
}) {
    const [open, setOpen] = useState(false);
    const last = crumbs[crumbs.length - 1];
    useEffect(() => {
        if (devops && devopsOf(devops)) lastDevops.set(devops);
    }, [devops]);
    document.title = last ? `${last.text} · Taut` : "Taut";
    return (
        <div class="app" onClick={() => open && setOpen(false)}>
            <a class="skip" href="#main">
                {t("app.skip")}
            </a>
            <Rail devops={devops} project={project} open={open} />
            <div>
                <header class="top">
                    <Button
                        kind="ghost icon burger"
                        icon="i-menu"
                        aria-label={t("nav.menu")}
                        aria-expanded={open}
                        onClick={(e) => {
                            e.stopPropagation();
                            setOpen(!open);
                        }}
                    />
                    <nav class="crumbs" aria-label={t("nav.where")}>
                        <ol>
                            {crumbs.map((c, i) => (
                                <li key={c.text} class="row">
                                    {i > 0 && <span aria-hidden="true">/</span>}
                                    {c.to ? (
                                        <a href={href(c.to)}>{c.text}</a>
                                    ) : (
                                        <span aria-current="page" class="cut">
                                            {c.text}
                                        </span>
                                    )}
                                </li>
                            ))}
                        </ol>
                    </nav>
                    <span class="push row">
                        <UserMenu />
                    </span>
                </header>
                <Disconnected />
                <main id="main" tabIndex={-1}>
                    <div class="page">{children}</div>
                </main>
            </div>
            <AccountDialogs />
        </div>
    );
}

export function Head({
    title,
    aside,
    children,
}: {
    title: string;
    aside?: string;
    children?: ComponentChildren;
}) {
    useLayoutEffect(focusHeading, []);
    return (
        <div class="head">
            <h1>{title}</h1>
            {aside && <span class="t3 cut">{aside}</span>}
            {children && <div class="acts">{children}</div>}
        </div>
    );
}
