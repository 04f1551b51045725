/* The tenant boundary of a DevOps Project, as fields of its create form and of its settings. */
import { useState } from "preact/hooks";
import type { Allowlist } from "../api/types";
import { t } from "../i18n";
import { boot } from "../session";
import { Button, Check, Field, TextField } from "../ui/kit";

export interface Location {
    cluster: string;
    project: string;
}

export interface AllowlistDraft {
    /** One pattern a line. */
    repos: string;
    locations: Location[];
    clusterResources: boolean;
}

export function draftOf(allowlist: Allowlist): AllowlistDraft {
    return {
        repos: (allowlist.repos ?? []).join("\n"),
        locations: (allowlist.locations ?? []).map((text) => {
            const slash = text.lastIndexOf("/");
            return { cluster: text.slice(0, slash), project: text.slice(slash + 1) };
        }),
        clusterResources: allowlist.clusterResources ?? false,
    };
}

export function allowlistOf(draft: AllowlistDraft): Allowlist {
    return {
        repos: draft.repos
            .split("\n")
            .map((line) => line.trim())
            .filter((line) => line !== ""),
        locations: draft.locations
            .filter((l) => l.cluster.trim() !== "")
            .map((l) => `${l.cluster.trim()}/${l.project.trim() || "*"}`),
        clusterResources: draft.clusterResources,
    };
}

/** "All", "None", or the patterns. */
export function wordsOf(patterns: string[] | undefined, all: string[]): string[] {
    if (!patterns || patterns.length === 0) return [t("allowlist.none")];
    if (patterns.some((p) => all.includes(p))) return [t("allowlist.all")];
    return patterns;
}

function Locations({
    value,
    onValue,
    error,
}: {
    value: Location[];
    onValue: (to: Location[]) => void;
    error?: string | undefined;
}) {
    const clusters = ["*", ...(boot.value?.clusters ?? []).map((c) => c.name)];
    const set = (i: number, change: Partial<Location>) =>
        onValue(value.map((l, at) => (at === i ? { ...l, ...change } : l)));
    return (
        <fieldset class="col">
            <legend class="m">{t("allowlist.locations")}</legend>
            <p class="t3">{t("allowlist.locationsHelp")}</p>
            {value.map((l, i) => (
                <div class="row tl" key={i}>
                    <div class="two grow">
                        <TextField
                            label={t("create.cluster")}
                            value={l.cluster}
                            list={clusters}
                            error={i === 0 ? error : undefined}
                            onValue={(cluster) => set(i, { cluster })}
                        />
                        <TextField
                            label={t("create.project")}
                            value={l.project}
                            placeholder="*"
                            onValue={(project) => set(i, { project })}
                        />
                    </div>
                    <Button
                        kind="ghost icon below-label"
                        icon="i-trash"
                        aria-label={t("allowlist.removeLocation", {
                            name: `${l.cluster}/${l.project}`,
                        })}
                        onClick={() => onValue(value.filter((_, at) => at !== i))}
                    />
                </div>
            ))}
            {value.length === 0 && error && (
                <p class="err" role="alert">
                    {error}
                </p>
            )}
            <div>
                <Button
                    kind="ghost small"
                    icon="i-plus"
                    onClick={() => onValue([...value, { cluster: "", project: "*" }])}
                >
                    {t("allowlist.addLocation")}
                </Button>
            </div>
        </fieldset>
    );
}

export function AllowlistFields({
    value,
    onValue,
    error,
}: {
    value: AllowlistDraft;
    onValue: (to: AllowlistDraft) => void;
    error?: string | undefined;
}) {
    return (
        <>
            <Field label={t("allowlist.repos")} help={t("allowlist.reposHelp")}>
                {(ids) => (
                    <textarea
                        {...ids}
                        class="in mono"
                        rows={3}
                        value={value.repos}
                        spellcheck={false}
                        onInput={(e) => onValue({ ...value, repos: e.currentTarget.value })}
                    />
                )}
            </Field>
            <Locations
                value={value.locations}
                error={error}
                onValue={(locations) => onValue({ ...value, locations })}
            />
            <Check
                label={t("allowlist.clusterResources")}
                help={t("allowlist.clusterResourcesHelp")}
                checked={value.clusterResources}
                onValue={(clusterResources) => onValue({ ...value, clusterResources })}
            />
        </>
    );
}

export const lacksLocation = (draft: AllowlistDraft) => allowlistOf(draft).locations!.length === 0;

export function useAllowlist(first: Allowlist) {
    const [draft, setDraft] = useState(() => draftOf(first));
    return { draft, setDraft, missing: lacksLocation(draft) };
}
