# SPDX-License-Identifier: Apache-2.0
"""People: users, sessions, members, and how fast a right that ended is felt."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from harness.kube import KubeError
from harness.people import Open, Person
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
    watch = Open(person.kube, path + "?watch=1&timeoutSeconds=600")
    how(person, devops)
    assert watch.ended()
    eventually(lambda: not allowed(person, path), within=30, what="the refusal")
