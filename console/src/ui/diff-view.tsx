/* A difference, side by side or unified, and plain YAML; both coloured, both drawn near the eye only. */
import { useMemo, useRef, useState } from "preact/hooks";
import { fold, splitLines, unify, yamlParts, type Compared, type Shown, type Side } from "../diff";
import { t } from "../i18n";
import { useSpan, WHOLE } from "./window";

const LINE_PX = 20;
const GAP_PX = 24;

function Line({ side, kind }: { side: Side | undefined; kind: "" | "add" | "del" }) {
    if (!side) return null;
    const { text, mark } = side;
    const [lead, key, rest] = yamlParts(text);
    if (!mark || mark[0] < lead.length + key.length)
        return mark ? (
            <>
                {text.slice(0, mark[0])}
                {kind === "add" ? (
                    <ins>{text.slice(...mark)}</ins>
                ) : (
                    <del>{text.slice(...mark)}</del>
                )}
                {text.slice(mark[1])}
            </>
        ) : (
            <>
                {lead}
                {key && <span class="k">{key}</span>}
                {rest}
            </>
        );
    const at = lead.length + key.length;
    return (
        <>
            {lead}
            {key && <span class="k">{key}</span>}
            {rest.slice(0, mark[0] - at)}
            {kind === "add" ? <ins>{text.slice(...mark)}</ins> : <del>{text.slice(...mark)}</del>}
            {text.slice(mark[1])}
        </>
    );
}

function Pair({ shown }: { shown: Shown }) {
    if (!("row" in shown)) return null;
    const { kind, left, right } = shown.row;
    const l = kind === "same" ? "" : left ? "del" : "void";
    const r = kind === "same" ? "" : right ? "add" : "void";
    return (
        <tr>
            <td class={`ln ${l}`}>{left?.n}</td>
            <td class={`c ${l}`}>
                <Line side={left} kind={l === "del" ? "del" : ""} />
            </td>
            <td class={`ln ${r}`}>{right?.n}</td>
            <td class={`c ${r}`}>
                <Line side={right} kind={r === "add" ? "add" : ""} />
            </td>
        </tr>
    );
}

function Single({ shown }: { shown: Shown }) {
    if (!("row" in shown)) return null;
    const { kind, left, right } = shown.row;
    const look = kind === "del" ? "del" : kind === "add" ? "add" : "";
    return (
        <tr>
            <td class={`ln ${look}`}>{left?.n}</td>
            <td class={`ln ${look}`}>{right?.n}</td>
            <td class={`c ${look}`}>
                <Line side={right ?? left} kind={look} />
            </td>
        </tr>
    );
}

function Space({ px, columns }: { px: number; columns: number }) {
    return px > 0 ? (
        <tr aria-hidden="true">
            <td colSpan={columns} style={{ height: `${px}px` }} />
        </tr>
    ) : null;
}

export function DiffView({
    compared,
    unified,
    label,
    heads,
}: {
    compared: Compared;
    unified: boolean;
    label: string;
    heads: [string, string];
}) {
    const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
    const body = useRef<HTMLTableSectionElement>(null);
    const shown = useMemo(() => {
        const folded = fold(compared.rows, opened);
        return unified ? unify(folded) : folded;
    }, [compared, opened, unified]);
    const ends = useMemo(() => {
        let y = 0;
        return shown.map((s) => (y += "gap" in s ? GAP_PX : LINE_PX));
    }, [shown]);
    const span = useSpan(ends, body);
    const long = shown.length > WHOLE;
    const columns = unified ? 3 : 4;
    return (
        <div
            class={long ? "scroll" : ""}
            {...(long ? { tabIndex: 0, role: "group", "aria-label": label } : {})}
        >
            <table class={`diff${long ? " long" : ""}`} aria-label={label}>
                <colgroup>
                    <col class="w-ln" />
                    {unified ? <col class="w-ln" /> : <col />}
                    {!unified && <col class="w-ln" />}
                    <col />
                </colgroup>
                {!unified && (
                    <thead>
                        <tr>
                            <th scope="col" colSpan={2}>
                                {heads[0]}
                            </th>
                            <th scope="col" colSpan={2}>
                                {heads[1]}
                            </th>
                        </tr>
                    </thead>
                )}
                <tbody ref={body}>
                    <Space px={span.above} columns={columns} />
                    {shown.slice(span.from, span.to).map((s, i) =>
                        "gap" in s ? (
                            <tr class="gap" key={`gap${s.id}`}>
                                <td colSpan={columns}>
                                    <button
                                        type="button"
                                        class="link"
                                        onClick={() => setOpened(new Set([...opened, s.id]))}
                                    >
                                        {t("detail.gap", { n: s.gap })}
                                    </button>
                                </td>
                            </tr>
                        ) : unified ? (
                            <Single shown={s} key={span.from + i} />
                        ) : (
                            <Pair shown={s} key={span.from + i} />
                        ),
                    )}
                    <Space px={span.below} columns={columns} />
                </tbody>
            </table>
        </div>
    );
}

/** A text in lines with their numbers; `scroller` is the element that scrolls it, else the page. */
export function YamlView({ text, label }: { text: string; label: string }) {
    const body = useRef<HTMLTableSectionElement>(null);
    const box = useRef<HTMLDivElement>(null);
    const lines = useMemo(() => splitLines(text), [text]);
    const ends = useMemo(() => lines.map((_, i) => (i + 1) * LINE_PX), [lines]);
    const span = useSpan(ends, body, box);
    return (
        <div class="code yaml" ref={box} tabIndex={0} role="group" aria-label={label}>
            <table class="diff long plain" role="presentation">
                <tbody ref={body}>
                    <Space px={span.above} columns={2} />
                    {lines.slice(span.from, span.to).map((line, i) => (
                        <tr key={span.from + i}>
                            <td class="ln">{span.from + i + 1}</td>
                            <td class="c">
                                <Line side={{ n: 0, text: line }} kind="" />
                            </td>
                        </tr>
                    ))}
                    <Space px={span.below} columns={2} />
                </tbody>
            </table>
        </div>
    );
}
