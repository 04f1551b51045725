# SPDX-License-Identifier: Apache-2.0
"""Who owns an object, and what happens when somebody else has a hand in it."""

from __future__ import annotations

import pytest
from conftest import Deploy
from harness.git import Repository
from harness.kube import JSON_PATCH, Kube, uid
from harness.manifests import config_map, deployment, text
from harness.wait import eventually, throughout

LABEL = "taut.dev/app"
TRACKING = "argocd.argoproj.io/tracking-id"
HOLD = "tests.taut.dev/hold"


def containers(target: Kube, namespace: str) -> list[str]:
    live = target.must_get("Deployment", namespace, "web")
    return [c["name"] for c in live["spec"]["template"]["spec"]["containers"]]


@pytest.mark.parametrize("later", [False, True], ids=["at-adoption", "after-adoption"])
def test_a_kubectl_applied_deployment_is_adopted_and_a_container_that_git_drops_goes(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str, later: bool
) -> None:
    by_hand = deployment("web", sidecar="logs")
    target.kubectl("apply", "-n", namespace, "-f", "-", stdin=text(by_hand))
    before = uid(target.must_get("Deployment", namespace, "web"))

    repo.commit({"web.yaml": text(deployment("web", sidecar="logs" if later else ""))})
    app = deploy()
    app.wait(sync="OutOfSync")
    app.sync()
    app.wait_synced()
    if later:
        assert containers(target, namespace) == ["web", "logs"]
        commit = repo.commit({"web.yaml": text(deployment("web"))})
        app.refresh()
        app.wait(sync="OutOfSync", revision=commit)
        app.sync()
        app.wait_synced(revision=commit)

    assert containers(target, namespace) == ["web"]
    live = target.must_get("Deployment", namespace, "web")
    assert uid(live) == before, "adopted, not made anew"
    managers = {m["manager"] for m in live["metadata"]["managedFields"] if "subresource" not in m}
    assert "kubectl-client-side-apply" not in managers
    assert live["metadata"]["annotations"][TRACKING].startswith(f"{app.name}:apps/Deployment:")


def test_an_object_that_two_applications_claim_stays_with_its_first_owner(
    repo: Repository, deploy: Deploy, target: Kube, name: str, namespace: str
) -> None:
    repo.commit(
        {
            "one/a.yaml": text(config_map("a", of="one")),
            "two/a.yaml": text(config_map("a", of="two")),
        }
    )
    first = deploy("--auto-sync", "--self-heal", app=f"{name}-x", path="one", namespace=namespace)
    first.wait(sync="Synced")
    second = deploy("--auto-sync", "--self-heal", app=f"{name}-y", path="two", namespace=namespace)
    message = second.wait_condition("SharedResourceWarning")
    assert first.name in message, message
    assert second.name in first.wait_condition("SharedResourceWarning")
    throughout(
        lambda: target.must_get("ConfigMap", namespace, "a")["data"] == {"of": "one"},
        seconds=3,
        what="the first owner's value",
    )
    assert second.resource("ConfigMap", "a")["status"] == "OutOfSync"

    second.server.run("app", "delete", second.name, "--cascade=true")
    second.wait_gone()
    assert target.get("ConfigMap", namespace, "a") is not None, "the cascade of a non-owner"


def test_the_label_removed_by_hand_is_drift_and_no_loss(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a"), config_map("b"))})
    app = deploy("--auto-sync", "--self-heal", "--prune")
    app.wait_synced()
    before = uid(target.must_get("ConfigMap", namespace, "a"))
    target.patch("ConfigMap", namespace, "a", {"metadata": {"labels": {LABEL: None}}})

    def marked() -> bool:
        return LABEL in target.must_get("ConfigMap", namespace, "a")["metadata"].get("labels", {})

    eventually(marked, what="the label again")
    assert uid(target.must_get("ConfigMap", namespace, "a")) == before
    app.wait_synced()


def test_an_object_without_its_label_is_still_pruned(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a")), "b.yaml": text(config_map("b"))})
    app = deploy("--auto-sync", "--prune")
    app.wait_synced()
    target.patch("ConfigMap", namespace, "b", {"metadata": {"labels": {LABEL: None}}})
    app.wait(sync="OutOfSync")
    commit = repo.commit({"b.yaml": None})
    app.refresh()
    app.wait_synced(revision=commit)
    eventually(lambda: target.get("ConfigMap", namespace, "b") is None, what="the prune")


def test_an_object_in_deletion_is_waited_for_and_made_again(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a"), config_map("b"))})
    app = deploy("--auto-sync", "--self-heal")
    app.wait_synced()
    before = uid(target.must_get("ConfigMap", namespace, "a"))
    target.patch("ConfigMap", namespace, "a", {"metadata": {"finalizers": [HOLD]}})
    target.delete("ConfigMap", namespace, "a")

    def shown() -> bool:
        row = app.resource("ConfigMap", "a")
        assert row["status"] == "OutOfSync", app.brief()
        return row["health"]["status"] == "Progressing"

    eventually(shown, what="Pending deletion")
    assert "deletion" in app.resource("ConfigMap", "a")["health"]["message"].lower()
    target.patch(
        "ConfigMap", namespace, "a", [{"op": "remove", "path": "/metadata/finalizers"}], JSON_PATCH
    )

    def again() -> bool:
        return uid(target.must_get("ConfigMap", namespace, "a")) != before

    eventually(again, what="the ConfigMap again")
    app.wait_synced()


def test_an_immutable_field_fails_with_the_servers_sentence_and_force_replaces(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"web.yaml": text(deployment("web"), config_map("a", v="1"))})
    app = deploy()
    app.wait(sync="OutOfSync")
    app.sync()
    app.wait_synced()
    before = uid(target.must_get("Deployment", namespace, "web"))
    moved = deployment("web", selector={"app": "other"})
    commit = repo.commit({"web.yaml": text(moved, config_map("a", v="2"))})
    app.refresh()
    app.wait(sync="OutOfSync", revision=commit)
    app.sync(check=False)
    app.wait_operation("Failed")
    assert "field is immutable" in app.result("Deployment", "web")["message"]
    assert uid(target.must_get("Deployment", namespace, "web")) == before

    app.sync("--force")
    app.wait_operation("Succeeded")
    app.wait_synced(revision=commit)
    assert uid(target.must_get("Deployment", namespace, "web")) != before


def test_a_field_of_another_manager_is_taken_by_force_and_once(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    theirs = config_map("a", v="theirs", more="kept")
    theirs["metadata"]["namespace"] = namespace
    target.kubectl(
        *("apply", "--server-side", "--field-manager=other", "-f", "-"), stdin=text(theirs)
    )
    repo.commit({"a.yaml": text(config_map("a", v="git"))})
    app = deploy("--auto-sync")
    app.wait_synced()
    assert target.must_get("ConfigMap", namespace, "a")["data"] == {"v": "git", "more": "kept"}
