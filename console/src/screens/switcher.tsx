/* The DevOps Project that is open, and a way to another: a search over all of them, thousands included. */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { DevOps } from "../api/types";
import { t } from "../i18n";
import { go, path } from "../router";
import { boot } from "../session";
import { Icon } from "../ui/kit";

const SHOWN = 50;

export function findDevops(all: DevOps[], text: string): DevOps[] {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return all;
    return all.filter((d) =>
        [d.name, d.alias ?? ""].some((word) => word.toLowerCase().includes(wanted)),
    );
}

/** The same page of another project, where it has one: its lists, not one deployment of them. */
function samePage(name: string): string {
    const page = /^\/devops\/[^/]+\/([^/]+)/.exec(path.value)?.[1] ?? "apps";
    return `/devops/${encodeURIComponent(name)}/${page}`;
}

export function Switcher({ devops }: { devops?: string | undefined }) {
    const [open, setOpen] = useState(false);
    const [text, setText] = useState("");
    const [at, setAt] = useState(0);
    const root = useRef<HTMLDivElement>(null);
    const id = useId();
    const all = boot.value?.devops ?? [];
    useEffect(() => {
        if (!open) return;
        root.current?.querySelector("input")?.focus();
        const away = (e: Event) => {
            if (!root.current?.contains(e.target as Node)) setOpen(false);
        };
        addEventListener("pointerdown", away);
        return () => removeEventListener("pointerdown", away);
    }, [open]);
    if (all.length === 0) return null;
    const found = findDevops(all, text);
    const shown = found.slice(0, SHOWN);
    const here = all.find((d) => d.name === devops);
    const close = () => {
        setOpen(false);
        setText("");
        setAt(0);
        root.current?.querySelector("button")?.focus();
    };
    const pick = (d: DevOps | undefined) => {
        if (!d) return;
        close();
        go(samePage(d.name));
    };
    const onKey = (e: KeyboardEvent) => {
        if (e.key === "ArrowDown") setAt(Math.min(at + 1, shown.length - 1));
        else if (e.key === "ArrowUp") setAt(Math.max(at - 1, 0));
        else if (e.key === "Enter") pick(shown[at]);
        else if (e.key === "Escape") close();
        else {
            if (e.key === "Tab") setOpen(false);
            return;
        }
        e.preventDefault();
        e.stopPropagation();
    };
    return (
        <div class="switcher" ref={root}>
            <button
                type="button"
                class="switch"
                aria-haspopup="listbox"
                aria-expanded={open}
                aria-label={`${t("nav.switch")} ${here?.alias ?? devops ?? t("nav.choose")}`}
                onClick={() => setOpen(!open)}
            >
                <span class="cut">
                    <span class="sub">{t("nav.switch")}</span>{" "}
                    <span class="m">{here?.alias ?? devops ?? t("nav.choose")}</span>
                </span>
                <Icon name="i-updown" />
            </button>
            {open && (
                <div class="menu">
                    <input
                        class="in"
                        type="text"
                        role="combobox"
                        aria-expanded="true"
                        aria-controls={`${id}-list`}
                        aria-activedescendant={shown.length > 0 ? `${id}-${at}` : undefined}
                        aria-label={t("nav.find")}
                        placeholder={t("nav.find")}
                        value={text}
                        autocomplete="off"
                        spellcheck={false}
                        onInput={(e) => {
                            setText(e.currentTarget.value);
                            setAt(0);
                        }}
                        onKeyDown={onKey}
                    />
                    <ul id={`${id}-list`} role="listbox" aria-label={t("nav.devops")}>
                        {shown.map((d, i) => (
                            <li
                                key={d.name}
                                id={`${id}-${i}`}
                                role="option"
                                aria-selected={d.name === devops}
                                class={i === at ? "hot" : ""}
                                onClick={() => pick(d)}
                            >
                                {d.name}
                                {d.alias && <span class="sub">{d.alias}</span>}
                            </li>
                        ))}
                    </ul>
                    {shown.length === 0 && <p class="t3 pad-s">{t("common.noMatch")}</p>}
                    {found.length > SHOWN && (
                        <p class="t3 pad-s">{t("nav.findMore", { n: found.length - SHOWN })}</p>
                    )}
                </div>
            )}
        </div>
    );
}
