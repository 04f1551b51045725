/* The table of a list page, and the cell that names a row. */
import type { ComponentChildren } from "preact";
import { t } from "../i18n";
import { href } from "../router";
import { Scroll } from "../ui/scroll";

export function ListTable({
    label,
    heads,
    children,
}: {
    label: string;
    heads: string[];
    children: ComponentChildren;
}) {
    return (
        <Scroll label={label}>
            <table class="tbl" aria-label={label}>
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
                <tbody>{children}</tbody>
            </table>
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
