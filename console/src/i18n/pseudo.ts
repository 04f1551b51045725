/*
 * The pseudo-locale: English made 40 % longer, with accents, so that a layout that holds no more than
 * English shows it. Only a build in mode "pseudo" has it (e2e/pseudo.test.ts).
 */
import { en, type Key } from "./en";

const plain = "aeiouAEO";
const accented = "åéîöüÅÉÖ";

function lengthened(text: string): string {
    const long = text.replace(/\{\w+\}|[aeiouAEO]/g, (c) => accented[plain.indexOf(c)] ?? c);
    return `[${long} ${"~".repeat(Math.max(0, Math.ceil(text.length * 0.4) - 3))}]`;
}

export function pseudo(): Record<Key, string> {
    const longer = (text: string) => text.split(" | ").map(lengthened).join(" | ");
    return Object.fromEntries(
        Object.entries(en).map(([key, text]) => [key, longer(text)]),
    ) as Record<Key, string>;
}
