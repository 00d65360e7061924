"""What is made of the archive of an image: one image under our own name, and nothing that was not meant."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from wherry.errors import InvalidInput, NotFound
from wherry.receiving import saved_image

CONFIG = b'{"rootfs": {}}'
DIGEST = hashlib.sha256(CONFIG).hexdigest()
LIMIT = 2**20


def entry(*tags: str, config: str = "c.json", layers: tuple[str, ...] = ("one/layer.tar", "two/layer.tar")) -> dict[str, Any]:
    return {"Config": config, "RepoTags": list(tags) or None, "Layers": list(layers)}


def archive(manifest: Any, links: dict[str, str] | None = None, **more: bytes) -> bytes:
    """As docker 20 writes it: the second layer is a link where `links` says so."""
    files = {"one/layer.tar": b"first", "two/layer.tar": b"second", "c.json": CONFIG, "repositories": b"{}", "index.json": b"{}", **more}
    files |= {"manifest.json": manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            if links and name in links:
                info.type, info.linkname = tarfile.SYMTYPE, links[name]
                tar.addfile(info)
                continue
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def converted(data: bytes, folder: Path, wanted: str = "shop:v2", limit: int = LIMIT) -> dict[str, bytes]:
    """What the new archive holds."""
    (folder / "sent").write_bytes(data)
    target = folder / "made.tar"
    saved = saved_image.convert(folder / "sent", target, wanted, lambda digest: f"wherry/shop:loaded-{digest[:4]}", limit)
    assert saved.digest == DIGEST
    with tarfile.open(target) as tar:
        return {member.name: found.read() for member in tar if (found := tar.extractfile(member))}


@pytest.mark.parametrize("tag", ["shop:v2", "docker.io/library/shop:v2", "localhost/shop:v2"])
@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_the_image_keeps_its_content_and_gets_our_name(tag: str, packed: Any, tmp_path: Path) -> None:
    made = converted(packed(archive([entry(tag)])), tmp_path)
    manifest = [{"Config": "config.json", "RepoTags": [f"wherry/shop:loaded-{DIGEST[:4]}"], "Layers": ["layer-0.tar", "layer-1.tar"]}]
    assert json.loads(made.pop("manifest.json")) == manifest
    assert made == {"config.json": CONFIG, "layer-0.tar": b"first", "layer-1.tar": b"second"}


def test_a_layer_that_is_a_link_to_another_is_that_one(tmp_path: Path) -> None:
    made = converted(archive([entry("shop:v2")], links={"two/layer.tar": "../one/layer.tar"}), tmp_path)
    assert json.loads(made["manifest.json"])[0]["Layers"] == ["layer-0.tar", "layer-0.tar"]
    assert "layer-1.tar" not in made


@pytest.mark.parametrize(
    ("manifest", "links", "message"),
    [
        ([entry("shop:v2", "nginx:latest")], {}, "it holds other images than shop:v2 too: nginx:latest"),
        ([entry("shop:v2"), entry("wherry/python:3.11")], {}, "it holds other images than shop:v2 too: wherry/python:3.11"),
        ([entry("shop:v2"), entry()], {}, "it holds other images than shop:v2 too: one without a name"),
        ([entry("shop:v2", config="../../etc/passwd")], {}, "its manifest.json names files that are not in it"),
        ([entry("shop:v2", layers=("gone.tar",))], {}, "its manifest.json names files that are not in it"),
        ([entry("shop:v2")], {"two/layer.tar": "/etc/passwd"}, "its manifest.json names files that are not in it"),
        ([entry("shop:v2")], {"two/layer.tar": "layer.tar"}, "its manifest.json names files that are not in it"),
        ([entry("shop:v2", layers=("c.json",))], {}, "its manifest.json names one file as config and as layer"),
        ([{**entry("shop:v2"), "Layers": "x"}], {}, "its manifest.json names no list of up to 200 layers"),
        (b"{", {}, "its manifest.json is no JSON"),
        (b"[" * 100_000, {}, "its manifest.json is no JSON"),
    ],
)
def test_what_is_not_that_image_alone_is_refused(manifest: Any, links: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        converted(archive(manifest, links), tmp_path)
    assert (refused.value.message, refused.value.code) == (f"the archive can not be taken: {message}", "archive_unreadable")
    assert refused.value.hint and not (tmp_path / "made.tar").exists()


@pytest.mark.parametrize(
    ("manifest", "held"),
    [
        ([entry("shop:v1")], "it holds shop:v1"),
        ([entry()], "what it holds has no name"),
        ([{"RepoTags": "shop:v2"}], "what it holds has no name"),
        ([{"RepoTags": 5}], "what it holds has no name"),
        ([{"RepoTags": [5, {"a": "\x1b"}]}], "it holds 5, {'a': '\\\\x1b'}"),
        ({}, "what it holds has no name"),
        ([1], "what it holds has no name"),
    ],
)
def test_an_archive_without_the_image_says_what_it_has(manifest: Any, held: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as refused:
        converted(archive(manifest), tmp_path)
    assert refused.value.message.startswith(f"the archive has no image shop:v2: {held}")
    assert refused.value.hint == "Save that: docker image save shop:v2"


def test_what_is_no_archive_of_an_image_is_refused(tmp_path: Path) -> None:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("app.py"))
    for data, message in (
        (plain.getvalue(), "it holds no manifest.json, so it is no image that docker saved"),
        (b"hello" * 200, "can not be "),
        (archive([entry("shop:v2")])[:2000], "can not be "),
    ):
        with pytest.raises(InvalidInput, match=message):
            converted(data, tmp_path)


def test_what_is_larger_than_the_limit_is_refused_however_it_is_packed(tmp_path: Path) -> None:
    data = archive([entry("shop:v2")], more=bytes(LIMIT))
    with pytest.raises(InvalidInput, match="more than 1 MB together"):
        converted(gzip.compress(data), tmp_path)
