/*
 * Combobox, by the ARIA pattern: an input that completes from a list and, unless `strict`, takes any
 * text. The list is in the top layer, so that no dialog cuts it; long ones draw what is seen.
 * Arrows, Page Up and Down move, Enter takes, Escape closes the list alone.
 */
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { Field, Icon } from "./kit";

export interface Choice {
    value: string;
    label?: string;
    sub?: string | undefined;
    icon?: string;
    /** At the end of the row, quiet. */
    aside?: string | undefined;
}

const ROW = 40;
const SEEN = 8;
const MARGIN = 6;

function labelOf(choice: Choice | undefined, value: string): string {
    return choice?.label ?? choice?.value ?? value;
}

/** Those that begin with the text first, then those that hold it. */
export function matching(choices: Choice[], text: string): Choice[] {
    const want = text.trim().toLowerCase();
    if (!want) return choices;
    const starts: Choice[] = [];
    const holds: Choice[] = [];
    for (const c of choices) {
        const has = `${c.label ?? c.value} ${c.sub ?? ""}`.toLowerCase();
        if (c.value.toLowerCase().startsWith(want)) starts.push(c);
        else if (has.includes(want)) holds.push(c);
    }
    return [...starts, ...holds];
}

interface Props {
    label: string;
    value: string;
    choices: Choice[];
    onValue: (to: string) => void;
    required?: boolean;
    help?: string | undefined;
    error?: string | undefined;
    icon?: string;
    mono?: boolean;
    busy?: boolean;
    autofocus?: boolean;
    /** Only what the list has; the input shows the label of what is chosen. */
    strict?: boolean;
    /** Offers the typed text as a new entry, under this name. */
    create?: ((text: string) => string | null) | undefined;
    /** The last entry: does something else. */
    action?: { label: string; icon: string; onPick: () => void };
    /** Said at the end of a list that is not whole. */
    more?: string | undefined;
}

/** Keeps the list at its input while anything scrolls or is resized. */
function usePlace(
    open: boolean,
    input: { current: HTMLElement | null },
    list: { current: HTMLElement | null },
) {
    useLayoutEffect(() => {
        const el = list.current;
        if (!open || !el) return;
        if ("showPopover" in el && !el.matches(":popover-open")) el.showPopover();
        const place = () => {
            const at = input.current?.getBoundingClientRect();
            if (!at) return;
            const height = el.offsetHeight;
            const below = innerHeight - at.bottom - MARGIN;
            const up = below < height && at.top > below;
            el.style.left = `${at.left}px`;
            el.style.width = `${at.width}px`;
            el.style.top = `${up ? Math.max(MARGIN, at.top - height - 4) : at.bottom + 4}px`;
        };
        place();
        addEventListener("scroll", place, true);
        addEventListener("resize", place);
        return () => {
            removeEventListener("scroll", place, true);
            removeEventListener("resize", place);
        };
    });
}

export function Combobox(props: Props) {
    const { value, choices, strict } = props;
    const id = useId();
    const chosen = useMemo(() => choices.find((c) => c.value === value), [choices, value]);
    const [typed, setTyped] = useState<string | null>(null);
    const [open, setOpen] = useState(false);
    const [hot, setHot] = useState(-1);
    const [top, setTop] = useState(0);
    const input = useRef<HTMLInputElement>(null);
    const list = useRef<HTMLDivElement>(null);
    const shown = typed ?? (strict ? (value ? labelOf(chosen, value) : "") : value);

    const found = useMemo(() => matching(choices, typed ?? ""), [choices, typed]);
    const fresh =
        typed && !choices.some((c) => c.value === typed.trim())
            ? props.create?.(typed.trim())
            : null;
    const extra = fresh ? 1 : 0;
    const count = found.length + extra + (props.action ? 1 : 0);
    usePlace(open && count > 0, input, list);
    useEffect(() => {
        if (props.autofocus) input.current?.focus();
    }, []);

    const show = () => {
        setOpen(true);
        setTop(0);
        setHot(typed === null ? found.findIndex((c) => c.value === value) : -1);
    };
    const hide = () => {
        setOpen(false);
        setHot(-1);
    };
    const take = (index: number) => {
        hide();
        setTyped(null);
        if (index < found.length) props.onValue(found[index]!.value);
        else if (extra && index === found.length) props.onValue(typed!.trim());
        else props.action?.onPick();
    };
    const type = (text: string) => {
        setTyped(text);
        setOpen(true);
        setHot(-1);
        setTop(0);
        if (list.current) list.current.scrollTop = 0;
        if (!strict) props.onValue(text);
        else if (choices.some((c) => c.value === text)) props.onValue(text);
    };
    const move = (to: number) => {
        const next = Math.max(0, Math.min(count - 1, to));
        setHot(next);
        const box = list.current;
        if (!box) return;
        if (next * ROW < box.scrollTop) box.scrollTop = next * ROW;
        if ((next + 1) * ROW > box.scrollTop + box.clientHeight)
            box.scrollTop = (next + 1) * ROW - box.clientHeight;
    };
    const onKey = (e: KeyboardEvent) => {
        const steps: Record<string, number> = {
            ArrowDown: hot + 1,
            ArrowUp: hot < 0 ? count - 1 : hot - 1,
            PageDown: hot + SEEN,
            PageUp: hot - SEEN,
        };
        if (e.key in steps && !e.ctrlKey && !e.metaKey) {
            e.preventDefault();
            if (!open) show();
            else move(steps[e.key]!);
        } else if (e.key === "Enter" && open && hot >= 0 && !e.ctrlKey && !e.metaKey) {
            e.preventDefault();
            take(hot);
        } else if (e.key === "Escape" && open) {
            e.preventDefault();
            e.stopPropagation();
            hide();
        }
    };
    const leave = () => {
        hide();
        setTyped(null);
    };
    const from = Math.max(0, Math.floor(top / ROW) - SEEN);
    const to = Math.min(count, from + SEEN * 4);
    return (
        <Field
            label={props.label}
            required={props.required ?? false}
            error={props.error}
            {...(props.help === undefined ? {} : { help: props.help })}
        >
            {(ids) => (
                <div class="box combo">
                    {props.icon && <Icon name={props.icon} />}
                    <input
                        {...ids}
                        ref={input}
                        class={`in${props.mono ? " mono" : ""}${props.icon ? "" : " plain"}`}
                        role="combobox"
                        type="text"
                        autocomplete="off"
                        spellcheck={false}
                        aria-autocomplete="list"
                        aria-expanded={open && count > 0}
                        aria-controls={`${id}-list`}
                        aria-activedescendant={open && hot >= 0 ? `${id}-${hot}` : undefined}
                        value={shown}
                        onInput={(e) => type(e.currentTarget.value)}
                        onKeyDown={onKey}
                        onClick={() => (open ? hide() : show())}
                        onBlur={leave}
                    />
                    <span class="i end">
                        <Icon
                            name={props.busy ? "s-progressing" : "i-down"}
                            spin={props.busy ?? false}
                        />
                    </span>
                    {open && count > 0 && (
                        <div
                            ref={list}
                            id={`${id}-list`}
                            class="combo-list menu"
                            role="listbox"
                            aria-label={props.label}
                            {...{ popover: "manual" }}
                            onMouseDown={(e) => e.preventDefault()}
                            onScroll={(e) => setTop(e.currentTarget.scrollTop)}
                        >
                            <div style={{ height: `${from * ROW}px` }} />
                            {Array.from({ length: to - from }, (_, i) => i + from).map((i) => (
                                <Row
                                    key={i}
                                    id={`${id}-${i}`}
                                    choice={entry(i, found, fresh, extra, props)}
                                    hot={i === hot}
                                    selected={i < found.length && found[i]!.value === value}
                                    place={[i + 1, count]}
                                    onPick={() => take(i)}
                                />
                            ))}
                            <div style={{ height: `${Math.max(0, count - to) * ROW}px` }} />
                            {props.more && <p class="help combo-more">{props.more}</p>}
                        </div>
                    )}
                </div>
            )}
        </Field>
    );
}

function entry(
    i: number,
    found: Choice[],
    fresh: string | null | undefined,
    extra: number,
    props: Props,
): Choice {
    if (i < found.length) return found[i]!;
    if (extra && i === found.length) return { value: "", label: fresh!, icon: "i-plus" };
    return { value: "", label: props.action!.label, icon: props.action!.icon };
}

function Row({
    id,
    choice,
    hot,
    selected,
    place,
    onPick,
}: {
    id: string;
    choice: Choice;
    hot: boolean;
    selected: boolean;
    place: [number, number];
    onPick: () => void;
}) {
    return (
        <div
            id={id}
            class={`opt${hot ? " hot" : ""}`}
            role="option"
            aria-selected={selected}
            aria-posinset={place[0]}
            aria-setsize={place[1]}
            title={choice.sub ? `${labelOf(choice, "")} ${choice.sub}` : labelOf(choice, "")}
            onClick={onPick}
        >
            {choice.icon && <Icon name={choice.icon} />}
            <span class="cut">
                {labelOf(choice, "")}
                {choice.sub && <span class="sub cut">{choice.sub}</span>}
            </span>
            {choice.aside && <span class="t3 push nowrap">{choice.aside}</span>}
            {selected && !choice.aside && (
                <span class="push">
                    <Icon name="i-check" small />
                </span>
            )}
        </div>
    );
}

/** "Create …" for a name that is one. */
export function createEntry(valid: (text: string) => boolean) {
    return (text: string) => (valid(text) ? t("combo.create", { name: text }) : null);
}
