/*
 * Sizes of the built console, gzip-compressed: what the first load takes, each further chunk, and all
 * files. Prints them; ends with 1 when one is above its limit (docs/performance.md has the budgets).
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist", import.meta.url).pathname;
if (!existsSync(join(dist, "index.html"))) {
    console.error("console/dist is not built; run make");
    process.exit(1);
}

const KB = 1024;
const limits = { first: 80 * KB, chunk: 40 * KB, editor: 115 * KB, all: 400 * KB };

const sizes = new Map();
const texts = new Map();
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === ".stamp") continue;
    const bytes = readFileSync(join(entry.parentPath, entry.name));
    sizes.set(entry.name, gzipSync(bytes, { level: 9 }).length);
    texts.set(entry.name, bytes.toString());
}

/** A file and all that it imports before it runs. */
function withImports(name, found) {
    if (found.has(name) || !texts.has(name)) return found;
    found.add(name);
    const statics = /(?:from|import)\s*["']\.\/([^"']+)["']/g;
    if (name.endsWith(".js"))
        for (const [, other] of texts.get(name).matchAll(statics)) withImports(other, found);
    return found;
}

const html = texts.get("index.html");
const first = new Set(["index.html"]);
for (const [, name] of html.matchAll(/(?:src|href)="\.\/(?:assets\/)?([^"]+\.(?:js|css))"/g))
    withImports(name, first);
const sum = (names) => [...names].reduce((all, name) => all + sizes.get(name), 0);

let failed = false;
function say(what, size, limit) {
    if (size > limit) failed = true;
    const word = size > limit ? "ABOVE ITS LIMIT OF" : "of";
    console.log(
        `  ${what.padEnd(28)} ${(size / KB).toFixed(1).padStart(6)} KB ${word} ${limit / KB}`,
    );
}
say("first load", sum(first), limits.first);
const chunks = [...sizes].filter(([name]) => name.endsWith(".js") && !first.has(name));
for (const [name, size] of chunks.toSorted((a, b) => b[1] - a[1]).slice(0, 3))
    say(
        name.replace(/-[\w-]{8}\.js$/, ""),
        size,
        /editor|codemirror/.test(name) ? limits.editor : limits.chunk,
    );
for (const [name, size] of chunks)
    if (size > (/editor|codemirror/.test(name) ? limits.editor : limits.chunk))
        say(name, size, limits.chunk);
say("all files", sum(sizes.keys()), limits.all);
process.exit(failed ? 1 : 0);
