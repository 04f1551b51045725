/* The table of a list page, and the cell that names a row. */
import { toChildArray, type ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { href } from "../router";
import { Icon } from "../ui/kit";
import { Scroll } from "../ui/scroll";

/** Rows that are drawn at first; as many more each time the end of them comes into sight. */
const STEP = 60;

export function ListTable({
    label,
    heads,
    children,
}: {
    label: string;
    heads: string[];
    children: ComponentChildren;
}) {
    const rows = toChildArray(children);
    const [drawn, setDrawn] = useState(STEP);
    const end = useRef<HTMLDivElement>(null);
    const more = drawn < rows.length;
    useEffect(() => {
        if (!more) return;
        const sight = new IntersectionObserver((seen) => {
            if (seen.some((x) => x.isIntersecting)) setDrawn((n) => n + STEP);
        });
        sight.observe(end.current!);
        return () => sight.disconnect();
    }, [more, drawn]);
    return (
        <Scroll label={label}>
            <table class="tbl" aria-label={label} aria-rowcount={rows.length + 1}>
                <thead>
                    <tr>
                        {heads.map((h) => (
                            <th scope="col" key={h}>
                                {h}
                            </th>
                        ))}
                        <th scope="col" class="last">
                            <span class="vh">{t("common.moreActions")}</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows.slice(0, drawn)}</tbody>
            </table>
            {more && <div ref={end} style={{ height: "1px" }} />}
        </Scroll>
    );
}

export function NameCell({
    name,
    alias,
    sub,
    to,
}: {
    name: string;
    alias?: string | undefined;
    sub?: string | undefined;
    to?: string;
}) {
    return (
        <td style={{ paddingLeft: 0 }}>
            {to ? (
                <a class="name" href={href(to)}>
                    {name}
                </a>
            ) : (
                <span class="name">{name}</span>
            )}{" "}
            {alias && <span class="t3">{alias}</span>}
            {sub && <span class="sub">{sub}</span>}
        </td>
    );
}

/** The search of a list; its text is in the address (setQuery). */
export function SearchBox({
    label,
    value,
    onValue,
}: {
    label: string;
    value: string;
    onValue: (to: string) => void;
}) {
    return (
        <div class="bar">
            <div class="box find-box">
                <span class="i start">
                    <Icon name="i-search" />
                </span>
                <input
                    class="in"
                    type="search"
                    aria-label={label}
                    placeholder={label}
                    value={value}
                    onInput={(e) => onValue(e.currentTarget.value)}
                />
            </div>
        </div>
    );
}
