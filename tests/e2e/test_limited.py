# SPDX-License-Identifier: Apache-2.0
"""Clusters of which only some namespaces may be seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import Deploy
from harness.app import App
from harness.git import Repository
from harness.limited import LimitedCluster
from harness.manifests import config_map, text
from harness.server import Server
from harness.wait import eventually, throughout


def two_maps(other: str) -> dict[str, str | None]:
    far = config_map("b", of="git")
    far["metadata"]["namespace"] = other
    return {"a.yaml": text(config_map("a", of="git")), "b.yaml": text(far)}


def is_named(app: App, namespace: str) -> str:
    """The condition, once it is about what may not be seen: first the cluster is connected to."""
    message = app.conditions["ComparisonError"]
    assert "configmaps" in message and namespace in message, message
    return message


@pytest.fixture
def spaces(server: Server, name: str) -> Iterator[tuple[str, str]]:
    """Two namespaces of the cluster that the limited user sees."""
    kube = server.target if server.plane else server.home
    names = (f"{name}-x", f"{name}-y")
    for each in names:
        kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": each}})
    yield names
    if server.process is not None and server.process.is_running():
        for each in names:
            kube.delete("Namespace", None, each)


@pytest.fixture
def limited(server: Server, name: str, spaces: tuple[str, str]) -> Iterator[LimitedCluster]:
    cluster = LimitedCluster(server, name, spaces[0])
    yield cluster
    if server.process is not None and server.process.is_running():
        cluster.remove()


def test_namespaces_that_the_secret_lists_are_all_that_is_seen_and_nothing_else_is_pruned(
    repo: Repository, deploy: Deploy, limited: LimitedCluster, spaces: tuple[str, str]
) -> None:
    one, other = spaces
    limited.let_into(one)
    limited.let_into(other)
    limited.write_secret(namespaces=f"{one}, {other}")
    repo.commit(two_maps(other))
    app = deploy("--cluster", limited.name, "--auto-sync", "--prune", namespace=one)
    app.wait_synced()

    limited.change_secret(namespaces=one)
    eventually(lambda: is_named(app, other), what="the namespace that may not be seen")
    eventually(
        lambda: (
            app.sync_status == "Unknown"
            and app.resource("ConfigMap", "a")["status"] == "Synced"
            and app.resource("ConfigMap", "b")["status"] == "Unknown"
        ),
        what="the verdict of each object",
    )
    commit = repo.commit({"b.yaml": None})
    app.refresh()
    app.wait(sync="Unknown", revision=commit)
    throughout(
        lambda: limited.kube.get("ConfigMap", other, "b") is not None,
        seconds=2,
        what="an object where nothing may be seen",
    )

    limited.change_secret(namespaces=f"{one}, {other}")
    eventually(
        lambda: limited.kube.get("ConfigMap", other, "b") is None, what="the prune once it is seen"
    )
    app.wait_synced(revision=commit)


def test_a_right_that_is_missing_in_one_namespace_is_named_and_the_rest_is_healed(
    repo: Repository, deploy: Deploy, limited: LimitedCluster, spaces: tuple[str, str]
) -> None:
    one, other = spaces
    limited.let_into(one)
    limited.write_secret()
    repo.commit(two_maps(other))
    app = deploy("--cluster", limited.name, namespace=one)
    message = eventually(lambda: is_named(app, other), what="the right that is missing")
    assert "list and watch" in message, message
    eventually(
        lambda: (
            app.sync_status == "Unknown" and app.resource("ConfigMap", "a")["status"] == "OutOfSync"
        ),
        what="the verdict of the rest",
    )

    limited.let_into(other)
    eventually(lambda: app.sync_status == "OutOfSync", what="the right to count")
    app.sync("--prune")
    app.wait_synced()
    app.patch({"spec": {"syncPolicy": {"automated": {"selfHeal": True}}}})
    limited.kube.patch("ConfigMap", other, "b", {"data": {"of": "hand"}})
    eventually(
        lambda: limited.kube.must_get("ConfigMap", other, "b")["data"] == {"of": "git"},
        what="drift that only the watch of the namespace shows",
    )
