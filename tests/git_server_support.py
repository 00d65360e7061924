"""Git servers of somebody else, on loopback: git's own daemon, and git's CGI behind https."""

from __future__ import annotations

import http.server
import os
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from free_ports import free_port
from receiving_support import knock


@contextmanager
def git_daemon(folder: Path) -> Iterator[str]:
    """Serves the repositories of `folder` at the URL that is yielded."""
    port = free_port()
    argv = ["git", "daemon", "--listen=127.0.0.1", f"--port={port}", f"--base-path={folder}", "--export-all", str(folder)]
    daemon = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        _until_it_listens(port)
        yield f"git://127.0.0.1:{port}"
    finally:
        daemon.terminate()
        daemon.wait()


@contextmanager
def https_git(folder: Path) -> Iterator[tuple[str, Path]]:
    """Serves the repositories of `folder`; yields the URL and the certificate to trust. What was asked is in `asked.log`."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    made = ["openssl", "req", "-x509", *kind, "-keyout", str(key), "-out", str(certificate), *subject]
    subprocess.run(made, check=True, capture_output=True)
    handler = type("Handler", (_Git,), {"folder": folder})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}", certificate
        server.shutdown()


class _Git(http.server.BaseHTTPRequestHandler):
    """git http-backend, by CGI."""

    folder: Path

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        with (self.folder / "asked.log").open("a") as log:
            log.write(f"{self.command} {self.path}\n")
        out = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, check=False).stdout
        head, _, content = out.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        return


def repository(folder: Path, files: dict[str, str], message: str = "first") -> str:
    """Commits `files` on main in the bare repository at `folder`, made if needed; returns the commit."""
    work = folder.with_name(f"{folder.name}.work")
    if not folder.exists():
        git(folder.parent, "init", "-q", "--bare", "-b", "main", str(folder))
        git(folder.parent, "clone", "-q", str(folder), str(work))
        git(work, "checkout", "-q", "-b", "main")
    for name, text in files.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text)
    git(work, "add", "-A")
    git(work, "commit", "-q", "--allow-empty", "-m", message)
    git(work, "push", "-q", "origin", "main")
    return git(work, "rev-parse", "HEAD")


def add_submodule(folder: Path, path: str, url: str, commit: str) -> str:
    """Pins `commit` of `url` at `path`; returns the new commit."""
    work = folder.with_name(f"{folder.name}.work")
    with (work / ".gitmodules").open("a") as file:
        file.write(f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n')
    git(work, "update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
    git(work, "add", ".gitmodules")
    git(work, "commit", "-q", "-m", "submodule")
    git(work, "push", "-q", "origin", "main")
    return git(work, "rev-parse", "HEAD")


def git(folder: Path, *words: str) -> str:
    person = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "safe.directory=*", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *person, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def _until_it_listens(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            knock(port).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < end, "the git daemon does not listen"
            time.sleep(0.02)
