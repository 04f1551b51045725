# SPDX-License-Identifier: Apache-2.0
"""One suite, two environments: `embedded` (home and sandbox in Taut itself) and `cluster` (a real
control plane as home and target). See README.md."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cluster import ControlPlane
from harness.app import CONTROL_NAMESPACE, App
from harness.git import HttpServer, Repository, SshServer
from harness.kube import Kube, KubeError
from harness.server import Server

import build

ROOT = Path(__file__).resolve().parents[2]
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--environment", choices=["embedded", "cluster"], default="embedded")
    parser.addoption("--taut", default=str(ROOT / "build-asan" / "taut"), help="the program")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test for one environment is not part of the other's suite."""
    environment = config.getoption("--environment")
    kept = [
        item
        for item in items
        if (mark := item.get_closest_marker("only")) is None or environment in mark.args
    ]
    dropped = [item for item in items if item not in kept]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "only(environment): has a meaning in that environment alone")


@pytest.fixture(scope="session")
def environment(pytestconfig: pytest.Config) -> str:
    return pytestconfig.getoption("--environment")


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("taut")


@pytest.fixture(scope="session")
def plane(environment: str, scratch: Path) -> Iterator[ControlPlane | None]:
    build.build("kubectl")
    if environment == "embedded":
        yield None
        return
    with ControlPlane(scratch / "plane") as started:
        yield started


@pytest.fixture(scope="session")
def _server(
    pytestconfig: pytest.Config, scratch: Path, plane: ControlPlane | None
) -> Iterator[Server]:
    taut = Path(pytestconfig.getoption("--taut")).absolute()
    assert taut.exists(), f"{taut} is not built: run make test"
    server = Server(taut, scratch / "server", plane)
    yield server
    server.stop()
    assert not server.troubles(), f"{server.log}: {server.troubles()[:5]}"


@pytest.fixture
def server(_server: Server, request: pytest.FixtureRequest) -> Iterator[Server]:
    """The session's server, running, with no stop point armed."""
    _server.ensure_plain()
    start = _server.log.stat().st_size if _server.log.exists() else 0
    yield _server
    report = getattr(request.node, "report_call", None)
    if report is not None and report.failed and _server.log.exists():
        with open(_server.log, encoding="utf-8", errors="replace") as log:
            log.seek(start)
            lines = log.read().splitlines()
        print(f"---- {_server.log} during this test\n" + "\n".join(lines[-60:]))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()
    setattr(item, f"report_{report.when}", report)


@pytest.fixture
def target(server: Server) -> Kube:
    return server.target


@pytest.fixture
def home(server: Server) -> Kube:
    return server.home


@pytest.fixture(scope="session")
def git(scratch: Path) -> Iterator[HttpServer]:
    (scratch / "git").mkdir()
    started = HttpServer(scratch / "git")
    yield started
    started.close()


@pytest.fixture(scope="session")
def ssh(scratch: Path) -> Iterator[SshServer]:
    started = SshServer(scratch / "ssh")
    yield started
    started.close()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name for what this test makes, unique in the session."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_"))
    return f"{words[:30].strip('-')}-{next(_numbers)}"


@pytest.fixture
def repo(git: HttpServer, name: str) -> Repository:
    return Repository(git.root, name)


@pytest.fixture
def namespace(server: Server, target: Kube, name: str) -> Iterator[str]:
    """A project of the target cluster, made for this test."""
    target.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    if server.process is not None and server.process.is_running():
        target.delete("Namespace", None, name)


Deploy = Callable[..., App]


@pytest.fixture
def deploy(
    server: Server, git: HttpServer, repo: Repository, name: str, request: pytest.FixtureRequest
) -> Iterator[Deploy]:
    """Imports a repository and creates a continuous deployment, both with the command line.

    deploy(*flags, app=…, repository=…, url=…, path=…, namespace=…): the name of the test where
    nothing is said. What it made is taken away afterwards, its objects kept.
    """
    made: list[App] = []
    imported: list[str] = []

    def make(
        *flags: str,
        app: str = name,
        repository: Repository = repo,
        url: str = "",
        path: str = ".",
        namespace: str = name,
        credential: str = "",
        test: bool = True,
    ) -> App:
        where = url or git.url(repository)
        if repository.name not in imported:
            more = ["--credential", credential] if credential else []
            more += [] if test else ["--test=false"]
            server.run("repo", "add", repository.name, "--url", where, *more)
            imported.append(repository.name)
        created = App(server, app, namespace)
        made.append(created)
        server.run(
            *("app", "create", app, "--repo", repository.name, "--path", path),
            *("--cluster", server.cluster, "--namespace", namespace),
            *flags,
        )
        return created

    yield make
    if server.process is None or not server.process.is_running():
        return
    for app in made:
        if app.exists():
            with suppress(KubeError):  # it may go by itself meanwhile
                app.patch({"metadata": {"finalizers": None}})
            server.home.delete("Application", CONTROL_NAMESPACE, app.name)
