/* Import Code Repository, and Edit: provider, URL, credential, and a connection test by itself. */
import { useState } from "preact/hooks";
import { send } from "../api/client";
import type { Credential, Repository } from "../api/types";
import { importCommand } from "../command";
import { t } from "../i18n";
import { useLoad } from "../load";
import { nameProblem } from "../model";
import { useAsked } from "../preview";
import { drafts } from "../session";
import { useAction } from "../ui/action";
import { Button, Check, CopyButton, Icon, Note, SelectField, Status, TextField } from "../ui/kit";
import { Dialog } from "../ui/overlay";

const providers = ["git", "github", "gitlab", "bitbucket"] as const;
type Provider = (typeof providers)[number];
const providerNames: Record<Provider, string> = {
    git: "Git",
    github: "GitHub",
    gitlab: "GitLab",
    bitbucket: "Bitbucket",
};
const servers: Record<string, string> = {
    github: "https://github.com",
    gitlab: "https://gitlab.com",
    bitbucket: "https://bitbucket.org",
};
const QUIET_MS = 500;

interface Form {
    name: string;
    alias: string;
    description: string;
    provider: Provider;
    url: string;
    server: string;
    owner: string;
    repo: string;
    credential: string;
}

const empty: Form = {
    name: "",
    alias: "",
    description: "",
    provider: "git",
    url: "",
    server: "",
    owner: "",
    repo: "",
    credential: "",
};

export function urlOf(form: Form): string {
    if (form.provider === "git") return form.url.trim();
    if (!form.owner || !form.repo) return "";
    const server = (form.server || servers[form.provider]!).replace(/\/+$/, "");
    return `${server}/${form.owner}/${form.repo}`;
}

interface Tested {
    state: "ok" | "failed";
    message?: string;
    fingerprint?: string;
    head?: string;
    branches?: string[];
    branchesTotal?: number;
    tags?: string[];
    tagsTotal?: number;
    movedTo?: string;
}

function Names({ label, names, total }: { label: string; names: string[]; total: number }) {
    if (total === 0) return null;
    const rest = total - names.length;
    return (
        <p class="t2 wrap-any">
            {label}: {names.join(", ")}
            {rest > 0 && ` ${t("repos.andMore", { n: rest })}`}
        </p>
    );
}

function TestResult({
    tested,
    accepted,
    onAccept,
}: {
    tested: Tested;
    accepted: string;
    onAccept: (fingerprint: string) => void;
}) {
    if (tested.state === "ok")
        return (
            <Note
                look="healthy"
                title={t("repos.testOk", {
                    branches: tested.branchesTotal ?? 0,
                    tags: tested.tagsTotal ?? 0,
                })}
            >
                <Names
                    label={t("repos.branches")}
                    names={tested.branches ?? []}
                    total={tested.branchesTotal ?? 0}
                />
                <Names
                    label={t("repos.tags")}
                    names={tested.tags ?? []}
                    total={tested.tagsTotal ?? 0}
                />
                {tested.movedTo && (
                    <p class="t2 wrap-any">{t("repos.moved", { url: tested.movedTo })}</p>
                )}
            </Note>
        );
    if (tested.fingerprint && accepted !== tested.fingerprint)
        return (
            <Note look="outofsync" title={t("repos.hostUnknown")} text={t("repos.hostHelp")}>
                <p class="wrap-any">
                    <code>{tested.fingerprint}</code>
                </p>
                <Button kind="small" onClick={() => onAccept(tested.fingerprint!)}>
                    {t("repos.hostAccept")}
                </Button>
            </Note>
        );
    return (
        <Note look="degraded" title={t("repos.testFailed")} text={tested.message ?? ""}>
            <p class="t2">{t("repos.testFailedHelp")}</p>
        </Note>
    );
}

function useTest(devops: string, form: Form, accepted: string, name: string) {
    const [stopped, setStopped] = useState("");
    const url = urlOf(form);
    const body = { url, credential: form.credential, acceptHostKey: accepted, name };
    const text = JSON.stringify(body);
    const looksWhole = /^[a-z+]+:\/\/[^/]*\/?.+|^[^/@\s]+@[^:\s]+:.+/.test(url);
    const asked = useAsked<Tested>(
        `taut/v1/devops/${devops}/repo-test`,
        looksWhole && stopped !== text ? body : null,
        QUIET_MS,
    );
    return { ...asked, stop: () => setStopped(text), stopped: stopped === text };
}

function TestState({
    test,
    accepted,
    onAccept,
}: {
    test: ReturnType<typeof useTest>;
    accepted: string;
    onAccept: (fingerprint: string) => void;
}) {
    return (
        <div class="col" aria-live="polite">
            {test.busy && (
                <div class="row">
                    <Status look="progressing" word={t("repos.testing")} />
                    <Button kind="ghost small" onClick={test.stop}>
                        {t("repos.testStop")}
                    </Button>
                </div>
            )}
            {!test.busy && test.error && (
                <Note look="degraded" title={t("repos.testFailed")} text={test.error} />
            )}
            {!test.busy && test.value && (
                <TestResult tested={test.value} accepted={accepted} onAccept={onAccept} />
            )}
        </div>
    );
}

function SourceFields({
    form,
    change,
    checked,
}: {
    form: Form;
    change: (to: Partial<Form>) => void;
    checked: boolean;
}) {
    const url = urlOf(form);
    const missing = checked && !url ? t("repos.urlRequired") : undefined;
    return (
        <>
            <h3 class="h">{t("repos.select")}</h3>
            <span class="seg" role="group" aria-label={t("repos.provider")}>
                {providers.map((p) => (
                    <button
                        key={p}
                        type="button"
                        aria-pressed={form.provider === p}
                        onClick={() => change({ provider: p })}
                    >
                        {providerNames[p]}
                    </button>
                ))}
            </span>
            {form.provider === "git" ? (
                <TextField
                    label={t("repos.url")}
                    required
                    mono
                    value={form.url}
                    error={missing}
                    onValue={(to) => change({ url: to })}
                />
            ) : (
                <>
                    <TextField
                        label={t("repos.server")}
                        value={form.server}
                        placeholder={servers[form.provider]!}
                        onValue={(server) => change({ server })}
                    />
                    <div class="two">
                        <TextField
                            label={t("repos.owner")}
                            required
                            value={form.owner}
                            onValue={(owner) => change({ owner })}
                        />
                        <TextField
                            label={t("repos.repository")}
                            required
                            value={form.repo}
                            error={missing}
                            onValue={(repo) => change({ repo })}
                        />
                    </div>
                    {url && (
                        <p class="help wrap-any">
                            {t("repos.builds")} <code>{url}</code>
                        </p>
                    )}
                </>
            )}
        </>
    );
}

function CredentialField({
    devops,
    value,
    onValue,
    inline,
}: {
    devops: string;
    value: string;
    onValue: (to: string) => void;
    inline: boolean;
}) {
    const load = useLoad<{ items: Credential[] }>(`taut/v1/devops/${devops}/credentials`);
    return (
        <SelectField
            label={t("repos.credential")}
            value={value}
            help={t("repos.credentialHelp")}
            options={[
                { value: "", label: inline ? t("repos.inline") : t("common.none") },
                ...(load.value?.items ?? []).map((c) => ({ value: c.name, label: c.name })),
            ]}
            onValue={onValue}
        />
    );
}

/** Who else is changed by a new URL. */
function Rewrites({ users }: { users: string[] }) {
    if (users.length === 0) return null;
    return (
        <Note
            look="outofsync"
            title={t("repos.rewrites", { n: users.length })}
            text={users.join(", ")}
        />
    );
}

function formOfRepo(repo: Repository): Form {
    const provider = (repo.provider ?? "git") as Provider;
    const built = provider !== "git" && repo.owner && repo.repo;
    return {
        ...empty,
        name: repo.name,
        alias: repo.alias ?? "",
        description: repo.description ?? "",
        provider: built ? provider : "git",
        url: repo.url,
        server: repo.server ?? "",
        owner: repo.owner ?? "",
        repo: repo.repo ?? "",
        credential: repo.credential ?? "",
    };
}

export function ImportDialog({
    devops,
    close,
    done,
    repo,
}: {
    devops: string;
    close: () => void;
    done: (made: { name: string; url: string }) => void;
    /** Given: it is edited. */
    repo?: Repository;
}) {
    const key = repo ? `repo.${devops}.${repo.name}` : `import.${devops}`;
    const [form, setForm] = useState<Form>(
        () => drafts.load<Form>(key) ?? (repo ? formOfRepo(repo) : empty),
    );
    const [accepted, setAccepted] = useState("");
    const [checked, setChecked] = useState(false);
    const change = (to: Partial<Form>) => {
        const next = { ...form, ...to };
        setForm(next);
        drafts.save(key, next);
    };
    const url = urlOf(form);
    const wrong = repo ? null : nameProblem(form.name);
    const moved = repo !== undefined && url !== repo.url;
    const test = useTest(devops, form, accepted, repo?.name ?? "");
    const action = useAction(() => {
        drafts.drop(key);
        done({ name: form.name, url });
        close();
    });
    const ok = () => {
        setChecked(true);
        if (wrong || !url) return;
        const places = {
            provider: form.provider,
            server: form.provider === "git" ? "" : form.server,
            owner: form.provider === "git" ? "" : form.owner,
            repo: form.provider === "git" ? "" : form.repo,
        };
        const body = {
            name: form.name,
            alias: form.alias,
            description: form.description,
            credential: form.credential,
            ...places,
            url,
            acceptHostKey: accepted,
        };
        void action.run(
            () =>
                repo
                    ? send("PATCH", `taut/v1/devops/${devops}/repos/${repo.name}`, {
                          ...body,
                          resourceVersion: repo.resourceVersion,
                      })
                    : send("POST", `taut/v1/devops/${devops}/repos`, body),
            repo ? t("common.saved") : t("repos.imported", { name: form.name }),
        );
    };
    return (
        <Dialog
            title={repo ? t("repos.editTitle", { name: repo.name }) : t("repos.importTitle")}
            onClose={close}
            onPrimary={ok}
            error={action.error || undefined}
            footer={
                <>
                    {!repo && (
                        <CopyButton
                            label={t("common.copyCommand")}
                            text={importCommand(devops, { ...form, url }, accepted)}
                        />
                    )}
                    <span class="push row">
                        <Button onClick={close}>{t("common.cancel")}</Button>
                        <Button kind="primary" busy={action.busy} onClick={ok}>
                            {t("common.ok")}
                        </Button>
                    </span>
                </>
            }
        >
            <div class="body col">
                {repo ? (
                    <TextField
                        label={t("common.name")}
                        value={form.name}
                        disabled
                        onValue={() => {}}
                    />
                ) : (
                    <TextField
                        label={t("common.name")}
                        required
                        autofocus
                        value={form.name}
                        help={t("name.help")}
                        error={(checked || form.name) && wrong ? t(wrong) : undefined}
                        onValue={(name) => change({ name })}
                    />
                )}
                <div class="two">
                    <TextField
                        label={t("common.alias")}
                        value={form.alias}
                        onValue={(alias) => change({ alias: alias.slice(0, 63) })}
                    />
                    <TextField
                        label={t("common.description")}
                        value={form.description}
                        onValue={(text) => change({ description: text.slice(0, 256) })}
                    />
                </div>
                <SourceFields form={form} change={change} checked={checked} />
                {moved && <Rewrites users={repo.usedBy ?? []} />}
                <CredentialField
                    devops={devops}
                    value={form.credential}
                    inline={Boolean(repo?.inline)}
                    onValue={(credential) => change({ credential })}
                />
                <TestState test={test} accepted={accepted} onAccept={setAccepted} />
                {accepted && (
                    <Check
                        label={t("repos.hostAccepted")}
                        help={accepted}
                        checked
                        onValue={() => setAccepted("")}
                    />
                )}
                {test.stopped && (
                    <p class="t3 row">
                        <Icon name="i-info" small />
                        {t("repos.testStopped")}
                    </p>
                )}
            </div>
        </Dialog>
    );
}
