/* What a page shows instead of its content: loading, error, forbidden, not found. */
import type { ComponentChildren } from "preact";
import type { ApiError } from "../api/client";
import { t } from "../i18n";
import { Button, Empty, Note, Skeleton } from "../ui/kit";

export function Loaded({
    ready,
    error,
    again,
    children,
}: {
    ready: boolean;
    error: ApiError | null;
    again: () => void;
    children: () => ComponentChildren;
}) {
    if (error && error.status === 403)
        return <Empty icon="i-lock" title={t("common.forbidden")} text={error.message} />;
    if (error && error.status === 404 && !ready)
        return <Empty icon="i-search" title={t("common.notFound")} text={error.message} />;
    if (error && !ready)
        return (
            <Empty
                icon="i-warn"
                title={error.status === 0 ? t("common.offline") : t("common.failed")}
                text={error.status === 0 ? t("common.offlineHelp") : error.message}
            >
                <Button icon="i-refresh" onClick={again}>
                    {t("common.retry")}
                </Button>
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
