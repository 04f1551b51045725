/* The tree of a deployment, kept current: again when the deployment changes, and every few seconds. */
import { useEffect, useRef } from "preact/hooks";
import type { Application } from "../api/types";
import { useLoad } from "../load";
import type { TreeNode } from "../tree";

const EVERY_MS = 3000;

export function appBase(devops: string, name: string): string {
    return `taut/v1/devops/${devops}/apps/${name}`;
}

export interface TreeLoad {
    nodes: TreeNode[] | null;
    compared: boolean;
    error: ReturnType<typeof useLoad>["error"];
    again: () => void;
}

export function useTree(app: Application, devops: string): TreeLoad {
    const load = useLoad<{ compared: boolean; items: TreeNode[] }>(
        `${appBase(devops, app.metadata.name)}/tree`,
    );
    const version = app.metadata.resourceVersion;
    const first = useRef(true);
    useEffect(() => {
        if (!first.current) load.again();
        first.current = false;
    }, [version]);
    useEffect(() => {
        const timer = setInterval(() => {
            if (document.visibilityState === "visible") load.again();
        }, EVERY_MS);
        return () => clearInterval(timer);
    }, []);
    return {
        nodes: load.value?.items ?? null,
        compared: load.value?.compared ?? false,
        error: load.error,
        again: load.again,
    };
}
