# SPDX-License-Identifier: Apache-2.0
"""A kill at any instant loses nothing and repeats nothing that hurts: every stop point is hit."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from conftest import ROOT, Deploy
from harness.app import App
from harness.git import Repository
from harness.kube import Kube, uid
from harness.manifests import config_map, deployment, text
from harness.server import Server
from harness.wait import eventually

Scene = Callable[[Repository, Deploy, Server, Kube, str, str], None]
FIRST = {"a.yaml": text(config_map("a", v="1")), "b.yaml": text(config_map("b"), deployment("web"))}


def _begin(repo: Repository, deploy: Deploy, name: str) -> App:
    repo.commit(FIRST)
    return deploy("--auto-sync", "--prune", "--sync-option", "CreateNamespace=true", namespace=name)


def _all_is_there(app: App, target: Kube, name: str, commit: str | None = None) -> None:
    app.wait_synced(revision=commit, within=90)
    assert target.get("ConfigMap", name, "a") is not None
    assert app.operation["phase"] == "Succeeded"


def first_sync(
    repo: Repository, deploy: Deploy, server: Server, target: Kube, name: str, stop: str
) -> None:
    """Killed while the application is deployed for the first time."""
    server.restart(TAUT_STOP_AT=stop)
    app = _begin(repo, deploy, name)
    server.wait_until_killed()
    server.start()
    _all_is_there(app, target, name)
    assert len(app.history) == 1, "one deployment is one entry"


def prune(
    repo: Repository, deploy: Deploy, server: Server, target: Kube, name: str, stop: str
) -> None:
    """Killed while an object that left Git is pruned."""
    app = _begin(repo, deploy, name)
    app.wait_synced()
    kept = uid(target.must_get("Deployment", name, "web"))
    server.restart(TAUT_STOP_AT=stop)
    commit = repo.commit(
        {"a.yaml": text(config_map("a", v="2")), "b.yaml": text(deployment("web"))}
    )
    app.refresh()
    server.wait_until_killed()
    server.start()
    _all_is_there(app, target, name, commit)
    assert target.get("ConfigMap", name, "b") is None
    assert target.must_get("ConfigMap", name, "a")["data"] == {"v": "2"}
    assert uid(target.must_get("Deployment", name, "web")) == kept


def cascade(
    repo: Repository, deploy: Deploy, server: Server, target: Kube, name: str, stop: str
) -> None:
    """Killed while the application and its objects are deleted."""
    app = _begin(repo, deploy, name)
    app.wait_synced()
    server.restart(TAUT_STOP_AT=stop)
    server.run("app", "delete", app.name, "--cascade=true", "--wait=false", check=False)
    server.wait_until_killed()
    server.start()
    app.wait_gone()
    for kind, thing in (("ConfigMap", "a"), ("ConfigMap", "b"), ("Deployment", "web")):
        assert target.get(kind, name, thing) is None


SCENES: dict[str, Scene] = {
    "after-start-before-work": first_sync,
    "after-namespace-before-apply": first_sync,
    "after-apply-before-record": first_sync,
    "after-intent-before-delete": prune,
    "after-delete-before-record": prune,
    "after-prune-before-finish": prune,
    "after-finish-before-status": first_sync,
    "in-cascade-before-finalizer": cascade,
}


def test_every_stop_point_of_the_source_has_its_scene() -> None:
    table = (ROOT / "src" / "base" / "stop.c").read_text()
    body = table.split("names[] = {")[1].split("};")[0]
    assert set(re.findall(r'"([a-z-]+)"', body)) == set(SCENES)


@pytest.mark.parametrize("stop", list(SCENES))
def test_a_kill_at_a_stop_point_ends_right_after_a_restart(
    repo: Repository, deploy: Deploy, server: Server, target: Kube, name: str, stop: str
) -> None:
    SCENES[stop](repo, deploy, server, target, name, stop)
    target.delete("Namespace", None, name)


def test_a_kill_in_steady_state_loses_nothing(
    repo: Repository, deploy: Deploy, server: Server, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a", v="1"), deployment("web"))})
    app = deploy("--auto-sync", "--self-heal")
    app.wait_synced()
    made = uid(target.must_get("Deployment", namespace, "web"))
    server.kill()
    commit = repo.commit({"a.yaml": text(config_map("a", v="2"), deployment("web"))})
    server.start()
    app.wait_synced(revision=commit, within=90)
    live = server.target
    assert live.must_get("ConfigMap", namespace, "a")["data"] == {"v": "2"}
    assert uid(live.must_get("Deployment", namespace, "web")) == made


def test_drift_while_it_was_down_is_healed(
    repo: Repository, deploy: Deploy, server: Server, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a", v="git"), config_map("b"))})
    app = deploy("--auto-sync", "--self-heal")
    app.wait_synced()
    if server.plane is None:
        target.patch("ConfigMap", namespace, "a", {"data": {"v": "hand"}})
        server.restart()
    else:
        server.stop()
        target.patch("ConfigMap", namespace, "a", {"data": {"v": "hand"}})
        target.delete("ConfigMap", namespace, "b")
        server.start()

    def healed() -> bool:
        return server.target.must_get("ConfigMap", namespace, "a")["data"]["v"] == "git"

    eventually(healed, what="the value of Git")
    eventually(lambda: server.target.get("ConfigMap", namespace, "b"), what="the other one")
    app.wait_synced()
