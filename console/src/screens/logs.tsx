/* The log of a container: follow, tail, since, previous, filter, wrap, download. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiError, request } from "../api/client";
import { exact, t } from "../i18n";
import { addLines, findLines, parseLog, RING, splitAt, type LogHead, type LogLine } from "../logs";
import { Button, Empty, Icon, Note, Skeleton } from "../ui/kit";
import { useSpan } from "../ui/window";

const LINE_PX = 20;
const EVERY_MS = 1000;
const RETRY_MS = 5000;
const CHAR_PX = 7.3;

const tails = [100, 500, 5000, RING];
const ages = [0, 300, 3600, 86400];

function useLog(base: string, query: Record<string, string>, follow: boolean) {
    const [head, setHead] = useState<LogHead | null>(null);
    const [lines, setLines] = useState<LogLine[]>([]);
    const [error, setError] = useState<ApiError | null>(null);
    const [round, setRound] = useState(0);
    const last = useRef("");
    const address = new URLSearchParams(query).toString();
    useEffect(() => {
        const abort = new AbortController();
        let timer: ReturnType<typeof setTimeout> | undefined;
        last.current = "";
        const read = async (first: boolean): Promise<void> => {
            const more = first || !last.current ? "" : `&after=${encodeURIComponent(last.current)}`;
            const answer = await request("GET", `${base}/logs?${address}${more}`, undefined, {
                signal: abort.signal,
            });
            const got = parseLog(await answer.text());
            if (abort.signal.aborted) return;
            setHead(got.head);
            setError(null);
            setLines((was) => (first ? got.lines : addLines(was, got.lines)));
            last.current = got.lines[got.lines.length - 1]?.time ?? last.current;
        };
        const run = (first: boolean): void => {
            read(first).then(
                () => {
                    if (follow && !abort.signal.aborted)
                        timer = setTimeout(() => run(false), EVERY_MS);
                },
                (e: unknown) => {
                    if (abort.signal.aborted) return;
                    const failed = e instanceof ApiError ? e : new ApiError(0, String(e));
                    setError(failed);
                    /* A refusal stays one; what was not reached is tried again, less often. */
                    const passes = failed.status === 0 || failed.status >= 500;
                    if (follow && passes) timer = setTimeout(() => run(first), RETRY_MS);
                },
            );
        };
        run(true);
        return () => {
            abort.abort();
            clearTimeout(timer);
        };
    }, [base, address, follow, round]);
    return { head, lines, error, again: () => setRound((r) => r + 1) };
}

function Lines({
    lines,
    wrap,
    times,
    find,
    follow,
    stop,
    label,
}: {
    lines: LogLine[];
    wrap: boolean;
    times: boolean;
    find: string;
    follow: boolean;
    stop: () => void;
    label: string;
}) {
    const box = useRef<HTMLDivElement>(null);
    const body = useRef<HTMLOListElement>(null);
    const width = box.current?.clientWidth ?? 800;
    const ends = useMemo(() => {
        const columns = Math.max(20, Math.floor(width / CHAR_PX) - (times ? 20 : 0));
        let y = 0;
        return lines.map(
            (l) => (y += LINE_PX * (wrap ? Math.max(1, Math.ceil(l.text.length / columns)) : 1)),
        );
    }, [lines, wrap, times, width]);
    const span = useSpan(ends, body, box);
    useLayoutEffect(() => {
        if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
    }, [lines, follow]);
    return (
        <div
            class={`code log${wrap ? " wrap" : ""}`}
            ref={box}
            tabIndex={0}
            role="log"
            aria-label={label}
            onWheel={(e) => e.deltaY < 0 && stop()}
            onKeyDown={(e) => (e.key === "ArrowUp" || e.key === "PageUp") && stop()}
        >
            <ol ref={body}>
                {span.above > 0 && <li aria-hidden="true" style={{ height: `${span.above}px` }} />}
                {lines.slice(span.from, span.to).map((l, i) => {
                    const [before, found, after] = splitAt(l.text, find);
                    return (
                        <li key={span.from + i}>
                            {times && <time dateTime={l.time}>{exact(l.time).slice(5)} </time>}
                            {before}
                            {found && <mark>{found}</mark>}
                            {after}
                        </li>
                    );
                })}
                {span.below > 0 && <li aria-hidden="true" style={{ height: `${span.below}px` }} />}
            </ol>
        </div>
    );
}

function Pick({
    label,
    value,
    options,
    onPick,
}: {
    label: string;
    value: string;
    options: { value: string; label: string }[];
    onPick: (to: string) => void;
}) {
    return (
        <span class="box fit">
            <select
                class="in fit"
                aria-label={label}
                value={value}
                onChange={(e) => onPick(e.currentTarget.value)}
            >
                {options.map((o) => (
                    <option key={o.value} value={o.value} selected={o.value === value}>
                        {o.label}
                    </option>
                ))}
            </select>
            <span class="i end">
                <Icon name="i-down" />
            </span>
        </span>
    );
}

function save(name: string, lines: LogLine[]): void {
    const text = lines.map((l) => `${l.time} ${l.text}\n`).join("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    link.download = `${name}.log`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export function Logs({ base }: { base: string }) {
    const [container, setContainer] = useState("");
    const [tail, setTail] = useState("500");
    const [since, setSince] = useState("0");
    const [previous, setPrevious] = useState(false);
    const [follow, setFollow] = useState(true);
    const [wrap, setWrap] = useState(false);
    const [times, setTimes] = useState(false);
    const [find, setFind] = useState("");
    const log = useLog(
        base,
        {
            tail,
            ...(container && { container }),
            ...(since !== "0" && { since }),
            ...(previous && { previous: "true" }),
        },
        follow && !previous,
    );
    const shown = useMemo(() => findLines(log.lines, find), [log.lines, find]);
    const toggle = (on: boolean, set: (to: boolean) => void, label: string) => (
        <button
            type="button"
            role="switch"
            class="toggle"
            aria-checked={on}
            onClick={() => set(!on)}
        >
            {label}
        </button>
    );
    const head = log.head;
    return (
        <div class="logs">
            <div class="bar flush">
                {head && head.containers.length > 1 && (
                    <Pick
                        label={t("logs.container")}
                        value={head.container}
                        options={head.containers.map((c) => ({ value: c, label: c }))}
                        onPick={setContainer}
                    />
                )}
                <Pick
                    label={t("logs.tail")}
                    value={tail}
                    options={tails.map((n) => ({
                        value: String(n),
                        label: t("logs.lastLines", { n }),
                    }))}
                    onPick={setTail}
                />
                <Pick
                    label={t("logs.since")}
                    value={since}
                    options={ages.map((s) => ({
                        value: String(s),
                        label: s === 0 ? t("logs.anyAge") : t("logs.lastMinutes", { n: s / 60 }),
                    }))}
                    onPick={setSince}
                />
                <div class="box find-box narrow">
                    <Icon name="i-search" />
                    <input
                        class="in"
                        type="search"
                        aria-label={t("logs.find")}
                        placeholder={t("logs.find")}
                        value={find}
                        onInput={(e) => setFind(e.currentTarget.value)}
                    />
                </div>
            </div>
            <div class="bar flush">
                {toggle(follow, setFollow, t("logs.follow"))}
                {toggle(wrap, setWrap, t("logs.wrap"))}
                {toggle(times, setTimes, t("logs.times"))}
                {toggle(previous, setPrevious, t("logs.previous"))}
                <span class="push">
                    <Button
                        kind="ghost small"
                        icon="i-logs"
                        onClick={() => save(head?.pod ?? "pod", shown)}
                    >
                        {t("logs.download")}
                    </Button>
                </span>
            </div>
            {log.error && (
                <Note
                    look={log.lines.length > 0 ? "outofsync" : "degraded"}
                    text={log.error.status === 0 ? t("common.offline") : log.error.message}
                >
                    <Button kind="small" onClick={log.again}>
                        {t("common.retry")}
                    </Button>
                </Note>
            )}
            {head && (
                <p class="t3 limits">
                    {find
                        ? t("logs.found", { n: shown.length, total: log.lines.length })
                        : t("logs.limits", { n: log.lines.length, most: head.limits.lines })}
                </p>
            )}
            {!head && !log.error ? (
                <Skeleton />
            ) : shown.length === 0 && log.error ? null : shown.length === 0 ? (
                <Empty icon="i-logs" title={t(find ? "common.noMatch" : "logs.empty")} />
            ) : (
                <Lines
                    lines={shown}
                    wrap={wrap}
                    times={times}
                    find={find}
                    follow={follow}
                    stop={() => setFollow(false)}
                    label={t("logs.title")}
                />
            )}
        </div>
    );
}
