# SPDX-License-Identifier: Apache-2.0
"""Git repositories for the tests, and servers on loopback that serve them over http and ssh."""

from __future__ import annotations

import base64
import getpass
import http.server
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from harness.process import Process
from harness.wait import eventually

AUTHOR = {
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@taut.dev",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@taut.dev",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


class Repository:
    """A work tree and the bare repository that is served. Each change is one commit, pushed."""

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self.bare = root / f"{name}.git"
        self.tree = root / f"{name}.tree"
        self.bare.parent.mkdir(parents=True, exist_ok=True)
        self._git("init", "-q", "--bare", "-b", "main", str(self.bare), cwd=root)
        self._git("clone", "-q", str(self.bare), str(self.tree), cwd=root)
        self._git("checkout", "-q", "-b", "main")
        for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
            self._git("config", key, "true", cwd=self.bare)

    def _git(self, *args: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *args],
            cwd=cwd or self.tree,
            env={**os.environ, **AUTHOR},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"git {' '.join(args)}: {done.stderr}"
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | None], message: str = "change") -> str:
        """Writes the files (None removes one), commits, pushes; returns the commit."""
        for name, text in files.items():
            path = self.tree / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return self.commit_tree(message)

    def commit_tree(self, message: str = "change") -> str:
        """Commits whatever lies in the work tree."""
        self._git("add", "-A")
        self._git("commit", "-q", "--allow-empty", "-m", message)
        branch = self._git("branch", "--show-current")
        self._git("push", "-q", "origin", branch)
        return self._git("rev-parse", "HEAD")

    def branch(self, name: str) -> None:
        self._git("checkout", "-q", "-B", name)

    def tag(self, name: str) -> None:
        self._git("tag", "-f", name)
        self._git("push", "-q", "-f", "origin", f"refs/tags/{name}")


class HttpServer:
    """Smart HTTP by git http-backend: /open/NAME.git, /private/NAME.git, /moved/NAME.git (→ open)."""

    USER, PASSWORD = "reader", "correct horse battery"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.requests: list[str] = []
        self.last_answer = 0.0  # wall time at which the last request was answered
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.serve(self)
                outer.last_answer = time.time()

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def url(self, repository: Repository, door: str = "open") -> str:
        return f"{self.base}/{door}/{repository.name}.git"

    def listings(self, repository: Repository) -> int:
        """How often the refs of a repository were listed."""
        wanted = f"/{repository.name}.git/info/refs"
        return sum(1 for line in self.requests if wanted in line)

    def serve(self, request: http.server.BaseHTTPRequestHandler) -> None:
        self.requests.append(f"{request.command} {request.path}")
        length = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(length) if length else _read_chunked(request)
        path, _, query = request.path.partition("?")
        door, _, rest = path.lstrip("/").partition("/")
        if door == "moved":
            target = f"{self.base}/open/{rest}" + (f"?{query}" if query else "")
            _answer(request, 301, {"Location": target}, b"")
        elif door == "private" and not self._is_signed_in(request):
            _answer(request, 401, {"WWW-Authenticate": 'Basic realm="git"'}, b"sign in")
        elif door in ("open", "private"):
            _run_backend(request, self.root, f"/{rest}", query, body)
        else:
            _answer(request, 404, {}, b"no such door")

    def _is_signed_in(self, request: http.server.BaseHTTPRequestHandler) -> bool:
        pair = base64.b64encode(f"{self.USER}:{self.PASSWORD}".encode()).decode()
        return request.headers.get("Authorization") == f"Basic {pair}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


def _read_chunked(request: http.server.BaseHTTPRequestHandler) -> bytes:
    if request.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return b""
    whole = b""
    while size := int(request.rfile.readline().split(b";")[0], 16):
        whole += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return whole


def _answer(
    request: http.server.BaseHTTPRequestHandler,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def _run_backend(
    request: http.server.BaseHTTPRequestHandler, root: Path, path: str, query: str, body: bytes
) -> None:
    env = {
        **os.environ,
        **AUTHOR,
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": request.command,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
    }
    done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    status, headers = 200, {}
    for line in head.decode().split("\r\n"):
        name, _, value = line.partition(": ")
        if name.lower() == "status":
            status = int(value.split()[0])
        elif name:
            headers[name] = value
    _answer(request, status, headers, content)


class SshServer:
    """sshd on loopback for the user that runs the tests, with one host key and one client key."""

    def __init__(self, folder: Path) -> None:
        self.dir = folder
        folder.mkdir(parents=True, mode=0o700)
        for name in ("host", "client"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name],
                check=True,
            )
        shutil.copy(folder / "client.pub", folder / "authorized_keys")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\n"
            f"AuthorizedKeysFile {folder}/authorized_keys\nPidFile none\nStrictModes no\n"
            "UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            "PermitRootLogin prohibit-password\nLogLevel VERBOSE\n"
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.process = Process(
            ["/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "sshd_config")], folder / "sshd.log"
        )
        eventually(self._answers, within=20, what="sshd")

    def _answers(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            return connection.recv(4) == b"SSH-"

    @property
    def private_key(self) -> Path:
        return self.dir / "client"

    def locked_key(self, passphrase: str) -> Path:
        """The same key behind a passphrase."""
        path = self.dir / "locked"
        shutil.copy(self.private_key, path)
        command = ["ssh-keygen", "-q", "-p", "-P", "", "-N", passphrase, "-f", path]
        subprocess.run(command, check=True)
        return path

    def known_hosts(self) -> str:
        key = " ".join((self.dir / "host.pub").read_text().split()[:2])
        return f"[127.0.0.1]:{self.port} {key}\n"

    def fingerprint(self) -> str:
        out = subprocess.run(
            ["ssh-keygen", "-lf", self.dir / "host.pub"], capture_output=True, text=True, check=True
        ).stdout
        return out.split()[1]

    def url(self, repository: Repository) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{repository.bare}"

    def close(self) -> None:
        self.process.stop()
