# SPDX-License-Identifier: Apache-2.0
"""What the page of one deployment asks of the server: tree, one resource, diff, events, logs."""

from __future__ import annotations

from typing import Any

import pytest
from harness.app import App
from harness.git import Repository
from harness.kube import Kube
from harness.manifests import config_map, deployment, text
from harness.server import Server
from harness.wait import eventually

Object = dict[str, Any]


def base(app: App) -> str:
    return f"/taut/v1/devops/default/apps/{app.name}"


def nodes(home: Kube, app: App) -> dict[str, Object]:
    return {n["id"]: n for n in home.request("GET", base(app) + "/tree")["items"]}


@pytest.fixture
def web(
    home: Kube, repo: Repository, namespace: str, deploy: Any, server: Server
) -> tuple[App, str]:
    """A deployment that is synced, with a Deployment, and its Pod's name."""
    repo.commit({"web.yaml": text(deployment("web"), config_map("settings", color="blue"))})
    app: App = deploy("--auto-sync")
    app.wait_synced()

    def pod() -> str:
        found = [n["name"] for n in nodes(home, app).values() if n["kind"] == "Pod"]
        return found[0] if found else ""

    return app, eventually(pod, what="a Pod in the tree")


def test_the_tree_leads_from_the_deployment_to_its_pods(
    home: Kube, web: tuple[App, str], namespace: str
) -> None:
    app, pod = web
    tree = nodes(home, app)
    managed = tree[f"apps/Deployment/{namespace}/web"]
    assert managed["managed"] and managed["status"] == "Synced" and managed["created"]
    assert managed["info"].count("/") == 1 and managed["images"]
    below = tree[f"/Pod/{namespace}/{pod}"]
    above = tree[below["parent"]]
    assert above["kind"] == "ReplicaSet" and above["parent"] == managed["id"]
    assert tree[f"/ConfigMap/{namespace}/settings"]["managed"]
