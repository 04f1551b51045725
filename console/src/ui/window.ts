/* Which rows of a long list are near the part of the page that is seen. */
import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

export interface Span {
    from: number;
    to: number;
    above: number;
    below: number;
}

/** Lists up to this length are drawn whole. */
export const WHOLE = 120;
const MARGIN_PX = 600;

/** The rows whose place is between `top` and `bottom`; `ends` are the running sums of heights. */
export function spanOf(ends: number[], top: number, bottom: number): Span {
    const find = (y: number) => {
        let low = 0;
        let high = ends.length;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (ends[middle]! <= y) low = middle + 1;
            else high = middle;
        }
        return low;
    };
    const from = find(Math.max(0, top));
    const to = Math.min(ends.length, find(Math.max(0, bottom)) + 1);
    const whole = ends[ends.length - 1] ?? 0;
    return {
        from,
        to: Math.max(from, to),
        above: from > 0 ? ends[from - 1]! : 0,
        below: to > from ? whole - ends[to - 1]! : whole - (from > 0 ? ends[from - 1]! : 0),
    };
}

/** Follows the page's scrolling, or that of `scroller`; short lists are whole. */
export function useSpan(
    ends: number[],
    body: RefObject<HTMLElement | null>,
    scroller?: RefObject<HTMLElement | null>,
    { whole: most = WHOLE, margin = MARGIN_PX }: { whole?: number; margin?: number } = {},
): Span {
    const whole = { from: 0, to: ends.length, above: 0, below: 0 };
    const [place, setPlace] = useState<[number, number]>([0, 1200]);
    useLayoutEffect(() => {
        if (ends.length <= most) return;
        const box: EventTarget = scroller?.current ?? window;
        const look = () => {
            const rect = body.current?.getBoundingClientRect();
            if (!rect) return;
            const edge = scroller?.current?.getBoundingClientRect();
            const top = (edge?.top ?? 0) - rect.top - margin;
            const height = (edge?.height ?? innerHeight) + 2 * margin;
            setPlace((was) => {
                const now: [number, number] = [Math.round(top / 200) * 200, height];
                return was[0] === now[0] && was[1] === now[1] ? was : now;
            });
        };
        look();
        box.addEventListener("scroll", look, { passive: true });
        addEventListener("resize", look);
        return () => {
            box.removeEventListener("scroll", look);
            removeEventListener("resize", look);
        };
    }, [ends]);
    return ends.length <= most ? whole : spanOf(ends, place[0], place[0] + place[1]);
}
