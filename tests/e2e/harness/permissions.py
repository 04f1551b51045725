# SPDX-License-Identifier: Apache-2.0
"""Who may what, as one table: the rights, and the commands that need them. test_permissions.py tries each cell
(role, action, surface) on the real binary; docs/permissions.md is made from it:

    .venv/bin/python tests/e2e/harness/permissions.py > docs/permissions.md
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

# Somebody signed in who belongs to nothing; the project's roles; the platform's.
ROLES = ("none", "viewer", "operator", "admin", "self-provisioner", "platform-admin")

EVERYONE = frozenset(ROLES)
VIEWERS = frozenset({"viewer", "operator", "admin", "platform-admin"})
OPERATORS = frozenset({"operator", "admin", "platform-admin"})
ADMINS = frozenset({"admin", "platform-admin"})
PROVISIONERS = frozenset({"self-provisioner", "platform-admin"})
PLATFORM = frozenset({"platform-admin"})

# The right, as x-taut-right of the API's description has it ("" = being signed in).
RIGHTS: dict[str, tuple[frozenset[str], str]] = {
    "": (EVERYONE, "One's own account; lists show what one may see"),
    "get appprojects.argoproj.io": (VIEWERS, "See a DevOps Project and its allowlist"),
    "list appprojects.argoproj.io": (VIEWERS, "See a DevOps Project with kubectl"),
    "list applications.argoproj.io": (VIEWERS, "List continuous deployments"),
    "get applications.argoproj.io": (VIEWERS, "See a continuous deployment"),
    "get applications/resources.argoproj.io": (VIEWERS, "See its objects, differences, events"),
    "list repositories.taut.dev": (VIEWERS, "List code repositories"),
    "get repositories.taut.dev": (VIEWERS, "See a code repository, test it, list its branches"),
    "list credentials.taut.dev": (VIEWERS, "List credentials, never their values"),
    "get credentials.taut.dev": (VIEWERS, "See a credential, never its value"),
    "list members.taut.dev": (VIEWERS, "List members"),
    "list events": (VIEWERS, "List the project's events with kubectl"),
    "create applications.argoproj.io": (OPERATORS, "Create a continuous deployment, preview one"),
    "update applications.argoproj.io": (OPERATORS, "Replace a continuous deployment"),
    "patch applications.argoproj.io": (OPERATORS, "Edit a continuous deployment"),
    "delete applications.argoproj.io": (OPERATORS, "Delete a continuous deployment"),
    "sync applications.argoproj.io": (OPERATORS, "Sync, terminate, refresh"),
    "update applications/resources.argoproj.io": (
        OPERATORS,
        "Edit an object of a deployment; Edit External Access; see the YAML of its Secrets, masked",
    ),
    "get applications/logs.argoproj.io": (OPERATORS, "Read logs of a deployment's Pods"),
    "create repositories.taut.dev": (OPERATORS, "Import a code repository, test one unsaved"),
    "update repositories.taut.dev": (OPERATORS, "Edit a code repository"),
    "delete repositories.taut.dev": (OPERATORS, "Delete a code repository"),
    "create credentials.taut.dev": (OPERATORS, "Create a credential"),
    "update credentials.taut.dev": (OPERATORS, "Edit a credential"),
    "delete credentials.taut.dev": (OPERATORS, "Delete a credential"),
    "rollback applications.argoproj.io": (ADMINS, "Go back to an earlier sync"),
    "override applications.argoproj.io": (ADMINS, "Sync manifests that Git does not have"),
    "create members.taut.dev": (ADMINS, "Invite a member"),
    "update members.taut.dev": (ADMINS, "Give a member another role"),
    "delete members.taut.dev": (ADMINS, "Remove a member"),
    "update devopsprojects.taut.dev": (ADMINS, "Change a DevOps Project's words and allowlist"),
    "delete devopsprojects.taut.dev": (ADMINS, "Delete a DevOps Project"),
    "create devopsprojects.taut.dev": (PROVISIONERS, "Create a DevOps Project, as its admin"),
    "list users.taut.dev": (PLATFORM, "List users"),
    "get users.taut.dev": (PLATFORM, "See a user and the names of his API tokens"),
    "create users.taut.dev": (PLATFORM, "Create a user"),
    "update users.taut.dev": (PLATFORM, "Change, disable a user; password; make, revoke tokens"),
    "delete users.taut.dev": (PLATFORM, "Delete a user"),
    "list clusters.taut.dev": (PLATFORM, "List clusters with their addresses"),
    "get clusters.taut.dev": (PLATFORM, "Test a cluster"),
    "create clusters.taut.dev": (PLATFORM, "Add a cluster"),
    "update clusters.taut.dev": (PLATFORM, "Edit a cluster"),
    "delete clusters.taut.dev": (PLATFORM, "Remove a cluster"),
    "get status": (PLATFORM, "What the server does"),
    "get metrics": (PLATFORM, "Metrics"),
    "list secrets": (PLATFORM, "Read Secrets of the home with kubectl"),
    "create rolebindings.rbac.authorization.k8s.io": (PLATFORM, "Bind roles with kubectl"),
    "create appprojects.argoproj.io": (PLATFORM, "Write AppProjects with kubectl"),
    "list namespaces": (PLATFORM, "List namespaces of the home with kubectl"),
}


@dataclass(frozen=True)
class Command:
    """One command of a surface. {d}: the DevOps Project, {role}: who runs it, {own}: an application for him alone."""

    right: str
    line: str
    stdin: str = ""
    first: str = ""  # a right that is asked on the way and may be the one that a refusal names


CLI = (
    Command("", "devops list"),
    Command("", "user token list"),
    Command("get appprojects.argoproj.io", "devops get {d}"),
    Command("create devopsprojects.taut.dev", "devops create Not-A-Name"),
    Command("update devopsprojects.taut.dev", "devops set {d} --alias same"),
    Command("delete devopsprojects.taut.dev", "devops delete {d}"),
    Command("list members.taut.dev", "devops member list {d}"),
    Command("create members.taut.dev", "devops member add {d} nobody-of-that-name"),
    Command("delete members.taut.dev", "devops member remove {d} nobody-of-that-name"),
    Command("list repositories.taut.dev", "repo list --devops {d}"),
    Command("get repositories.taut.dev", "repo get nothing --devops {d}"),
    Command("create repositories.taut.dev", "repo add Not-A-Name --url x --devops {d}"),
    Command("delete repositories.taut.dev", "repo delete nothing --devops {d}"),
    Command("list credentials.taut.dev", "credential list --devops {d}"),
    Command(
        "create credentials.taut.dev",
        "credential create Not-A-Name --type token --secret-file - --devops {d}",
        "secret",
    ),
    Command("delete credentials.taut.dev", "credential delete nothing --devops {d}"),
    Command("list applications.argoproj.io", "app list --devops {d}"),
    Command("get applications.argoproj.io", "app get one --devops {d}"),
    Command("get applications/resources.argoproj.io", "app diff one --devops {d}"),
    Command(
        "create applications.argoproj.io",
        "app create by-{role} --repo r --cluster {cluster} --namespace x --devops {d}",
    ),
    Command("patch applications.argoproj.io", "app set one --revision main --devops {d}"),
    Command("sync applications.argoproj.io", "app terminate one --devops {d}"),
    Command(
        "delete applications.argoproj.io",
        "app delete {own} --devops {d}",
        first="patch applications.argoproj.io",
    ),
    Command("get applications/resources.argoproj.io", "service list --devops {d}"),
    Command(
        "update applications/resources.argoproj.io",
        "service access nothing/nothing --devops {d} --cluster nothing --mode None",
    ),
    Command("list clusters.taut.dev", "cluster list"),
    Command("delete clusters.taut.dev", "cluster delete nothing"),
    Command("list users.taut.dev", "user list"),
    Command("get users.taut.dev", "user get admin"),
    Command("create users.taut.dev", "user create Not-A-Name"),
    Command("update users.taut.dev", "user set nobody-of-that-name --language en"),
    Command("update users.taut.dev", "user reset-password nobody-of-that-name"),
    Command("update users.taut.dev", "user token create x --user nobody-of-that-name"),
    Command("delete users.taut.dev", "user delete nobody-of-that-name"),
    Command("get status", "status"),
)

KUBECTL = (
    Command("list applications.argoproj.io", "get applications -n {d}"),
    Command("get applications.argoproj.io", "get application one -n {d}"),
    Command("list appprojects.argoproj.io", "get appprojects -n {d}"),
    Command("list events", "get events -n {d}"),
    Command(
        "create applications.argoproj.io", "create --dry-run=server -n {d} -f -", "application"
    ),
    Command(
        "patch applications.argoproj.io",
        'patch application one -n {d} --dry-run=server --type merge -p {{"metadata":{{"labels":{{"x":"y"}}}}}}',
    ),
    Command("delete applications.argoproj.io", "delete application one -n {d} --dry-run=server"),
    Command("list secrets", "get secrets -n {d}"),
    Command("list secrets", "get secrets -n taut-system"),
    Command(
        "create rolebindings.rbac.authorization.k8s.io",
        "create rolebinding x -n {d} --dry-run=server --clusterrole=taut:admin --user=somebody",
    ),
    Command(
        "create appprojects.argoproj.io", "create --dry-run=server -n argocd -f -", "appproject"
    ),
    Command("list namespaces", "get namespaces"),
)


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    right: str

    @property
    def id(self) -> str:
        return f"{self.method} {self.path.removeprefix('/taut/v1')}"


def routes() -> list[Route]:
    """Every route that asks for more than nothing."""
    found = []
    described = json.loads((ROOT / "data" / "openapi.json").read_text())
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if operation.get("security") != []:
                found.append(Route(method.upper(), path, operation.get("x-taut-right", "")))
    return found


HEAD = """# Who may what

Made from `tests/e2e/harness/permissions.py`; `test_permissions.py` tries every cell on the real binary, through the API that the console
uses, the command line and kubectl. A refusal names the right that is missing.

`viewer`, `operator` and `admin` are roles in a DevOps Project; `self-provisioner` and `platform-admin` are the platform roles
`platform-self-provisioner` and `platform-admin`; `none` is anybody else who is signed in. Rights are Kubernetes RBAC on the home cluster:
verb, then resource and group.

"""


def document() -> str:
    lines = [HEAD]
    lines.append("| what | right | " + " | ".join(ROLES) + " |")
    lines.append("|---|---|" + "---|" * len(ROLES))
    for right, (who, what) in RIGHTS.items():
        cells = " | ".join("yes" if role in who else "–" for role in ROLES)
        lines.append(f"| {what} | {f'`{right}`' if right else 'signed in'} | {cells} |")
    lines.append("\n## Commands that ask for it\n")
    lines.append("Each operation of the API names its right in `x-taut-right` of `openapi.json`.\n")
    lines.append("| right | command line | kubectl |\n|---|---|---|")
    for right in RIGHTS:
        cells = [
            [f"`taut {short(c.line)}`" for c in CLI if c.right == right],
            [f"`kubectl {short(c.line)}`" for c in KUBECTL if c.right == right],
        ]
        if any(cells):
            row = " | ".join(", ".join(dict.fromkeys(cell)) for cell in cells)
            lines.append(f"| {f'`{right}`' if right else 'signed in'} | {row} |")
    return "\n".join(lines) + "\n"


def short(line: str) -> str:
    """The verb of a command, without what the test gives it."""
    words = []
    for word in line.split():
        if word.startswith("-") or "{" in word or word in ("nothing", "one", "x", "admin"):
            break
        if word[0].isupper() or word.startswith("nobody"):
            break
        words.append(word)
    return " ".join(words)


if __name__ == "__main__":
    print(document(), end="")
