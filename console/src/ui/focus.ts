/* Where focus goes by itself: never away from where somebody has put it. */

/** Nobody has put it anywhere yet: it is on the page, its content or its heading. */
function free(): boolean {
    const at = document.activeElement;
    return !at || at === document.body || at.id === "main" || at.tagName === "H1";
}

/** To the heading of a page that was just opened. */
export function focusHeading(): void {
    if (!free()) return;
    const heading = document.querySelector<HTMLElement>("h1") ?? document.getElementById("main");
    if (heading && !heading.hasAttribute("tabindex")) heading.tabIndex = -1;
    heading?.focus({ preventScroll: true });
}

/** To the one thing to do next, where a page has nothing else to show. */
export function focusAction(box: HTMLElement): void {
    if (free()) box.querySelector<HTMLElement>(".btn")?.focus({ preventScroll: true });
}
