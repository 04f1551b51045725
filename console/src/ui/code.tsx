/* A plain editor for YAML: line numbers, a marked line for the error, Tab that leaves it. */
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "./kit";

export interface Problem {
    message: string;
    line?: number;
    column?: number;
}

const LINE = 20;

export function CodeEdit({
    label,
    value,
    onValue,
    problem,
}: {
    label: string;
    value: string;
    onValue: (to: string) => void;
    problem: Problem | null;
}) {
    const numbers = useRef<HTMLPreElement>(null);
    const box = useRef<HTMLTextAreaElement>(null);
    const count = value.split("\n").length;
    const follow = () => {
        if (numbers.current && box.current) numbers.current.scrollTop = box.current.scrollTop;
    };
    useEffect(follow, [count]);
    const goto = () => {
        const el = box.current;
        if (!el || !problem?.line) return;
        const before = value
            .split("\n")
            .slice(0, problem.line - 1)
            .join("\n");
        const at =
            before.length + (problem.line > 1 ? 1 : 0) + Math.max(0, (problem.column ?? 1) - 1);
        el.focus();
        el.setSelectionRange(at, at);
        el.scrollTop = Math.max(0, (problem.line - 4) * LINE);
    };
    return (
        <div class="code-box">
            <div class="code-lines">
                <pre class="code-nums" aria-hidden="true" ref={numbers}>
                    {Array.from({ length: count }, (_, i) => (
                        <span key={i} class={i + 1 === problem?.line ? "bad" : ""}>
                            {i + 1}
                            {"\n"}
                        </span>
                    ))}
                </pre>
                <textarea
                    ref={box}
                    class="in mono code-edit"
                    aria-label={label}
                    aria-invalid={Boolean(problem)}
                    spellcheck={false}
                    wrap="off"
                    value={value}
                    onScroll={follow}
                    onInput={(e) => onValue(e.currentTarget.value)}
                />
            </div>
            <div role="status" class="code-problem">
                {problem && (
                    <p class="err">
                        <Icon name="i-warn" small />
                        {problem.line ? (
                            <button type="button" class="link" onClick={goto}>
                                {t("yaml.line", { n: problem.line })}
                            </button>
                        ) : null}{" "}
                        <span class="wrap-any">{problem.message}</span>
                    </p>
                )}
            </div>
        </div>
    );
}
