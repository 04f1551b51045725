/* What the engine knows of one deployment beyond its object, live: the tree and the facts. */
import { useMemo } from "preact/hooks";
import type { ApiError } from "../api/client";
import { useLive } from "../live";
import type { TreeNode } from "../tree";

export function appBase(devops: string, name: string): string {
    return `taut/v1/devops/${devops}/apps/${name}`;
}

export interface TreeLoad {
    nodes: TreeNode[] | null;
    compared: boolean;
    error: ApiError | null;
    again: () => void;
}

export function useTree(devops: string, name: string): TreeLoad {
    const live = useLive<{ compared: boolean; items?: Record<string, TreeNode> }>(
        `tree:${devops}/${name}`,
    );
    const value = live.value.value;
    const nodes = useMemo(() => (value ? Object.values(value.items ?? {}) : null), [value]);
    return {
        nodes,
        compared: value?.compared ?? false,
        error: live.error.value,
        again: live.again,
    };
}

export interface Facts {
    gitChecked?: string;
    lastCheck?: string;
    message?: string;
    sync?: { step: string; tasks: number; done: number; failed: number };
}

export function useFacts(devops: string, name: string): Facts {
    return useLive<Facts>(`facts:${devops}/${name}`).value.value ?? {};
}
