# SPDX-License-Identifier: Apache-2.0
"""What the page of one deployment asks of the server: tree, one resource, diff, events, logs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness.app import App
from harness.git import Repository
from harness.kube import Kube, KubeError
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

    def leads() -> bool:
        tree = nodes(home, app)
        managed = tree[f"apps/Deployment/{namespace}/web"]
        assert managed["managed"] and managed["status"] == "Synced" and managed["created"]
        assert managed["info"].count("/") == 1 and managed["images"]
        below = tree[f"/Pod/{namespace}/{pod}"]
        above = tree[below["parent"]]
        assert above["kind"] == "ReplicaSet" and above["parent"] == managed["id"]
        return tree[f"/ConfigMap/{namespace}/settings"]["managed"]

    eventually(leads, what="the way from the deployment to its Pod")


def key(kind: str, namespace: str, name: str, group: str = "") -> str:
    return f"{group}:{kind}:{namespace}:{name}"


def test_one_resource_is_shown_live_and_as_git_wants_it(
    home: Kube, web: tuple[App, str], namespace: str
) -> None:
    app, pod = web
    path = f"{base(app)}/resources/{key('ConfigMap', namespace, 'settings')}"
    views = home.request("GET", path)
    assert views["managed"] and views["live"]["data"] == {"color": "blue"}
    assert views["desired"]["data"] == {"color": "blue"} and views["live"]["metadata"]["uid"]
    below = home.request("GET", f"{base(app)}/resources/{key('Pod', namespace, pod)}")
    assert not below["managed"] and "desired" not in below and below["live"]["spec"]


def test_what_is_not_the_deployments_is_out_of_reach(
    home: Kube, target: Kube, web: tuple[App, str], namespace: str
) -> None:
    app, _ = web
    target.create(
        {**config_map("foreign", a="1"), "metadata": {"name": "foreign", "namespace": namespace}}
    )
    for wrong in (key("ConfigMap", namespace, "foreign"), key("Secret", "kube-system", "x"), "odd"):
        with pytest.raises(KubeError) as caught:
            home.request("GET", f"{base(app)}/resources/{wrong}")
        assert caught.value.code == 404, wrong


def test_a_live_resource_is_edited_at_the_version_that_was_read(
    home: Kube, web: tuple[App, str], namespace: str
) -> None:
    app, _ = web
    path = f"{base(app)}/resources/{key('ConfigMap', namespace, 'settings')}"
    live = home.request("GET", path)["live"]
    live["data"]["color"] = "green"
    stale = json.loads(json.dumps(live))
    assert home.request("PUT", path, live)["live"]["data"]["color"] == "green"
    stale["data"]["color"] = "red"
    for wrong, code in (
        (stale, 409),
        ({**live, "kind": "Secret"}, 422),
        ({**live, "metadata": {**live["metadata"], "name": "other"}}, 422),
        ({**live, "metadata": {**live["metadata"], "resourceVersion": ""}}, 422),
    ):
        with pytest.raises(KubeError) as caught:
            home.request("PUT", path, wrong)
        assert caught.value.code == code, caught.value


def test_values_of_a_secret_are_masked_and_it_is_not_edited(
    home: Kube, repo: Repository, namespace: str, deploy: Any
) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "pass"},
        "stringData": {"word": "hunter2-plain"},
    }
    repo.commit({"s.yaml": text(secret)})
    app = deploy("--auto-sync")
    app.wait_synced()
    path = f"{base(app)}/resources/{key('Secret', namespace, 'pass')}"
    views = home.request("GET", path)
    told = json.dumps(views)
    assert "hunter2" not in told and "aHVudGVy" not in told
    assert views["live"]["data"]["word"] == "••• (same)"
    with pytest.raises(KubeError) as caught:
        home.request("PUT", path, views["live"])
    assert caught.value.code == 422 and "Secret" in str(caught.value)


def test_events_of_taut_and_of_kubernetes_are_one_list(
    home: Kube, target: Kube, web: tuple[App, str], namespace: str
) -> None:
    app, pod = web
    about = target.must_get("Pod", namespace, pod)
    target.request(
        "POST",
        f"/api/v1/namespaces/{namespace}/events",
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "told", "namespace": namespace},
            "involvedObject": {
                "kind": "Pod",
                "namespace": namespace,
                "name": pod,
                "uid": about["metadata"]["uid"],
            },
            "type": "Warning",
            "reason": "FromTheTest",
            "message": "told by a test",
            "count": 3,
            "lastTimestamp": "2030-01-01T00:00:00Z",
            "firstTimestamp": "2029-01-01T00:00:00Z",
        },
    )

    def told() -> bool:
        events = home.request("GET", base(app) + "/events")["items"]
        assert events[0]["reason"] == "FromTheTest" and events[0]["count"] == 3, events[:3]
        return any(e["source"] == "taut" and e["reason"] == "SyncSucceeded" for e in events)

    eventually(told, what="both events")
    one = home.request("GET", f"{base(app)}/resources/{key('Pod', namespace, pod)}/events")["items"]
    assert {(e["kind"], e["name"]) for e in one} == {("Pod", pod)}


def log_of(home: Kube, app: App, namespace: str, pod: str, query: str = "") -> list[Object]:
    answer = home.request("GET", f"{base(app)}/resources/{key('Pod', namespace, pod)}/logs{query}")
    return [json.loads(line) for line in answer.splitlines()]


@pytest.mark.only("embedded")
def test_a_log_begins_with_its_limits_and_goes_on_where_it_was_read(
    home: Kube, web: tuple[App, str], namespace: str
) -> None:
    app, pod = web

    def some() -> list[Object]:
        lines = log_of(home, app, namespace, pod)
        assert len(lines) > 2
        return lines

    head, first, *rest = eventually(some, what="lines of the log")
    assert head["pod"] == pod and head["container"] in head["containers"]
    assert head["limits"]["lines"] == 50000 and head["limits"]["tail"] == 500
    assert "simulated" in first["text"] and rest
    assert len(log_of(home, app, namespace, pod, "?tail=1")) == 2
    after = rest[-1]["time"]
    more = log_of(home, app, namespace, pod, f"?after={after}")
    assert all(line["time"] > after for line in more[1:])
    for wrong in ("?container=none", "?after=x%26follow"):
        with pytest.raises(KubeError):
            log_of(home, app, namespace, pod, wrong)


def test_only_a_pod_has_a_log_and_the_clusters_refusal_is_told(
    home: Kube, web: tuple[App, str], namespace: str, environment: str
) -> None:
    app, pod = web
    with pytest.raises(KubeError) as caught:
        home.request("GET", f"{base(app)}/resources/{key('ConfigMap', namespace, 'settings')}/logs")
    assert caught.value.code == 422 and "Pods" in str(caught.value)
    if environment == "cluster":  # no kubelet answers there
        with pytest.raises(KubeError) as caught:
            log_of(home, app, namespace, pod)
        assert "reading the log" in str(caught.value)
