# SPDX-License-Identifier: Apache-2.0
"""The guide's own example as plain YAML: 27 objects, ten of them kinds of their own.

The real one is used where a corpus of real inputs lies beside the source (or where
TAUT_TEST_OPEN_PODCASTS names a file); else one of the same shape is made here.
"""

from __future__ import annotations

import os
from pathlib import Path

from harness.manifests import Object, config_map, deployment, service, text

COUNT = 27
GROUP = "podcasts.tests.taut.dev"
NAMESPACE = "podcasts-system"
REAL = "shared/corpus/kustomize/open-podcasts-config-default/expected/build.yaml"
KINDS = [
    "Author",
    "Category",
    "Episode",
    "Notifier",
    "Profile",
    "Rss",
    "Showitem",
    "Show",
    "Storage",
    "Subscription",
]


def guide_example(root: Path) -> dict[str, str]:
    """File name → text."""
    real = Path(os.environ.get("TAUT_TEST_OPEN_PODCASTS") or root.parent / REAL)
    if real.exists():
        return {"deploy/all.yaml": real.read_text()}
    return {"deploy/all.yaml": text(*_objects())}


def namespace_of(files: dict[str, str]) -> str:
    """The project in which the example's own objects land, whatever was chosen."""
    return NAMESPACE if NAMESPACE in files["deploy/all.yaml"] else "osf2f-system"


def _definition(kind: str) -> Object:
    plural = kind.lower() + "s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                }
            ],
        },
        "status": {"acceptedNames": {"kind": "", "plural": ""}, "conditions": []},
    }


def _role(kind: str, name: str) -> Object:
    rule = {"apiGroups": [GROUP], "resources": ["*"], "verbs": ["get", "list", "watch"]}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "rules": [rule],
    }


def _binding(kind: str, name: str, role_kind: str, role: str) -> Object:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": "manager", "namespace": NAMESPACE}],
    }


def _objects() -> list[Object]:
    inside: list[Object] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "manager"}},
        _role("Role", "leader-election"),
        _binding("RoleBinding", "leader-election", "Role", "leader-election"),
        config_map("manager-config", **{"config.yaml": "leaderElection: true\n"}),
        *(service(name) for name in ("metrics", "apiserver", "ui")),
        *(deployment(name) for name in ("apiserver", "manager", "ui")),
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "Rss",
            "metadata": {"name": "first"},
            "spec": {"address": "http://feeds.example/first"},
        },
    ]
    for obj in inside:
        obj["metadata"]["namespace"] = NAMESPACE
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        *(_definition(kind) for kind in KINDS),
        *(_role("ClusterRole", f"podcasts-{name}") for name in ("manager", "metrics", "proxy")),
        *(
            _binding("ClusterRoleBinding", f"podcasts-{name}", "ClusterRole", f"podcasts-{name}")
            for name in ("manager", "proxy")
        ),
        *inside,
    ]
