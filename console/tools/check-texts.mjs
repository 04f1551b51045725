/*
 * Texts of the console: no literal text in TSX (everything a person reads goes through t()), and no key
 * of the texts that nothing uses. Prints each finding with its place; ends with 1 when there is one.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "vite";

const src = new URL("../src", import.meta.url).pathname;

/** Attributes and properties that hold what a person reads. */
const readable = new Set([
    "alt",
    "aria-description",
    "aria-label",
    "aside",
    "error",
    "help",
    "hint",
    "label",
    "placeholder",
    "sub",
    "text",
    "title",
    "word",
]);
/** Names that are the same in every language. */
const names = new Set(
    (
        "Bitbucket ClusterIP ExternalName GitHub GitLab Git HEAD Helm Kustomize LoadBalancer NodePort SSH TCP " +
        "Taut URL YAML nodeIP"
    ).split(" "),
);

const words = (text) => text.match(/\p{L}[\p{L}\p{N}]*/gu) ?? [];
/** Says something to a person: not the key of a text, not only names. */
const speaks = (text) =>
    !/^[a-z]\w*(\.\w+)+$/.test(text) && words(text).some((word) => !names.has(word));

function files(dir) {
    return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
        const path = join(dir, entry.name);
        if (entry.isDirectory()) return files(path);
        return /\.tsx?$/.test(entry.name) ? [path] : [];
    });
}

/** Calls visit for each node below this one. */
function walk(node, visit) {
    if (Array.isArray(node)) return node.forEach((n) => walk(n, visit));
    if (!node || typeof node.type !== "string") return;
    visit(node);
    for (const [key, value] of Object.entries(node))
        if (key !== "type" && value && typeof value === "object") walk(value, visit);
}

/** The literal texts that an expression may become. */
function literals(node) {
    if (!node) return [];
    switch (node.type) {
        case "Literal":
            return typeof node.value === "string" ? [node.value] : [];
        case "TemplateLiteral":
            return node.quasis.map((q) => q.value.cooked);
        case "JSXExpressionContainer":
        case "ParenthesizedExpression":
            return literals(node.expression);
        case "ConditionalExpression":
            return [...literals(node.consequent), ...literals(node.alternate)];
        case "LogicalExpression":
            return [...literals(node.left), ...literals(node.right)];
        case "BinaryExpression":
            return node.operator === "+" ? [...literals(node.left), ...literals(node.right)] : [];
        default:
            return [];
    }
}

/** What a node says by itself. */
function said(node) {
    if (node.type === "JSXText") return [node.value];
    if (node.type === "JSXElement" || node.type === "JSXFragment")
        return node.children.flatMap((c) =>
            c.type === "JSXExpressionContainer" ? literals(c) : [],
        );
    if (node.type === "JSXAttribute" && readable.has(node.name.name)) return literals(node.value);
    if (node.type === "Property" && readable.has(node.key.name ?? node.key.value))
        return literals(node.value);
    return [];
}

const findings = [];
const used = new Set();
const patterns = [];
const keys = [];

function place(path, text, node) {
    return `${path.slice(src.length - 3)}:${text.slice(0, node.start).split("\n").length}`;
}

for (const path of files(src)) {
    const text = readFileSync(path, "utf8");
    const { program } = parseSync(path, text);
    if (path.endsWith("i18n/en.ts")) {
        walk(program, (n) => n.type === "Property" && keys.push(n.key.value ?? n.key.name));
        continue;
    }
    if (path.includes("/i18n/zh") || path.endsWith("glossary.ts")) continue;
    walk(program, (node) => {
        if (node.type === "Literal" && typeof node.value === "string") used.add(node.value);
        if (node.type === "TemplateLiteral" && node.expressions.length > 0) {
            const parts = node.quasis.map((q) =>
                q.value.cooked.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"),
            );
            if (/^[a-z][\w]*\\\./.test(parts[0]))
                patterns.push(new RegExp(`^${parts.join("[\\w.]+")}$`));
        }
        if (!path.endsWith(".tsx")) return;
        for (const literal of said(node))
            if (speaks(literal))
                findings.push(
                    `${place(path, text, node)}: literal text "${literal.trim()}"; use t()`,
                );
    });
}
for (const key of process.argv.includes("--keys") ? keys : [])
    if (!used.has(key) && !patterns.some((p) => p.test(key)))
        findings.push(`src/i18n/en.ts: nothing uses the key "${key}"`);

for (const finding of findings) console.error(finding);
process.exit(findings.length > 0 ? 1 : 0);
