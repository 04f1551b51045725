/* A filter: dashed = not set, solid with its values = set; opens a list of which several may be on. */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "./kit";

export interface ChipOption {
    value: string;
    label: string;
    count?: number;
}

export function FilterChip({
    label,
    options,
    chosen,
    onChoose,
}: {
    label: string;
    options: ChipOption[];
    chosen: string[];
    onChoose: (to: string[]) => void;
}) {
    const [open, setOpen] = useState(false);
    const [at, setAt] = useState(0);
    const root = useRef<HTMLSpanElement>(null);
    const list = useRef<HTMLDivElement>(null);
    const id = useId();
    useEffect(() => {
        if (!open) return;
        list.current?.focus();
        const away = (e: Event) => {
            if (!root.current?.contains(e.target as Node)) setOpen(false);
        };
        addEventListener("pointerdown", away);
        return () => removeEventListener("pointerdown", away);
    }, [open]);
    const toggle = (value: string) =>
        onChoose(chosen.includes(value) ? chosen.filter((x) => x !== value) : [...chosen, value]);
    const close = () => {
        setOpen(false);
        root.current?.querySelector("button")?.focus();
    };
    const onKey = (e: KeyboardEvent) => {
        if (!open) {
            if (e.key === "Backspace" && chosen.length > 0) onChoose([]);
            return;
        }
        const to: Record<string, number> = {
            ArrowDown: Math.min(at + 1, options.length - 1),
            ArrowUp: Math.max(at - 1, 0),
            Home: 0,
            End: options.length - 1,
        };
        if (e.key in to) setAt(to[e.key]!);
        else if (e.key === "Escape" || e.key === "Tab") close();
        else if (e.key === "Enter" || e.key === " ") toggle(options[at]!.value);
        else return;
        e.stopPropagation();
        e.preventDefault();
    };
    const words = options.filter((o) => chosen.includes(o.value)).map((o) => o.label);
    return (
        <span class="menu-root" ref={root} onKeyDown={onKey}>
            <button
                type="button"
                class={`chip${chosen.length > 0 ? " on" : ""}`}
                aria-haspopup="listbox"
                aria-expanded={open}
                onClick={() => setOpen(!open)}
            >
                {words.length > 0
                    ? t("common.filterIs", { label, value: words.join(", ") })
                    : label}
                <Icon name="i-down" small />
            </button>
            {chosen.length > 0 && (
                <button
                    type="button"
                    class="btn ghost small icon"
                    aria-label={t("common.filterClear", { label })}
                    onClick={() => onChoose([])}
                >
                    <Icon name="i-close" small />
                </button>
            )}
            {open && (
                <div
                    ref={list}
                    class="menu left"
                    role="listbox"
                    tabIndex={0}
                    aria-label={label}
                    aria-multiselectable="true"
                    aria-activedescendant={`${id}-${at}`}
                >
                    {options.map((o, i) => (
                        <div
                            key={o.value}
                            id={`${id}-${i}`}
                            role="option"
                            class={`opt${i === at ? " hot" : ""}`}
                            aria-selected={chosen.includes(o.value)}
                            onClick={() => {
                                setAt(i);
                                toggle(o.value);
                            }}
                        >
                            <span class="mark">
                                {chosen.includes(o.value) && <Icon name="i-check" small />}
                            </span>
                            {o.label}
                            {o.count !== undefined && <span class="t3 push">{o.count}</span>}
                        </div>
                    ))}
                </div>
            )}
        </span>
    );
}
