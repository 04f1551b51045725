/* Deployment Settings: the same form in the wizard and in Edit Settings. */
import { useMemo } from "preact/hooks";
import { useLoad } from "../load";
import { t } from "../i18n";
import { nameProblem } from "../model";
import { boot } from "../session";
import type { Settings } from "../settings";
import { Combobox, createEntry, type Choice } from "../ui/combobox";
import { Check, Choices, SelectField } from "../ui/kit";

interface RefRow {
    name: string;
    commit: string;
    symref?: string;
}
interface Folders {
    commit: string;
    self: { name: string; type?: string };
    items: { name: string; type?: string; folders?: boolean }[];
    more: boolean;
}
interface Places {
    items: { name: string; deleting?: boolean }[];
    more: boolean;
}

const short = (commit: string) => commit.slice(0, 7);

/** HEAD, then branches, then tags; each with its commit. */
export function refChoices(refs: RefRow[]): Choice[] {
    const head = refs.find((r) => r.name === "HEAD");
    const target = head?.symref?.replace("refs/heads/", "");
    const of = (place: string, icon: string) =>
        refs
            .filter((r) => r.name.startsWith(place))
            .map((r) => ({ value: r.name.slice(place.length), icon, aside: short(r.commit) }));
    return [
        {
            value: "HEAD",
            icon: "i-branch",
            ...(target ? { label: t("create.headNow", { branch: target }) } : {}),
            ...(head ? { aside: short(head.commit) } : {}),
        },
        ...of("refs/heads/", "i-branch"),
        ...of("refs/tags/", "i-tag"),
    ];
}

/** "config/def" completes from the folders of "config". */
export function parentOf(path: string): string {
    const clean = path.replace(/^(\.?\/)+/, "");
    const at = clean.lastIndexOf("/");
    return at < 0 ? "" : clean.slice(0, at);
}

export function pathChoices(folders: Folders | null, parent: string): Choice[] {
    if (!folders) return [];
    const here = parent || ".";
    const rows = folders.items.map((f) => ({
        value: parent ? `${parent}/${f.name}` : f.name,
        icon: "i-folder",
        aside: f.type,
    }));
    return [{ value: here, icon: "i-folder", aside: folders.self.type }, ...rows];
}

export function useRefs(devops: string, repo: string) {
    return useLoad<{ items: RefRow[] }>(
        repo ? `taut/v1/devops/${devops}/repos/${repo}/refs` : null,
    );
}

export function RevisionField({
    devops,
    repo,
    value,
    onValue,
    label,
    autofocus,
}: {
    devops: string;
    repo: string;
    value: string;
    onValue: (to: string) => void;
    label: string;
    autofocus?: boolean;
}) {
    const refs = useRefs(devops, repo);
    const items = refs.value?.items ?? [];
    const choices = useMemo(() => refChoices(items), [refs.value]);
    const at = choices.find((c) => c.value === value);
    const help =
        at?.aside && at.value === "HEAD" && at.label
            ? t("create.revisionHead", { name: at.label, commit: at.aside })
            : at?.aside
              ? t("create.revisionAt", { commit: at.aside })
              : t("create.revisionHelp");
    return (
        <Combobox
            label={label}
            icon="i-branch"
            autofocus={autofocus ?? false}
            value={value}
            choices={items.length > 0 ? choices : [{ value: "HEAD", icon: "i-branch" }]}
            busy={Boolean(repo) && !refs.value && !refs.error}
            help={refs.error ? `${t("create.refsFailed")} ${refs.error.message}` : help}
            onValue={onValue}
        />
    );
}

function PathField({
    devops,
    repo,
    value,
    onValue,
}: {
    devops: string;
    repo: string;
    value: Settings;
    onValue: (path: string) => void;
}) {
    const parent = parentOf(value.path);
    const q = new URLSearchParams({ rev: value.revision || "HEAD", path: parent });
    const folders = useLoad<Folders>(
        repo ? `taut/v1/devops/${devops}/repos/${repo}/tree?${q}` : null,
    );
    const choices = useMemo(() => pathChoices(folders.value, parent), [folders.value, parent]);
    const clean = value.path.replace(/^\.\//, "").replace(/\/$/, "") || ".";
    const at = choices.find((c) => c.value === clean);
    const help = at?.aside
        ? t("create.pathType", { type: at.aside })
        : at
          ? t("create.pathNothing")
          : t("create.pathHelp");
    return (
        <Combobox
            label={t("create.path")}
            icon="i-folder"
            mono
            value={value.path}
            choices={choices}
            busy={Boolean(repo) && !folders.value && !folders.error}
            help={help}
            more={folders.value?.more ? t("create.pathMore") : undefined}
            onValue={onValue}
        />
    );
}

function ClusterField({
    value,
    onValue,
    error,
}: {
    value: string;
    onValue: (to: string) => void;
    error?: string | undefined;
}) {
    const clusters = boot.value?.clusters ?? [];
    const choices: Choice[] = clusters.map((c) => ({
        value: c.name,
        icon: "i-cluster",
        aside: c.simulated ? t("apps.simulated") : (c.version ?? undefined),
    }));
    if (value && !clusters.some((c) => c.name === value)) choices.push({ value });
    return (
        <Combobox
            label={t("create.cluster")}
            icon="i-cluster"
            required
            strict
            value={value}
            error={error}
            choices={choices}
            onValue={onValue}
        />
    );
}

function ProjectField({
    devops,
    value,
    onValue,
    error,
}: {
    devops: string;
    value: Settings;
    onValue: (to: string) => void;
    error?: string | undefined;
}) {
    const places = useLoad<Places>(
        value.cluster ? `taut/v1/devops/${devops}/clusters/${value.cluster}/projects` : null,
    );
    const choices = (places.value?.items ?? []).map((p) => ({
        value: p.name,
        icon: "i-folder",
        aside: p.deleting ? t("status.deleting") : undefined,
    }));
    const isNew =
        places.value !== null &&
        value.project !== "" &&
        !choices.some((c) => c.value === value.project);
    const help = isNew
        ? t(value.createNamespace ? "create.projectNew" : "create.projectMissing")
        : places.error
          ? `${t("create.projectsFailed")} ${places.error.message}`
          : undefined;
    return (
        <Combobox
            label={t("create.project")}
            icon="i-folder"
            required
            value={value.project}
            error={error}
            help={help}
            choices={choices}
            busy={value.cluster !== "" && !places.value && !places.error}
            create={createEntry((name) => nameProblem(name) === null)}
            more={places.value?.more ? t("create.projectsMore") : undefined}
            onValue={onValue}
        />
    );
}

export function SettingsForm({
    value,
    onValue,
    devops,
    repo,
    errors = {},
}: {
    value: Settings;
    onValue: (change: Partial<Settings>) => void;
    devops: string;
    /** Name of the code repository; "" = not imported here, nothing completes. */
    repo: string;
    errors?: { cluster?: string | undefined; project?: string | undefined };
}) {
    return (
        <div>
            <section class="sect">
                <h3 class="h">{t("create.location")}</h3>
                <div class="two">
                    <ClusterField
                        value={value.cluster}
                        error={errors.cluster}
                        onValue={(cluster) => onValue({ cluster })}
                    />
                    <ProjectField
                        devops={devops}
                        value={value}
                        error={errors.project}
                        onValue={(project) => onValue({ project })}
                    />
                </div>
            </section>
            <section class="sect">
                <h3 class="h">{t("create.source")}</h3>
                <div class="two">
                    <RevisionField
                        devops={devops}
                        repo={repo}
                        label={t("create.revision")}
                        value={value.revision}
                        onValue={(revision) => onValue({ revision })}
                    />
                    <PathField
                        devops={devops}
                        repo={repo}
                        value={value}
                        onValue={(path) => onValue({ path })}
                    />
                </div>
            </section>
            <section class="sect">
                <h3 class="h">{t("create.strategy")}</h3>
                <Choices
                    label={t("create.strategy")}
                    value={value.auto ? "auto" : "manual"}
                    options={[
                        { value: "auto", label: t("apps.auto"), help: t("create.autoHelp") },
                        { value: "manual", label: t("apps.manual"), help: t("create.manualHelp") },
                    ]}
                    onValue={(to) => onValue({ auto: to === "auto" })}
                />
                {value.auto && (
                    <div class="two">
                        <Check
                            label={t("create.prune")}
                            help={t("create.pruneHelp")}
                            checked={value.prune}
                            onValue={(prune) => onValue({ prune })}
                        />
                        <Check
                            label={t("create.selfHeal")}
                            help={t("create.selfHealHelp")}
                            checked={value.selfHeal}
                            onValue={(selfHeal) => onValue({ selfHeal })}
                        />
                    </div>
                )}
            </section>
            <OptionsForm value={value} onValue={onValue} />
        </div>
    );
}

const options = [
    ["skipValidation", "create.skip", "create.skipHelp"],
    ["createNamespace", "create.namespace", "create.namespaceHelp"],
    ["pruneLast", "create.pruneLast", "create.pruneLastHelp"],
    ["outOfSyncOnly", "create.outOfSync", "create.outOfSyncHelp"],
] as const;

const policies = ["foreground", "background", "orphan"] as const;

/** Sync Settings, Prune Propagation Policy, Replace Resource. */
export function OptionsForm({
    value,
    onValue,
}: {
    value: Settings;
    onValue: (change: Partial<Settings>) => void;
}) {
    return (
        <>
            <section class="sect">
                <h3 class="h">{t("create.options")}</h3>
                <div class="two">
                    {options.map(([key, label, help]) => (
                        <Check
                            key={key}
                            label={t(label)}
                            help={t(help)}
                            checked={value[key]}
                            onValue={(to) => onValue({ [key]: to })}
                        />
                    ))}
                </div>
            </section>
            <section class="sect">
                <h3 class="h">{t("create.propagation")}</h3>
                <Choices
                    label={t("create.propagation")}
                    value={value.propagation}
                    options={policies.map((p) => ({
                        value: p,
                        label: t(`create.${p}`),
                        help: t(`create.${p}Help`),
                    }))}
                    onValue={(propagation) => onValue({ propagation })}
                />
            </section>
            <section class="sect">
                <h3 class="h">{t("create.replace")}</h3>
                <Check
                    label={t("create.replace")}
                    help={t("create.replaceHelp")}
                    checked={value.replace}
                    onValue={(replace) => onValue({ replace })}
                />
            </section>
        </>
    );
}

/** The same without sentences, narrow, for the Sync dialog. */
export function OptionsList({
    value,
    onValue,
}: {
    value: Settings;
    onValue: (change: Partial<Settings>) => void;
}) {
    return (
        <>
            <fieldset class="col list">
                <legend class="lab">{t("create.options")}</legend>
                {options.map(([key, label]) => (
                    <Check
                        key={key}
                        label={t(label)}
                        checked={value[key]}
                        onValue={(to) => onValue({ [key]: to })}
                    />
                ))}
                <Check
                    label={t("create.replace")}
                    checked={value.replace}
                    onValue={(replace) => onValue({ replace })}
                />
            </fieldset>
            <SelectField
                label={t("create.propagation")}
                value={value.propagation}
                options={policies.map((p) => ({ value: p, label: t(`create.${p}`) }))}
                onValue={(propagation) => onValue({ propagation })}
            />
        </>
    );
}
