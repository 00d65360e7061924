"""The first admin: which keys of the person are taken, and that a second run adds nothing. Over real keys and SQLite."""

import subprocess
from pathlib import Path

from wherry.setup import person


def make_key(folder: Path, name: str, comment: str, passphrase: str = "") -> str:
    folder.mkdir(exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", comment, "-f", str(folder / name)], check=True)
    return (folder / f"{name}.pub").read_text().strip()


def test_own_keys_and_those_that_may_log_in_are_taken_each_once(tmp_path: Path) -> None:
    own = make_key(tmp_path / ".ssh", "id_ed25519", "me@here")
    laptop = make_key(tmp_path / "elsewhere", "key", "me@laptop")
    (tmp_path / ".ssh" / "authorized_keys").write_text(f"# mine\n{laptop}\n\n{own}\n")
    assert person.public_keys(tmp_path) == [own, laptop]


def test_a_key_that_is_restricted_to_a_command_is_not_made_an_admin(tmp_path: Path) -> None:
    backup = make_key(tmp_path / "elsewhere", "key", "backup")
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "authorized_keys").write_text(f'command="rsync",restrict {backup}\nrestrict {backup}\n')
    assert person.public_keys(tmp_path) == []


def test_an_account_without_keys_has_none(tmp_path: Path) -> None:
    assert person.public_keys(tmp_path) == []


def test_an_account_whose_name_can_not_be_a_users_becomes_admin() -> None:
    assert [person.user_name(name) for name in ("alice", "root", "Alice", "DOM\\bob")] == ["alice", "root", "admin", "admin"]
