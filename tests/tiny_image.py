"""A Docker image of 2 MB for tests, made of Debian's static busybox: `sh`, `httpd -f -p $PORT`, `nc`, `seq`, `sleep` …

Nothing is pulled. The image is made once per machine and then found by its name; `docker image rm wherry-test/tiny`
takes it away, as does a sweep by the label `wherry-test`.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from wherry import command

NAME = "wherry-test/tiny"
TAG = "2"
LABEL = "wherry-test"
PAGE = b"hello from the tiny image\n"


def tiny_image(client: Any) -> str:
    """The id of the image (`sha256:…`), made when it is missing. `client` is a `docker.DockerClient`."""
    found = client.images.list(name=f"{NAME}:{TAG}", filters={"label": LABEL})
    if not found:
        client.api.import_image_from_data(
            _root(_busybox()),
            repository=NAME,
            tag=TAG,
            changes=[f"LABEL {LABEL}=1", "ENV PATH=/bin", "WORKDIR /www", 'CMD ["sh", "-c", "exec httpd -f -p ${PORT:-8080} -h /www"]'],
        )
        found = client.images.list(name=f"{NAME}:{TAG}", filters={"label": LABEL})
    return str(found[0].id)


def _busybox() -> Path:
    cache = Path(tempfile.gettempdir()) / "wherry-test-busybox"
    if not (program := _unpacked(cache)):
        cache.mkdir(exist_ok=True)
        command.run(["apt-get", "download", "-q", "busybox-static"], cwd=cache, timeout=120)
        (package, *_) = cache.glob("busybox-static*.deb")
        command.run(["dpkg", "-x", str(package), str(cache / "root")])
        program = _unpacked(cache)
    assert program, f"no busybox in the package in {cache}"
    return program


def _unpacked(cache: Path) -> Path | None:
    """In `bin` before Debian 13, in `usr/bin` since."""
    return next((found for found in (cache / "root" / place / "busybox" for place in ("bin", "usr/bin")) if found.exists()), None)


def _root(busybox: Path) -> bytes:
    """A root file system as a tar: the program, a link per applet, a page to serve."""
    applets = command.run([str(busybox), "--list"]).out.decode().split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for folder, mode in (("bin", 0o755), ("tmp", 0o1777), ("etc", 0o755), ("www", 0o755)):
            tar.addfile(_entry(folder, tarfile.DIRTYPE, mode))
        _add_file(tar, "bin/busybox", busybox.read_bytes(), 0o755)
        _add_file(tar, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\napp:x:1000:1000:app:/:/bin/sh\n", 0o644)
        _add_file(tar, "www/index.html", PAGE, 0o644)
        for applet in sorted(set(applets) - {"busybox"}):
            link = _entry(f"bin/{applet}", tarfile.SYMTYPE, 0o777)
            link.linkname = "busybox"
            tar.addfile(link)
    return buffer.getvalue()


def _add_file(tar: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    entry = _entry(name, tarfile.REGTYPE, mode)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    return entry
