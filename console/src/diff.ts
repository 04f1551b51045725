/*
 * Differences of two texts by lines, in rows for side by side and unified views: pure functions. Two
 * lines that stand for each other carry what differs in them.
 */

export interface Side {
    n: number;
    text: string;
    /** What differs within the line, [from, to). */
    mark?: [number, number];
}

export interface DiffRow {
    kind: "same" | "change" | "del" | "add";
    left?: Side;
    right?: Side;
}

export interface Compared {
    rows: DiffRow[];
    added: number;
    removed: number;
}

/* Beyond so many edits the search would take longer than anybody reads: all is old, all is new. */
const MAX_EDITS = 1500;

type Step = "same" | "del" | "add";

/** Myers' greedy search for the shortest edit script. */
function myers(a: string[], b: string[]): Step[] {
    const n = a.length;
    const m = b.length;
    const max = Math.min(n + m, MAX_EDITS);
    const off = max + 1;
    const v = new Int32Array(2 * max + 3);
    const trace: Int32Array[] = [];
    for (let d = 0; d <= max; d++) {
        trace.push(v.slice(off - d - 1, off + d + 2));
        for (let k = -d; k <= d; k += 2) {
            const down = k === -d || (k !== d && v[off + k - 1]! < v[off + k + 1]!);
            let x = down ? v[off + k + 1]! : v[off + k - 1]! + 1;
            while (x < n && x - k < m && a[x] === b[x - k]) x++;
            v[off + k] = x;
            if (x >= n && x - k >= m) return backtrack(trace, n, m, d);
        }
    }
    return [...Array<Step>(n).fill("del"), ...Array<Step>(m).fill("add")];
}

function backtrack(trace: Int32Array[], n: number, m: number, depth: number): Step[] {
    const out: Step[] = [];
    let x = n;
    let y = m;
    for (let d = depth; d > 0; d--) {
        const v = trace[d]!;
        const at = (k: number) => v[k + d + 1] ?? 0;
        const k = x - y;
        const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
        const pk = down ? k + 1 : k - 1;
        const px = at(pk);
        const py = px - pk;
        while (x > px && y > py) {
            out.push("same");
            x--;
            y--;
        }
        out.push(down ? "add" : "del");
        x = px;
        y = py;
    }
    for (; x > 0 && y > 0; x--, y--) out.push("same");
    return out.reverse();
}

function script(a: string[], b: string[]): Step[] {
    let head = 0;
    while (head < a.length && head < b.length && a[head] === b[head]) head++;
    let tail = 0;
    const least = Math.min(a.length, b.length) - head;
    while (tail < least && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
    const middle = myers(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
    return [...Array<Step>(head).fill("same"), ...middle, ...Array<Step>(tail).fill("same")];
}

const wordly = /[A-Za-z0-9_]/;

/** What differs between two lines, widened to whole words. */
function marks(a: string, b: string): [[number, number], [number, number]] | null {
    let head = 0;
    while (head < a.length && head < b.length && a[head] === b[head]) head++;
    let tail = 0;
    const least = Math.min(a.length, b.length) - head;
    while (tail < least && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
    while (head > 0 && wordly.test(a[head - 1]!)) head--;
    while (tail > 0 && wordly.test(a[a.length - tail]!)) tail--;
    if (a.slice(0, head).trim() === "" && a.slice(a.length - tail).trim() === "") return null;
    return [
        [head, a.length - tail],
        [head, b.length - tail],
    ];
}

export function splitLines(text: string): string[] {
    if (text === "") return [];
    return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

export function compareTexts(before: string, after: string): Compared {
    const a = splitLines(before);
    const b = splitLines(after);
    const rows: DiffRow[] = [];
    let l = 0;
    let r = 0;
    let gone: Side[] = [];
    let come: Side[] = [];
    let added = 0;
    let removed = 0;
    const flush = () => {
        for (let i = 0; i < Math.max(gone.length, come.length); i++) {
            const left = gone[i];
            const right = come[i];
            if (left && right) {
                const found = marks(left.text, right.text);
                if (found) [left.mark, right.mark] = found;
                rows.push({ kind: "change", left, right });
            } else if (left) rows.push({ kind: "del", left });
            else rows.push({ kind: "add", right: right! });
        }
        gone = [];
        come = [];
    };
    for (const step of script(a, b)) {
        if (step === "same") {
            flush();
            rows.push({
                kind: "same",
                left: { n: l + 1, text: a[l++]! },
                right: { n: r + 1, text: b[r++]! },
            });
        } else if (step === "del") {
            removed++;
            gone.push({ n: l + 1, text: a[l++]! });
        } else {
            added++;
            come.push({ n: r + 1, text: b[r++]! });
        }
    }
    flush();
    return { rows, added, removed };
}

/** Rows, and between them bars that stand for unchanged ones; `id` is the first row behind the bar. */
export type Shown = { row: DiffRow } | { gap: number; id: number };

export function fold(rows: DiffRow[], opened: ReadonlySet<number>, context = 3): Shown[] {
    const out: Shown[] = [];
    const near = new Uint8Array(rows.length);
    rows.forEach((row, i) => {
        if (row.kind === "same") return;
        near.fill(1, Math.max(0, i - context), Math.min(rows.length, i + context + 1));
    });
    for (let i = 0; i < rows.length;) {
        if (near[i]) {
            out.push({ row: rows[i++]! });
            continue;
        }
        let end = i;
        while (end < rows.length && !near[end]) end++;
        if (opened.has(i) || end - i <= 1)
            for (let k = i; k < end; k++) out.push({ row: rows[k]! });
        else out.push({ gap: end - i, id: i });
        i = end;
    }
    return out;
}

/** One line a row: what went before what came, run by run, as `diff -u` has it. */
export function unify(shown: Shown[]): Shown[] {
    const out: Shown[] = [];
    let come: Shown[] = [];
    const flush = () => {
        out.push(...come);
        come = [];
    };
    for (const s of shown) {
        if (!("row" in s) || s.row.kind === "same") {
            flush();
            out.push(s);
            continue;
        }
        const { left, right } = s.row;
        if (left) out.push({ row: { kind: "del", left } });
        if (right) come.push({ row: { kind: "add", right } });
    }
    flush();
    return out;
}

/** "key: value" in parts for colouring: indentation and dash, key, the rest. */
export function yamlParts(line: string): [string, string, string] {
    const found = /^(\s*(?:- )*)([A-Za-z0-9_.$/"'-]+)(:(?:\s.*)?)$/.exec(line);
    return found ? [found[1]!, found[2]!, found[3]!] : [line, "", ""];
}
