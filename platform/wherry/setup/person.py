"""The person who sets the platform up becomes its first admin, with the SSH keys that already open this machine to them."""

from __future__ import annotations

import os
import pwd
import re
from pathlib import Path

from wherry import command
from wherry.errors import InvalidInput, NotFound
from wherry.model.user import PLATFORM
from wherry.services import keys, platform, users
from wherry.settings import Settings
from wherry.store import keys as stored_keys

KEY_LINE = re.compile(r"(ssh-|ecdsa-|sk-)\S+ \S+( .*)?")
"""A line without options: a key that is restricted to a command must not become an admin's key."""


def ensure(settings: Settings, account: str) -> str:
    """Registers `account` and the public keys in its ~/.ssh; makes a key when there is none."""
    person = _account(account)
    made = _make_key(person) if not public_keys(Path(person.pw_dir)) else False
    name = user_name(account)
    users.ensure_admin(platform.of(settings), name, person.pw_uid)
    added = sum(_add(settings, name, text) for text in public_keys(Path(person.pw_dir)))
    if not added:
        return ""
    which = "an SSH key, made now" if made else f"{added} SSH key{'s' if added > 1 else ''} from {person.pw_dir}/.ssh"
    return f"admin: {name}, with {which}"


def ensure_admin(settings: Settings, account: str) -> str:
    """Registers `account` alone; keys come later, by `wherry keys:add`."""
    users.ensure_admin(platform.of(settings), user_name(account), _account(account).pw_uid)
    return ""


def user_name(account: str) -> str:
    """The account's own name where it can be a user's."""
    return account if re.fullmatch(r"[a-z][0-9a-z._-]{0,31}", account) else "admin"


def public_keys(home: Path) -> list[str]:
    """The person's own public keys and those that may log in as this account, each once."""
    files = [*sorted((home / ".ssh").glob("id_*.pub")), home / ".ssh" / "authorized_keys"]
    lines = [line.strip() for path in files if path.is_file() for line in path.read_text("utf-8", "replace").splitlines()]
    found: dict[str, str] = {}
    for line in filter(KEY_LINE.fullmatch, lines):
        found.setdefault(line.split()[1], line)
    return list(found.values())


def usable_key(account: str) -> Path | None:
    """A private key of the account that needs no passphrase."""
    for public in sorted((Path(_account(account).pw_dir) / ".ssh").glob("id_*.pub")):
        private = public.with_suffix("")
        if private.is_file() and command.run(["ssh-keygen", "-y", "-P", "", "-f", str(private)], check=False).status == 0:
            return private
    return None


def _add(settings: Settings, user: str, text: str) -> bool:
    """True when the key is new here. A key in a form that Wherry does not take, or a known one, is passed over."""
    made = platform.of(settings)
    blob = text.split()[1]
    with made.database.read() as connection:
        if stored_keys.by_blob(connection, blob):
            return False
        taken = {key.name for key in stored_keys.every(connection)}
    try:
        keys.add(made, PLATFORM, text, _label(text, taken), user)
    except InvalidInput:
        return False
    return True


def _label(text: str, taken: set[str]) -> str:
    """A name from the key's comment: letters, digits and `@._-`, not taken yet."""
    comment = " ".join(text.split()[2:])
    base = re.sub(r"[^0-9A-Za-z@._-]+", "-", comment).strip("-@._")[:30] or "key"
    names = [base, *(f"{base}-{number}" for number in range(2, 1000))]
    return next(name for name in names if name not in taken)


def _make_key(person: pwd.struct_passwd) -> bool:
    folder = Path(person.pw_dir) / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    key = folder / "id_ed25519"
    command.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{person.pw_name}@{os.uname().nodename}", "-f", str(key)])
    for path in (folder, key, key.with_suffix(".pub")):
        os.chown(path, person.pw_uid, person.pw_gid)
    return True


def _account(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except KeyError as error:
        raise NotFound(f"no account {name[:40]!a} on this machine", code="no_such_account") from error
