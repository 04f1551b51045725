/* What one does to a deployment: Edit Information, Edit Settings, Edit YAML, Sync, Delete. */
import { useState } from "preact/hooks";
import { send, sendText } from "../api/client";
import type { Application, SyncRequest } from "../api/types";
import { t } from "../i18n";
import {
    ALIAS,
    DESCRIPTION,
    FINALIZER,
    isDifferent,
    optionsOf,
    settingsOf,
    settingsPatch,
    type Settings,
} from "../model";
import { boot } from "../session";
import { Check, Choices, Icon, TextField } from "../ui/kit";
import { Footer, useAction } from "../ui/action";
import { Dialog } from "../ui/overlay";
import { toYaml } from "../yaml";
import { OptionsForm, SettingsForm } from "./settings-form";

const MERGE = "application/merge-patch+json";

export function addressOf(app: Application): string {
    return `apis/argoproj.io/v1alpha1/namespaces/${app.metadata.namespace}/applications/${app.metadata.name}`;
}

export function InfoDialog({ app, close }: { app: Application; close: () => void }) {
    const notes = app.metadata.annotations ?? {};
    const [alias, setAlias] = useState(notes[ALIAS] ?? "");
    const [description, setDescription] = useState(notes[DESCRIPTION] ?? "");
    const action = useAction(close);
    const ok = () =>
        void action.run(
            () =>
                send(
                    "PATCH",
                    addressOf(app),
                    {
                        metadata: {
                            annotations: {
                                [ALIAS]: alias || null,
                                [DESCRIPTION]: description || null,
                            },
                        },
                    },
                    MERGE,
                ),
            t("common.saved"),
        );
    return (
        <Dialog
            title={t("info.title", { name: app.metadata.name })}
            size="s"
            onClose={close}
            onPrimary={ok}
            error={action.error || undefined}
            footer={<Footer close={close} label={t("common.ok")} busy={action.busy} onOk={ok} />}
        >
            <div class="body col">
                <TextField
                    label={t("common.name")}
                    value={app.metadata.name}
                    onValue={() => {}}
                    disabled
                />
                <TextField
                    label={t("common.alias")}
                    value={alias}
                    autofocus
                    onValue={(v) => setAlias(v.slice(0, 63))}
                />
                <TextField
                    label={t("common.description")}
                    value={description}
                    onValue={(v) => setDescription(v.slice(0, 256))}
                />
            </div>
        </Dialog>
    );
}

export function SettingsDialog({ app, close }: { app: Application; close: () => void }) {
    const [value, setValue] = useState<Settings>(() => settingsOf(app));
    const action = useAction(close);
    const ok = () =>
        void action.run(
            () => send("PATCH", addressOf(app), settingsPatch(app, value), MERGE),
            t("common.saved"),
        );
    return (
        <Dialog
            title={t("settings.title", { name: app.metadata.name })}
            onClose={close}
            onPrimary={ok}
            error={action.error || undefined}
            footer={<Footer close={close} label={t("common.ok")} busy={action.busy} onOk={ok} />}
        >
            <div class="body">
                <SettingsForm
                    value={value}
                    refsAt={null}
                    onValue={(change) => setValue({ ...value, ...change })}
                />
            </div>
        </Dialog>
    );
}

function editable(app: Application): string {
    const { status: _status, operation: _operation, ...rest } = app;
    const meta = { ...rest.metadata } as Record<string, unknown>;
    for (const own of ["managedFields", "uid", "generation", "creationTimestamp", "selfLink"])
        delete meta[own];
    return toYaml({ ...rest, metadata: meta });
}

/* Status and operation are no part of the text and must not be lost with it. */
function withStatus(text: string, app: Application): string {
    const own: Record<string, unknown> = {};
    if (app.status) own.status = app.status;
    if (app.operation) own.operation = app.operation;
    return `${text.trimEnd()}\n${toYaml(own)}`;
}

export function YamlDialog({ app, close }: { app: Application; close: () => void }) {
    const [text, setText] = useState(() => editable(app));
    const action = useAction(close);
    const ok = () => {
        void action.run(
            () => sendText("PUT", addressOf(app), withStatus(text, app), "application/yaml"),
            t("common.saved"),
        );
    };
    return (
        <Dialog
            title={t("yaml.title", { name: app.metadata.name })}
            size="l"
            onClose={close}
            onPrimary={ok}
            error={action.error || undefined}
            footer={
                <Footer
                    close={close}
                    label={t("common.ok")}
                    busy={action.busy}
                    onOk={ok}
                    hint={t("yaml.help")}
                />
            }
        >
            <div class="body">
                <textarea
                    class="in mono code-edit"
                    aria-label={t("yaml.title", { name: app.metadata.name })}
                    spellcheck={false}
                    value={text}
                    onInput={(e) => setText(e.currentTarget.value)}
                />
            </div>
        </Dialog>
    );
}

export function SyncDialog({ app, close }: { app: Application; close: () => void }) {
    const [settings, setSettings] = useState<Settings>(() => settingsOf(app));
    const [revision, setRevision] = useState(app.spec.source?.targetRevision || "HEAD");
    const [prune, setPrune] = useState(Boolean(app.spec.syncPolicy?.automated?.prune));
    const [dryRun, setDryRun] = useState(false);
    const [applyOnly, setApplyOnly] = useState(false);
    const [force, setForce] = useState(false);
    const action = useAction(close);

    const resources = app.status?.resources ?? [];
    const gone = resources.filter((r) => r.requiresPruning).length;
    const changed = resources.filter((r) => isDifferent(r) && !r.requiresPruning).length;
    const count = changed + (prune ? gone : 0);
    const extra = (app.spec.syncPolicy?.syncOptions ?? []).filter(
        (o) => !optionsOf(settings).some((x) => x.split("=")[0] === o.split("=")[0]),
    );

    const ok = () => {
        const sync: SyncRequest = {
            revision,
            prune,
            dryRun,
            syncOptions: [
                ...extra.filter(
                    (o) =>
                        !/^(Validate|CreateNamespace|PruneLast|ApplyOutOfSyncOnly|Replace)=/.test(
                            o,
                        ),
                ),
                ...optionsOf(settings),
            ],
            syncStrategy: applyOnly ? { apply: { force } } : { hook: { force } },
        };
        void action.run(
            () =>
                send(
                    "PATCH",
                    addressOf(app),
                    { operation: { initiatedBy: { username: boot.value?.user.name }, sync } },
                    MERGE,
                ),
            t("sync.started", { name: app.metadata.name }),
        );
    };
    return (
        <Dialog
            title={t("sync.title", { name: app.metadata.name })}
            size="l"
            onClose={close}
            onPrimary={ok}
            error={action.error || undefined}
            footer={
                <Footer
                    close={close}
                    label={count > 0 ? t("sync.buttonCount", { n: count }) : t("sync.button")}
                    busy={action.busy}
                    onOk={ok}
                />
            }
        >
            <div class="halves">
                <div class="col">
                    <TextField
                        label={t("sync.revision")}
                        value={revision}
                        onValue={setRevision}
                        autofocus
                    />
                    <Check
                        label={t("sync.prune")}
                        help={t("sync.pruneHelp")}
                        checked={prune}
                        onValue={setPrune}
                    />
                    <Check
                        label={t("sync.dryRun")}
                        help={t("sync.dryRunHelp")}
                        checked={dryRun}
                        onValue={setDryRun}
                    />
                    <Check
                        label={t("sync.applyOnly")}
                        help={t("sync.applyOnlyHelp")}
                        checked={applyOnly}
                        onValue={setApplyOnly}
                    />
                    <Check
                        label={t("sync.force")}
                        help={t("sync.forceHelp")}
                        checked={force}
                        onValue={setForce}
                    />
                    <h3 class="h">{t("sync.effect")}</h3>
                    {changed + gone === 0 && <p class="t2">{t("sync.effectNone")}</p>}
                    {changed > 0 && (
                        <p class="row">
                            <Icon name="i-sync" />
                            {t("sync.effectChange", { n: changed })}
                        </p>
                    )}
                    {gone > 0 && (
                        <p class="row">
                            <Icon name={prune ? "i-trash" : "i-info"} />
                            {t(prune ? "sync.effectPrune" : "sync.effectKeep", { n: gone })}
                        </p>
                    )}
                </div>
                <div>
                    <OptionsForm
                        value={settings}
                        onValue={(change) => setSettings({ ...settings, ...change })}
                    />
                </div>
            </div>
        </Dialog>
    );
}

export function DeleteDialog({ app, close }: { app: Application; close: () => void }) {
    const [cascade, setCascade] = useState("yes");
    const action = useAction(close);
    const resources = (app.status?.resources ?? []).filter((r) => !r.requiresPruning);

    const remove = async () => {
        const others = (app.metadata.finalizers ?? []).filter((f) => !f.startsWith(FINALIZER));
        await send(
            "PATCH",
            addressOf(app),
            { metadata: { finalizers: cascade === "yes" ? [...others, FINALIZER] : others } },
            MERGE,
        );
        await send("DELETE", addressOf(app));
    };
    const ok = () => void action.run(remove, t("delete.started", { name: app.metadata.name }));
    return (
        <Dialog
            title={t("delete.title", { name: app.metadata.name })}
            onClose={close}
            error={action.error || undefined}
            footer={
                <Footer
                    close={close}
                    label={t("delete.button")}
                    busy={action.busy}
                    onOk={ok}
                    danger
                />
            }
        >
            <div class="body col">
                <Choices
                    label={t("delete.title", { name: app.metadata.name })}
                    value={cascade}
                    options={[
                        {
                            value: "yes",
                            label: t("delete.withResources"),
                            help: t("delete.withResourcesHelp", { n: resources.length }),
                        },
                        { value: "no", label: t("delete.keep"), help: t("delete.keepHelp") },
                    ]}
                    onValue={setCascade}
                />
                {cascade === "yes" && resources.length > 0 && (
                    <ul class="card goes" tabIndex={0} aria-label={t("detail.resources")}>
                        {resources.map((r) => (
                            <li
                                key={`${r.group}/${r.kind}/${r.namespace}/${r.name}`}
                                class="row between"
                            >
                                <span class="cut">{r.name}</span>
                                <span class="t3 nowrap">
                                    {r.kind}
                                    {r.namespace && ` · ${r.namespace}`}
                                </span>
                            </li>
                        ))}
                    </ul>
                )}
            </div>
        </Dialog>
    );
}
