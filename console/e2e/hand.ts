/*
 * How a person works a page: with the mouse, or by keyboard alone. The keyboard hand reaches everything
 * with Tab and arrows, and fails where focus is lost on the way.
 */
import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";

export interface Hand {
    /** A button, a link, an item of a menu that is open. */
    press: (target: Locator) => Promise<void>;
    type: (field: Locator, text: string) => Promise<void>;
    /** A value of a select, or of a box that completes. */
    choose: (field: Locator, value: string) => Promise<void>;
    /** A check box or a radio button. */
    tick: (target: Locator) => Promise<void>;
}

const isSelect = (field: Locator) => field.evaluate((e) => e.tagName === "SELECT");

export function mouse(page: Page): Hand {
    return {
        press: (target) => target.click(),
        type: (field, text) => field.fill(text),
        choose: async (field, value) => {
            if (await isSelect(field)) {
                await field.selectOption(value);
                return;
            }
            await field.fill(value);
            const option = page.getByRole("option", { name: value }).first();
            await option.waitFor();
            await option.click();
        },
        tick: (target) => target.check(),
    };
}

const TABS = 300;

export function keyboard(page: Page): Hand {
    const has = (target: Locator) => target.evaluate((e) => e === document.activeElement);

    const reach = async (target: Locator, there = has): Promise<void> => {
        await target.waitFor();
        for (let i = 0; i < TABS; i++) {
            if (await there(target)) return;
            await page.keyboard.press("Tab");
        }
        throw new Error(`Tab does not reach ${target}`);
    };
    const kept = () =>
        expect
            .poll(() => page.evaluate(() => document.activeElement?.tagName ?? "nothing"), {
                timeout: 20_000,
                message: "focus after the key",
            })
            .not.toBe("BODY");
    const arrowTo = async (done: () => Promise<boolean>, what: Locator): Promise<void> => {
        for (let i = 0; i < TABS; i++) {
            if (await done()) return;
            await page.keyboard.press("ArrowDown");
        }
        throw new Error(`the arrows do not reach ${what}`);
    };

    return {
        press: async (target) => {
            await target.waitFor();
            if ((await target.getAttribute("role")) === "menuitem")
                await arrowTo(() => has(target), target);
            else await reach(target);
            await page.keyboard.press("Enter");
            await kept();
        },
        type: async (field, text) => {
            await reach(field);
            await page.keyboard.press("Control+A");
            await page.keyboard.type(text);
            expect(await field.inputValue()).toBe(text);
        },
        choose: async (field, value) => {
            await reach(field);
            if (await isSelect(field)) {
                await page.keyboard.press("Home");
                await arrowTo(async () => (await field.inputValue()) === value, field);
                return;
            }
            await page.keyboard.press("Control+A");
            await page.keyboard.type(value);
            const option = page.getByRole("option", { name: value }).first();
            await option.waitFor();
            await arrowTo(async () => {
                const active = await field.getAttribute("aria-activedescendant");
                return active !== null && active === (await option.getAttribute("id"));
            }, option);
            await page.keyboard.press("Enter");
        },
        tick: async (target) => {
            await target.waitFor();
            if (await target.isChecked()) return;
            if ((await target.getAttribute("type")) === "radio") {
                await reach(target, (t) =>
                    t.evaluate((e) => {
                        const at = document.activeElement;
                        return at?.getAttribute("name") === e.getAttribute("name");
                    }),
                );
                await arrowTo(() => target.isChecked(), target);
            } else {
                await reach(target);
                await page.keyboard.press("Space");
            }
            expect(await target.isChecked()).toBe(true);
        },
    };
}
