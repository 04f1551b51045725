/* Finished syncs, newest first; any two of them can be compared. */
import { useState } from "preact/hooks";
import type { Application } from "../api/types";
import { duration, exact, t } from "../i18n";
import { setQuery } from "../router";
import { Button, Empty, minute, Time } from "../ui/kit";

export function History({ app }: { app: Application }) {
    const [chosen, setChosen] = useState<number[]>([]);
    const entries = [...(app.status?.history ?? [])].reverse();
    void minute.value;
    if (entries.length === 0)
        return (
            <Empty icon="i-clock" title={t("detail.noHistory")} text={t("detail.noHistoryHelp")} />
        );
    const two = entries.filter((h) => chosen.includes(h.id)).reverse();
    const compare = (from: string | undefined, to: string | undefined) =>
        setQuery({ tab: "diff", from: from ?? null, to: to ?? null }, false);
    return (
        <>
            <div class="bar">
                <h2 class="h">{t("detail.history")}</h2>
                <span class="t3">{t("history.keeps")}</span>
                <span class="push row">
                    {two.length === 2 ? (
                        <Button
                            kind="small"
                            icon="i-diff"
                            onClick={() => compare(two[0]!.revision, two[1]!.revision)}
                        >
                            {t("history.compare", { from: two[0]!.id, to: two[1]!.id })}
                        </Button>
                    ) : (
                        <span class="t3">{t("history.chooseTwo")}</span>
                    )}
                </span>
            </div>
            <div class="scroll" tabIndex={0} role="group" aria-label={t("detail.history")}>
                <table class="tbl" aria-label={t("detail.history")}>
                    <thead>
                        <tr>
                            <th scope="col" class="first">
                                <span class="vh">{t("history.choose")}</span>
                            </th>
                            <th scope="col">{t("detail.id")}</th>
                            <th scope="col">{t("apps.revision")}</th>
                            <th scope="col">{t("history.by")}</th>
                            <th scope="col">{t("history.time")}</th>
                            <th scope="col">{t("detail.duration")}</th>
                            <th scope="col" class="last">
                                <span class="vh">{t("common.moreActions")}</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>
                        {entries.map((h, i) => {
                            const revision = (h.revision ?? "").slice(0, 7);
                            const on = chosen.includes(h.id);
                            const before = entries[i + 1];
                            return (
                                <tr key={h.id} class={on ? "on" : ""}>
                                    <td class="first">
                                        <input
                                            type="checkbox"
                                            aria-label={t("history.chooseOne", {
                                                id: h.id,
                                                revision,
                                            })}
                                            checked={on}
                                            onChange={() =>
                                                setChosen(
                                                    on
                                                        ? chosen.filter((x) => x !== h.id)
                                                        : [...chosen.slice(-1), h.id],
                                                )
                                            }
                                        />
                                    </td>
                                    <td class="t3">{h.id}</td>
                                    <td>
                                        <span class="row">
                                            <code title={h.revision}>{revision}</code>
                                            {i === 0 && <span class="tag">{t("history.now")}</span>}
                                        </span>
                                        {h.source?.path && <span class="sub">{h.source.path}</span>}
                                    </td>
                                    <td class="t2">
                                        {h.initiatedBy?.automated
                                            ? t("detail.automated")
                                            : (h.initiatedBy?.username ?? "–")}
                                    </td>
                                    <td class="t2 nowrap" title={exact(h.deployedAt)}>
                                        <Time at={h.deployedAt} />
                                    </td>
                                    <td class="t2 nowrap">
                                        {duration(h.deployStartedAt, h.deployedAt)}
                                    </td>
                                    <td class="last wide">
                                        {before && before.revision !== h.revision && (
                                            <Button
                                                kind="ghost small"
                                                icon="i-diff"
                                                onClick={() => compare(before.revision, h.revision)}
                                            >
                                                {t("history.changes")}
                                            </Button>
                                        )}
                                    </td>
                                </tr>
                            );
                        })}
                    </tbody>
                </table>
            </div>
        </>
    );
}
