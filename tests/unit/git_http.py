# SPDX-License-Identifier: Apache-2.0
"""A small Git server over HTTP for unit tests: git http-backend behind http.server.

usage: git_http.py ROOT PORT_FILE

ROOT/x.git is served at /x.git, with user "me" and password "s3cret-word" at /private/x.git, with
the bearer token "t0ken-word" at /bearer/x.git. /moved/… answers 301 to /…, /away/… answers 302 to
another host name of the same server, /loop/… redirects to itself, /tls/… redirects to https.
/seen answers the Authorization headers that arrived, one a line with the path; /asked every path
that was asked for. /files/… are the files of ROOT/files; /private/files/… the same with the password.
"""

import base64
import http.server
import os
import subprocess
import sys

ROOT, PORT_FILE = sys.argv[1], sys.argv[2]
BASIC = "Basic " + base64.b64encode(b"me:s3cret-word").decode()
SEEN: list[str] = []
ASKED: list[str] = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self, code: int, body: bytes, **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def redirect(self, path: str) -> str:
        port = self.server.server_address[1]
        if path.startswith("/moved/"):
            return path.replace("/moved/", "/", 1)
        if path.startswith("/away/"):
            inner = path.replace("/away/", "", 1)
            return (
                f"http://localhost:{port}/"
                + ("" if inner.startswith("files/") else "private/")
                + inner
            )
        if path.startswith("/tls/"):
            return f"https://127.0.0.1:{port}/" + path.replace("/tls/", "", 1)
        if path.startswith("/loop/"):
            return path
        return ""

    def do_any(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if self.path == "/seen":
            self.answer(200, "\n".join(SEEN).encode())
            return
        if self.path == "/asked":
            self.answer(200, "\n".join(ASKED).encode())
            return
        ASKED.append(self.path)
        given = self.headers.get("Authorization", "")
        if given:
            SEEN.append(f"{self.headers.get('Host')} {self.path.split('?')[0]} {given}")
        target = self.redirect(self.path)
        if target:
            self.answer(301 if self.path.startswith("/moved/") else 302, b"", Location=target)
            return
        path = self.path
        for prefix, wanted in (("/private/", BASIC), ("/bearer/", "Bearer t0ken-word")):
            if path.startswith(prefix):
                if given != wanted:
                    self.answer(401, b"", WWW_Authenticate='Basic realm="git"')
                    return
                path = path.replace(prefix, "/", 1)
        if path.startswith("/files/"):
            self.file(path)
        else:
            self.backend(path, body)

    do_GET = do_any
    do_POST = do_any

    def file(self, path: str) -> None:
        try:
            with open(ROOT + path, "rb") as f:
                self.answer(200, f.read())
        except OSError:
            self.answer(404, b"there is no such file")

    def backend(self, path: str, body: bytes) -> None:
        info, _, query = path.partition("?")
        env = dict(
            os.environ,
            GIT_PROJECT_ROOT=ROOT,
            GIT_HTTP_EXPORT_ALL="1",
            REQUEST_METHOD=self.command,
            PATH_INFO=info,
            QUERY_STRING=query,
            CONTENT_TYPE=self.headers.get("Content-Type", ""),
            CONTENT_LENGTH=str(len(body)),
            GIT_PROTOCOL=self.headers.get("Git-Protocol", ""),
            REMOTE_ADDR="127.0.0.1",
        )
        if self.headers.get("Content-Encoding"):
            env["HTTP_CONTENT_ENCODING"] = self.headers["Content-Encoding"]
        done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        code, headers = 200, {}
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            if name == "Status":
                code = int(value.split()[0])
            elif name:
                headers[name] = value
        self.answer(code, content, **headers)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(PORT_FILE + ".new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(PORT_FILE + ".new", PORT_FILE)
server.serve_forever()
