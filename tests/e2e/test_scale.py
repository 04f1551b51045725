# SPDX-License-Identifier: Apache-2.0
"""Many objects, kinds that arrive with their objects, real input, and a quiet steady state."""

from __future__ import annotations

import json
import os

import pytest
from cluster import ControlPlane
from conftest import ROOT, Deploy
from harness.app import App
from harness.git import Repository
from harness.kube import Kube
from harness.manifests import config_map, text, widget, widget_definition
from harness.sample import COUNT, guide_example, namespace_of
from harness.server import Server
from harness.wait import eventually, throughout

QUIET_SECONDS = float(os.environ.get("TAUT_TEST_QUIET_SECONDS", "120"))
OBJECTS = 300


def test_a_kind_and_its_objects_arrive_in_one_sync(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    definition = "widgets.tests.taut.dev"
    target.delete("CustomResourceDefinition", None, definition)
    eventually(
        lambda: target.get("CustomResourceDefinition", None, definition) is None,
        what="the end of an earlier test's kind",
    )
    repo.commit({"a.yaml": text(widget("one", 1), widget("two", 2), widget_definition())})
    app = deploy("--auto-sync")
    app.wait_synced()
    assert target.must_get("Widget", namespace, "one")["spec"] == {"size": 1, "colour": "blue"}
    commit = repo.commit({"a.yaml": text(widget("one", 5), widget_definition())})
    app.refresh()
    app.wait(sync="OutOfSync", revision=commit)
    eventually(
        lambda: target.must_get("Widget", namespace, "one")["spec"]["size"] == 5,
        what="the new size",
    )
    app.wait_operation("Succeeded", revision=commit)
    app.server.run("app", "delete", app.name, "--cascade=true")
    app.wait_gone()
    assert target.get("CustomResourceDefinition", None, "widgets.tests.taut.dev") is not None, (
        "a CRD is kept unless a person ticks it"
    )
    target.delete("CustomResourceDefinition", None, "widgets.tests.taut.dev")


def test_three_hundred_objects_in_one_application(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    maps = {
        f"cm-{n:03}.yaml": text(config_map(f"cm-{n:03}", number=str(n))) for n in range(OBJECTS)
    }
    repo.commit(maps)
    app = deploy("--auto-sync", "--prune")
    app.wait_synced(within=120)
    names = {o["metadata"]["name"] for o in target.list("ConfigMap", namespace, "taut.dev/app")}
    assert len(names) == OBJECTS
    assert len(app.status["resources"]) == OBJECTS
    commit = repo.commit(
        {"cm-000.yaml": None, "cm-001.yaml": text(config_map("cm-001", number="new"))}
    )
    app.refresh()
    app.wait_synced(revision=commit, within=60)
    assert target.get("ConfigMap", namespace, "cm-000") is None
    assert target.must_get("ConfigMap", namespace, "cm-001")["data"] == {"number": "new"}
    app.server.run("app", "delete", app.name, "--cascade=true")
    app.wait_gone(within=120)
    assert target.list("ConfigMap", namespace, "taut.dev/app") == []


def _take_away(app: App, target: Kube, files: dict[str, str], name: str) -> None:
    app.server.run("app", "delete", app.name, "--cascade=true")
    app.wait_gone(within=120)
    assert target.list("Deployment", namespace_of(files)) == []
    for crd in target.list("CustomResourceDefinition"):
        if not crd["spec"]["group"].endswith("argoproj.io"):
            target.delete("CustomResourceDefinition", None, crd["metadata"]["name"])
    target.delete("Namespace", None, namespace_of(files))
    target.delete("Namespace", None, name)


def dry_runs(plane: ControlPlane) -> int:
    """Finished dry runs of Taut's user, as the API server itself wrote them down."""
    count = 0
    for line in plane.audit_log.read_text().splitlines():
        event = json.loads(line)
        if event["user"]["username"] == "tester" and "dryRun=All" in event["requestURI"]:
            count += 1
    return count


def test_the_guides_own_example_is_all_there(
    repo: Repository, deploy: Deploy, server: Server, target: Kube, name: str
) -> None:
    files = guide_example(ROOT)
    commit = repo.commit(files)
    app = deploy(
        *("--auto-sync", "--sync-option", "CreateNamespace=true"), path="deploy", namespace=name
    )
    app.wait(sync="Synced", revision=commit, within=120)
    assert len(app.status["resources"]) == COUNT
    assert all(row["status"] == "Synced" for row in app.status["resources"])
    assert len(target.list("Deployment", namespace_of(files))) == 3
    _take_away(app, target, files, name)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.only("cluster")
def test_after_a_restart_with_no_change_not_one_dry_run_is_asked(
    repo: Repository,
    deploy: Deploy,
    server: Server,
    plane: ControlPlane,
    name: str,
) -> None:
    files = guide_example(ROOT)
    repo.commit(files)
    app = deploy(
        *("--auto-sync", "--sync-option", "CreateNamespace=true"), path="deploy", namespace=name
    )
    app.wait(sync="Synced", within=120)
    quiet_since = {"count": -1, "same": 0}

    def has_settled() -> bool:
        now = dry_runs(plane)
        quiet_since["same"] = quiet_since["same"] + 1 if now == quiet_since["count"] else 0
        quiet_since["count"] = now
        return quiet_since["same"] > 60

    eventually(has_settled, within=180, what="quiet before the restart")
    server.restart(TAUT_TEST_REVERIFY="0")
    app.wait(sync="Synced", within=60)
    before = dry_runs(plane)
    throughout(lambda: dry_runs(plane) == before, seconds=QUIET_SECONDS, what="no dry run")
    assert app.sync_status == "Synced"
    _take_away(app, server.target, files, name)
