# SPDX-License-Identifier: Apache-2.0
"""Each setting of the guide's step *Deployment Settings*, with the difference that it makes."""

from __future__ import annotations

import pytest
from conftest import Deploy
from harness.app import App
from harness.git import Repository
from harness.kube import JSON_PATCH, Kube, uid
from harness.manifests import config_map, deployment, text
from harness.wait import eventually, throughout

HOLD = "tests.taut.dev/hold"


def test_manual_sync_waits_to_be_asked(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a", v="1"))})
    app = deploy()
    app.wait(sync="OutOfSync", health="Missing")
    throughout(
        lambda: target.get("ConfigMap", namespace, "a") is None,
        seconds=2,
        what="nothing is applied",
    )
    app.sync()
    app.wait_synced()
    commit = repo.commit({"a.yaml": text(config_map("a", v="2"))})
    app.refresh()
    app.wait(sync="OutOfSync", revision=commit)
    assert target.must_get("ConfigMap", namespace, "a")["data"] == {"v": "1"}


def test_auto_sync_does_not_wait(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    commit = repo.commit({"a.yaml": text(config_map("a", v="1"))})
    app = deploy("--auto-sync")
    app.wait_synced(revision=commit)
    assert app.operation["operation"]["initiatedBy"]["automated"] is True


def test_without_prune_a_removed_manifest_stays(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a")), "b.yaml": text(config_map("b"))})
    app = deploy("--auto-sync")
    app.wait_synced()
    commit = repo.commit({"b.yaml": None})
    app.refresh()
    app.wait(sync="OutOfSync", revision=commit)
    assert app.resource("ConfigMap", "b")["requiresPruning"] is True
    assert target.get("ConfigMap", namespace, "b") is not None
    app.sync("--prune")
    app.wait_synced(revision=commit)
    assert target.get("ConfigMap", namespace, "b") is None


def test_auto_prune_refuses_to_wipe_everything(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a")), "note.txt": "x"})
    app = deploy("--auto-sync", "--prune")
    app.wait_synced()
    repo.commit({"a.yaml": None})
    app.refresh()
    app.wait_condition("SyncError")
    assert target.get("ConfigMap", namespace, "a") is not None


def test_without_self_heal_drift_is_shown_and_stays(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a", v="git"))})
    app = deploy("--auto-sync")
    app.wait_synced()
    target.patch("ConfigMap", namespace, "a", {"data": {"v": "hand"}})
    app.wait(sync="OutOfSync")
    throughout(
        lambda: target.must_get("ConfigMap", namespace, "a")["data"]["v"] == "hand",
        seconds=3,
        what="the change by hand",
    )
    diff = app.server.run("app", "diff", app.name, check=False)
    assert diff.code == 4 and "hand" in diff.out


def test_self_heal_restores_what_git_says(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a", v="git"))})
    app = deploy("--auto-sync", "--self-heal")
    app.wait_synced()
    for _ in range(2):
        target.patch("ConfigMap", namespace, "a", {"data": {"v": "hand"}})
        eventually(
            lambda: target.must_get("ConfigMap", namespace, "a")["data"]["v"] == "git",
            what="the value of Git",
        )
    app.wait_synced()


def test_fields_that_git_does_not_name_are_no_drift(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a", v="git"))})
    app = deploy("--auto-sync", "--self-heal")
    app.wait_synced()
    target.patch("ConfigMap", namespace, "a", {"data": {"other": "hand"}})
    throughout(
        lambda: target.must_get("ConfigMap", namespace, "a")["data"].get("other") == "hand",
        seconds=2,
        what="the other key",
    )
    app.wait_synced()


def unknown_field() -> str:
    web = deployment("web")
    web["spec"]["replicaz"] = 3
    return text(web, config_map("a"))


def test_schema_validation_names_object_field_and_file(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"web.yaml": unknown_field()})
    app = deploy()
    app.wait(sync="OutOfSync")
    app.sync(check=False)
    app.wait_operation("Failed")
    message = app.result("Deployment", "web")["message"]
    assert "replicaz" in message and "web.yaml" in message, message
    assert target.get("Deployment", namespace, "web") is None


def test_skip_schema_validation_applies_without_the_unknown_field(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"web.yaml": unknown_field()})
    app = deploy("--sync-option", "Validate=false")
    app.wait(sync="OutOfSync")
    app.sync()
    app.wait_operation("Succeeded")
    assert "replicaz" in app.result("Deployment", "web")["message"]
    assert target.get("Deployment", namespace, "web") is not None


def test_auto_create_project(repo: Repository, deploy: Deploy, target: Kube, name: str) -> None:
    repo.commit({"a.yaml": text(config_map("a"))})
    app = deploy("--auto-sync", "--sync-option", "CreateNamespace=true", namespace=name)
    app.wait_synced()
    made = target.must_get("Namespace", None, name)
    assert "argocd.argoproj.io/tracking-id" not in made["metadata"].get("annotations", {})
    app.server.run("app", "delete", app.name, "--cascade=true")
    app.wait_gone()
    assert target.get("ConfigMap", name, "a") is None
    target.delete("Namespace", None, name)


def test_without_auto_create_project_a_missing_project_is_named(
    repo: Repository, deploy: Deploy, target: Kube, name: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a"))})
    app = deploy(namespace=name)
    app.wait(sync="OutOfSync")
    app.sync(check=False)
    app.wait_operation("Failed")
    told = app.result("ConfigMap", "a").get("message", "") + app.operation["message"]
    assert name in told and "not found" in told, told
    assert target.get("Namespace", None, name) is None


@pytest.mark.parametrize("last", [True, False], ids=["last", "not-last"])
def test_prune_last_waits_until_the_others_are_healthy(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str, last: bool
) -> None:
    repo.commit({"web.yaml": text(deployment("web")), "old.yaml": text(config_map("old"))})
    options = ["--sync-option", "PruneLast=true"] if last else []
    app = deploy("--auto-sync", "--prune", *options)
    app.wait_synced()
    broken = text(deployment("web", image="registry.example/web:2", fail="image-pull"))
    repo.commit({"web.yaml": broken, "old.yaml": None})
    app.refresh()
    if not last:
        eventually(lambda: target.get("ConfigMap", namespace, "old") is None, what="the prune")
        return

    def is_rolling() -> bool:
        live = target.must_get("Deployment", namespace, "web")
        return live["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":2")

    eventually(is_rolling, what="the new template")
    throughout(
        lambda: target.get("ConfigMap", namespace, "old") is not None,
        seconds=3,
        what="the old ConfigMap",
    )
    assert app.operation["phase"] == "Running"
    mend = {"spec": {"template": {"metadata": {"annotations": {"sandbox.taut.dev/fail": None}}}}}
    target.patch("Deployment", namespace, "web", mend)
    eventually(
        lambda: target.get("ConfigMap", namespace, "old") is None, within=90, what="the prune"
    )
    app.wait_operation("Succeeded")


@pytest.mark.parametrize("only", [True, False], ids=["only", "all"])
def test_apply_out_of_sync_only_lists_what_was_out_of_sync(
    repo: Repository, deploy: Deploy, namespace: str, only: bool
) -> None:
    repo.commit({"a.yaml": text(config_map("a", v="1"), config_map("b"))})
    options = ["--sync-option", "ApplyOutOfSyncOnly=true"] if only else []
    app = deploy(*options)
    app.wait(sync="OutOfSync")
    app.sync()
    app.wait_synced()
    commit = repo.commit({"a.yaml": text(config_map("a", v="2"), config_map("b"))})
    app.refresh()
    app.wait(sync="OutOfSync", revision=commit)
    app.sync()
    app.wait_synced(revision=commit)
    assert app.result("ConfigMap", "a")["message"] == "configmap/a configured"
    assert bool(app.result("ConfigMap", "b")) is not only


def _prune_with_held_replica_set(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str, policy: str
) -> App:
    """Prunes a Deployment whose ReplicaSet cannot go yet: the three policies differ in what stays."""
    repo.commit({"web.yaml": text(deployment("web")), "a.yaml": text(config_map("a"))})
    app = deploy("--auto-sync", "--prune", "--sync-option", f"PrunePropagationPolicy={policy}")
    app.wait_synced()
    (replica_set,) = target.list("ReplicaSet", namespace)
    held = {"metadata": {"finalizers": [HOLD]}}
    target.patch("ReplicaSet", namespace, replica_set["metadata"]["name"], held)
    repo.commit({"web.yaml": None})
    app.refresh()
    return app


def _let_go(target: Kube, namespace: str) -> None:
    """The garbage collector changes the same list meanwhile."""

    def is_free() -> bool:
        for replica_set in target.list("ReplicaSet", namespace):
            held = replica_set["metadata"].get("finalizers") or []
            if HOLD not in held:
                continue
            place = f"/metadata/finalizers/{held.index(HOLD)}"
            steps = [
                {"op": "test", "path": place, "value": HOLD},
                {"op": "remove", "path": place},
            ]
            target.patch(
                "ReplicaSet", namespace, replica_set["metadata"]["name"], steps, JSON_PATCH
            )
        return True

    eventually(is_free, what="the finalizer's removal")


def test_prune_foreground_deletes_dependents_first(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    app = _prune_with_held_replica_set(repo, deploy, target, namespace, "foreground")

    def deletion_began() -> bool:
        live = target.must_get("Deployment", namespace, "web")["metadata"]
        return "deletionTimestamp" in live and "foregroundDeletion" in live["finalizers"]

    eventually(deletion_began, what="a foreground deletion")
    _let_go(target, namespace)
    eventually(lambda: target.get("Deployment", namespace, "web") is None, what="the prune")
    assert target.list("ReplicaSet", namespace) == []
    app.wait_synced()


def test_prune_background_deletes_the_owner_first(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    app = _prune_with_held_replica_set(repo, deploy, target, namespace, "background")
    eventually(lambda: target.get("Deployment", namespace, "web") is None, what="the prune")
    eventually(
        lambda: "deletionTimestamp" in target.list("ReplicaSet", namespace)[0]["metadata"],
        what="the dependent's turn",
    )
    _let_go(target, namespace)
    eventually(lambda: target.list("ReplicaSet", namespace) == [], what="the dependent's end")
    app.wait_synced()


def test_prune_orphan_keeps_dependents(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    app = _prune_with_held_replica_set(repo, deploy, target, namespace, "orphan")
    eventually(lambda: target.get("Deployment", namespace, "web") is None, what="the prune")
    _let_go(target, namespace)
    app.wait_synced()
    (replica_set,) = target.list("ReplicaSet", namespace)
    assert "deletionTimestamp" not in replica_set["metadata"]
    assert not replica_set["metadata"].get("ownerReferences")
    target.delete("ReplicaSet", namespace, replica_set["metadata"]["name"])


@pytest.mark.parametrize("replace", [True, False], ids=["replace", "apply"])
def test_replace_resource_leaves_nothing_of_others(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str, replace: bool
) -> None:
    repo.commit({"a.yaml": text(config_map("a", v="1"))})
    options = ["--sync-option", "Replace=true"] if replace else []
    app = deploy(*options)
    app.wait(sync="OutOfSync")
    app.sync()
    app.wait_synced()
    before = uid(target.must_get("ConfigMap", namespace, "a"))
    target.patch("ConfigMap", namespace, "a", {"data": {"extra": "hand"}})
    commit = repo.commit({"a.yaml": text(config_map("a", v="2"))})
    app.refresh()
    app.wait(sync="OutOfSync", revision=commit)
    app.sync()
    app.wait_synced(revision=commit)
    live = target.must_get("ConfigMap", namespace, "a")
    assert live["data"] == ({"v": "2"} if replace else {"v": "2", "extra": "hand"})
    assert uid(live) == before, "replaced, not deleted and made again"


def test_ignored_differences_are_no_drift_and_are_respected(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"web.yaml": text(deployment("web", replicas=1))})
    app = deploy("--auto-sync", "--self-heal", "--sync-option", "RespectIgnoreDifferences=true")
    app.wait_synced()
    rule = {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}
    app.patch({"spec": {"ignoreDifferences": [rule]}})
    app.refresh()
    app.wait_synced()
    target.patch("Deployment", namespace, "web", {"spec": {"replicas": 3}})
    throughout(
        lambda: target.must_get("Deployment", namespace, "web")["spec"]["replicas"] == 3,
        seconds=3,
        what="the ignored change",
    )
    commit = repo.commit(
        {"web.yaml": text(deployment("web", replicas=1, image="registry.example/web:2"))}
    )
    app.refresh()
    app.wait_synced(revision=commit)
    assert target.must_get("Deployment", namespace, "web")["spec"]["replicas"] == 3


def test_an_object_that_asks_goes_only_after_a_person_confirms(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    guarded = config_map("b")
    guarded["metadata"]["annotations"] = {"argocd.argoproj.io/sync-options": "Prune=confirm"}
    repo.commit({"a.yaml": text(config_map("a")), "b.yaml": text(guarded)})
    app = deploy("--auto-sync", "--prune")
    app.wait_synced()
    assert app.resource("ConfigMap", "b")["requiresDeletionConfirmation"] is True
    commit = repo.commit({"b.yaml": None})
    app.refresh()
    eventually(
        lambda: (app.operation.get("message") or "").startswith("waiting for pruning confirmation"),
        what="the question",
    )
    assert target.get("ConfigMap", namespace, "b") is not None
    app.server.run("app", "confirm-deletion", app.name)
    app.wait_synced(revision=commit)
    assert target.get("ConfigMap", namespace, "b") is None
