# SPDX-License-Identifier: Apache-2.0
"""The whole path: from a Git repository to a running, watched deployment."""

from __future__ import annotations

from pathlib import Path

from conftest import Deploy
from harness.app import CONTROL_NAMESPACE, FINALIZER, App
from harness.git import HttpServer, Repository
from harness.kube import Kube, uid
from harness.manifests import application, config_map, deployment, service, text
from harness.server import Server
from harness.wait import eventually


def test_import_create_sync_healthy(
    repo: Repository, deploy: Deploy, server: Server, target: Kube, namespace: str
) -> None:
    commit = repo.commit({"web.yaml": text(deployment("web", replicas=2), service("web"))})
    app = deploy()
    app.wait(sync="OutOfSync")
    assert app.health == "Missing"
    assert target.get("Deployment", namespace, "web") is None, "manual sync must wait to be asked"

    app.sync()
    server.run("app", "wait", app.name, "--synced", "--healthy", "--timeout", "120s")

    app.wait_synced(revision=commit)
    live = target.must_get("Deployment", namespace, "web")
    assert live["status"]["availableReplicas"] == 2
    assert target.must_get("Service", namespace, "web")["spec"]["clusterIP"]
    assert app.operation["phase"] == "Succeeded"
    assert app.result("Deployment", "web")["message"] == "deployment.apps/web created"
    assert [h["revision"] for h in app.history] == [commit]
    annotations = app.read()["metadata"]["annotations"]
    assert "taut.dev/updated-at" in annotations


def test_a_new_deployment_is_progressing_until_it_was_compared(
    repo: Repository, git: HttpServer, home: Kube, server: Server, name: str, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a"))})
    made = home.create(application(name, git.url(repo), server.cluster, namespace))
    app = App(server, name, namespace)
    eventually(lambda: app.health, what="a health word")
    assert made["metadata"]["name"] == name
    app.wait(sync="OutOfSync", health="Missing")
    home.delete("Application", CONTROL_NAMESPACE, name)
    app.wait_gone()


def test_a_commit_is_deployed(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"web.yaml": text(deployment("web", image="registry.example/web:1"))})
    app = deploy("--auto-sync")
    app.wait_synced()
    second = repo.commit({"web.yaml": text(deployment("web", image="registry.example/web:2"))})
    app.refresh()
    app.wait_synced(revision=second)
    live = target.must_get("Deployment", namespace, "web")
    containers = live["spec"]["template"]["spec"]["containers"]
    assert containers[0]["image"] == "registry.example/web:2"
    assert len(app.history) == 2


def test_a_branch_and_a_path_are_followed(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"deploy/a.yaml": text(config_map("a", on="main"))})
    repo.branch("release")
    commit = repo.commit({"deploy/a.yaml": text(config_map("a", on="release"))})
    app = deploy("--revision", "release", "--auto-sync", path="deploy")
    app.wait_synced(revision=commit)
    assert target.must_get("ConfigMap", namespace, "a")["data"] == {"on": "release"}


def test_a_tag_and_a_full_commit_are_pinned(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    first = repo.commit({"a.yaml": text(config_map("a", at="first"))})
    repo.tag("v1.0.0")
    repo.commit({"a.yaml": text(config_map("a", at="second"))})
    app = deploy("--revision", "v1.0.0", "--auto-sync")
    app.wait_synced(revision=first)
    assert target.must_get("ConfigMap", namespace, "a")["data"] == {"at": "first"}
    app.server.run("app", "set", app.name, "--revision", first)
    app.refresh()
    app.wait_synced(revision=first)


def test_drift_is_healed(repo: Repository, deploy: Deploy, target: Kube, namespace: str) -> None:
    repo.commit({"web.yaml": text(deployment("web", replicas=2))})
    app = deploy("--auto-sync", "--self-heal")
    app.wait_synced()
    target.patch("Deployment", namespace, "web", {"spec": {"replicas": 5}})

    def healed() -> bool:
        return target.must_get("Deployment", namespace, "web")["spec"]["replicas"] == 2

    eventually(healed, what="two replicas again")
    app.wait_synced()


def test_a_deleted_object_is_made_again(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a"), config_map("b"))})
    app = deploy("--auto-sync", "--self-heal")
    app.wait_synced()
    target.delete("ConfigMap", namespace, "a")
    eventually(lambda: target.get("ConfigMap", namespace, "a"), what="the ConfigMap again")
    app.wait_synced()


def test_a_removed_manifest_is_pruned(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a")), "b.yaml": text(config_map("b"))})
    app = deploy("--auto-sync", "--prune")
    app.wait_synced()
    commit = repo.commit({"b.yaml": None})
    app.refresh()
    app.wait_synced(revision=commit)
    assert target.get("ConfigMap", namespace, "b") is None
    assert target.get("ConfigMap", namespace, "a") is not None
    assert app.result("ConfigMap", "b")["status"] == "Pruned"


def test_objects_of_nobody_are_never_pruned(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    bystander = config_map("bystander")
    bystander["metadata"]["namespace"] = namespace
    target.create(bystander)
    repo.commit({"a.yaml": text(config_map("a")), "b.yaml": text(config_map("b"))})
    app = deploy("--auto-sync", "--prune")
    app.wait_synced()
    commit = repo.commit({"b.yaml": None})
    app.refresh()
    app.wait_synced(revision=commit)
    assert target.get("ConfigMap", namespace, "bystander") is not None


def test_delete_takes_the_resources_along(
    repo: Repository, deploy: Deploy, server: Server, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a"), deployment("web"))})
    app = deploy("--auto-sync")
    app.wait_synced()
    assert FINALIZER in app.read()["metadata"]["finalizers"]
    server.run("app", "delete", app.name, "--cascade=true")
    app.wait_gone()
    assert target.get("ConfigMap", namespace, "a") is None
    assert target.get("Deployment", namespace, "web") is None


def test_delete_without_cascade_keeps_the_resources(
    repo: Repository, deploy: Deploy, server: Server, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a"), deployment("web"))})
    app = deploy("--auto-sync")
    app.wait_synced()
    before = uid(target.must_get("Deployment", namespace, "web"))
    server.run("app", "delete", app.name, "--cascade=false")
    app.wait_gone()
    assert uid(target.must_get("Deployment", namespace, "web")) == before
    assert target.get("ConfigMap", namespace, "a") is not None


def test_kubectl_applies_and_gets_applications(
    repo: Repository,
    git: HttpServer,
    server: Server,
    home: Kube,
    target: Kube,
    name: str,
    namespace: str,
    tmp_path: Path,
) -> None:
    repo.commit({"a.yaml": text(config_map("a"))})
    manifest = application(
        name,
        git.url(repo),
        server.cluster,
        namespace,
        syncPolicy={"automated": {"prune": True, "selfHeal": True}},
    )
    manifest["metadata"]["finalizers"] = [FINALIZER]
    file = tmp_path / "application.yaml"
    file.write_text(text(manifest))
    assert "created" in home.kubectl("apply", "-f", str(file))
    app = App(server, name, namespace)
    app.wait_synced()

    table = home.kubectl("get", "applications", "-n", CONTROL_NAMESPACE)
    assert table.splitlines()[0].split()[:3] == ["NAME", "SYNC", "STATUS"]
    row = next(line for line in table.splitlines() if line.startswith(name))
    assert row.split()[1:3] == ["Synced", "Healthy"]
    assert "unchanged" in home.kubectl("apply", "-f", str(file))

    home.kubectl("delete", "-f", str(file), "--wait=true", "--timeout=120s")
    assert target.get("ConfigMap", namespace, "a") is None


def test_the_command_line_tells_the_same(
    repo: Repository, deploy: Deploy, server: Server, target: Kube, namespace: str
) -> None:
    repo.commit({"web.yaml": text(deployment("web"), config_map("a"))})
    app = deploy()
    app.wait(sync="OutOfSync")
    assert server.run("app", "diff", app.name, check=False).code == 4

    app.sync()
    app.wait_synced()
    assert app.name in server.run("app", "list").out
    names = [
        item["metadata"]["name"] for item in server.run("app", "list", "-o", "json").json["items"]
    ]
    assert app.name in names
    shown = server.run("app", "get", app.name, "-o", "json").json
    assert shown["status"]["sync"]["status"] == "Synced"
    assert server.run("app", "diff", app.name).code == 0
    manifests = server.run("app", "manifests", app.name).out
    assert "kind: Deployment" in manifests and "kind: ConfigMap" in manifests
    assert app.status["sync"]["revision"][:7] in server.run("app", "history", app.name).out
    assert server.run("app", "get", "no-such-app", check=False).code == 3
    assert server.run("app", "wait", app.name, "--nonsense", check=False).code == 2


def test_three_kinds_of_workloads_become_healthy(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    stateful = deployment("db")
    stateful["kind"] = "StatefulSet"
    stateful["spec"]["serviceName"] = "db"
    daemon = deployment("agent")
    daemon["kind"] = "DaemonSet"
    del daemon["spec"]["replicas"]
    from harness.manifests import job

    repo.commit({"all.yaml": text(stateful, daemon, job("migrate"), deployment("web"))})
    app = deploy("--auto-sync")
    app.wait_synced(within=90)


def test_an_image_that_cannot_be_pulled_is_told(
    repo: Repository, deploy: Deploy, namespace: str
) -> None:
    broken = deployment("web", fail="image-pull")
    broken["spec"]["progressDeadlineSeconds"] = 3
    repo.commit({"web.yaml": text(broken)})
    app = deploy("--auto-sync")
    app.wait(sync="Synced", health="Degraded")
    assert app.resource("Deployment", "web")["health"]["status"] == "Degraded"
