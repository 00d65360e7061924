"""What each target's fuzzer begins with: honest input, from which hostile input is a few bytes away."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile

from certificate_support import Authority
from fuzz.archives import app
from wherry.model import wire

STAMP = b"2026-11-21T07:43:05.123456789Z "


def _tar(mode: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode, format=tarfile.GNU_FORMAT) as tar:
        for name, kind in (("a/b", tarfile.REGTYPE), ("a/l", tarfile.SYMTYPE), ("a", tarfile.DIRTYPE), ("x" * 120, tarfile.REGTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, "b" if kind == tarfile.SYMTYPE else "", 3 if kind == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(b"abc"))
    return made.getvalue()


def _saved() -> bytes:
    made = io.BytesIO()
    manifest = b'[{"Config": "c.json", "RepoTags": ["shop:v2"], "Layers": ["a/layer.tar", "b/layer.tar"]}]'
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in (("a/layer.tar", b"abc"), ("b/layer.tar", b""), ("c.json", b"{}"), ("manifest.json", manifest)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = (tarfile.REGTYPE, "") if data else (tarfile.SYMTYPE, "../a/layer.tar")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return made.getvalue()


def _zip() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a/b", b"abc" * 50)
        packed.writestr("a/c/", b"")
    return made.getvalue()


def _field(number: int, value: bytes | int) -> bytes:
    return bytes([number << 3, value]) if isinstance(value, int) else bytes([number << 3 | 2, len(value)]) + value


def _trace() -> bytes:
    step = _field(1, b"sha256:a") + _field(3, b"[deps 1/2] RUN pip") + _field(5, b"\x08\x01") + _field(7, b"exit code: 1")
    return _field(1, step) + _field(3, _field(1, b"sha256:a") + _field(4, b"a line\nanother \x1b[1m\xff"))


def _docker_log() -> bytes:
    frames = [STAMP + b"hello\n", STAMP + b"half a line", STAMP + b" and its end\n"]
    return b"\x07HTTP/1.0 200 OK\r\nX: y\r\n\r\n" + b"".join(struct.pack(">BxxxI", 1, len(one)) + one for one in frames)


def _certificate() -> bytes:
    return Authority().sign("shop.example.org").bundle.encode()


ROUTER = b"7 12 shop 3 ---- 200 - 1 shop:web.1-aaaaaaaaaaaa 192.0.2.7 0 1 12 13 512 0 0f3a shop.example.org GET /cart?a=#22b\n"
"""Nineteen words, then the path."""
CHECK = (
    '{"formation":{"web":{"quantity":2}},"healthchecks":{"web":[{"type":"startup","path":"/up","timeout":3}]},"scripts":{"postdeploy":"x"}}'
)

SEEDS: dict[str, list[bytes]] = {
    "app-json": [
        CHECK.encode(),
        b'{"env":{"A":{"generator":"secret"}},"buildpacks":[{"url":"heroku/python"}],"cron":[{"schedule":"@daily","command":"x"}]}',
    ],
    "archive": [_tar("w"), _tar("w:gz"), _zip()],
    "saved-image": [_saved()],
    "build-progress": [_trace()],
    "certificate": [_certificate()],
    "docker-log": [_docker_log(), b"\x01HTTP/1.1 404 no\r\n\r\n{}"],
    "dockerignore": [b"# all\n**/node_modules\n!keep/[a-c]?.txt\n*.log\nsrc/**/x\n"],
    "envfile": [b"export A='x y' # c\nB=\"a\\nb\"\n\nC=bare value # no\nD='a'\\''b'\n"],
    "file-names": ["a\0caf\u00e9\0lib/b.txt\0".encode()],
    "json-body": [b'{"name":"shop","n":[1,1.5e3,null,true],"\\u00e9":{"a":"\\ud83d\\ude00"}}'],
    "procfile": [b"web: gunicorn app:app -b 0.0.0.0:$PORT\r\nrelease: ./migrate\n# c\nworker: x\n"],
    "public-key": [b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB me@laptop"],
    "pushed-app": [
        app(Procfile="web: x", requirements__txt="flask\ngunicorn\n", app__py="app = Flask(__name__)\n"),
        app(package__json='{"scripts":{"start":"node x","build":"y"},"engines":{"node":">=18 <23"},"dependencies":{"vite":"^5"}}'),
        app(pyproject__toml='[project]\nrequires-python = ">=3.11,<4"\n', Procfile="web: x", uv__lock="version = 1\n"),
        app(static__json='{"root":".","routes":{"/**":"index.html"}}', index__html="<html>"),
        app(go__mod="module example.org/x\n\ngo 1.22\n", main__go="package main\n"),
        app(Procfile="web: x", Gemfile='source "x"\nruby "~> 3.2"\n', Gemfile__lock="GEM\n\nRUBY VERSION\n   ruby 3.2.1\n"),
    ],
    "pushed-tar": [_tar("w")],
    "refs": [b"%s %s refs/heads/main\n%s %s refs/tags/v1\n" % (b"0" * 40, b"a" * 40, b"a" * 40, b"0" * 40)],
    "release-yaml": [
        b"---\naddons: []\ndefault_process_types:\n  web: \"bin/x\"\n  worker: 'it''s'\n",
        b'default_process_types: {"web": "x"}\n',
    ],
    "router-line": [ROUTER],
    "slugignore": [b"*.psd\n/doc/\nsrc/**/x?.txt\n!no\n"],
    "ssh-command": [b"config:set shop 'A=b c' \"D=e\"", b"git-receive-pack '/shop.git'", b"git upload-pack shop"],
    "static-json": [b'{"root":"d","clean_urls":true,"redirects":{"/o":{"url":"/n","status":301}},"headers":{"/**":{"X-A":"b"}}}'],
    "terminal": [b"xterm-256color"],
    "values": [
        b"https://a.example.org/x.git#main",
        b"registry:5000/a/b:1@sha256:" + b"a" * 64,
        b"syslog+tls://h:6514", b"10.0.0.0/8", b"*/5 1-3 * jan mon", b"data:/var/lib/x", b">=3.9,<4 || ^5", b"512m",
        b"0.5",
    ],
    "wire": [wire.frame(wire.TICKET, b"t") + wire.size_frame(24, 80) + wire.credit_frame(9)],
}  # fmt: skip
