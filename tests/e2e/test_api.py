# SPDX-License-Identifier: Apache-2.0
"""The Kubernetes API that verdicts depend on: the same sentences hold for the embedded server and
for a real kube-apiserver, or one of the two suites fails."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cluster import ControlPlane
from harness.kube import APPLY, JSON_PATCH, Kube, KubeError, Object, uid
from harness.manifests import config_map, deployment, service, text, widget, widget_definition
from harness.wait import eventually

STRATEGIC = "application/strategic-merge-patch+json"


@pytest.fixture
def api(plane: ControlPlane | None, request: pytest.FixtureRequest) -> Kube:
    """The target; a real one is asked without a Taut beside it."""
    if plane is not None:
        return Kube(plane.kubeconfig_certificate)
    return request.getfixturevalue("target")


@pytest.fixture
def ns(api: Kube, name: str) -> Iterator[str]:
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    api.delete("Namespace", None, name)


def apply(
    api: Kube, ns: str, obj: Object, manager: str = "taut", *, force: bool = True, more: str = ""
) -> Object:
    path = api.path(obj["kind"], ns, obj["metadata"]["name"])
    query = f"?fieldManager={manager}&force={'true' if force else 'false'}{more}"
    return api.request("PATCH", path + query, obj, APPLY)


def owned(obj: Object, manager: str, operation: str = "Apply") -> Any:
    for entry in obj["metadata"]["managedFields"]:
        if entry["manager"] == manager and entry["operation"] == operation:
            return entry["fieldsV1"]
    return None


def refused(code: int, act: Any) -> str:
    with pytest.raises(KubeError) as caught:
        act()
    assert caught.value.code == code, caught.value
    return str(caught.value)


# -- server-side apply


def test_apply_makes_an_object_and_records_who_owns_what(api: Kube, ns: str) -> None:
    made = apply(api, ns, config_map("a", x="1", y="2"))
    assert owned(made, "taut") == {"f:data": {"f:x": {}, "f:y": {}}}
    assert "generation" not in made["metadata"], "a ConfigMap has none"


def test_a_field_that_left_the_applied_set_goes(api: Kube, ns: str) -> None:
    apply(api, ns, config_map("a", x="1", y="2"))
    changed = apply(api, ns, config_map("a", x="1"))
    assert changed["data"] == {"x": "1"}
    assert owned(changed, "taut") == {"f:data": {"f:x": {}}}


def test_a_field_that_another_manager_holds_stays_when_we_let_go(api: Kube, ns: str) -> None:
    apply(api, ns, config_map("a", x="1", y="2"))
    apply(api, ns, config_map("a", y="2"), "other")
    changed = apply(api, ns, config_map("a", x="1"))
    assert changed["data"] == {"x": "1", "y": "2"}


def test_a_conflict_is_refused_and_force_takes_over(api: Kube, ns: str) -> None:
    apply(api, ns, config_map("a", x="1"), "other")
    told = refused(409, lambda: apply(api, ns, config_map("a", x="2"), force=False))
    assert ".data.x" in told and "other" in told
    taken = apply(api, ns, config_map("a", x="2"))
    assert taken["data"] == {"x": "2"}
    assert owned(taken, "other") is None
    assert owned(taken, "taut") == {"f:data": {"f:x": {}}}


def test_the_same_apply_twice_changes_nothing(api: Kube, ns: str) -> None:
    first = apply(api, ns, deployment("web"))
    eventually(
        lambda: api.must_get("Deployment", ns, "web")["status"].get("availableReplicas") == 1,
        what="an available Deployment",
    )

    def unchanged() -> bool:
        """Its controllers may still write its status now and then."""
        before = api.must_get("Deployment", ns, "web")["metadata"]
        again = apply(api, ns, deployment("web"))["metadata"]
        assert (again["uid"], again["generation"]) == (uid(first), 1)
        return again["resourceVersion"] == before["resourceVersion"]

    eventually(unchanged, what="an apply that changes nothing")


def test_a_dry_run_tells_what_would_be_and_keeps_nothing(api: Kube, ns: str) -> None:
    apply(api, ns, config_map("a", x="1"))
    before = api.must_get("ConfigMap", ns, "a")
    would = apply(api, ns, config_map("a", x="2"), more="&dryRun=All")
    assert would["data"] == {"x": "2"}
    assert would["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert api.must_get("ConfigMap", ns, "a") == before
    apply(api, ns, config_map("b"), more="&dryRun=All")
    assert api.get("ConfigMap", ns, "b") is None


def test_defaults_are_filled_in(api: Kube, ns: str) -> None:
    made = apply(api, ns, deployment("web"))
    spec = made["spec"]
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
    }
    assert spec["revisionHistoryLimit"] == 10 and spec["progressDeadlineSeconds"] == 600
    pod = spec["template"]["spec"]
    assert pod["restartPolicy"] == "Always" and pod["dnsPolicy"] == "ClusterFirst"
    container = pod["containers"][0]
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["terminationMessagePath"] == "/dev/termination-log"
    made = apply(api, ns, service("web"))
    assert made["spec"]["type"] == "ClusterIP" and made["spec"]["sessionAffinity"] == "None"
    assert made["spec"]["ports"][0]["protocol"] == "TCP"
    assert made["spec"]["clusterIP"] in made["spec"]["clusterIPs"]


def test_containers_are_a_map_by_name_and_leave_one_by_one(api: Kube, ns: str) -> None:
    apply(api, ns, deployment("web", sidecar="logs"))
    changed = apply(api, ns, deployment("web"))
    names = [c["name"] for c in changed["spec"]["template"]["spec"]["containers"]]
    assert names == ["web"]
    assert changed["metadata"]["generation"] == 2


def test_ports_are_a_map_by_number_and_protocol(api: Kube, ns: str) -> None:
    made = service("web")
    made["spec"]["ports"] = [
        {"name": "http", "port": 80, "protocol": "TCP"},
        {"name": "dns", "port": 80, "protocol": "UDP"},
    ]
    apply(api, ns, made)
    made["spec"]["ports"] = [{"name": "dns", "port": 80, "protocol": "UDP"}]
    changed = apply(api, ns, made)
    assert [p["name"] for p in changed["spec"]["ports"]] == ["dns"]


def test_an_unknown_field_is_an_error_that_names_it(api: Kube, ns: str) -> None:
    bad = deployment("web")
    bad["spec"]["replicaz"] = 1
    with pytest.raises(KubeError) as caught:
        apply(api, ns, bad)
    assert caught.value.code in (400, 500)
    assert "replicaz" in str(caught.value) and "schema" in str(caught.value)


def test_a_wrong_type_is_an_error_that_names_it(api: Kube, ns: str) -> None:
    bad = deployment("web")
    bad["spec"]["replicas"] = "three"
    with pytest.raises(KubeError) as caught:
        apply(api, ns, bad)
    assert caught.value.code in (400, 500), caught.value
    assert "replicas" in str(caught.value)


def test_an_immutable_selector_is_refused(api: Kube, ns: str) -> None:
    apply(api, ns, deployment("web"))
    told = refused(422, lambda: apply(api, ns, deployment("web", selector={"app": "x"})))
    assert "spec.selector" in told and "immutable" in told


def test_updates_by_hand_are_owned_by_their_manager(api: Kube, ns: str) -> None:
    apply(api, ns, deployment("web", replicas=1))
    scaled = api.patch("Deployment", ns, "web", {"spec": {"replicas": 4}})
    assert owned(scaled, "somebody", "Update") == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in owned(scaled, "taut")["f:spec"]
    back = apply(api, ns, deployment("web", replicas=1))
    assert back["spec"]["replicas"] == 1
    assert owned(back, "somebody", "Update") is None


def test_managed_fields_can_be_rewritten_by_a_json_patch(api: Kube, ns: str) -> None:
    api.kubectl("apply", "-n", ns, "-f", "-", stdin=text(deployment("web", sidecar="logs")))

    def rewritten() -> Object:
        live = api.must_get("Deployment", ns, "web")
        entries = live["metadata"]["managedFields"]
        for entry in entries:
            if entry["manager"] == "kubectl-client-side-apply":
                entry["manager"], entry["operation"] = "taut", "Apply"
        version = live["metadata"]["resourceVersion"]
        patch = [
            {"op": "replace", "path": "/metadata/managedFields", "value": entries},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
        ]
        try:
            return api.patch("Deployment", ns, "web", patch, JSON_PATCH)
        except KubeError as error:
            assert error.code != 409, "a controller was faster"
            raise

    eventually(rewritten, what="the rewritten managedFields")
    changed = apply(api, ns, deployment("web"))
    names = [c["name"] for c in changed["spec"]["template"]["spec"]["containers"]]
    assert names == ["web"]


# -- other verbs


def test_patches_of_each_kind(api: Kube, ns: str) -> None:
    apply(api, ns, deployment("web"))
    api.patch("Deployment", ns, "web", {"metadata": {"labels": {"a": "1"}}})
    more = {"spec": {"template": {"spec": {"containers": [{"name": "two", "image": "i"}]}}}}
    both = api.patch("Deployment", ns, "web", more, STRATEGIC)
    names = [c["name"] for c in both["spec"]["template"]["spec"]["containers"]]
    assert sorted(names) == ["two", "web"]
    test = [{"op": "test", "path": "/metadata/labels/a", "value": "2"}]
    refused(422, lambda: api.patch("Deployment", ns, "web", test, JSON_PATCH))
    remove = [{"op": "remove", "path": "/metadata/labels/a"}]
    gone = api.patch("Deployment", ns, "web", remove, JSON_PATCH)
    assert "a" not in gone["metadata"].get("labels", {})


def test_a_stale_update_is_a_conflict(api: Kube, ns: str) -> None:
    first = apply(api, ns, config_map("a", x="1"))
    api.patch("ConfigMap", ns, "a", {"data": {"x": "2"}})
    first["data"] = {"x": "3"}
    told = refused(409, lambda: api.request("PUT", api.path("ConfigMap", ns, "a"), first))
    assert "the object has been modified" in told


def test_a_delete_carries_preconditions(api: Kube, ns: str) -> None:
    made = apply(api, ns, config_map("a"))
    path = api.path("ConfigMap", ns, "a")
    wrong = {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}
    refused(409, lambda: api.request("DELETE", path, wrong))
    assert api.get("ConfigMap", ns, "a") is not None
    api.request("DELETE", path, {"preconditions": {"uid": uid(made)}})
    assert api.get("ConfigMap", ns, "a") is None
    refused(404, lambda: api.request("DELETE", path))


def test_a_finalizer_holds_an_object(api: Kube, ns: str) -> None:
    made = config_map("a")
    made["metadata"]["finalizers"] = ["tests.taut.dev/hold"]
    apply(api, ns, made)
    api.delete("ConfigMap", ns, "a")
    held = api.must_get("ConfigMap", ns, "a")
    assert "deletionTimestamp" in held["metadata"]
    api.patch("ConfigMap", ns, "a", {"metadata": {"finalizers": None}})
    assert api.get("ConfigMap", ns, "a") is None


@pytest.mark.parametrize("policy", ["Foreground", "Background", "Orphan"])
def test_dependents_follow_the_propagation_policy(api: Kube, ns: str, policy: str) -> None:
    apply(api, ns, deployment("web"))
    eventually(lambda: api.list("Pod", ns), what="a Pod")
    api.request("DELETE", api.path("Deployment", ns, "web"), {"propagationPolicy": policy})
    eventually(lambda: api.get("Deployment", ns, "web") is None, what="the owner's end")
    if policy == "Orphan":
        (kept,) = api.list("ReplicaSet", ns)
        assert not kept["metadata"].get("ownerReferences")
    else:
        eventually(lambda: not api.list("ReplicaSet", ns), what="the dependents' end")
        eventually(lambda: not api.list("Pod", ns), what="the Pods' end")


def test_an_invalid_name_and_a_missing_namespace(api: Kube, ns: str) -> None:
    bad = config_map("Not_A_Name")
    bad["metadata"]["namespace"] = ns
    assert "metadata.name" in refused(422, lambda: api.create(bad))
    told = refused(404, lambda: apply(api, "no-such-namespace", config_map("a")))
    assert 'namespaces "no-such-namespace" not found' in told


def test_lists_are_selected_and_paged(api: Kube, ns: str) -> None:
    for n in range(5):
        made = config_map(f"cm-{n}")
        made["metadata"]["labels"] = {"odd": str(n % 2), "tests.taut.dev/mine": "yes"}
        apply(api, ns, made)
    assert len(api.list("ConfigMap", ns, "odd=1,tests.taut.dev/mine")) == 2
    assert len(api.list("ConfigMap", ns, "odd!=1,tests.taut.dev/mine")) == 3
    assert len(api.list("ConfigMap", ns, "odd in (0,1),!none")) == 5
    path = api.path("ConfigMap", ns) + "?labelSelector=tests.taut.dev/mine&limit=2"
    seen, more = [], ""
    while True:
        page = api.request("GET", path + (f"&continue={more}" if more else ""))
        seen += [item["metadata"]["name"] for item in page["items"]]
        more = page["metadata"].get("continue", "")
        if not more:
            break
    assert seen == [f"cm-{n}" for n in range(5)]
    field = api.path("ConfigMap", ns) + "?fieldSelector=metadata.name%3Dcm-3"
    assert [i["metadata"]["name"] for i in api.request("GET", field)["items"]] == ["cm-3"]


def _watch(api: Kube, path: str, count: int) -> list[tuple[str, str]]:
    """The first events of a watch as (type, name)."""
    connection = http.client.HTTPSConnection(
        str(api.server.hostname), api.server.port, context=api.tls, timeout=60
    )
    headers = {"Authorization": f"Bearer {api.token}"} if api.token else {}
    connection.request("GET", api.server.path.rstrip("/") + path, headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    events = []
    while len(events) < count:
        event = json.loads(answer.readline())
        metadata = event["object"].get("metadata", {})
        events.append((event["type"], metadata.get("name", "")))
    connection.close()
    return events


def test_a_watch_tells_what_a_selector_gains_and_loses(api: Kube, ns: str) -> None:
    start = api.request("GET", api.path("ConfigMap", ns))["metadata"]["resourceVersion"]
    made = config_map("a")
    made["metadata"]["labels"] = {"mine": "yes"}
    apply(api, ns, made)
    apply(api, ns, config_map("other"))
    api.patch("ConfigMap", ns, "a", {"data": {"more": "1"}})
    api.patch("ConfigMap", ns, "a", {"metadata": {"labels": {"mine": None}}})
    api.patch("ConfigMap", ns, "a", {"metadata": {"labels": {"mine": "again"}}})
    api.delete("ConfigMap", ns, "a")
    path = api.path("ConfigMap", ns) + f"?watch=1&labelSelector=mine&resourceVersion={start}"
    assert _watch(api, path, 5) == [
        ("ADDED", "a"),
        ("MODIFIED", "a"),
        ("DELETED", "a"),
        ("ADDED", "a"),
        ("DELETED", "a"),
    ]


# -- custom kinds


def test_a_custom_kind_is_served_validated_and_defaulted(api: Kube, ns: str) -> None:
    definition = "widgets.tests.taut.dev"
    api.delete("CustomResourceDefinition", None, definition)
    eventually(lambda: api.get("CustomResourceDefinition", None, definition) is None)
    api.create(widget_definition())

    def established() -> bool:
        live = api.must_get("CustomResourceDefinition", None, definition)
        said = live.get("status", {}).get("conditions") or []  # null until the server looked at it
        return any(c["type"] == "Established" and c["status"] == "True" for c in said)

    eventually(established, what="Established")
    made = eventually(lambda: apply(api, ns, widget("w", 3)), what="the kind")
    assert made["spec"] == {"size": 3, "colour": "blue"}
    assert made["metadata"]["generation"] == 1
    bad = widget("bad", 1)
    bad["spec"]["size"] = "big"
    with pytest.raises(KubeError) as caught:
        apply(api, ns, bad)
    assert "size" in str(caught.value)
    eventually(
        lambda: (
            "widget.tests.taut.dev/w"
            in api.kubectl("get", "widgets", "-n", ns, "-o", "name", check=False)
        ),
        what="the kind in discovery",
    )
    api.delete("CustomResourceDefinition", None, definition)

    def is_gone() -> bool:
        try:
            api.list("Widget", ns)
        except KubeError as error:
            return error.code == 404
        return False

    eventually(is_gone, what="the end of the kind")


def test_a_namespace_takes_all_that_is_in_it_along(api: Kube, name: str) -> None:
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    apply(api, name, config_map("a"))
    apply(api, name, deployment("web"))
    api.delete("Namespace", None, name)
    eventually(
        lambda: api.get("Namespace", None, name) is None, within=120, what="the namespace's end"
    )
    assert api.list("Deployment", name) == []
    told = refused(404, lambda: apply(api, name, config_map("a")))
    assert "not found" in told


def test_discovery_names_kinds_and_verbs(api: Kube) -> None:
    assert "v1" in api.request("GET", "/api")["versions"]
    groups = {g["name"] for g in api.request("GET", "/apis")["groups"]}
    assert {"apps", "batch", "rbac.authorization.k8s.io", "apiextensions.k8s.io"} <= groups
    rows = {r["name"]: r for r in api.request("GET", "/apis/apps/v1")["resources"]}
    assert rows["deployments"]["namespaced"] is True and rows["deployments"]["shortNames"]
    assert "patch" in rows["deployments"]["verbs"]
    assert api.request("GET", "/version")["major"] == "1"
