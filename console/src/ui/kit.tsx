/*
 * The kit: icons, status, buttons, fields, notes, empty and loading states. Class names are those of
 * console.css; no component names a colour.
 */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { expired } from "../api/client";
import { ago, exact, t, type Key } from "../i18n";
import { focusAction } from "./focus";
import { offline } from "../connection";
import type { HealthStatus, Phase, SyncStatus } from "../api/types";

export function Icon({ name, small, spin }: { name: string; small?: boolean; spin?: boolean }) {
    return (
        <svg class={`i${small ? " s" : ""}${spin ? " spin" : ""}`} aria-hidden="true">
            <use href={`#${name}`} />
        </svg>
    );
}

const health: Record<HealthStatus, string> = {
    Healthy: "healthy",
    Degraded: "degraded",
    Progressing: "progressing",
    Suspended: "suspended",
    Missing: "missing",
    Unknown: "unknown",
};
const sync: Record<SyncStatus, string> = {
    Synced: "synced",
    OutOfSync: "outofsync",
    Unknown: "syncunknown",
};

/** Shape + word + colour. */
export function Status({
    look,
    word,
    sub,
}: {
    look: string;
    word: string;
    sub?: string | undefined;
}) {
    return (
        <>
            <span class={`st ${look}${sub ? " has-sub" : ""}`}>
                <Icon name={`s-${look}`} spin={look === "progressing"} />
                {word}
            </span>
            {sub && (
                <span class="sub cut" title={sub}>
                    {sub}
                </span>
            )}
        </>
    );
}

export function Health({ of, sub }: { of: HealthStatus; sub?: string | undefined }) {
    return (
        <Status look={health[of] ?? "unknown"} word={t(`status.health.${of}` as Key)} sub={sub} />
    );
}

export function Sync({ of, sub }: { of: SyncStatus; sub?: string | undefined }) {
    return (
        <Status look={sync[of] ?? "syncunknown"} word={t(`status.sync.${of}` as Key)} sub={sub} />
    );
}

const phases: Record<Phase, string> = {
    Running: "progressing",
    Terminating: "progressing",
    Failed: "degraded",
    Error: "degraded",
    Succeeded: "synced",
};

export function PhaseStatus({ of, sub }: { of: Phase; sub?: string | undefined }) {
    return (
        <Status look={phases[of] ?? "unknown"} word={t(`status.phase.${of}` as Key)} sub={sub} />
    );
}

export { health as healthLooks, sync as syncLooks };

/* Relative times move on by themselves: one clock for the page. */
export const minute = signal(Date.now());
setInterval(() => (minute.value = Date.now()), 15_000);

export function Time({ at }: { at: string | undefined }) {
    if (!at) return <span class="t3">{t("common.never")}</span>;
    return (
        <time dateTime={at} title={exact(at)}>
            {ago(at, minute.value)}
        </time>
    );
}

/** `lacks` is why it is off: a missing right, shown as its description (session.ts). */
export function Button({
    kind = "",
    icon,
    busy,
    always,
    lacks,
    children,
    ...rest
}: {
    kind?: string;
    icon?: string;
    busy?: boolean;
    /** Works without a connection too. */
    always?: boolean;
    lacks?: string | undefined;
    children?: ComponentChildren;
} & Omit<JSX.IntrinsicElements["button"], "icon">) {
    const id = useId();
    /* What writes is primary or dangerous; without a server it would only fail. */
    const unreachable = offline.value && !always && /primary|danger/.test(kind);
    const off = busy || unreachable || lacks !== undefined;
    const described = lacks === undefined ? {} : { "aria-describedby": id };
    return (
        <>
            <button
                type="button"
                {...rest}
                {...described}
                class={`btn ${kind}`}
                title={lacks ?? (unreachable ? t("live.noWrite") : rest.title)}
                aria-disabled={off ? "true" : undefined}
                onClick={off ? (e) => e.preventDefault() : rest.onClick}
            >
                {icon && <Icon name={icon} spin={busy === true && icon === "s-progressing"} />}
                {children}
            </button>
            {lacks !== undefined && (
                <span id={id} hidden>
                    {lacks}
                </span>
            )}
        </>
    );
}

/** A labelled control with help and error; `children` gets the ids that tie them together. */
export function Field({
    label,
    required,
    help,
    error,
    children,
}: {
    label: string;
    required?: boolean;
    help?: string;
    error?: string | undefined;
    children: (ids: {
        id: string;
        "aria-describedby": string;
        "aria-invalid": boolean;
        "aria-required": boolean;
    }) => ComponentChildren;
}) {
    const id = useId();
    return (
        <div class="field">
            <label for={id}>
                {label} {required && <span class="req">*</span>}
            </label>
            {children({
                id,
                "aria-describedby": `${id}-more`,
                "aria-invalid": Boolean(error),
                "aria-required": Boolean(required),
            })}
            <div id={`${id}-more`}>
                {error && (
                    <p class="err" role="alert">
                        <Icon name="i-warn" small />
                        {error}
                    </p>
                )}
                {help && <p class="help">{help}</p>}
            </div>
        </div>
    );
}

export function TextField({
    label,
    value,
    onValue,
    required,
    help,
    error,
    multiline,
    type = "text",
    list,
    placeholder,
    disabled,
    autofocus,
    mono,
    complete,
    secret,
}: {
    label: string;
    value: string;
    onValue: (to: string) => void;
    required?: boolean;
    help?: string;
    error?: string | undefined;
    multiline?: boolean;
    type?: "text" | "password";
    list?: string[];
    placeholder?: string;
    disabled?: boolean;
    autofocus?: boolean;
    mono?: boolean;
    /** A secret in plain sight, such as a private key; a password is one anyway. */
    secret?: boolean;
    /** What the browser may fill in: "username", "new-password". */
    complete?: "username" | "new-password";
}) {
    const listId = useId();
    const box = useRef<HTMLInputElement>(null);
    /* A secret does not outlive the session that it was typed in. */
    const ended = expired.value && (type === "password" || secret === true);
    useEffect(() => {
        if (ended) onValue("");
    }, [ended]);
    useLayoutEffect(() => {
        if (autofocus) box.current?.focus();
    }, []);
    return (
        <Field
            label={label}
            required={required ?? false}
            error={error}
            {...(help === undefined ? {} : { help })}
        >
            {(ids) =>
                multiline ? (
                    <textarea
                        {...ids}
                        class={`in${mono ? " mono" : ""}`}
                        rows={6}
                        value={value}
                        spellcheck={false}
                        onInput={(e) => onValue(e.currentTarget.value)}
                    />
                ) : (
                    <>
                        <input
                            {...ids}
                            ref={box}
                            class={`in${mono ? " mono" : ""}`}
                            {...({ type, list: list ? listId : undefined } as { type: "text" })}
                            value={value}
                            disabled={disabled}
                            placeholder={placeholder}
                            autocomplete={
                                complete ?? (type === "password" ? "current-password" : "off")
                            }
                            spellcheck={false}
                            autofocus={autofocus}
                            onInput={(e) => onValue(e.currentTarget.value)}
                        />{" "}
                        {list && (
                            <datalist id={listId}>
                                {list.slice(0, 500).map((v) => (
                                    <option value={v} key={v} />
                                ))}
                            </datalist>
                        )}
                    </>
                )
            }
        </Field>
    );
}

export function SelectField({
    label,
    value,
    options,
    onValue,
    required,
    help,
    error,
}: {
    label: string;
    value: string;
    options: { value: string; label: string }[];
    onValue: (to: string) => void;
    required?: boolean;
    help?: string;
    error?: string | undefined;
}) {
    return (
        <Field
            label={label}
            required={required ?? false}
            error={error}
            {...(help === undefined ? {} : { help })}
        >
            {(ids) => (
                <div class="box">
                    <select
                        {...ids}
                        class="in"
                        value={value}
                        onChange={(e) => onValue(e.currentTarget.value)}
                    >
                        {options.map((o) => (
                            <option value={o.value} key={o.value} selected={o.value === value}>
                                {o.label}
                            </option>
                        ))}
                    </select>
                    <span class="i end">
                        <Icon name="i-down" />
                    </span>
                </div>
            )}
        </Field>
    );
}

export function Check({
    label,
    help,
    checked,
    onValue,
}: {
    label: string;
    help?: string;
    checked: boolean;
    onValue: (to: boolean) => void;
}) {
    const id = useId();
    return (
        <label class="ck">
            <input
                type="checkbox"
                aria-labelledby={`${id}-name`}
                aria-describedby={help ? `${id}-help` : undefined}
                checked={checked}
                onChange={(e) => onValue(e.currentTarget.checked)}
            />
            <span id={`${id}-name`}>{label}</span>
            {help && (
                <span class="help" id={`${id}-help`}>
                    {help}
                </span>
            )}
        </label>
    );
}

/** Choices that each need a sentence. */
export function Choices({
    label,
    value,
    options,
    onValue,
}: {
    label: string;
    value: string;
    options: { value: string; label: string; help: string }[];
    onValue: (to: string) => void;
}) {
    const name = useId();
    return (
        <fieldset>
            <legend class="vh">{label}</legend>
            <div class={options.length === 2 ? "two" : "three"}>
                {options.map((o) => (
                    <label class="choice" key={o.value} data-on={o.value === value}>
                        <input
                            type="radio"
                            name={name}
                            aria-labelledby={`${name}-${o.value}`}
                            aria-describedby={`${name}-${o.value}-help`}
                            value={o.value}
                            checked={o.value === value}
                            onChange={() => onValue(o.value)}
                        />
                        <span>
                            <span class="m" id={`${name}-${o.value}`}>
                                {o.label}
                            </span>
                            <span class="sub" id={`${name}-${o.value}-help`}>
                                {o.help}
                            </span>
                        </span>
                    </label>
                ))}
            </div>
        </fieldset>
    );
}

export function Note({
    look = "unknown",
    title,
    text,
    help,
    children,
}: {
    look?: "unknown" | "degraded" | "outofsync" | "progressing" | "healthy";
    title?: string;
    text?: string;
    /** What to do about it. */
    help?: string;
    children?: ComponentChildren;
}) {
    return (
        <div class={`note ${look}`} role={look === "degraded" ? "alert" : "status"}>
            <Icon name={look === "degraded" || look === "outofsync" ? "i-warn" : "i-info"} />
            {title && <strong>{title}</strong>}
            {text && <p class="wrap-any">{text}</p>}
            {help && <p class="t2">{help}</p>}
            <div class="acts">
                {text && <CopyButton text={title ? `${title}: ${text}` : text} />}
                {children}
            </div>
        </div>
    );
}

export function CopyButton({ text, label }: { text: string; label?: string }) {
    const [done, setDone] = useState(false);
    return (
        <Button
            kind="ghost small"
            icon={done ? "i-check" : "i-copy"}
            onClick={() => {
                void navigator.clipboard?.writeText(text).then(() => {
                    setDone(true);
                    setTimeout(() => setDone(false), 2000);
                });
            }}
        >
            {done ? t("common.copied") : (label ?? t("common.copy"))}
        </Button>
    );
}

export function Empty({
    icon,
    title,
    text,
    children,
}: {
    icon: string;
    title: string;
    text?: string;
    children?: ComponentChildren;
}) {
    const box = useRef<HTMLDivElement>(null);
    useEffect(() => focusAction(box.current!), []);
    return (
        <div class="empty" ref={box}>
            <span class="pic">
                <Icon name={icon} />
            </span>
            <h2 class="h">{title}</h2>
            {text && <p>{text}</p>}
            {children && <div class="row">{children}</div>}
        </div>
    );
}

/** Lines of the content's own height, from 100 ms on. */
export function Skeleton({ rows = 6 }: { rows?: number }) {
    const [late, setLate] = useState(false);
    useEffect(() => {
        const timer = setTimeout(() => setLate(true), 100);
        return () => clearTimeout(timer);
    }, []);
    return (
        <div aria-busy="true">
            <span class="vh">{t("common.loading")}</span>
            {late &&
                Array.from({ length: rows }, (_, i) => (
                    <div class="sk-row" key={i}>
                        <span class="sk" style={{ width: `${30 + ((i * 17) % 40)}%` }} />
                    </div>
                ))}
        </div>
    );
}
