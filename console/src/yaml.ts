/*
 * YAML for eyes and for the editor: block style, keys sorted, two spaces, as kubectl prints it. The
 * server reads what is edited; nothing is parsed here.
 */

type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

const PLAIN = /^[A-Za-z_/][A-Za-z0-9_./@+-]*( [A-Za-z0-9_./@+(),=-]+)*$/;
const TAKEN = /^(true|false|yes|no|on|off|y|n|null|~|nan|inf)$/i;

function scalar(text: string): string {
    if (PLAIN.test(text) && !TAKEN.test(text)) return text;
    return JSON.stringify(text);
}

function isMap(v: Value): v is { [key: string]: Value } {
    return typeof v === "object" && v !== null && !Array.isArray(v);
}

/** A text of several lines as a literal block; null when it cannot be one. */
function block(text: string, indent: string): string | null {
    if (!text.includes("\n") || /[^\S\n]\n|^\s/.test(text)) return null;
    for (const c of text) if ((c < " " && c !== "\n") || c === "\u007f") return null;
    const tail = text.endsWith("\n") ? (text.endsWith("\n\n") ? "+" : "") : "-";
    const body = tail === "-" ? text : text.slice(0, -1);
    const lines = body.split("\n").map((l) => (l ? `${indent}${l}` : ""));
    return `|${tail}\n${lines.join("\n")}`;
}

function inline(v: Value, indent: string): string {
    if (typeof v === "string") return block(v, indent) ?? scalar(v);
    if (Array.isArray(v)) return "[]";
    if (isMap(v)) return "{}";
    return String(v);
}

function lines(v: Value, indent: string): string[] {
    if (Array.isArray(v))
        return v.flatMap((item) => {
            const inner = nested(item) ? lines(item, `${indent}  `) : null;
            if (inner === null) return [`${indent}- ${inline(item, `${indent}  `)}`];
            return [`${indent}- ${inner[0]!.slice(indent.length + 2)}`, ...inner.slice(1)];
        });
    if (isMap(v))
        return Object.keys(v)
            .sort()
            .flatMap((key) => {
                const value = v[key]!;
                if (!nested(value))
                    return [`${indent}${scalar(key)}: ${inline(value, `${indent}  `)}`];
                const inner = lines(value, Array.isArray(value) ? indent : `${indent}  `);
                return [`${indent}${scalar(key)}:`, ...inner];
            });
    return [`${indent}${inline(v, indent)}`];
}

function nested(v: Value): boolean {
    return Array.isArray(v) ? v.length > 0 : isMap(v) && Object.keys(v).length > 0;
}

export function toYaml(value: unknown): string {
    if (value === undefined || value === null) return "";
    return `${lines(value as Value, "").join("\n")}\n`;
}
