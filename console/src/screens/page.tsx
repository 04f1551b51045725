/* What a page shows instead of its content: loading, error, forbidden, not found. */
import type { ComponentChildren } from "preact";
import type { ApiError } from "../api/client";
import { t, type Key } from "../i18n";
import { href } from "../router";
import { Button, CopyButton, Empty, Note, Skeleton } from "../ui/kit";

/** Refusals that trying again does not change: one goes elsewhere. */
const failures: Record<number, { icon: string; title: Key }> = {
    403: { icon: "i-lock", title: "common.forbidden" },
    404: { icon: "i-search", title: "common.notFound" },
};

export function Loaded({
    ready,
    error,
    again,
    whole,
    children,
}: {
    ready: boolean;
    error: ApiError | null;
    again: () => void;
    /** The console itself is loaded: without it there is no other page to go to. */
    whole?: boolean;
    children: () => ComponentChildren;
}) {
    if (error && error.status === 401) error = null; /* the log-in is over the page */
    const kind = failures[error?.status ?? -1];
    if (error && kind && !whole && (!ready || error.status === 403))
        return (
            <Empty icon={kind.icon} title={t(kind.title)} text={error.message}>
                <a class="btn" href={href("/devops")}>
                    {t("nav.devops")}
                </a>
                <CopyButton text={error.message} />
            </Empty>
        );
    if (error && !ready)
        return (
            <Empty
                icon="i-warn"
                title={error.status === 0 ? t("common.offline") : t("common.failed")}
                text={error.status === 0 ? t("common.offlineHelp") : error.message}
            >
                <Button kind="primary" icon="i-refresh" onClick={again}>
                    {t("common.retry")}
                </Button>
                {error.status !== 0 && <CopyButton text={error.message} />}
            </Empty>
        );
    if (!ready) return <Skeleton />;
    return (
        <>
            {error && (
                <Note
                    look="outofsync"
                    title={error.status === 0 ? t("common.offline") : t("common.failed")}
                    text={error.status === 0 ? t("common.offlineHelp") : error.message}
                />
            )}
            {children()}
        </>
    );
}
