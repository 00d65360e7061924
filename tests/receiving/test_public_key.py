"""Keys as people paste them, made by the real ssh-keygen."""

import base64
import json
import subprocess
from pathlib import Path

import pytest

from wherry.errors import InvalidInput
from wherry.receiving.public_key import parse

REFUSED = json.loads((Path(__file__).parent / "data" / "refused_keys.json").read_text("utf-8"))


def made(folder: Path, *options: str) -> Path:
    path = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", "ada@laptop", "-f", str(path), *options], check=True)
    return path.with_suffix(".pub")


@pytest.mark.parametrize("options", ["-t ed25519", "-t ecdsa -b 256", "-t ecdsa -b 384", "-t ecdsa -b 521", "-t rsa -b 2048"])
def test_a_key_of_ssh_keygen_is_read_with_its_own_fingerprint(tmp_path: Path, options: str) -> None:
    path = made(tmp_path, *options.split())
    key = parse(path.read_text())
    listed = subprocess.run(["ssh-keygen", "-lf", str(path)], check=True, capture_output=True, text=True).stdout
    assert key.fingerprint == listed.split()[1]
    assert (key.comment, f"{key.type} {key.blob}") == ("ada@laptop", path.read_text().rsplit(" ", 1)[0])


def security_key(key_type: str, *fields: bytes) -> str:
    raw = b"".join(len(field).to_bytes(4, "big") + field for field in (key_type.encode(), *fields))
    return f"{key_type} {base64.b64encode(raw).decode()} token"


def test_a_security_key_is_read() -> None:
    assert parse(security_key("sk-ssh-ed25519@openssh.com", bytes(32), b"ssh:")).comment == "token"
    point = b"\x04" + bytes(64)
    assert parse(security_key("sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", point, b"ssh:")).fingerprint.startswith("SHA256:")


def test_a_private_key_is_refused_without_repeating_it(tmp_path: Path) -> None:
    private = made(tmp_path, "-t", "ed25519").with_suffix("").read_text()
    with pytest.raises(InvalidInput, match=r"private key: keep it, and give the file that ends in \.pub") as refusal:
        parse(private)
    assert private.splitlines()[2] not in str(refusal.value)


def test_a_short_rsa_key_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"RSA key of 1024 bits: 2048 .* ssh-keygen -t ed25519"):
        parse(made(tmp_path, "-t", "rsa", "-b", "1024").read_text())


def test_a_key_that_lost_its_end_is_refused(tmp_path: Path) -> None:
    key_type, blob, _ = made(tmp_path, "-t", "ed25519").read_text().split()
    with pytest.raises(InvalidInput, match="was it cut"):
        parse(f"{key_type} {blob[:-8]}")


def test_a_second_spelling_of_the_same_key_is_refused(tmp_path: Path) -> None:
    key_type, blob, _ = made(tmp_path, "-t", "ed25519").read_text().split()
    longer = base64.b64encode(base64.b64decode(blob) + b"\0\0\0\0").decode()
    with pytest.raises(InvalidInput, match="not a whole ssh-ed25519 key"):
        parse(f"{key_type} {longer}")


@pytest.mark.parametrize("case", REFUSED, ids=[case["why"] for case in REFUSED])
def test_what_is_no_key_is_refused_in_one_line(case: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse(case["text"])
    assert case["says"] in str(refusal.value)
    assert str(refusal.value).isprintable()
