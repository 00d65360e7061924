"""The first app: the sample app, deployed by a real `git push` over SSH as a person would, and asked for over HTTP."""

from __future__ import annotations

import http.client
import shutil
from pathlib import Path

from wherry import clock, command
from wherry.errors import CommandFailed, Unavailable
from wherry.model.user import PLATFORM
from wherry.services import keys, platform
from wherry.settings import Settings
from wherry.setup import code, person

APP = "sample-app"
ANSWER_LIMIT = 60.0
PUSH_LIMIT = 1800.0
IDENTITY = {
    "GIT_AUTHOR_NAME": "Wherry",
    "GIT_AUTHOR_EMAIL": "wherry@localhost",
    "GIT_COMMITTER_NAME": "Wherry",
    "GIT_COMMITTER_EMAIL": "wherry@localhost",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "HOME": "/nonexistent",
}
"""The same tree makes the same commit, so that pushing it again says "nothing to do"."""


def ensure(settings: Settings, account: str) -> str:
    """Pushes the sample app once in the life of a platform, so that one who removed it does not get it back."""
    mark = settings.home / "sample-app.deployed"
    if mark.exists():
        return ""
    folder = settings.home / "tmp" / "sample-push"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        _push(settings, folder, account)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _wait(settings)
    mark.touch()
    return f"{APP}: pushed, and answers 200"


def answers(settings: Settings) -> int:
    """The status of the sample app's page through the proxy; 0 when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", settings.http_port, timeout=10.0)
    try:
        connection.request("GET", "/", headers={"Host": settings.host_of(APP)})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _push(settings: Settings, folder: Path, account: str) -> None:
    key = person.usable_key(account)
    passing = None if key else _passing_key(settings, folder, account)
    _write_ssh_config(settings, folder, key or folder / "key")
    tree = folder / "app"
    shutil.copytree(code.folder(settings) / "sample_app", tree)
    env = {**IDENTITY, "GIT_SSH_COMMAND": f"ssh -F {folder / 'config'}"}
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "The sample app"]):
        command.run(["git", *words], cwd=tree, env=env)
    try:
        _git_push(settings, tree, env)
    finally:
        if passing:
            keys.remove(platform.of(settings), PLATFORM, passing)


def _git_push(settings: Settings, tree: Path, env: dict[str, str]) -> None:
    """The person sees what every push shows them."""
    url = f"ssh://wherry@127.0.0.1:{settings.ssh_port}/{APP}"
    pushing = command.spawn(["git", "push", "-q", url, "main"], cwd=tree, env=env, new_session=False)
    if pushing.wait(PUSH_LIMIT) != 0:
        raise CommandFailed(
            f"the push of {APP} failed; the platform runs",
            hint="The lines above say why. Run it again when that is mended.",
            code="sample_failed",
        )


def _write_ssh_config(settings: Settings, folder: Path, key: Path) -> None:
    """No question, no surprise: this key, and the platform's own host key, which we can read."""
    public = " ".join((settings.ssh / "host_ed25519.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{settings.ssh_port} {public}\n")
    lines = [
        f'IdentityFile "{key}"',
        "IdentitiesOnly yes",
        "BatchMode yes",
        f"UserKnownHostsFile {folder / 'known_hosts'}",
        "StrictHostKeyChecking yes",
    ]
    (folder / "config").write_text("\n".join(lines) + "\n")


def _passing_key(settings: Settings, folder: Path, account: str) -> str:
    """For one whose keys are elsewhere or behind a passphrase: a key for this push only. Returns its name."""
    name = "sample-push"
    command.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / "key")])
    made = platform.of(settings)
    if any(key.name == name for key in keys.every(made, PLATFORM)):
        keys.remove(made, PLATFORM, name)
    keys.add(made, PLATFORM, (folder / "key.pub").read_text(), name, person.user_name(account))
    return name


def _wait(settings: Settings) -> None:
    deadline = clock.monotonic() + ANSWER_LIMIT
    while (status := answers(settings)) != 200:
        if clock.monotonic() > deadline:
            said = f"status {status}" if status else "nothing"
            raise Unavailable(
                f"{settings.url_of(APP)} answers {said}, not 200", hint=f"See: {settings.name} ps {APP}", code="sample_silent"
            )
        clock.sleep(0.1)
