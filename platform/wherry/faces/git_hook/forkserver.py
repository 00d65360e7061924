"""Waits with the hook's code loaded; each push gets a fork of it, joined to what git started (see `knock`).

The fork is a process of its own, in a group of its own: a push that fails, hangs or takes memory ends alone. When the process that
git started is gone, so is the pusher's connection, and the fork ends as a hang-up would have ended it.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from wherry import clock
from wherry.errors import Unavailable
from wherry.faces.git_hook import knock, pre_receive

BACKLOG = 64
LAST_WORDS = 5.0
"""Seconds between SIGHUP and SIGKILL for one whose pusher is gone."""


def serve(path: Path) -> None:
    """Serves the unix socket at `path` for ever, for this account alone. Raises Unavailable when it can not be made there."""
    listener = _listening(path)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel forgets forks that have ended
    gc.freeze()  # a fork then copies only the pages that it changes itself; to collect before would copy all of the parent's
    while True:
        line, _ = listener.accept()
        with line:
            if os.fork() == 0:
                listener.close()
                _live(line)


def _listening(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
    except OSError as error:
        raise Unavailable(f"the git hook can not wait at {path}: {error.strerror}", code="socket_taken") from error
    finally:
        os.umask(before)
    listener.listen(BACKLOG)
    return listener


def _live(line: socket.socket) -> NoReturn:
    """The whole life of a fork; never returns into the server's code."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        environ = _become(line)
        threading.Thread(target=_end_with, args=(line,), daemon=True).start()
        status = pre_receive.run(environ)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except EOFError:
        pass  # gone before it had said what it wants
    except BaseException:
        traceback.print_exc()
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the answer ends who asked, and that is no hang-up any more
        with suppress(OSError):
            line.send(bytes([status]))
        os._exit(status)


def _become(line: socket.socket) -> Mapping[str, str]:
    """Takes the place of the process at the other end: its streams, its folder, its environment, which is returned."""
    head, descriptors, _, _ = socket.recv_fds(line, knock.HEAD, 3)
    if not head:
        raise EOFError
    stdin, stderr, lock = descriptors
    length = int.from_bytes(head, "big")
    message = line.recv(length, socket.MSG_WAITALL)
    if len(message) < length:
        raise EOFError
    folder, environ = knock.unpack(message)
    for descriptor, number in ((stdin, 0), (stderr, 1), (stderr, 2)):
        os.dup2(descriptor, number)
    os.close(stdin)
    os.close(stderr)
    os.chdir(folder)
    os.environ.clear()
    os.environb.update(environ)
    os.environ["WHERRY_LOCK"] = str(lock)
    return os.environ


def _end_with(line: socket.socket) -> None:
    """Waits for the end of who asked: it says no more, and closes only by dying."""
    with suppress(OSError):
        line.recv(1)
    os.killpg(0, signal.SIGHUP)
    clock.sleep(LAST_WORDS)
    os.killpg(0, signal.SIGKILL)
