/* Where focus goes by itself. */

/** Focus goes to the heading of a page that was just opened, unless somebody has put it elsewhere. */
export function focusHeading(): void {
    const at = document.activeElement;
    if (at && at !== document.body && at.id !== "main") return;
    const heading = document.querySelector<HTMLElement>("h1") ?? document.getElementById("main");
    if (heading && !heading.hasAttribute("tabindex")) heading.tabIndex = -1;
    heading?.focus({ preventScroll: true });
}
