"""A conversation whose line is cut in the moment that the server reads from it."""

import subprocess
import threading

from wherry.receiving.session import Session


class LineCutWhileReading:
    """A channel whose transport fails as paramiko's does when a read wants to tell the client that there is room again."""

    closed = True

    def __init__(self) -> None:
        self.status_event = threading.Event()
        self.status_event.set()

    def recv(self, most: int) -> bytes:
        raise EOFError

    def sendall(self, data: bytes) -> None:
        raise OSError("the client is gone")

    sendall_stderr = sendall


def test_a_line_that_is_cut_while_the_server_reads_ends_the_process() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(["cat"], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True) as process:
        assert Session(LineCutWhileReading(), process).run() == 0, "its input ends; nobody has to kill it"
    with subprocess.Popen(["sleep", "600"], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True) as process:
        assert Session(LineCutWhileReading(), process).run() == 128 + 1, "one that reads nothing is hung up"
