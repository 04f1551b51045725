/* Clusters, for platform administrators: list, add from a kubeconfig, edit, test, delete. */
import { useState } from "preact/hooks";
import { send, type ApiError } from "../api/client";
import type { Cluster } from "../api/types";
import { t } from "../i18n";
import { useLoad } from "../load";
import { nameProblem } from "../model";
import { useAsked } from "../preview";
import { closeDialog, dialog, dialogOn, openDialog } from "../router";
import { drafts } from "../session";
import { ConfirmDelete, Footer, useAction } from "../ui/action";
import { Combobox } from "../ui/combobox";
import { Button, Empty, Note, SelectField, Status, TextField } from "../ui/kit";
import { Dialog, Menu, toast } from "../ui/overlay";
import { Loaded } from "./page";
import { Head, Shell } from "./shell";
import { ListTable, NameCell } from "./table";

interface Tried {
    state: "ok" | "failed";
    message?: string;
    version?: string;
    server?: string;
    contexts: string[];
    context?: string;
}

const QUIET_MS = 500;
const environments = ["production", "staging", "testing", "development"];

function EnvironmentField({ value, onValue }: { value: string; onValue: (to: string) => void }) {
    return (
        <Combobox
            label={t("clusters.environment")}
            value={value}
            help={t("clusters.environmentHelp")}
            choices={environments.map((e) => ({ value: e }))}
            onValue={onValue}
        />
    );
}

function NamespacesField({ value, onValue }: { value: string; onValue: (to: string) => void }) {
    return (
        <TextField
            label={t("clusters.namespaces")}
            value={value}
            help={t("clusters.namespacesHelp")}
            onValue={onValue}
        />
    );
}

/** The file's text, pasted or chosen; it stays on this page. */
function KubeconfigField({
    value,
    onValue,
    error,
    required,
}: {
    value: string;
    onValue: (to: string) => void;
    error?: string | undefined;
    required: boolean;
}) {
    const read = (file: File | undefined) => {
        if (file) void file.text().then(onValue);
    };
    return (
        <div class="col">
            <TextField
                label={t("clusters.kubeconfig")}
                required={required}
                multiline
                secret
                mono
                value={value}
                error={error}
                help={t(required ? "clusters.kubeconfigHelp" : "clusters.kubeconfigKeep")}
                onValue={onValue}
            />
            <label class="file-row">
                <span class="lab">{t("clusters.upload")}</span>
                <input type="file" onChange={(e) => read(e.currentTarget.files?.[0])} />
            </label>
        </div>
    );
}

function useTried(kubeconfig: string, context: string) {
    return useAsked<Tried>(
        "taut/v1/cluster-test",
        kubeconfig.trim() ? { kubeconfig, context } : null,
        QUIET_MS,
    );
}

function TriedNote({ tried }: { tried: ReturnType<typeof useTried> }) {
    if (tried.busy) return <Status look="progressing" word={t("clusters.testing")} />;
    if (tried.error)
        return <Note look="degraded" title={t("clusters.testFailed")} text={tried.error} />;
    const value = tried.value;
    if (!value) return null;
    if (value.state === "failed")
        return (
            <Note look="degraded" title={t("clusters.testFailed")} text={value.message ?? ""}>
                <p class="t2">{t("clusters.testFailedHelp")}</p>
            </Note>
        );
    return (
        <Note
            look="healthy"
            title={t("clusters.testOk", { version: value.version ?? "" })}
            {...(value.server ? { text: value.server } : {})}
        />
    );
}

function ContextField({
    tried,
    value,
    onValue,
}: {
    tried: Tried | null;
    value: string;
    onValue: (to: string) => void;
}) {
    const contexts = tried?.contexts ?? [];
    if (contexts.length < 2) return null;
    return (
        <SelectField
            label={t("clusters.context")}
            value={value || tried?.context || contexts[0]!}
            options={contexts.map((c) => ({ value: c, label: c }))}
            onValue={onValue}
        />
    );
}

interface Form {
    name: string;
    environment: string;
    namespaces: string;
}

function ClusterDialog({
    close,
    done,
    cluster,
}: {
    close: () => void;
    done: () => void;
    /** Given: it is edited; the name stays. */
    cluster?: Cluster;
}) {
    const key = `cluster.${cluster?.name ?? ""}`;
    const [form, setForm] = useState<Form>(
        () =>
            drafts.load<Form>(key) ?? {
                name: cluster?.name ?? "",
                environment: cluster?.environment ?? "",
                namespaces: cluster?.namespaces ?? "",
            },
    );
    const [kubeconfig, setKubeconfig] = useState("");
    const [context, setContext] = useState("");
    const [checked, setChecked] = useState(false);
    const tried = useTried(kubeconfig, context);
    const change = (to: Partial<Form>) => {
        const next = { ...form, ...to };
        setForm(next);
        drafts.save(key, next);
    };
    const end = () => {
        drafts.drop(key);
        close();
    };
    const wrong = cluster ? null : nameProblem(form.name);
    const action = useAction(() => {
        done();
        end();
    });
    const ok = () => {
        setChecked(true);
        if (wrong || (!cluster && !kubeconfig.trim())) return;
        const { name, ...rest } = form;
        const access = kubeconfig.trim() ? { kubeconfig, context } : {};
        void action.run(
            () =>
                cluster
                    ? send("PATCH", `taut/v1/clusters/${name}`, { ...rest, ...access })
                    : send("POST", "taut/v1/clusters", { name, ...rest, ...access }),
            cluster ? t("common.saved") : t("clusters.added", { name }),
        );
    };
    return (
        <Dialog
            title={
                cluster ? t("clusters.editTitle", { name: cluster.name }) : t("clusters.addTitle")
            }
            onClose={end}
            onPrimary={ok}
            error={action.error || undefined}
            footer={<Footer close={end} label={t("common.ok")} busy={action.busy} onOk={ok} />}
        >
            <div class="body col">
                <TextField
                    label={t("common.name")}
                    required={!cluster}
                    autofocus={!cluster}
                    disabled={Boolean(cluster)}
                    value={form.name}
                    {...(cluster ? {} : { help: t("name.help") })}
                    error={(checked || form.name) && wrong ? t(wrong) : undefined}
                    onValue={(name) => change({ name })}
                />
                <KubeconfigField
                    value={kubeconfig}
                    required={!cluster}
                    error={
                        checked && !cluster && !kubeconfig.trim()
                            ? t("clusters.kubeconfigRequired")
                            : undefined
                    }
                    onValue={setKubeconfig}
                />
                <ContextField tried={tried.value} value={context} onValue={setContext} />
                <div aria-live="polite">
                    <TriedNote tried={tried} />
                </div>
                <div class="two">
                    <EnvironmentField
                        value={form.environment}
                        onValue={(environment) => change({ environment })}
                    />
                    <NamespacesField
                        value={form.namespaces}
                        onValue={(namespaces) => change({ namespaces })}
                    />
                </div>
            </div>
        </Dialog>
    );
}

function test(name: string, again: () => void) {
    send<{ version?: string }>("POST", `taut/v1/clusters/${name}/test`).then(
        (answer) => {
            toast(t("clusters.testOk", { version: answer.version ?? "" }));
            again();
        },
        (e: unknown) => {
            toast(`${name}: ${(e as ApiError).message}`, true);
            again();
        },
    );
}

function ClusterRow({ cluster: c, again }: { cluster: Cluster; again: () => void }) {
    const lost = c.reachable === false;
    const items = [
        {
            label: t("clusters.test"),
            icon: "i-plug",
            onPick: () => test(c.name, again),
        },
    ];
    const own = [
        {
            label: t("clusters.edit"),
            icon: "i-edit",
            onPick: () => openDialog("edit", c.name),
        },
        {
            label: t("common.delete"),
            icon: "i-trash",
            risk: true,
            onPick: () => openDialog("delete", c.name),
        },
    ];
    return (
        <tr>
            <NameCell name={c.name} sub={c.name === "sandbox" ? t("apps.simulated") : undefined} />
            <td class="t2 wrap-any">{c.server ?? "–"}</td>
            <td class="t2">
                {c.version ?? "–"}
                {lost && c.version && <span class="sub">{t("clusters.old")}</span>}
            </td>
            <td class="t2">{c.environment || "–"}</td>
            <td>
                <Status
                    look={lost ? "outofsync" : "healthy"}
                    word={t(lost ? "clusters.unreachable" : "repos.ok")}
                    sub={c.message || undefined}
                />
            </td>
            <td class="last">
                <Menu
                    label={t("common.more", { name: c.name })}
                    icon="i-more"
                    items={c.editable ? [...items, ...own] : items}
                />
            </td>
        </tr>
    );
}

export function Clusters() {
    const load = useLoad<{ items: Cluster[] }>("taut/v1/clusters");
    const items = load.value?.items ?? [];
    const verb = dialog.value;
    const target = dialogOn.value;
    const chosen = items.find((c) => c.name === target);
    const addButton = (
        <Button kind="primary" icon="i-plus" onClick={() => openDialog("add")}>
            {t("clusters.add")}
        </Button>
    );
    return (
        <Shell crumbs={[{ text: t("clusters.title") }]}>
            <Head title={t("clusters.title")}>{items.length > 0 && addButton}</Head>
            <Loaded ready={load.value !== null} error={load.error} again={load.again}>
                {() =>
                    items.length === 0 ? (
                        <Empty
                            icon="i-cluster"
                            title={t("clusters.empty")}
                            text={t("clusters.emptyHelp")}
                        >
                            {addButton}
                        </Empty>
                    ) : (
                        <ListTable
                            label={t("clusters.title")}
                            heads={[
                                t("common.name"),
                                t("clusters.server"),
                                t("clusters.version"),
                                t("clusters.environment"),
                                t("clusters.state"),
                            ]}
                        >
                            {items.map((c) => (
                                <ClusterRow key={c.name} cluster={c} again={load.again} />
                            ))}
                        </ListTable>
                    )
                }
            </Loaded>
            {verb === "add" && <ClusterDialog close={closeDialog} done={load.again} />}
            {verb === "edit" && chosen?.editable && (
                <ClusterDialog cluster={chosen} close={closeDialog} done={load.again} />
            )}
            {verb === "delete" && (
                <ConfirmDelete
                    title={t("clusters.deleteTitle", { name: target })}
                    help={t("clusters.deleteHelp")}
                    at={`taut/v1/clusters/${target}`}
                    close={closeDialog}
                    done={load.again}
                />
            )}
        </Shell>
    );
}
