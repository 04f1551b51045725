# SPDX-License-Identifier: Apache-2.0
"""Lists and the event stream: what pages of the console are made of."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from harness.kube import Kube
from harness.people import Person
from harness.server import Server
from harness.wait import DEFAULT_SECONDS, PATIENCE, eventually

Object = dict[str, Any]
ALIAS = "kubesphere.io/alias-name"


def application(devops: str, name: str) -> Object:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": devops},
        "spec": {
            "project": devops,
            "destination": {"name": "nowhere", "namespace": "x"},
            "source": {"repoURL": "https://git.example/none.git", "path": "."},
        },
    }


@pytest.fixture
def devops(server: Server, name: str) -> Iterator[str]:
    server.run("devops", "create", name)
    yield name
    if server.process is None or not server.process.is_running():
        return
    for app in server.home.list("Application", name):
        server.home.delete("Application", name, app["metadata"]["name"])
    eventually(lambda: not server.home.list("Application", name), what="no application")
    server.run("devops", "delete", name, check=False)


class Stream:
    """An open stream; `until` reads events until one is wanted."""

    def __init__(self, kube: Kube, *topics: str, last: str = "") -> None:
        self.connection = http.client.HTTPSConnection(
            str(kube.server.hostname), kube.server.port, context=kube.tls, timeout=60
        )
        headers = {"Authorization": f"Bearer {kube.token}"}
        if last:
            headers["Last-Event-ID"] = last
        self.connection.request(
            "GET", f"/taut/v1/stream?topics={','.join(topics)}", headers=headers
        )
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        self.seen: list[tuple[str, str, Object]] = []

    def next(self) -> tuple[str, str, Object]:
        event, number, data = "", "", ""
        while True:
            line = self.answer.readline().decode()
            if not line:
                raise EOFError("the stream has ended")
            field, _, value = line.rstrip("\n").partition(": ")
            if field == "event":
                event = value
            elif field == "id":
                number = value
            elif field == "data":
                data = value
            elif not line.strip() and data:
                one = (event, number, json.loads(data))
                self.seen.append(one)
                return one

    def until(self, wanted: Any) -> tuple[str, str, Object]:
        deadline = time.monotonic() + DEFAULT_SECONDS * PATIENCE
        while time.monotonic() < deadline:
            event, number, data = self.next()
            if wanted(event, data):
                return event, number, data
        raise AssertionError(f"it did not come; there came {self.seen}")

    def close(self) -> None:
        self.connection.close()


def set_alias(kube: Kube, devops: str, name: str, alias: str) -> None:
    kube.patch("Application", devops, name, {"metadata": {"annotations": {ALIAS: alias}}})


def ask(kube: Kube, devops: str, query: str = "") -> Object:
    return kube.request("GET", f"/taut/v1/devops/{devops}/apps{query}")


def make(home: Kube, devops: str, *names: str) -> None:
    for one in names:
        home.create(application(devops, one))
    eventually(lambda: ask(home, devops)["total"] == len(names), what="the rows")


def test_a_list_counts_everything_and_shows_what_is_asked(home: Kube, devops: str) -> None:
    make(home, devops, "alpha", "beta", "gamma")
    set_alias(home, devops, "beta", "The Second")
    eventually(lambda: len(ask(home, devops, "?q=the%20second")["items"]) == 1, what="the alias")
    found = ask(home, devops, "?q=the%20second&cluster=nowhere")
    assert [row["name"] for row in found["items"]] == ["beta"]
    assert found["total"] == 3 and found["matched"] == 1
    assert found["facets"]["cluster"] == {"nowhere": 3}
    assert sum(found["facets"]["health"].values()) == 3
    assert ask(home, devops, "?cluster=elsewhere")["items"] == []
    names, cursor = [], ""
    while True:
        page = ask(home, devops, f"?sort=-name&limit=2&cursor={cursor}")
        names += [row["name"] for row in page["items"]]
        cursor = page.get("cursor", "")
        if not cursor:
            break
    assert names == ["gamma", "beta", "alpha"]


def test_a_list_that_did_not_change_is_not_sent_again(home: Kube, devops: str) -> None:
    make(home, devops, "alpha")
    headers = {"Authorization": f"Bearer {home.token}", "Accept-Encoding": "gzip"}

    def get(more: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPSConnection(
            str(home.server.hostname), home.server.port, context=home.tls, timeout=30
        )
        connection.request("GET", f"/taut/v1/devops/{devops}", headers={**headers, **more})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, answer.headers["ETag"]

    def unchanged() -> bool:
        """What is counted there may still change once or twice."""
        status, tag = get({})
        assert status == 200 and tag
        return get({"If-None-Match": tag})[0] == 304

    eventually(unchanged, what="a list that is not sent again")


def test_a_list_and_the_stream_meet_without_a_gap(home: Kube, devops: str) -> None:
    make(home, devops, "alpha", "beta")
    start = ask(home, devops)["seq"]
    set_alias(home, devops, "alpha", "before the stream")
    stream = Stream(home, f"apps:{devops}@{start}")
    stream.until(
        lambda event, data: (
            event == "rows" and data["patch"].get("alpha", {}).get("alias") == "before the stream"
        )
    )
    set_alias(home, devops, "alpha", "during it")
    _, number, data = stream.until(
        lambda event, data: (
            event == "rows" and data["patch"].get("alpha", {}).get("alias") == "during it"
        )
    )
    assert "name" not in data["patch"]["alpha"], "only what changed is sent"
    stream.close()
    home.delete("Application", devops, "beta")
    again = Stream(home, f"apps:{devops}@{number}")
    again.until(lambda event, data: event == "rows" and data["patch"].get("beta", 1) is None)
    assert not [e for e in again.seen if "during it" in json.dumps(e)], "nothing is told twice"
    again.close()


def test_any_list_can_be_where_a_topic_begins(server: Server, home: Kube, devops: str) -> None:
    connection = http.client.HTTPSConnection(
        str(home.server.hostname), home.server.port, context=home.tls, timeout=30
    )
    headers = {"Authorization": f"Bearer {home.token}"}
    connection.request("GET", f"/taut/v1/devops/{devops}?topic=project:{devops}", headers=headers)
    answer = connection.getresponse()
    position = answer.headers["X-Seq"]
    assert json.loads(answer.read())["name"] == devops and position
    connection.close()
    stream = Stream(home, f"project:{devops}@{position}")
    home.request("PATCH", f"/taut/v1/devops/{devops}", {"alias": "Another name"})
    _, _, data = stream.until(lambda event, data: event == "project")
    assert data["patch"] == {"alias": "Another name"}
    stream.close()


def test_a_position_of_another_start_is_answered_with_resync(home: Kube, devops: str) -> None:
    make(home, devops, "alpha")
    stream = Stream(home, f"apps:{devops}@0123456789abcdef-7")
    assert stream.until(lambda event, _: event == "resync")[2]["topic"] == f"apps:{devops}"
    stream.close()


def test_topics_change_without_a_new_stream(home: Kube, devops: str) -> None:
    make(home, devops, "alpha")
    stream = Stream(home)
    sid = stream.until(lambda event, _: event == "hello")[2]["sid"]
    topic = f"app:{devops}/alpha"
    home.request("POST", f"/taut/v1/stream/{sid}/topics", {"add": [topic, "nothing:like/this"]})
    value = stream.until(lambda event, data: event == "app" and "value" in data)[2]["value"]
    assert value["metadata"]["name"] == "alpha" and "managedFields" not in value["metadata"]
    set_alias(home, devops, "alpha", "patched")
    stream.until(
        lambda event, data: (
            event == "app"
            and data.get("patch", {}).get("metadata", {}).get("annotations", {}).get(ALIAS)
            == "patched"
        )
    )
    assert [e for e in stream.seen if e[0] == "gone" and e[2]["topic"] == "nothing:like/this"]
    home.delete("Application", devops, "alpha")
    assert stream.until(lambda event, data: event == "gone" and data["topic"] == topic)
    stream.close()


def test_a_topic_ends_with_the_right_that_it_stands_on(
    server: Server, home: Kube, devops: str
) -> None:
    make(home, devops, "alpha")
    person = Person(server, devops)
    stranger = Stream(person.kube, f"apps:{devops}")
    stranger.until(lambda event, data: event == "forbidden" and data["topic"] == f"apps:{devops}")
    stranger.close()
    person.bind(devops, "taut:viewer")

    def let_in() -> Stream | None:
        stream = Stream(person.kube, f"apps:{devops}", f"app:{devops}/alpha")
        if stream.until(lambda event, _: event in ("rows", "forbidden"))[0] == "rows":
            return stream
        stream.close()
        return None

    stream = eventually(let_in, what="the right that was given")
    person.unbind(devops)
    stream.until(lambda event, data: event == "forbidden" and data["topic"] == f"apps:{devops}")
    person.patch({"token.test": None})
    assert stream.until(lambda event, _: event == "expired")
    stream.close()
