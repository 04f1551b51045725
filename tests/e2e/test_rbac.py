# SPDX-License-Identifier: Apache-2.0
"""Rights: nobody grants what he does not hold, and reviews tell what he holds. The same sentences on
the embedded server and on a real kube-apiserver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cluster import ControlPlane
from harness.kube import Kube, KubeError, Object
from harness.people import Person
from harness.server import Server
from harness.wait import eventually

RBAC = "rbac.authorization.k8s.io"
REVIEWS = "/apis/authorization.k8s.io/v1"


@pytest.fixture
def admin(plane: ControlPlane | None, request: pytest.FixtureRequest) -> Kube:
    """The home; a real one is asked without a Taut beside it."""
    if plane is not None:
        return Kube(plane.kubeconfig_certificate)
    return request.getfixturevalue("home")


@pytest.fixture
def person(plane: ControlPlane | None, name: str, request: pytest.FixtureRequest) -> Kube:
    """Somebody with no right, called as the test."""
    if plane is None:
        return Person(request.getfixturevalue("server"), name).kube
    kube = Kube(plane.kubeconfig_certificate)
    kube.headers["Impersonate-User"] = name
    return kube


@pytest.fixture
def ns(admin: Kube, name: str) -> Iterator[str]:
    admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    admin.delete("Namespace", None, name)


def rule(groups: str, resources: str, verbs: str, **more: Any) -> Object:
    return {
        "apiGroups": groups.split(","),
        "resources": resources.split(","),
        "verbs": verbs.split(","),
        **more,
    }


def write(
    kube: Kube, kind: str, ns: str | None, name: str, body: Object, method: str = "POST"
) -> Any:
    place = f"/apis/{RBAC}/v1" + (f"/namespaces/{ns}" if ns else "")
    path = f"{place}/{kind.lower()}s" + ("" if method == "POST" else f"/{name}")
    obj = {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": {"name": name}, **body}
    return kube.request(method, path, obj)


def binding(kind: str, role: str, user: str) -> Object:
    return {
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
    }


def may(kube: Kube, ns: str, verb: str, group: str, resource: str) -> bool:
    asked = {"namespace": ns, "verb": verb, "group": group, "resource": resource}
    answer = kube.request(
        "POST",
        f"{REVIEWS}/selfsubjectaccessreviews",
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        },
    )
    return answer["status"]["allowed"]


def refused(code: int, act: Any) -> str:
    with pytest.raises(KubeError) as caught:
        act()
    assert caught.value.code == code, caught.value
    return str(caught.value)


@pytest.fixture
def manager(admin: Kube, person: Kube, ns: str, name: str) -> Iterator[Kube]:
    """May write roles and bindings of the namespace and read ConfigMaps; `wide` may read Secrets."""
    rules = [
        rule(RBAC, "roles,rolebindings", "create,update,patch,get,delete"),
        rule("", "configmaps", "get,list"),
    ]
    write(admin, "Role", ns, "manager", {"rules": rules})
    write(admin, "RoleBinding", ns, "manager", binding("Role", "manager", name))
    wide = f"wide-{name}"
    write(admin, "ClusterRole", None, wide, {"rules": [rule("", "secrets", "get,list")]})
    eventually(lambda: may(person, ns, "get", "", "configmaps"), within=60, what="the right")
    yield person
    admin.request("DELETE", f"/apis/{RBAC}/v1/clusterroles/{wide}")


def test_nobody_makes_a_role_with_more_than_he_holds(manager: Kube, ns: str, name: str) -> None:
    held = {"rules": [rule("", "configmaps", "get")]}
    made = write(manager, "Role", ns, "held", held)
    assert made["rules"] == held["rules"]

    more = {"rules": [rule("", "configmaps,secrets", "get,delete")]}
    told = refused(403, lambda: write(manager, "Role", ns, "more", more))
    assert told == (
        f'403: roles.{RBAC} "more" is forbidden: user "{name}" (groups=["system:authenticated"]) is '
        "attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["configmaps"], Verbs:["delete"]}\n'
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete"]}'
    )
    assert refused(403, lambda: write(manager, "Role", ns, "held", more, "PUT")).count(
        "not currently held"
    )
    patch = {"rules": [rule("*", "*", "*")]}
    path = f"/apis/{RBAC}/v1/namespaces/{ns}/roles/held"
    merge = "application/merge-patch+json"
    assert '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}' in refused(
        403, lambda: manager.request("PATCH", path, patch, merge)
    )
    labelled = manager.request("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, merge)
    assert labelled["rules"] == held["rules"]


def test_nobody_binds_a_role_with_more_than_he_holds(
    manager: Kube, admin: Kube, ns: str, name: str
) -> None:
    wide = f"wide-{name}"

    def bind() -> Any:
        return write(manager, "RoleBinding", ns, "b", binding("ClusterRole", wide, name))

    # a real server may not have heard of the new role yet
    told = eventually(lambda: refused(403, bind), what="the refusal")
    assert told.endswith('\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}')
    told = refused(
        404, lambda: write(manager, "RoleBinding", ns, "b", binding("ClusterRole", "nope", name))
    )
    assert told == f'404: rolebindings.{RBAC} "nope" not found'
    write(manager, "RoleBinding", ns, "again", binding("Role", "manager", "somebody"))

    right = rule(RBAC, "clusterroles", "bind", resourceNames=[wide])
    write(admin, "Role", ns, "binder", {"rules": [right]})
    write(admin, "RoleBinding", ns, "binder", binding("Role", "binder", name))

    def bound() -> bool:
        try:
            bind()
            return True
        except KubeError as error:
            assert error.code == 403, error
            return False

    eventually(bound, within=60, what="the binding that may be made")


def test_whoever_may_escalate_grants_anything(
    manager: Kube, admin: Kube, ns: str, name: str
) -> None:
    write(admin, "Role", ns, "escalator", {"rules": [rule(RBAC, "roles", "escalate")]})
    write(admin, "RoleBinding", ns, "escalator", binding("Role", "escalator", name))

    def granted() -> bool:
        try:
            write(manager, "Role", ns, "all", {"rules": [rule("*", "*", "*")]})
            return True
        except KubeError as error:
            assert error.code == 403, error
            return False

    eventually(granted, within=60, what="the role that may be made")


@pytest.mark.only("cluster")
def test_a_real_home_changes_no_right_in_our_name(
    server: Server, admin: Kube, ns: str, name: str
) -> None:
    """It sees Taut's own credential, which may grant anything."""
    person = Person(server, name).kube
    rules = [rule(RBAC, "roles", "create,get"), rule("", "configmaps", "get")]
    write(admin, "Role", ns, "manager", {"rules": rules})
    write(admin, "RoleBinding", ns, "manager", binding("Role", "manager", name))

    def told() -> str:
        return refused(403, lambda: write(person, "Role", ns, "all", {"rules": rules}))

    eventually(lambda: "credential of that cluster" in told(), within=60, what="the refusal")
    assert person.request("GET", f"/apis/{RBAC}/v1/namespaces/{ns}/roles/manager")["rules"] == rules


def test_a_person_is_told_what_he_holds(manager: Kube, ns: str) -> None:
    def review(kind: str, spec: Object) -> Any:
        obj = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
        return manager.request("POST", f"{REVIEWS}/{kind.lower()}s", obj)

    told = review("SelfSubjectRulesReview", {"namespace": ns})["status"]
    assert rule("", "configmaps", "get,list") in [
        {k: r.get(k) for k in ("apiGroups", "resources", "verbs")} for r in told["resourceRules"]
    ]
    assert not told["incomplete"]
    assert refused(400, lambda: review("SelfSubjectRulesReview", {})).endswith(
        "no namespace on request"
    )
    told = refused(422, lambda: review("SelfSubjectAccessReview", {}))
    assert "exactly one of nonResourceAttributes or resourceAttributes must be specified" in told
    assert not may(manager, ns, "get", "", "secrets")
    assert not may(manager, "default", "get", "", "configmaps")
