/* The reference pictures of the design that show a place of the table. */
const list = "/devops/:devops/apps";
const page = "/devops/:devops/apps/:name";

export const references: Record<string, string[]> = {
    [list]: [
        "deployments",
        "deployments-dark",
        "deployments-zh",
        "deployments-390",
        "deployments-dark-390",
    ],
    "deployments, no match": ["states", "states-dark"],
    [`${list}, dialog create`]: ["create-1-basic"],
    [`${list}, dialog yaml`]: ["edit-yaml"],
    [`${list}, dialog sync`]: ["sync-dialog", "sync-dialog-dark", "sync-dialog-390"],
    [`${list}, dialog delete`]: ["delete-dialog", "delete-dialog-dark"],
    [page]: ["deployment-outline", "deployment-outline-dark", "deployment-outline-390"],
    [`${page}, graph`]: ["deployment-graph", "deployment-graph-dark"],
    [`${page}, diff`]: ["deployment-diff", "deployment-diff-dark", "deployment-diff-unified-390"],
    "a difference": ["deployment-diff", "deployment-diff-dark", "deployment-diff-unified-390"],
    [`${page}, sync`]: ["deployment-sync", "deployment-sync-dark", "deployment-sync-390"],
    [`${page}, history`]: ["deployment-history", "deployment-history-dark"],
    [`${page}, events`]: ["deployment-events"],
    [`${page}, services`]: ["deployment-access"],
    "an error with its place": [
        "deployment-degraded",
        "deployment-degraded-dark",
        "deployment-degraded-390",
    ],
    "/devops/:devops/repos": ["repositories"],
    "/devops/:devops/repos, dialog import": ["repository-import", "repository-import-dark"],
    "/devops/:devops/credentials": ["credentials"],
    "/devops/:devops/credentials, dialog create": ["credential-create"],
    "/devops/:devops/projects/:cluster/:project/services": ["deployment-access"],
    "/devops/:devops/projects/:cluster/:project/services, dialog access": [
        "deployment-access-edit",
        "deployment-access-edit-dark",
    ],
    "/platform/clusters": ["clusters"],
    "log in": ["login", "login-dark"],
};
