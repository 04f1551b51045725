/* Events of Taut and of Kubernetes in one list, newest first, repeated ones counted. */
import { useEffect, useState } from "preact/hooks";
import { exact, t, type Key } from "../i18n";
import { en } from "../i18n/en";
import { useLoad } from "../load";
import { Empty, Icon, Note, Time } from "../ui/kit";
import { Loaded } from "./page";

export interface Told {
    source: "taut" | "kubernetes";
    type?: string;
    reason: string;
    message?: string;
    kind?: string;
    namespace?: string;
    name?: string;
    first?: string;
    last?: string;
    count?: number;
    from?: string;
    revision?: string;
    by?: string;
    automated?: boolean;
}

const EVERY_MS = 5000;

/** Taut's own are codes, said here; Kubernetes' texts stay as they came. */
export function wordsOf(e: Told): { reason: string; message: string } {
    const key = `events.reason.${e.reason}`;
    if (e.source !== "taut" || !(key in en)) return { reason: e.reason, message: e.message ?? "" };
    const who = e.automated ? t("detail.automated") : (e.by ?? "");
    const parts = [
        e.revision && t("events.revision", { revision: e.revision.slice(0, 7) }),
        who && t("detail.by", { who }),
        e.message,
    ].filter(Boolean);
    return { reason: t(key as Key), message: parts.join(" · ") };
}

function Row({ e, wide }: { e: Told; wide: boolean }) {
    const { reason, message } = wordsOf(e);
    const warning = e.type === "Warning";
    return (
        <tr>
            <td class="nowrap t2 va" title={exact(e.last)}>
                <Time at={e.last} />
            </td>
            <td class="va">
                <span class={`st ${warning ? "outofsync" : "quiet"}`}>
                    <Icon name={warning ? "i-warn" : "i-info"} />
                    {reason}
                </span>
            </td>
            {wide && (
                <td class="va">
                    {e.source === "taut" ? "Taut" : `${e.kind} ${e.name}`}
                    {e.namespace && <span class="sub">{e.namespace}</span>}
                </td>
            )}
            <td class="t2 va wrap-any">{message}</td>
            <td class="num t2 va nowrap">{e.count && e.count > 1 ? `× ${e.count}` : ""}</td>
        </tr>
    );
}

export function EventList({ at, wide = false }: { at: string; wide?: boolean }) {
    const load = useLoad<{ items: Told[]; cut?: boolean }>(at);
    const [only, setOnly] = useState("all");
    useEffect(() => {
        const timer = setInterval(() => {
            if (document.visibilityState === "visible") load.again();
        }, EVERY_MS);
        return () => clearInterval(timer);
    }, []);
    return (
        <Loaded ready={load.value !== null} error={load.error} again={load.again}>
            {() => {
                const all = load.value!.items;
                const warnings = all.filter((e) => e.type === "Warning");
                const shown = (only === "warnings" ? warnings : all).slice(0, 200);
                if (all.length === 0)
                    return (
                        <Empty
                            icon="i-clock"
                            title={t("events.empty")}
                            text={t("events.emptyHelp")}
                        />
                    );
                const pick = (name: string, label: string) => (
                    <button
                        type="button"
                        aria-pressed={only === name}
                        onClick={() => setOnly(name)}
                    >
                        {label}
                    </button>
                );
                return (
                    <>
                        <div class="bar flush">
                            <span class="seg" role="group" aria-label={t("events.title")}>
                                {pick("all", t("detail.resultAll", { n: all.length }))}
                                {pick("warnings", t("events.warnings", { n: warnings.length }))}
                            </span>
                        </div>
                        {load.value!.cut && <Note look="outofsync" text={t("events.cut")} />}
                        <div
                            class="scroll"
                            tabIndex={0}
                            role="group"
                            aria-label={t("events.title")}
                        >
                            <table class="tbl compact narrow" aria-label={t("events.title")}>
                                <thead>
                                    <tr>
                                        <th scope="col">{t("events.last")}</th>
                                        <th scope="col">{t("events.reason")}</th>
                                        {wide && <th scope="col">{t("events.about")}</th>}
                                        <th scope="col">{t("detail.message")}</th>
                                        <th scope="col" class="num">
                                            {t("events.count")}
                                        </th>
                                    </tr>
                                </thead>
                                <tbody>
                                    {shown.map((e, i) => (
                                        <Row e={e} wide={wide} key={i} />
                                    ))}
                                </tbody>
                            </table>
                        </div>
                        {all.length > 200 && only === "all" && (
                            <p class="t3 gap-top">{t("events.first", { n: 200 })}</p>
                        )}
                    </>
                );
            }}
        </Loaded>
    );
}
