/* Deployment Settings: the same form in the wizard and in Edit Settings. */
import { useLoad } from "../load";
import { t } from "../i18n";
import type { Settings } from "../model";
import { boot } from "../session";
import { Check, Choices, SelectField, TextField } from "../ui/kit";

export interface Refs {
    branches: string[];
    tags: string[];
}

export function SettingsForm({
    value,
    onValue,
    refsAt,
    projectError,
}: {
    value: Settings;
    onValue: (change: Partial<Settings>) => void;
    refsAt: string | null;
    projectError?: string | undefined;
}) {
    const refs = useLoad<Refs>(refsAt);
    const clusters = boot.value?.clusters ?? [];
    const known = clusters.some((c) => c.name === value.cluster);
    const options = clusters.map((c) => ({
        value: c.name,
        label: c.simulated ? `${c.name} (${t("apps.simulated")})` : c.name,
    }));
    if (!known) options.unshift({ value: value.cluster, label: value.cluster });
    return (
        <div>
            <section class="sect">
                <h3 class="h">{t("create.location")}</h3>
                <div class="two">
                    <SelectField
                        label={t("create.cluster")}
                        required
                        value={value.cluster}
                        options={options}
                        onValue={(cluster) => onValue({ cluster })}
                    />
                    <TextField
                        label={t("create.project")}
                        required
                        value={value.project}
                        error={projectError}
                        onValue={(project) => onValue({ project })}
                    />
                </div>
            </section>
            <section class="sect">
                <h3 class="h">{t("create.source")}</h3>
                <div class="two">
                    <TextField
                        label={t("create.revision")}
                        value={value.revision}
                        help={t("create.revisionHelp")}
                        list={[
                            "HEAD",
                            ...(refs.value?.branches ?? []),
                            ...(refs.value?.tags ?? []),
                        ]}
                        onValue={(revision) => onValue({ revision })}
                    />
                    <TextField
                        label={t("create.path")}
                        value={value.path}
                        help={t("create.pathHelp")}
                        mono
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

/** Sync Settings, Prune Propagation Policy, Replace Resource: also part of the Sync dialog. */
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
                    <Check
                        label={t("create.skip")}
                        help={t("create.skipHelp")}
                        checked={value.skipValidation}
                        onValue={(skipValidation) => onValue({ skipValidation })}
                    />
                    <Check
                        label={t("create.namespace")}
                        help={t("create.namespaceHelp")}
                        checked={value.createNamespace}
                        onValue={(createNamespace) => onValue({ createNamespace })}
                    />
                    <Check
                        label={t("create.pruneLast")}
                        help={t("create.pruneLastHelp")}
                        checked={value.pruneLast}
                        onValue={(pruneLast) => onValue({ pruneLast })}
                    />
                    <Check
                        label={t("create.outOfSync")}
                        help={t("create.outOfSyncHelp")}
                        checked={value.outOfSyncOnly}
                        onValue={(outOfSyncOnly) => onValue({ outOfSyncOnly })}
                    />
                </div>
            </section>
            <section class="sect">
                <h3 class="h">{t("create.propagation")}</h3>
                <Choices
                    label={t("create.propagation")}
                    value={value.propagation}
                    options={[
                        {
                            value: "foreground",
                            label: t("create.foreground"),
                            help: t("create.foregroundHelp"),
                        },
                        {
                            value: "background",
                            label: t("create.background"),
                            help: t("create.backgroundHelp"),
                        },
                        {
                            value: "orphan",
                            label: t("create.orphan"),
                            help: t("create.orphanHelp"),
                        },
                    ]}
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
