/* Single-letter keys of a page: off inside fields, under dialogs, with modifiers, and when switched off. */
import { useEffect, useRef } from "preact/hooks";
import { storage } from "../i18n";

export function useKeys(keys: Record<string, (e: KeyboardEvent) => void>): void {
    const now = useRef(keys);
    now.current = keys;
    useEffect(() => {
        const on = (e: KeyboardEvent) => {
            const at = e.target as HTMLElement | null;
            if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey) return;
            if (at?.closest?.("input, textarea, select, [contenteditable=true], dialog")) return;
            if (document.querySelector("dialog[open]")) return;
            if (e.key.length === 1 && storage("taut.keys") === "off") return;
            const run = now.current[e.key];
            if (!run) return;
            e.preventDefault();
            run(e);
        };
        addEventListener("keydown", on);
        return () => removeEventListener("keydown", on);
    }, []);
}
