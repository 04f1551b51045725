# SPDX-License-Identifier: Apache-2.0
"""People: users, sessions, members, and how fast a right that ended is felt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from cluster import ControlPlane
from harness.kube import KubeError
from harness.people import Browser, Open, Person
from harness.server import Server
from harness.wait import eventually

APPS = "/apis/argoproj.io/v1alpha1/namespaces/{}/applications"


@pytest.fixture
def devops(server: Server, name: str) -> Iterator[str]:
    server.run("devops", "create", name)
    yield name
    if server.process is not None and server.process.is_running():
        server.run("devops", "delete", name, check=False)


def allowed(person: Person, path: str) -> bool:
    try:
        person.kube.request("GET", path)
        return True
    except KubeError as error:
        assert error.code in (401, 403), error
        return False


def remove(person: Person, devops: str) -> None:
    person.unbind(devops)


def disable(person: Person, _devops: str) -> None:
    person.patch({"disabled": "dHJ1ZQ=="})


def revoke(person: Person, _devops: str) -> None:
    person.patch({"token.test": None})


@pytest.mark.parametrize("how", [remove, disable, revoke])
def test_an_open_watch_ends_with_the_right_that_it_stands_on(
    server: Server, devops: str, how: Callable[[Person, str], None]
) -> None:
    person = Person(server, devops)
    path = APPS.format(devops)
    assert not allowed(person, path)
    person.bind(devops, "taut:viewer")
    eventually(lambda: allowed(person, path), within=30, what="the right that was given")
    server.home.create(application(devops, "shown", devops, server.cluster, devops + "-x"))
    watch = Open(person.kube, path + "?watch=1&timeoutSeconds=600")
    assert watch.first()["object"]["metadata"]["name"] == "shown"
    how(person, devops)
    assert watch.ended()
    eventually(lambda: not allowed(person, path), within=30, what="the refusal")
    server.home.request("DELETE", f"{path}/shown")


# ---- users ----


@pytest.fixture
def user(server: Server, name: str) -> Iterator[str]:
    """A user whose password is `first-password`."""
    body = {"name": name, "role": "platform-regular", "password": "first-password"}
    server.home.request("POST", "/taut/v1/users", body)
    yield name
    if server.process is not None and server.process.is_running():
        try:
            server.home.request("DELETE", f"/taut/v1/users/{name}")
        except KubeError as error:
            assert error.code == 404, error


def test_a_user_is_made_edited_disabled_and_deleted(server: Server, user: str) -> None:
    home = server.home
    at = f"/taut/v1/users/{user}"
    made = home.request("GET", at)
    assert made["role"] == "platform-regular" and not made["disabled"], made
    assert made["sessions"] == 0 and made["memberships"] == [], made
    secret = home.must_get("Secret", "taut-system", f"user-{user}")
    assert "first-password" not in str(secret) and "passwordHash" in secret["data"]

    browser = Browser(server, user, "first-password")
    assert browser.status == 200
    assert browser.refusal("GET", "/taut/v1/users").startswith("403 ")
    assert "list users" in browser.refusal("GET", "/taut/v1/users")

    edited = home.request("PATCH", at, {"role": "platform-admin", "language": "zh-CN"})
    assert edited["role"] == "platform-admin" and edited["language"] == "zh-CN", edited
    names = [row["name"] for row in browser.ask("GET", "/taut/v1/users")["items"]]
    assert user in names and "admin" in names and names == sorted(names)
    assert home.request("PATCH", at, {"role": "platform-self-provisioner"})["language"] == "zh-CN"
    assert browser.status_of("GET", "/taut/v1/users") == 403

    assert home.request("PATCH", at, {"disabled": True})["disabled"]
    assert browser.status_of("GET", "/taut/v1/me") == 401
    assert Browser(server, user, "first-password").status == 401
    home.request("PATCH", at, {"disabled": False})
    assert browser.status_of("GET", "/taut/v1/me") == 401
    assert Browser(server, user, "first-password").status == 200

    home.request("DELETE", at)
    assert home.get("Secret", "taut-system", f"user-{user}") is None
    for role in ("platform-regular", "platform-self-provisioner", "platform-admin"):
        path = f"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{role}"
        assert f"'{user}'" not in str(home.request("GET", path).get("subjects"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "Not A Name"}, "cannot name a user"),
        ({"role": "king"}, "platform-admin"),
        ({"language": "tlh"}, "zh-CN"),
        ({"password": "short"}, "at least 8 characters"),
        ({"password": "long\u0007enough"}, "control characters"),
        ({"password": "x" * 2000}, "at most"),
        ({"name": "admin"}, "exists already"),
    ],
)
def test_a_wrong_user_is_refused_in_one_sentence(
    server: Server, name: str, change: dict[str, str], words: str
) -> None:
    body = {"name": name, "role": "platform-regular", "password": "good-enough", **change}
    with pytest.raises(KubeError) as caught:
        server.home.request("POST", "/taut/v1/users", body)
    assert words in str(caught.value) and caught.value.code in (409, 422)


def test_the_last_platform_admin_cannot_be_locked_out(server: Server) -> None:
    for change in ({"disabled": True}, {"role": "platform-regular"}):
        with pytest.raises(KubeError, match="last platform admin"):
            server.home.request("PATCH", "/taut/v1/users/admin", change)
    with pytest.raises(KubeError, match="would come back"):
        server.home.request("DELETE", "/taut/v1/users/admin")


def test_a_new_password_ends_the_other_sessions(server: Server, user: str) -> None:
    own = Browser(server, user, "first-password")
    other = Browser(server, user, "first-password")
    change = {"current": "wrong-password", "password": "second-password"}
    assert "present password is wrong" in own.refusal("PUT", "/taut/v1/me/password", change)
    change["current"] = "first-password"
    own.ask("PUT", "/taut/v1/me/password", change)
    assert own.status_of("GET", "/taut/v1/me") == 200
    assert other.status_of("GET", "/taut/v1/me") == 401
    assert Browser(server, user, "first-password").status == 401

    path = f"/taut/v1/users/{user}/password"
    server.home.request("PUT", path, {"password": "third-password"})
    assert own.status_of("GET", "/taut/v1/me") == 401
    assert Browser(server, user, "third-password").status == 200


def test_logging_out_everywhere_ends_every_session(server: Server, user: str) -> None:
    browsers = [Browser(server, user, "first-password") for _ in range(3)]
    browsers[0].ask("DELETE", "/taut/v1/me/sessions")
    assert [b.status_of("GET", "/taut/v1/me") for b in browsers] == [401, 401, 401]


def test_a_session_survives_a_restart(server: Server, user: str) -> None:
    browser = Browser(server, user, "first-password")
    server.restart()
    assert browser.ask("GET", "/taut/v1/me")["name"] == user


def test_an_api_token_is_shown_once_and_can_be_revoked(server: Server, user: str) -> None:
    browser = Browser(server, user, "first-password")
    made = browser.ask("POST", "/taut/v1/me/tokens", {"name": "ci", "expiresInDays": 30})
    assert made["expires"] > made["created"]
    assert "already" in browser.refusal("POST", "/taut/v1/me/tokens", {"name": "ci"})
    listed = browser.ask("GET", "/taut/v1/me/tokens")
    assert [row["name"] for row in listed["items"]] == ["ci"] and made["token"] not in str(listed)
    secret = server.home.must_get("Secret", "taut-system", f"user-{user}")
    assert made["token"] not in str(secret)

    bearer = Browser(server, user, "wrong-password")
    assert bearer.status == 401
    kube = server.home
    kube.token = made["token"]
    assert kube.request("GET", "/taut/v1/me")["name"] == user
    assert kube.request("GET", "/apis")["kind"] == "APIGroupList"
    browser.ask("DELETE", "/taut/v1/me/tokens/ci")
    with pytest.raises(KubeError) as caught:
        kube.request("GET", "/taut/v1/me")
    assert caught.value.code == 401
    assert browser.status_of("DELETE", "/taut/v1/me/tokens/ci") == 404


# ---- members ----


def test_members_are_invited_changed_and_removed(server: Server, devops: str, user: str) -> None:
    at = f"/taut/v1/devops/{devops}/members"
    apps = APPS.format(devops)
    browser = Browser(server, user, "first-password")
    assert browser.ask("GET", "/taut/v1/bootstrap")["devops"] == []
    assert browser.status_of("GET", apps) == 403

    candidates = server.home.request("GET", f"{at}/candidates?search={user}")["items"]
    assert candidates == [{"name": user}]
    server.home.request("POST", at, {"name": user, "role": "viewer"})
    assert server.home.request("GET", f"{at}/candidates?search={user}")["items"] == []
    with pytest.raises(KubeError, match="member of this DevOps Project already"):
        server.home.request("POST", at, {"name": user, "role": "viewer"})
    with pytest.raises(KubeError, match="there is no user"):
        server.home.request("POST", at, {"name": "nobody-of-that-name", "role": "viewer"})
    with pytest.raises(KubeError, match="viewer, operator and admin"):
        server.home.request("PUT", f"{at}/{user}", {"role": "king"})

    boot = browser.ask("GET", "/taut/v1/bootstrap")
    rights = boot["rightSets"][boot["devops"][0]["rights"]]
    assert "get applications" in rights and "sync applications" not in rights
    assert "list members" in rights and "create members" not in rights
    assert browser.status_of("GET", apps) == 200
    assert "create members" in browser.refusal("POST", at, {"name": "admin", "role": "viewer"})

    assert server.home.request("PUT", f"{at}/{user}", {"role": "admin"})["role"] == "admin"
    assert [row["role"] for row in browser.ask("GET", at)["items"]] == ["admin"]
    boot = browser.ask("GET", "/taut/v1/bootstrap")
    assert "sync applications" in boot["rightSets"][boot["devops"][0]["rights"]]
    assert browser.ask("GET", "/taut/v1/me")["memberships"] == [{"devops": devops, "role": "admin"}]

    server.home.request("DELETE", f"{at}/{user}")
    assert browser.status_of("GET", apps) == 403
    with pytest.raises(KubeError, match="no member"):
        server.home.request("DELETE", f"{at}/{user}")


def test_a_deleted_user_leaves_no_membership_for_the_next_of_that_name(
    server: Server, devops: str, user: str
) -> None:
    server.home.request(
        "POST", f"/taut/v1/devops/{devops}/members", {"name": user, "role": "admin"}
    )
    server.home.request("DELETE", f"/taut/v1/users/{user}")
    body = {"name": user, "role": "platform-regular", "password": "first-password"}
    made = server.home.request("POST", "/taut/v1/users", body)
    assert made["memberships"] == []


# ---- DevOps Projects ----


def test_a_self_provisioner_becomes_admin_of_what_he_makes(
    server: Server, user: str, name: str
) -> None:
    browser = Browser(server, user, "first-password")
    project = f"own-{name}"
    body = {"name": project, "locations": ["sandbox/*"], "repos": ["*"]}
    assert "create devopsprojects" in browser.refusal("POST", "/taut/v1/devops", body)
    server.home.request("PATCH", f"/taut/v1/users/{user}", {"role": "platform-self-provisioner"})
    none = {**body, "locations": []}
    assert "at least one deployment location" in browser.refusal("POST", "/taut/v1/devops", none)
    made = browser.ask("POST", "/taut/v1/devops", body)
    assert made["clusterResources"] is False and made["locations"] == ["sandbox/*"], made
    at = f"/taut/v1/devops/{project}"
    edited = browser.ask(
        "PATCH", at, {"alias": "Own", "repos": [], "clusterResources": True, "description": "d"}
    )
    assert edited["alias"] == "Own" and edited["repos"] == [] and edited["clusterResources"], edited
    assert edited["locations"] == ["sandbox/*"], edited
    assert "alias" not in browser.ask("PATCH", at, {"alias": ""})
    assert browser.ask("GET", f"{at}/members")["items"][0]["role"] == "admin"
    assert browser.status_of("GET", "/taut/v1/devops/default") == 403
    browser.ask("DELETE", at)
    assert browser.status_of("GET", at) in (403, 404)


# ---- the command line ----


def test_the_command_line_does_what_the_pages_do(server: Server, devops: str, user: str) -> None:
    server.run("devops", "member", "add", devops, user)
    server.run("devops", "member", "add", devops, user, "--role", "admin")
    members = server.run("devops", "member", "list", devops, "-o", "json").json["items"]
    assert [(m["name"], m["role"]) for m in members] == [(user, "admin")]
    assert f"{devops}=admin" in server.run("user", "list").out
    server.run("user", "set", user, "--role", "platform-self-provisioner", "--language", "zh-CN")
    got = server.run("user", "get", user, "-o", "json").json
    assert got["role"] == "platform-self-provisioner" and got["language"] == "zh-CN"
    assert server.run("user", "set", user, check=False).code == 2

    made = server.run("user", "token", "create", "ci", "--user", user, "--days", "7", "-o", "json")
    assert "ci" in server.run("user", "token", "list", "--user", user).out
    kube = server.home
    kube.token = made.json["token"]
    assert kube.request("GET", "/taut/v1/me")["name"] == user
    server.run("user", "token", "revoke", "ci", "--user", user)
    assert server.run("user", "token", "revoke", "ci", "--user", user, check=False).code == 3

    server.run("devops", "set", devops, "--alias", "The team", "--location", "sandbox/team-*")
    row = server.run("devops", "get", devops, "-o", "json").json
    assert row["alias"] == "The team" and row["locations"] == ["sandbox/team-*"], row
    server.run("devops", "member", "remove", devops, user)
    assert server.run("devops", "member", "remove", devops, user, check=False).code == 3
    assert (
        "last platform admin" in server.run("user", "set", "admin", "--disabled", check=False).err
    )


# ---- the tenant's boundary ----


def application(devops: str, name: str, project: str, cluster: str, namespace: str) -> dict:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": devops},
        "spec": {
            "project": project,
            "destination": {"name": cluster, "namespace": namespace},
            "source": {"repoURL": "https://git.example.org/a.git", "path": "."},
        },
    }


@pytest.mark.only("embedded")
def test_nobody_but_a_platform_admin_gives_a_deployment_another_project(
    server: Server, devops: str
) -> None:
    person = Person(server, devops)
    person.bind(devops, "taut:operator")
    path = APPS.format(devops)
    eventually(lambda: allowed(person, path), within=30, what="the right that was given")
    with pytest.raises(KubeError, match="are of project"):
        person.kube.create(application(devops, "one", "default", "sandbox", "x"))
    person.kube.create(application(devops, "one", devops, "sandbox", "x"))
    for kind, body in (
        ("application/merge-patch+json", {"spec": {"project": "default"}}),
        ("application/json-patch+json", [{"op": "replace", "path": "/spec/project", "value": "x"}]),
        ("application/apply-patch+yaml", application(devops, "one", "default", "sandbox", "x")),
    ):
        query = "?fieldManager=t&force=true" if "apply" in kind else ""
        with pytest.raises(KubeError, match="only a platform admin") as caught:
            person.kube.request("PATCH", f"{path}/one{query}", body, kind)
        assert caught.value.code == 403
    person.kube.request(
        "PATCH", f"{path}/one", {"spec": {"source": {"path": "b"}}}, "application/merge-patch+json"
    )
    server.home.patch("Application", devops, "one", {"spec": {"project": "default"}})
    person.kube.request(
        "PATCH", f"{path}/one", {"spec": {"source": {"path": "c"}}}, "application/merge-patch+json"
    )
    server.home.request("DELETE", f"{path}/one")


@pytest.mark.only("cluster")
def test_the_homes_own_projects_are_no_location_of_a_team(server: Server, devops: str) -> None:
    path = APPS.format(devops)
    for i, namespace in enumerate(("kube-system", "taut-system", "argocd", devops)):
        name = f"into-{i}"
        server.home.create(application(devops, name, devops, "in-cluster", namespace))

        def refused(name: str = name) -> bool:
            status = server.home.request("GET", f"{path}/{name}").get("status") or {}
            return "for platform admins alone" in str(status.get("conditions") or "")

        eventually(refused, within=60, what=f"the refusal of {namespace}")
        server.home.request("DELETE", f"{path}/{name}")


def can_i(person: Person, verb: str, group: str, resource: str, namespace: str) -> bool:
    attributes = {"verb": verb, "group": group, "resource": resource, "namespace": namespace}
    answer = person.kube.request(
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        },
    )
    return answer["status"]["allowed"]


def test_kubectl_auth_can_i_answers_for_the_caller(server: Server, devops: str) -> None:
    person = Person(server, devops)
    person.bind(devops, "taut:operator")
    argo = "argoproj.io"
    eventually(
        lambda: can_i(person, "sync", argo, "applications", devops), within=30, what="the right"
    )
    assert not can_i(person, "rollback", argo, "applications", devops)
    assert not can_i(person, "get", "", "secrets", devops)
    assert not can_i(person, "sync", argo, "applications", "default")
    answer = person.kube.request(
        "POST",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
    )
    assert answer["status"]["userInfo"]["username"] == devops


@pytest.mark.only("cluster")
def test_a_real_home_is_asked_what_somebody_may(
    server: Server, devops: str, plane: ControlPlane
) -> None:
    """Any authoriser of that cluster counts, not only the RBAC objects that Taut can read."""
    person = Person(server, devops)
    person.bind(devops, "taut:viewer")
    eventually(
        lambda: allowed(person, f"/taut/v1/devops/{devops}/members"), within=30, what="the right"
    )
    asked = [
        json.loads(line)
        for line in plane.audit_log.read_text().splitlines()
        if "subjectaccessreviews" in line
    ]
    assert any(event["user"]["username"] == "tester" for event in asked), asked[:2]
