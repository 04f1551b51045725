/* A box that scrolls sideways: reached by Tab while there is something to scroll. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
    const box = useRef<HTMLDivElement>(null);
    const [scrolls, setScrolls] = useState(false);
    useLayoutEffect(() => {
        const el = box.current!;
        const look = () => setScrolls(el.scrollWidth > el.clientWidth);
        const seen = new ResizeObserver(look);
        seen.observe(el);
        look();
        return () => seen.disconnect();
    }, []);
    const region = scrolls ? { role: "region" as const, tabIndex: 0, "aria-label": label } : {};
    return (
        <div class="scroll" ref={box} {...region}>
            {children}
        </div>
    );
}
