/*
 * Texts: t("key", {n: 3}). The language is a signal, so a switch repaints without a reload. Plurals
 * are "one | other" in English; Chinese has one form.
 */
import { computed, signal } from "@preact/signals";
import { en, type Key } from "./en";
import { pseudo } from "./pseudo";
import { zhCN } from "./zh-CN";

export type Language = "en" | "zh-CN";

function stored(): Language {
    const wanted = storage("taut.language") ?? navigator.language;
    return wanted.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
}

/** Storage may be switched off; everything works without it. */
export function storage(key: string, value?: string): string | null {
    try {
        if (value !== undefined) localStorage.setItem(key, value);
        return localStorage.getItem(key);
    } catch {
        return null;
    }
}

export const language = signal<Language>(stored());

export function setLanguage(to: Language): void {
    storage("taut.language", to);
    language.value = to;
    document.documentElement.lang = to;
}

const english: Record<Key, string> = import.meta.env.MODE === "pseudo" ? pseudo() : en;
const texts = computed<Record<Key, string>>(() => (language.value === "zh-CN" ? zhCN : english));

export function t(key: Key, values: Record<string, string | number> = {}): string {
    let text: string = texts.value[key];
    if (text.includes(" | ")) {
        const [one, other] = text.split(" | ") as [string, string];
        text = values.n === 1 ? one : other;
    }
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export type { Key };

const relative = computed(
    () => new Intl.RelativeTimeFormat(language.value, { numeric: "auto", style: "short" }),
);

/** "6 min ago" under seven days, else the exact local time. */
export function ago(time: string | undefined, now = Date.now()): string {
    if (!time) return t("common.never");
    const seconds = Math.round((Date.parse(time) - now) / 1000);
    if (Number.isNaN(seconds)) return time;
    const size = Math.abs(seconds);
    if (size < 10) return t("time.now");
    if (size < 60) return relative.value.format(seconds, "second");
    if (size < 3600) return relative.value.format(Math.trunc(seconds / 60), "minute");
    if (size < 86400) return relative.value.format(Math.trunc(seconds / 3600), "hour");
    if (size < 7 * 86400) return relative.value.format(Math.trunc(seconds / 86400), "day");
    return exact(time);
}

/** "22 h": how long ago, short, for columns; the hover has the exact time. */
export function age(time: string | undefined, now = Date.now()): string {
    const seconds = time ? Math.max(0, Math.round((now - Date.parse(time)) / 1000)) : NaN;
    if (Number.isNaN(seconds)) return "";
    if (seconds < 60) return t("time.seconds", { n: seconds });
    if (seconds < 3600) return t("time.minutes", { n: Math.trunc(seconds / 60) });
    if (seconds < 86400) return t("time.hours", { n: Math.trunc(seconds / 3600) });
    return t("time.days", { n: Math.trunc(seconds / 86400) });
}

/** 2026-11-24 18:00:31, local. */
export function exact(time: string | undefined): string {
    if (!time) return "–";
    const d = new Date(time);
    if (Number.isNaN(d.getTime())) return time;
    const p = (n: number) => String(n).padStart(2, "0");
    return `${d.getFullYear()}-${p(d.getMonth() + 1)}-${p(d.getDate())} ${p(d.getHours())}:${p(d.getMinutes())}:${p(d.getSeconds())}`;
}

export function duration(from?: string, to?: string): string {
    if (!from) return "–";
    const seconds = Math.max(0, ((to ? Date.parse(to) : Date.now()) - Date.parse(from)) / 1000);
    if (seconds < 60) return `${Math.round(seconds)} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
    return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
