# SPDX-License-Identifier: Apache-2.0
"""Edit External Access: type in Git or not, Self-heal on or off, a sync after each; giving ports back."""

from __future__ import annotations

from typing import Any

import pytest
from harness.app import App
from harness.git import Repository
from harness.kube import Kube, KubeError
from harness.manifests import service, text
from harness.server import Server
from harness.wait import eventually

Object = dict[str, Any]


def manifest(type_in_git: str) -> str:
    made = service("web")
    if type_in_git:
        made["spec"]["type"] = type_in_git
    return text(made)


def put(server: Server, namespace: str, mode: str, **more: Any) -> Object:
    path = f"/taut/v1/devops/default/services/{server.cluster}/{namespace}/web/access"
    return server.home.request("PUT", path, {"mode": mode, **more})


def live(target: Kube, namespace: str) -> Object:
    return target.must_get("Service", namespace, "web")["spec"]


def row(server: Server, namespace: str) -> Object:
    rows = server.home.request("GET", "/taut/v1/devops/default/services")["items"]
    return next(r for r in rows if r["project"] == namespace)


@pytest.mark.parametrize("heal", [True, False], ids=["self-heal", "no-self-heal"])
@pytest.mark.parametrize("type_in_git", ["ClusterIP", ""], ids=["type-in-git", "no-type-in-git"])
def test_the_answer_says_what_undoes_the_change_and_that_happens(
    server: Server,
    target: Kube,
    repo: Repository,
    namespace: str,
    deploy: Any,
    heal: bool,
    type_in_git: str,
) -> None:
    repo.commit({"web.yaml": manifest(type_in_git)})
    app: App = deploy("--auto-sync", *(["--self-heal"] if heal else []))
    app.wait_synced()

    told = put(server, namespace, "NodePort")
    wanted = ("selfHeal" if heal else "nextSync") if type_in_git else ""
    assert told["undone"] == wanted and told["type"] == "NodePort"
    assert told["ports"][0]["nodePort"] > 0
    if type_in_git and heal:
        eventually(lambda: live(target, namespace)["type"] == "ClusterIP", what="it is undone")
        return
    if type_in_git:
        app.wait(sync="OutOfSync")
    assert live(target, namespace)["type"] == "NodePort"
    eventually(lambda: row(server, namespace)["type"] == "NodePort", what="the list's row")
    app.sync("--wait")
    assert live(target, namespace)["type"] == (type_in_git or "NodePort")
    app.wait_synced()


def test_what_is_kept_outlives_self_heal_and_a_sync(
    server: Server, target: Kube, repo: Repository, namespace: str, deploy: Any
) -> None:
    repo.commit({"web.yaml": manifest("ClusterIP")})
    app: App = deploy("--auto-sync", "--self-heal")
    app.wait_synced()
    told = put(server, namespace, "NodePort", keep=True)
    assert told["undone"] == "" and told["git"]["kept"]
    spec = app.read()["spec"]
    assert spec["ignoreDifferences"] == [
        {
            "kind": "Service",
            "namespace": namespace,
            "name": "web",
            "jsonPointers": ["/spec/type", "/spec/ports/0/nodePort"],
        }
    ]
    assert "RespectIgnoreDifferences=true" in spec["syncPolicy"]["syncOptions"]
    app.refresh()
    app.wait_synced()
    app.sync("--wait")
    assert live(target, namespace)["type"] == "NodePort"
    put(server, namespace, "LoadBalancer", keep=True)
    assert len(app.read()["spec"]["ignoreDifferences"]) == 1, "the rule is there already"


def test_none_gives_the_port_back(
    server: Server, target: Kube, repo: Repository, namespace: str, deploy: Any
) -> None:
    repo.commit({"web.yaml": manifest("")})
    app: App = deploy("--auto-sync")
    app.wait_synced()
    taken = put(server, namespace, "NodePort")["ports"][0]["nodePort"]
    assert live(target, namespace)["ports"][0]["nodePort"] == taken
    told = put(server, namespace, "None")
    assert told["type"] == "ClusterIP" and told["links"] == []
    assert not live(target, namespace)["ports"][0].get("nodePort")
    other = service("other")
    other["metadata"]["namespace"] = namespace
    other["spec"] |= {"type": "NodePort"}
    other["spec"]["ports"][0]["nodePort"] = taken
    target.create(other)


def test_a_load_balancer_waits_for_its_address(
    server: Server, target: Kube, repo: Repository, namespace: str, deploy: Any
) -> None:
    repo.commit({"web.yaml": manifest("")})
    app: App = deploy("--auto-sync")
    app.wait_synced()
    put(server, namespace, "LoadBalancer")
    eventually(lambda: row(server, namespace)["type"] == "LoadBalancer", what="the list's row")
    assert row(server, namespace)["balancers"] == []


def test_the_command_line_does_the_same_and_says_what_undoes_it(
    server: Server, target: Kube, repo: Repository, namespace: str, deploy: Any
) -> None:
    repo.commit({"web.yaml": manifest("ClusterIP")})
    app: App = deploy("--auto-sync")
    app.wait_synced()
    flags = ("--cluster", server.cluster, "--mode", "NodePort")
    done = server.run("service", "access", f"{namespace}/web", *flags)
    assert "the next sync undoes this" in done.out + done.err
    assert live(target, namespace)["type"] == "NodePort"
    done = server.run("service", "access", f"{namespace}/web", *flags, "--keep")
    assert "undoes" not in done.out + done.err
    app.sync("--wait")
    assert live(target, namespace)["type"] == "NodePort"


def test_what_no_deployment_brings_is_out_of_reach(
    server: Server, target: Kube, namespace: str
) -> None:
    made = service("web")
    made["metadata"]["namespace"] = namespace
    target.create(made)
    with pytest.raises(KubeError) as caught:
        put(server, namespace, "NodePort")
    assert caught.value.code == 404
    assert live(target, namespace).get("type", "ClusterIP") == "ClusterIP"
