/* Create Continuous Deployment: Basic Information, then Deployment Settings. The draft is kept. */
import { useState } from "preact/hooks";
import { ApiError, send } from "../api/client";
import type { Application, DevOps, Repository } from "../api/types";
import { t } from "../i18n";
import { defaults, nameProblem, newApplication, type Settings } from "../model";
import { boot, drafts } from "../session";
import { Button, Icon, SelectField, TextField } from "../ui/kit";
import { Dialog, toast } from "../ui/overlay";
import { APPS } from "./apps";
import { SettingsForm } from "./settings-form";

interface Draft {
    step: number;
    name: string;
    alias: string;
    description: string;
    repo: string;
    settings: Settings;
}

function firstDraft(): Draft {
    const clusters = boot.value?.clusters ?? [];
    return {
        step: 1,
        name: "",
        alias: "",
        description: "",
        repo: "",
        settings: { ...defaults, cluster: clusters.length === 1 ? clusters[0]!.name : "" },
    };
}

function Steps({ at, onStep }: { at: number; onStep: (to: number) => void }) {
    const steps = [
        [t("create.basic"), t("create.basicHelp")],
        [t("create.settings"), t("create.settingsHelp")],
    ];
    return (
        <ol class="steps">
            {steps.map(([name, help], i) => (
                <li
                    key={name}
                    class={i + 1 < at ? "done" : ""}
                    aria-current={i + 1 === at ? "step" : undefined}
                >
                    <span class="dot">{i + 1 < at ? <Icon name="i-check" small /> : i + 1}</span>
                    {i + 1 < at ? (
                        <button type="button" class="link" onClick={() => onStep(i + 1)}>
                            {name}
                        </button>
                    ) : (
                        <span class="m">{name}</span>
                    )}
                    <span class="sub">{help}</span>
                </li>
            ))}
        </ol>
    );
}

export function CreateWizard({
    devops,
    repos,
    close,
}: {
    devops: DevOps;
    repos: Repository[];
    close: () => void;
}) {
    const key = `create.${devops.name}`;
    const [draft, setDraft] = useState<Draft>(() => drafts.load<Draft>(key) ?? firstDraft());
    const [checked, setChecked] = useState(false);
    const [error, setError] = useState("");
    const [busy, setBusy] = useState(false);

    const change = (to: Partial<Draft>) => {
        const next = { ...draft, ...to };
        setDraft(next);
        drafts.save(key, next);
        setError("");
    };
    const wrongName = nameProblem(draft.name);
    const repo = repos.find((r) => r.name === draft.repo);
    const wrongFirst = wrongName !== null || !repo;
    const wrongSecond = !draft.settings.project || !draft.settings.cluster;

    const next = () => {
        setChecked(wrongFirst);
        if (!wrongFirst) change({ step: 2 });
    };
    const create = async () => {
        setChecked(true);
        if (busy || wrongFirst || wrongSecond) return;
        setBusy(true);
        try {
            const app = newApplication(
                devops,
                {
                    name: draft.name,
                    alias: draft.alias,
                    description: draft.description,
                    repoURL: repo.url,
                    creator: boot.value?.user.name ?? "",
                },
                draft.settings,
            );
            await send<Application>("POST", `${APPS}/${devops.namespace}/applications`, app);
            drafts.drop(key);
            toast(t("create.done", { name: draft.name }));
            close();
        } catch (e) {
            setError((e as ApiError).message);
            setBusy(false);
        }
    };

    return (
        <Dialog
            title={t("create.title")}
            size="l fix"
            onClose={close}
            error={error || undefined}
            onPrimary={() => (draft.step === 1 ? next() : void create())}
            footer={
                <span class="push row">
                    <Button onClick={close}>{t("common.cancel")}</Button>
                    {draft.step === 2 && (
                        <Button onClick={() => change({ step: 1 })}>{t("common.previous")}</Button>
                    )}
                    {draft.step === 1 ? (
                        <Button kind="primary" onClick={next}>
                            {t("common.next")}
                        </Button>
                    ) : (
                        <Button kind="primary" busy={busy} onClick={() => void create()}>
                            {t("common.create")}
                        </Button>
                    )}
                </span>
            }
        >
            <div class="halves wiz">
                <Steps at={draft.step} onStep={(step) => change({ step })} />
                <div>
                    {draft.step === 1 ? (
                        <div class="col">
                            <TextField
                                label={t("common.name")}
                                required
                                autofocus
                                value={draft.name}
                                help={t("name.help")}
                                error={checked && wrongName ? t(wrongName) : undefined}
                                onValue={(name) => change({ name })}
                            />
                            <TextField
                                label={t("common.alias")}
                                value={draft.alias}
                                onValue={(alias) => change({ alias: alias.slice(0, 63) })}
                            />
                            <TextField
                                label={t("common.description")}
                                value={draft.description}
                                onValue={(description) =>
                                    change({ description: description.slice(0, 256) })
                                }
                            />
                            <SelectField
                                label={t("create.repo")}
                                required
                                value={draft.repo}
                                error={checked && !repo ? t("create.repoRequired") : undefined}
                                options={[
                                    { value: "", label: "" },
                                    ...repos.map((r) => ({
                                        value: r.name,
                                        label: `${r.name}${r.alias ? ` (${r.alias})` : ""} · ${r.url}`,
                                    })),
                                ]}
                                onValue={(to) => change({ repo: to })}
                            />
                        </div>
                    ) : (
                        <SettingsForm
                            value={draft.settings}
                            refsAt={
                                repo
                                    ? `taut/v1/devops/${devops.name}/repos/${repo.name}/refs`
                                    : null
                            }
                            projectError={
                                checked && !draft.settings.project
                                    ? t("create.projectRequired")
                                    : undefined
                            }
                            onValue={(to) => change({ settings: { ...draft.settings, ...to } })}
                        />
                    )}
                </div>
            </div>
        </Dialog>
    );
}
