/* What will happen: counts, notes, and one row a resource; long lists draw what is seen. */
import { useMemo, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { t, type Key } from "../i18n";
import { keyOf } from "../model";
import { byEffect, countOf, type Effect, type Preview, type PreviewRow } from "../preview";
import { Icon, Note } from "../ui/kit";
import { useSpan } from "../ui/window";

const looks: Record<Effect, [icon: string, look: string]> = {
    create: ["i-plus", "healthy"],
    update: ["i-edit", "outofsync"],
    replace: ["i-edit", "outofsync"],
    delete: ["i-minus", "degraded"],
    keep: ["i-info", "quiet"],
    none: ["i-check", "quiet"],
    refused: ["i-warn", "degraded"],
    forbidden: ["i-warn", "degraded"],
    unknown: ["s-unknown", "unknown"],
};

export function EffectWord({ of }: { of: Effect }) {
    const [icon, look] = looks[of];
    return (
        <span class={`st ${look} effect`}>
            <Icon name={icon} />
            {t(`effect.${of}` as Key)}
        </span>
    );
}

/** Create, Update, Delete and No change always; the others when there are any. */
export function EffectCounts({ rows }: { rows: PreviewRow[] }) {
    const counts = countOf(rows);
    const always: Effect[] = ["create", "update", "delete", "none"];
    const shown = (Object.keys(looks) as Effect[]).filter(
        (e) => always.includes(e) || counts[e] > 0,
    );
    return (
        <dl class="counts">
            {shown.map((e) => (
                <div key={e} class={counts[e] === 0 ? "zero" : ""}>
                    <dt>
                        <span class={`${looks[e][1]} mark`}>
                            <Icon name={looks[e][0]} small />
                        </span>
                        {t(`effect.${e}` as Key)}
                    </dt>
                    <dd>{counts[e]}</dd>
                </div>
            ))}
        </dl>
    );
}

/** Why, in the reader's language; the server's own sentence stands as it came. */
export function reasonOf(row: PreviewRow): string {
    const known: Record<string, Key> = {
        unmanaged: "reason.unmanaged",
        "auto-create": "reason.autoCreate",
        "prune-off": "reason.pruneOff",
        "prune-option": "reason.pruneOption",
        "delete-option": "reason.deleteOption",
        "delete-confirm": "reason.deleteOption",
        "system-namespace": "reason.system",
        "kind-absent": "reason.kindAbsent",
        extraneous: "reason.extraneous",
    };
    const key = known[row.reason];
    const own = key ? t(key) : "";
    const message = row.reason === "unmanaged" || row.reason === "extraneous" ? "" : row.message;
    return [own, message].filter(Boolean).join(" ");
}

const ROW = 40;
const ROW_LONG = 60;

export function EffectTable({
    rows,
    label,
    head,
    cell,
    scroller,
}: {
    rows: PreviewRow[];
    label: string;
    /** A first column of the caller's own. */
    head?: ComponentChildren;
    cell?: (row: PreviewRow, index: number) => ComponentChildren;
    scroller: { current: HTMLElement | null };
}) {
    const body = useRef<HTMLTableSectionElement>(null);
    const ends = useMemo(() => {
        let sum = 0;
        return rows.map((r) => (sum += reasonOf(r) ? ROW_LONG : ROW));
    }, [rows]);
    const span = useSpan(ends, body, scroller);
    const columns = cell ? 4 : 3;
    return (
        <table class="tbl compact effects" aria-label={label} aria-rowcount={rows.length + 1}>
            <thead>
                <tr>
                    {cell && <th class="pick">{head}</th>}
                    <th scope="col" class="word">
                        {t("effect.head")}
                    </th>
                    <th scope="col">{t("effect.resource")}</th>
                    <th scope="col" class="file">
                        {t("effect.source")}
                    </th>
                </tr>
            </thead>
            <tbody ref={body}>
                {span.above > 0 && (
                    <tr aria-hidden="true" class="gap">
                        <td colSpan={columns} style={{ height: `${span.above}px` }} />
                    </tr>
                )}
                {rows.slice(span.from, span.to).map((row, i) => (
                    <tr key={keyOf(row)} aria-rowindex={span.from + i + 2}>
                        {cell && <td class="pick">{cell(row, span.from + i)}</td>}
                        <td class="word">
                            <EffectWord of={row.effect} />
                        </td>
                        <td class="what">
                            <span class="m wrap-any">{row.name}</span>{" "}
                            <span class="t3">
                                {row.kind}
                                {row.namespace && ` · ${row.namespace}`}
                            </span>
                            {reasonOf(row) && <span class="sub wrap-any">{reasonOf(row)}</span>}
                        </td>
                        <td class="file t3">
                            {row.file && <code class="wrap-any">{row.file}</code>}
                        </td>
                    </tr>
                ))}
                {span.below > 0 && (
                    <tr aria-hidden="true" class="gap">
                        <td colSpan={columns} style={{ height: `${span.below}px` }} />
                    </tr>
                )}
            </tbody>
        </table>
    );
}

const places: Record<string, Key> = {
    spec: "preview.atSpec",
    project: "preview.atProject",
    repository: "preview.atRepository",
    location: "preview.atLocation",
    cluster: "preview.atCluster",
    render: "preview.atRender",
};

/** What went wrong, or what deserves a look before the button. */
export function EffectNotes({ preview }: { preview: Preview }) {
    const { error, resources } = preview;
    const taken = resources.filter((r) => r.reason === "unmanaged");
    const wide = resources.filter((r) => !r.namespace && r.effect === "create").length;
    return (
        <div class="col notes">
            {error && (
                <Note
                    look="degraded"
                    title={t(places[error.at] ?? "preview.failed")}
                    text={error.message}
                />
            )}
            {preview.warnings.map((w) => (
                <Note
                    key={`${w.code}${w.message}`}
                    look="outofsync"
                    title={t(`preview.warning.${w.code}` as Key, { name: w.message })}
                    {...(w.code === "project-missing" ? {} : { text: w.message })}
                />
            ))}
            {taken.length > 0 && (
                <Note
                    look="outofsync"
                    title={t("preview.taken", { n: taken.length, name: taken[0]!.name })}
                    text={t("preview.takenHelp")}
                />
            )}
            {wide > 0 && <Note title={t("preview.wide", { n: wide })} />}
        </div>
    );
}

export function sorted(preview: Preview | null): PreviewRow[] {
    return preview ? byEffect(preview.resources) : [];
}
