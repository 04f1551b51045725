# SPDX-License-Identifier: Apache-2.0
"""Kustomizations, from a Git server over http to a cluster."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, Deploy
from harness.git import Repository
from harness.kube import Kube
from harness.manifests import deployment, text
from harness.server import Server
from harness.wait import eventually

CORPUS = Path(os.environ.get("TAUT_CORPUS") or ROOT.parent / "shared/corpus")
PODCASTS = CORPUS / "kustomize/open-podcasts-config-default/input"
PODCASTS_COUNT = 27
PODCASTS_NAMESPACE = "osf2f-system"

OVERLAY = """namePrefix: prod-
resources: [../../base]
configMapGenerator:
- name: settings
  behavior: merge
  literals: [COLOUR={colour}]
images: [{{name: registry.example/web, newTag: "2"}}]
labels: [{{pairs: {{tier: front}}, includeSelectors: true}}]
"""


def base() -> dict[str, str]:
    web = deployment("web", image="registry.example/web:1")
    spec = web["spec"]["template"]["spec"]
    spec["containers"][0]["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    return {
        "base/web.yaml": text(web),
        "base/kustomization.yaml": "resources: [web.yaml]\n"
        "configMapGenerator: [{name: settings, literals: [SIZE=1]}]\n",
    }


def settings_of(target: Kube, namespace: str) -> str:
    """The ConfigMap that the deployment's container names."""
    live = target.must_get("Deployment", namespace, "prod-web")
    container = live["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "registry.example/web:2"
    return container["envFrom"][0]["configMapRef"]["name"]


def test_a_changed_literal_makes_a_new_config_map_and_prunes_the_old(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({**base(), "overlays/prod/kustomization.yaml": OVERLAY.format(colour="red")})
    app = deploy("--auto-sync", "--prune", path="overlays/prod")
    app.wait_synced()
    assert app.status["sourceType"] == "Kustomize"
    first = settings_of(target, namespace)
    assert first.startswith("prod-settings-")
    found = target.must_get("ConfigMap", namespace, first)
    assert found["data"] == {"SIZE": "1", "COLOUR": "red"}

    commit = repo.commit({"overlays/prod/kustomization.yaml": OVERLAY.format(colour="blue")})
    app.refresh()
    app.wait_synced(revision=commit)
    second = settings_of(target, namespace)
    assert second != first
    assert target.must_get("ConfigMap", namespace, second)["data"]["COLOUR"] == "blue"
    eventually(lambda: target.get("ConfigMap", namespace, first) is None, what="no old settings")


def test_a_commit_that_a_kustomization_does_not_read_changes_only_the_revision(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({**base(), "overlays/prod/kustomization.yaml": OVERLAY.format(colour="red")})
    app = deploy("--auto-sync", path="overlays/prod")
    app.wait_synced()
    before = settings_of(target, namespace)
    syncs = len(app.history)
    commit = repo.commit({"docs/read-me.yaml": "a: b\n", "overlays/other/kustomization.yaml": "{"})
    app.refresh()
    app.wait_synced(revision=commit)
    assert settings_of(target, namespace) == before
    assert len(app.history) == syncs, "nothing was applied again"


def test_a_broken_kustomization_is_told_with_its_file_and_line(
    repo: Repository, deploy: Deploy, namespace: str
) -> None:
    overlay = OVERLAY.format(colour="red") + "imagez: []\n"
    repo.commit({**base(), "overlays/prod/kustomization.yaml": overlay})
    app = deploy("--auto-sync", path="overlays/prod")

    def told() -> str:
        return app.conditions.get("ComparisonError", "")

    message = eventually(told, what="the error")
    assert "overlays/prod/kustomization.yaml:9:" in message
    assert "imagez" in message
    fixed = repo.commit({"overlays/prod/kustomization.yaml": OVERLAY.format(colour="red")})
    app.refresh()
    app.wait_synced(revision=fixed)


@pytest.mark.skipif(not PODCASTS.is_dir(), reason=f"the corpus is not there: no {PODCASTS}")
def test_the_guides_own_kustomization_is_deployed_whole(
    repo: Repository, deploy: Deploy, server: Server, target: Kube, namespace: str
) -> None:
    shutil.copytree(PODCASTS, repo.tree, dirs_exist_ok=True)
    commit = repo.commit_tree()
    app = deploy("--auto-sync", "--sync-option", "CreateNamespace=true", path="config/default")
    app.wait(sync="Synced", revision=commit, within=180)
    assert app.status["sourceType"] == "Kustomize"
    assert len(app.status["resources"]) == PODCASTS_COUNT
    assert all(row["status"] == "Synced" for row in app.status["resources"])
    assert len(target.list("Deployment", PODCASTS_NAMESPACE)) == 3
    server.run("app", "delete", app.name, "--cascade=true")
    app.wait_gone(within=120)
    assert target.list("Deployment", PODCASTS_NAMESPACE) == []
    target.delete("Namespace", None, PODCASTS_NAMESPACE)
