"""Makes of a fuzzer's bytes what the readers of archives get far with: tar headers with right checksums, and whole apps."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

BLOCK = 512
CHECKSUM = slice(148, 156)
NAMES = (
    "Procfile", "app.json", "package.json", "requirements.txt", ".python-version", "pyproject.toml", "app.py", "static.json", "index.html",
    "go.mod", "Cargo.toml", "composer.json", "Gemfile", "Gemfile.lock", "pom.xml", "runtime.txt", ".dockerignore", ".slugignore",
    "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "uv.lock", "poetry.lock", "Pipfile.lock", "Dockerfile", ".gitmodules", "main.go",
    "system.properties", "composer.lock", ".nvmrc", "manage.py", ".buildpacks",
)  # fmt: skip
"""The files that decide something. A fuzzer names them by one byte."""
END = b"\xff\xff"
"""Between two files; in no UTF-8 text."""


def with_checksums(data: bytes) -> bytes:
    """The same, with the checksum of every block that looks like a tar header put right: no fuzzer finds those by itself."""
    blocks = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
    return b"".join(_summed(block) if block[257:262] == b"ustar" and len(block) == BLOCK else block for block in blocks)


def _summed(block: bytes) -> bytes:
    blank = block[: CHECKSUM.start] + b" " * 8 + block[CHECKSUM.stop :]
    return blank[: CHECKSUM.start] + b"%06o\0 " % sum(blank) + blank[CHECKSUM.stop :]


def app_of(data: bytes, path: Path) -> Path:
    """A tar of files, each of which is a byte that names it (`NAMES`) and its content up to `END`."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for piece in filter(None, data.split(END)):
            name, content = NAMES[piece[0] % len(NAMES)], piece[1:]
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def app(**files: str) -> bytes:
    """The bytes that `app_of` makes these files of; `__` stands for a dot, `___` for a hyphen."""
    named = {name.replace("___", "-").replace("__", "."): content for name, content in files.items()}
    return END.join(bytes([NAMES.index(name)]) + content.encode() for name, content in named.items())
