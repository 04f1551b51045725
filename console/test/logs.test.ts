import { expect, it } from "vitest";
import { addLines, findLines, parseLog, splitAt } from "../src/logs";

it("a log's first line is its head, and a broken last line is left out", () => {
    const body = '{"limits":{"tail":5},"pod":"p"}\n{"time":"t1","text":"a"}\n{"time":"t2","te';
    const { head, lines } = parseLog(body);
    expect(head!.limits.tail).toBe(5);
    expect(lines).toEqual([{ time: "t1", text: "a" }]);
});

it("the ring forgets the oldest lines", () => {
    const line = (text: string) => ({ time: "", text });
    const ring = addLines([line("1"), line("2")], [line("3"), line("4")], 3);
    expect(ring.map((l) => l.text)).toEqual(["2", "3", "4"]);
    expect(addLines(ring, [])).toBe(ring);
});

it("lines are found by text, and what was found is marked", () => {
    const lines = [
        { time: "", text: "GET /Health" },
        { time: "", text: "POST /" },
    ];
    expect(findLines(lines, "health")).toHaveLength(1);
    expect(splitAt("GET /Health now", "health")).toEqual(["GET /", "Health", " now"]);
});
