/* Clusters, for platform administrators. */
import type { Cluster } from "../api/types";
import { t } from "../i18n";
import { useLoad } from "../load";
import { Button, Empty, Status } from "../ui/kit";
import { Loaded } from "./page";
import { Head, Shell } from "./shell";
import { ListTable, NameCell } from "./table";

export function Clusters() {
    const load = useLoad<{ items: Cluster[] }>("taut/v1/clusters");
    const items = load.value?.items ?? [];
    return (
        <Shell crumbs={[{ text: t("clusters.title") }]}>
            <Head title={t("clusters.title")} />
            <Loaded ready={load.value !== null} error={load.error} again={load.again}>
                {() =>
                    items.length === 0 ? (
                        <Empty
                            icon="i-cluster"
                            title={t("clusters.empty")}
                            text={t("clusters.emptyHelp")}
                        >
                            <Button icon="i-refresh" onClick={load.again}>
                                {t("common.refresh")}
                            </Button>
                        </Empty>
                    ) : (
                        <ListTable
                            label={t("clusters.title")}
                            heads={[
                                t("common.name"),
                                t("clusters.server"),
                                t("clusters.version"),
                                t("clusters.state"),
                            ]}
                        >
                            {items.map((c) => (
                                <tr key={c.name}>
                                    <NameCell
                                        name={c.name}
                                        sub={c.name === "sandbox" ? t("apps.simulated") : undefined}
                                    />
                                    <td class="t2 wrap-any">{c.server ?? "–"}</td>
                                    <td class="t2">{c.version ?? "–"}</td>
                                    <td>
                                        <Status
                                            look={c.reachable === false ? "outofsync" : "healthy"}
                                            word={
                                                c.reachable === false
                                                    ? t("clusters.unreachable")
                                                    : t("repos.ok")
                                            }
                                            sub={c.message || undefined}
                                        />
                                    </td>
                                    <td class="last" />
                                </tr>
                            ))}
                        </ListTable>
                    )
                }
            </Loaded>
        </Shell>
    );
}
