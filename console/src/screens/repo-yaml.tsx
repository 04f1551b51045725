/* Edit YAML of a code repository: what may be written of it, without the values of credentials. */
import { useState } from "preact/hooks";
import { send } from "../api/client";
import type { Repository } from "../api/types";
import { t } from "../i18n";
import { useAsked } from "../preview";
import { Footer, useAction } from "../ui/action";
import { CodeEdit, type Problem } from "../ui/code";
import { Dialog } from "../ui/overlay";
import { toYaml } from "../yaml";

const fields = [
    "alias",
    "description",
    "provider",
    "url",
    "server",
    "owner",
    "repo",
    "credential",
] as const;

function textOf(repo: Repository): string {
    const shown: Record<string, string> = { name: repo.name };
    for (const key of fields) if (repo[key]) shown[key] = repo[key];
    return toYaml(shown);
}

/** What is to be sent; a text when it may not be. */
export function changeOf(repo: Repository, value: unknown): Record<string, string> | string {
    if (typeof value !== "object" || value === null || Array.isArray(value))
        return t("repos.yamlMap");
    const out: Record<string, string> = {};
    for (const [key, v] of Object.entries(value as Record<string, unknown>)) {
        if (key === "name") {
            if (v !== repo.name) return t("repos.yamlName");
        } else if (!(fields as readonly string[]).includes(key)) {
            return t("repos.yamlField", { name: key });
        } else if (typeof v !== "string" && v !== null) {
            return t("repos.yamlText", { name: key });
        } else out[key] = v ?? "";
    }
    if (!out.url) return t("repos.urlRequired");
    for (const key of fields) out[key] ??= "";
    return out;
}

export function RepoYaml({
    devops,
    repo,
    close,
    done,
}: {
    devops: string;
    repo: Repository;
    close: () => void;
    done: () => void;
}) {
    const [text, setText] = useState(() => textOf(repo));
    const read = useAsked<{ value?: unknown; error?: Problem }>("taut/v1/yaml", { text });
    const action = useAction(() => {
        done();
        close();
    });
    const ok = () =>
        void action.run(async () => {
            const answer = await send<{ value?: unknown; error?: Problem }>(
                "POST",
                "taut/v1/yaml",
                { text },
            );
            if (answer.error) throw new Error(answer.error.message);
            const change = changeOf(repo, answer.value);
            if (typeof change === "string") throw new Error(change);
            await send("PATCH", `taut/v1/devops/${devops}/repos/${repo.name}`, {
                ...change,
                resourceVersion: repo.resourceVersion,
            });
        }, t("common.saved"));
    return (
        <Dialog
            title={t("yaml.title", { name: repo.name })}
            onClose={close}
            onPrimary={ok}
            error={action.error || undefined}
            footer={<Footer close={close} label={t("common.ok")} busy={action.busy} onOk={ok} />}
        >
            <div class="body">
                <CodeEdit
                    label={t("yaml.title", { name: repo.name })}
                    value={text}
                    onValue={setText}
                    problem={read.value?.error ?? null}
                />
            </div>
        </Dialog>
    );
}
