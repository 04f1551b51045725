/* Light, dark, or as the system is; set before the first paint by public/theme.js. */
import { effect, signal } from "@preact/signals";
import { storage } from "./i18n";

export type Theme = "light" | "dark" | "system";

const dark = matchMedia("(prefers-color-scheme: dark)");

function stored(): Theme {
    const wanted = storage("taut.theme");
    return wanted === "light" || wanted === "dark" ? wanted : "system";
}

export const theme = signal<Theme>(stored());
const system = signal(dark.matches);
dark.addEventListener("change", (e) => (system.value = e.matches));

export function chooseTheme(to: Theme): void {
    storage("taut.theme", to);
    theme.value = to;
}

effect(() => {
    const shown = theme.value === "system" ? (system.value ? "dark" : "light") : theme.value;
    document.documentElement.dataset.theme = shown;
});
