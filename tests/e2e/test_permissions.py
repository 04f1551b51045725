# SPDX-License-Identifier: Apache-2.0
"""(role × action × {API of the console, command line, kubectl}): every cell of harness/permissions.py is tried. What is
allowed is asked so that it changes nothing: about a thing that is not there, or in a dry run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from harness.kube import Kube, KubeError
from harness.people import Browser
from harness.permissions import (
    CLI,
    KUBECTL,
    PLATFORM,
    PROVISIONERS,
    RIGHTS,
    ROLES,
    ROOT,
    Command,
    Route,
    document,
    routes,
)
from harness.server import Server

DEVOPS = "rights"


@dataclass
class People:
    """One user a role, each with a token and a kubeconfig, and a DevOps Project that holds deployments."""

    server: Server
    kubes: dict[str, Kube]

    def own(self, role: str) -> str:
        return f"of-{role}"


def application(name: str, cluster: str) -> dict:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": DEVOPS},
        "spec": {
            "project": DEVOPS,
            "destination": {"name": cluster, "namespace": "rights-x"},
            "source": {"repoURL": "https://git.example.invalid/a.git", "path": "."},
        },
    }


def app_project(name: str) -> dict:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {"sourceRepos": ["*"]},
    }


def kubeconfig_of(server: Server, token: str, path: Path) -> Path:
    config = yaml.safe_load(server.kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    config["current-context"] = "home"
    path.write_text(yaml.safe_dump(config))
    return path


PLATFORM_ROLE = {
    "self-provisioner": "platform-self-provisioner",
    "platform-admin": "platform-admin",
}


def make_person(server: Server, role: str, folder: Path) -> Kube:
    name = f"rights-{role}"
    body = {
        "name": name,
        "password": "a-good-password",
        "role": PLATFORM_ROLE.get(role, "platform-regular"),
    }
    server.home.request("POST", "/taut/v1/users", body)
    if role in ("viewer", "operator", "admin"):
        member = {"name": name, "role": role}
        server.home.request("POST", f"/taut/v1/devops/{DEVOPS}/members", member)
    made = server.home.request("POST", f"/taut/v1/users/{name}/tokens", {"name": "test"})
    return Kube(kubeconfig_of(server, made["token"], folder / f"{role}.kubeconfig"), "home")


@pytest.fixture(scope="module")
def people(_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    server = _server
    server.ensure_plain()
    folder = tmp_path_factory.mktemp("rights")
    server.run("devops", "create", DEVOPS, "--location", f"{server.cluster}/*")
    server.run(
        *("repo", "add", "r", "--url", "https://git.example.invalid/a.git"),
        *("--test=false", "--devops", DEVOPS),
    )
    found = People(server, {role: make_person(server, role, folder) for role in ROLES})
    for name in ("one", *(found.own(role) for role in ROLES)):
        server.home.create(application(name, server.cluster))
    yield found
    server.ensure_plain()
    for item in server.home.list("Application", DEVOPS):
        server.home.delete("Application", DEVOPS, item["metadata"]["name"])
    for role in ROLES:
        server.home.request("DELETE", f"/taut/v1/users/rights-{role}")
    server.run("repo", "delete", "r", "--devops", DEVOPS, check=False)
    server.run("devops", "delete", DEVOPS, check=False)


def names_right(right: str, text: str) -> bool:
    """Whether a refusal says which right is missing: its verb and its resource."""
    verb, resource = right.split(" ", 1)
    plain = resource.split(".")[0].split("/")[0]
    return verb in text and plain in text


def check(right: str, role: str, refused: bool, text: str, first: str = "") -> str | None:
    """What is wrong with the cell, or None."""
    who, _ = RIGHTS[right]
    if role in who:
        return f"{role} is refused: {text}" if refused else None
    if not refused:
        return f"{role} is not refused: {text[:300]}"
    # Who sees nothing at all may already be refused on the way to what was asked.
    sees_nothing = role in ("none", "self-provisioner") and ("may not" in text or "cannot" in text)
    named = names_right(right, text) or (first and names_right(first, text))
    return None if named or sees_nothing else f"{role}: no right in: {text}"


def test_every_route_asks_for_a_right_of_the_table() -> None:
    assert {route.right for route in routes()} <= set(RIGHTS)
    assert {command.right for command in (*CLI, *KUBECTL)} <= set(RIGHTS)


def test_the_page_about_permissions_is_the_table() -> None:
    again = ".venv/bin/python tests/e2e/harness/permissions.py > docs/permissions.md"
    assert (ROOT / "docs" / "permissions.md").read_text() == document(), again


def status_of(kube: Kube, route: Route) -> tuple[int, str]:
    path = route.path.replace("{devops}", DEVOPS)
    while "{" in path:
        path = path[: path.index("{")] + "nothing" + path[path.index("}") + 1 :]
    if route.path.endswith("/stream"):
        path += "?topics=nothing"
    body = None if route.method in ("GET", "DELETE") else {}
    try:
        kube.request(route.method, path, body)
    except KubeError as error:
        return error.code, str(error)
    return 200, ""


# Answers that go on: tried by the tests of the stream.
API = [route for route in routes() if route.path != "/taut/v1/stream"]


@pytest.mark.parametrize("route", API, ids=lambda route: route.id)
def test_the_api_lets_in_whom_the_table_names(people: People, route: Route) -> None:
    wrong = []
    for role in ROLES:
        status, text = status_of(people.kubes[role], route)
        assert status != 401, (role, text)
        wrong.append(check(route.right, role, status == 403, text))
    assert not any(wrong), [line for line in wrong if line]


def fill(people: People, command: Command, role: str) -> list[str]:
    line = command.line.format(
        d=DEVOPS, role=role, own=people.own(role), cluster=people.server.cluster
    )
    return [word if word.startswith("{") else shlex.split(word)[0] for word in line.split(" ")]


@pytest.mark.parametrize("command", CLI, ids=lambda command: command.line)
def test_the_command_line_lets_in_whom_the_table_names(people: People, command: Command) -> None:
    wrong = []
    for role in ROLES:
        done = people.server.run(
            *fill(people, command, role),
            *("--kubeconfig", str(people.kubes[role].kubeconfig)),
            stdin=command.stdin,
            check=False,
        )
        assert done.code != 2, done.err
        refused = "may not" in done.err or "forbidden" in done.err
        wrong.append(check(command.right, role, refused, done.err + done.out, command.first))
    assert not any(wrong), [line for line in wrong if line]


@pytest.mark.parametrize("command", KUBECTL, ids=lambda command: command.line)
def test_kubectl_lets_in_whom_the_table_names(people: People, command: Command) -> None:
    wrong = []
    for role in ROLES:
        stdin = ""
        if command.stdin == "application":
            stdin = json.dumps(application(f"new-{role}", people.server.cluster))
        elif command.stdin == "appproject":
            stdin = json.dumps(app_project(f"new-{role}"))
        said = people.kubes[role].kubectl(*fill(people, command, role), stdin=stdin, check=False)
        refused = "orbidden" in said or "may not" in said
        wrong.append(check(command.right, role, refused, said))
    assert not any(wrong), [line for line in wrong if line]


@pytest.mark.parametrize("right", [right for right in RIGHTS if right])
def test_kubectl_auth_can_i_says_what_the_table_says(people: People, right: str) -> None:
    verb, _, rest = right.partition(" ")
    resource, _, group = rest.partition(".")
    resource, _, subresource = resource.partition("/")
    who, _ = RIGHTS[right]
    attributes = {"verb": verb, "group": group, "resource": resource, "subresource": subresource}
    if who not in (PLATFORM, PROVISIONERS):
        attributes["namespace"] = DEVOPS
    for role in ROLES:
        answer = people.kubes[role].request(
            "POST",
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            },
        )
        assert answer["status"]["allowed"] == (role in who), role


def test_what_the_console_offers_is_what_the_table_says(people: People) -> None:
    """The rights that GET /bootstrap tells, by which the console switches controls off."""
    for role in ROLES:
        browser = Browser(people.server, f"rights-{role}", "a-good-password")
        boot = browser.ask("GET", "/taut/v1/bootstrap")
        told = set(boot["rights"])
        for project in boot["devops"]:
            if project["name"] == DEVOPS:
                told |= set(boot["rightSets"][project["rights"]])
        for right, (who, _) in RIGHTS.items():
            verb, _, resource = right.partition(" ")
            short = f"{verb} {resource.split('.')[0]}"
            known = any(r.right == right for r in routes())
            if right and known:
                assert (short in told) == (role in who), (role, right)
