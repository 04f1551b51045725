/* What the log tab keeps: lines in a ring, found by text; pure functions. */

export interface LogLine {
    time: string;
    text: string;
}

export interface LogHead {
    pod: string;
    container: string;
    containers: string[];
    previous: boolean;
    limits: { tail: number; lines: number; bytes: number };
}

export const RING = 50_000;

/** The NDJSON answer: its head and its lines. A broken last line is left out. */
export function parseLog(body: string): { head: LogHead | null; lines: LogLine[] } {
    let head: LogHead | null = null;
    const lines: LogLine[] = [];
    for (const text of body.split("\n")) {
        if (!text) continue;
        let value: LogHead | LogLine;
        try {
            value = JSON.parse(text) as LogHead | LogLine;
        } catch {
            continue;
        }
        if ("limits" in value) head = value;
        else lines.push(value);
    }
    return { head, lines };
}

export function addLines(ring: LogLine[], more: LogLine[], size = RING): LogLine[] {
    if (more.length === 0) return ring;
    const all = [...ring, ...more];
    return all.length > size ? all.slice(all.length - size) : all;
}

export function findLines(lines: LogLine[], text: string): LogLine[] {
    const wanted = text.trim().toLowerCase();
    return wanted ? lines.filter((l) => l.text.toLowerCase().includes(wanted)) : lines;
}

/** Text around what was looked for, for marking it. */
export function splitAt(text: string, find: string): [string, string, string] {
    const wanted = find.trim().toLowerCase();
    const at = wanted ? text.toLowerCase().indexOf(wanted) : -1;
    if (at < 0) return [text, "", ""];
    return [text.slice(0, at), text.slice(at, at + wanted.length), text.slice(at + wanted.length)];
}
