import { expect, it } from "vitest";
import { toYaml } from "../src/yaml";

it("prints maps with sorted keys, lists under their key, and empty ones inline", () => {
    const value = {
        spec: { ports: [{ port: 80, name: "http" }, [1, [2]]], selector: {}, args: [] },
        kind: "Service",
        apiVersion: "v1",
    };
    expect(toYaml(value)).toBe(
        [
            "apiVersion: v1",
            "kind: Service",
            "spec:",
            "  args: []",
            "  ports:",
            "  - name: http",
            "    port: 80",
            "  - - 1",
            "    - - 2",
            "  selector: {}",
            "",
        ].join("\n"),
    );
});

it("quotes what YAML would read as something else", () => {
    for (const [text, printed] of [
        ["plain words", "plain words"],
        ["true", '"true"'],
        ["No", '"No"'],
        ["1", '"1"'],
        ["1e3", '"1e3"'],
        ["0x10", '"0x10"'],
        ["", '""'],
        ["a: b", '"a: b"'],
        ["#x", '"#x"'],
        ["- x", '"- x"'],
        ["2026-11-24", '"2026-11-24"'],
        [" x", '" x"'],
        ["a\tb", '"a\\tb"'],
    ])
        expect(toYaml({ v: text })).toBe(`v: ${printed}\n`);
});

it("keeps texts of several lines readable, with their ends", () => {
    expect(toYaml({ a: "x\ny\n" })).toBe("a: |\n  x\n  y\n");
    expect(toYaml({ a: "x\ny" })).toBe("a: |-\n  x\n  y\n");
    expect(toYaml({ a: "x\n\n" })).toBe("a: |+\n  x\n\n");
    expect(toYaml({ a: "x \ny" })).toBe('a: "x \\ny"\n');
});

it("an absent object is an empty text", () => {
    expect(toYaml(undefined)).toBe("");
});
