/* The wizard's draft: one object, seen as a form or as YAML; neither view loses what the other has. */
import type { Application } from "./api/types";
import { infoOf, newApplication, settingsOf, defaults, withInfo, withSettings } from "./settings";
import type { Info, Settings } from "./settings";

export interface Draft {
    step: 1 | 2 | 3;
    view: "form" | "yaml";
    app: Application;
    /** Name of the code repository; its URL is in the object. */
    repo: string;
    /** Prune and Self-heal while Manual Sync hides them. */
    held: { prune: boolean; selfHeal: boolean };
    /** What stands in the editor; "" = nothing was typed there. */
    text: string;
}

export function firstDraft(
    devops: { name: string; namespace: string },
    creator: string,
    clusters: string[],
): Draft {
    const settings = { ...defaults, cluster: clusters.length === 1 ? clusters[0]! : "" };
    const info = { name: "", alias: "", description: "", repoURL: "", creator };
    return {
        step: 1,
        view: "form",
        app: newApplication(devops, info, settings),
        repo: "",
        held: { prune: false, selfHeal: false },
        text: "",
    };
}

/** What the form shows; what Manual Sync hides is remembered. */
export function formOf(draft: Draft): Settings {
    const s = settingsOf(draft.app);
    return s.auto ? s : { ...s, ...draft.held };
}

export function changeSettings(draft: Draft, change: Partial<Settings>): Draft {
    const next = { ...formOf(draft), ...change };
    return {
        ...draft,
        app: withSettings(draft.app, next),
        held: { prune: next.prune, selfHeal: next.selfHeal },
        text: "",
    };
}

export function changeInfo(draft: Draft, change: Partial<Info>): Draft {
    return { ...draft, app: withInfo(draft.app, { ...infoOf(draft.app), ...change }), text: "" };
}

/** Is what the editor holds an Application that the form can show? */
export function isApplication(value: unknown): value is Application {
    const app = value as Application | null;
    return (
        typeof app === "object" &&
        app !== null &&
        app.kind === "Application" &&
        typeof app.metadata === "object" &&
        app.metadata !== null &&
        typeof app.spec === "object" &&
        app.spec !== null
    );
}

/** The draft with what was typed in the editor; the namespace is the DevOps project's. */
export function fromYaml(
    draft: Draft,
    app: Application,
    namespace: string,
    repos: { name: string; url: string }[],
): Draft {
    const s = settingsOf({
        ...app,
        spec: { ...app.spec, destination: app.spec.destination ?? {} },
    });
    const url = app.spec.source?.repoURL ?? "";
    return {
        ...draft,
        app: {
            ...app,
            metadata: { ...app.metadata, namespace },
            spec: { ...app.spec, destination: app.spec.destination ?? {} },
        },
        repo: repos.find((r) => r.url === url)?.name ?? "",
        held: s.auto ? { prune: s.prune, selfHeal: s.selfHeal } : draft.held,
    };
}
