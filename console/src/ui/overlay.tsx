/* Dialogs (native <dialog>), menus and toasts. Focus goes in, stays in, and comes back. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { focusHeading } from "./focus";
import { Button, Icon, Note } from "./kit";
import { t } from "../i18n";

export function Dialog({
    title,
    sub,
    size = "",
    onClose,
    children,
    footer,
    error,
    onPrimary,
}: {
    title: string;
    /** One line under the title. */
    sub?: string;
    size?: string;
    onClose: () => void;
    children: ComponentChildren;
    footer: ComponentChildren;
    error?: string | undefined;
    onPrimary?: () => void;
}) {
    const box = useRef<HTMLDialogElement>(null);
    const id = useId();
    useEffect(() => {
        const before = document.activeElement as HTMLElement | null;
        const dialog = box.current!;
        dialog.showModal();
        if (dialog.querySelector(".hd")?.contains(document.activeElement)) {
            const find = (css: string) => dialog.querySelector<HTMLElement>(css);
            const field = ":is(.body, .halves) :is(input, select, textarea, button)";
            (find(".body :checked[type=radio]") ?? find(field) ?? find(".ft .btn"))?.focus();
        }
        return () => {
            dialog.close();
            if (before?.isConnected && before !== document.body) before.focus();
            else focusHeading();
        };
    }, []);
    return (
        <dialog
            ref={box}
            class={`dlg ${size}`}
            aria-labelledby={id}
            onCancel={(e) => {
                e.preventDefault();
                onClose();
            }}
            onKeyDown={(e) => {
                if (e.key !== "Enter" || !(e.ctrlKey || e.metaKey)) return;
                e.stopPropagation(); /* a dialog on a dialog */
                onPrimary?.();
            }}
        >
            <div class="hd">
                <div class="cut">
                    <h2 class="h cut" id={id}>
                        {title}
                    </h2>
                    {sub && <p class="sub cut">{sub}</p>}
                </div>
                <span class="push" />
                <Button
                    kind="ghost small icon"
                    aria-label={t("common.close")}
                    icon="i-close"
                    onClick={onClose}
                />
            </div>
            {error && (
                <div class="dlg-error">
                    <Note look="degraded" text={error} />
                </div>
            )}
            {children}
            <div class="ft">{footer}</div>
        </dialog>
    );
}

export interface MenuItem {
    label: string;
    icon: string;
    onPick: () => void;
    risk?: boolean;
    line?: boolean;
    /** Why it is off: a missing right. */
    lacks?: string | undefined;
    /** A choice that is on or off: one of several, or with `toggles` by itself. */
    checked?: boolean;
    toggles?: boolean;
}

/** A button with a menu: arrows, Home, End, Escape; closes on a click elsewhere. */
export function Menu({
    label,
    icon,
    kind = "ghost small icon",
    items,
    about,
    children,
}: {
    label: string;
    icon: string;
    kind?: string;
    items: MenuItem[];
    /** What stands above the items. */
    about?: ComponentChildren;
    children?: ComponentChildren;
}) {
    const [open, setOpen] = useState(false);
    const root = useRef<HTMLSpanElement>(null);
    const close = (focus: boolean) => {
        setOpen(false);
        if (focus) root.current?.querySelector("button")?.focus();
    };
    useEffect(() => {
        if (!open) return;
        root.current?.querySelector<HTMLElement>('[role^="menuitem"]')?.focus();
        const away = (e: Event) => {
            if (!root.current?.contains(e.target as Node)) setOpen(false);
        };
        addEventListener("pointerdown", away);
        return () => removeEventListener("pointerdown", away);
    }, [open]);
    const onKey = (e: KeyboardEvent) => {
        if (!open) return;
        const all = [...root.current!.querySelectorAll<HTMLElement>('[role^="menuitem"]')];
        const at = all.indexOf(document.activeElement as HTMLElement);
        const to: Record<string, number> = {
            ArrowDown: (at + 1) % all.length,
            ArrowUp: (at - 1 + all.length) % all.length,
            Home: 0,
            End: all.length - 1,
        };
        if (e.key in to) {
            e.preventDefault();
            all[to[e.key]!]!.focus();
        } else if (e.key === "Escape") {
            e.preventDefault();
            e.stopPropagation();
            close(true);
        } else if (e.key === "Tab") setOpen(false);
    };
    return (
        <span class="menu-root" ref={root} onKeyDown={onKey}>
            <Button
                kind={kind}
                aria-label={label}
                aria-haspopup="menu"
                aria-expanded={open}
                icon={icon}
                onClick={() => setOpen(!open)}
            >
                {children}
            </Button>
            {open && (
                <div class="menu" role="menu" aria-label={label}>
                    {about && (
                        <div class="about" role="presentation">
                            {about}
                        </div>
                    )}
                    {items.map((item) => (
                        <>
                            {item.line && <hr />}
                            <button
                                type="button"
                                role={
                                    item.checked === undefined
                                        ? "menuitem"
                                        : item.toggles
                                          ? "menuitemcheckbox"
                                          : "menuitemradio"
                                }
                                aria-checked={item.checked}
                                tabIndex={-1}
                                class={item.risk ? "risk" : ""}
                                aria-disabled={item.lacks ? "true" : undefined}
                                title={item.lacks}
                                onClick={() => {
                                    if (item.lacks) return;
                                    close(true);
                                    item.onPick();
                                }}
                            >
                                <Icon name={item.checked ? "i-check" : item.icon} />
                                {item.label}
                            </button>
                        </>
                    ))}
                </div>
            )}
        </span>
    );
}

interface Toast {
    id: number;
    text: string;
    failed: boolean;
}
const toasts = signal<Toast[]>([]);
let next = 1;

/** Success leaves after five seconds, failure stays until it is closed. */
export function toast(text: string, failed = false): void {
    const id = next++;
    toasts.value = [...toasts.value, { id, text, failed }];
    if (!failed) setTimeout(() => drop(id), 5000);
}

function drop(id: number): void {
    toasts.value = toasts.value.filter((x) => x.id !== id);
}

export function Toasts() {
    return (
        <div class="toasts" role="status" aria-live="polite">
            {toasts.value.map((x) => (
                <div class={`toast ${x.failed ? "degraded" : "healthy"}`} key={x.id}>
                    <Icon name={x.failed ? "s-degraded" : "s-healthy"} />
                    <div>{x.text}</div>
                    <Button
                        kind="ghost small icon"
                        icon="i-close"
                        aria-label={t("common.close")}
                        onClick={() => drop(x.id)}
                    />
                </div>
            ))}
        </div>
    );
}
