"""What can go wrong, as one tree; each leaf has a stable code, an HTTP status and an exit status.

    WherryError
    ├── InvalidInput        a person's value is off            422, exit 2
    │   └── BadRequest      a body or header cannot be read     400, exit 2
    ├── Unauthenticated     nobody proved who they are          401, exit 3
    ├── Forbidden           known, but not allowed              403, exit 3
    ├── NotFound            no such thing                       404, exit 4
    ├── Conflict            the state of the world forbids it   409, exit 5
    │   └── NothingToDo     the wish is already true            200, exit 0
    ├── Unavailable         busy or down, try again             503, exit 6
    ├── DeployFailed        build or start failed (R10, H10 …)  409, exit 1
    └── CommandFailed       a program we ran answered non-zero  500, exit 1

`docs/errors.md` lists every code; a test holds the two together.
"""

from __future__ import annotations

from typing import ClassVar


class WherryError(Exception):
    """A failure told to a person: what happened (`message`), the way out (`hint`), a stable `code`. `quoted` are the parts of
    both that others wrote: no program rewrites those."""

    status: ClassVar[int] = 500
    exit_status: ClassVar[int] = 1
    default_code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, hint: str = "", code: str = "", field: str = "", quoted: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or self.default_code
        self.field = field
        self.quoted = quoted

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class InvalidInput(WherryError):
    status, exit_status, default_code = 422, 2, "invalid_input"


class BadRequest(InvalidInput):
    status, default_code = 400, "bad_request"


class Unauthenticated(WherryError):
    status, exit_status, default_code = 401, 3, "unauthenticated"


class Forbidden(WherryError):
    status, exit_status, default_code = 403, 3, "forbidden"


class NotFound(WherryError):
    status, exit_status, default_code = 404, 4, "not_found"


class Conflict(WherryError):
    status, exit_status, default_code = 409, 5, "conflict"


class NothingToDo(Conflict):
    status, exit_status, default_code = 200, 0, "nothing_to_do"


class Unavailable(WherryError):
    status, exit_status, default_code = 503, 6, "unavailable"


class DeployFailed(WherryError):
    """A build, release command or start failed. `evidence` are the last lines of the one that failed, or what `heading` says."""

    status, exit_status, default_code = 409, 1, "deploy_failed"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        code: str = "",
        evidence: tuple[str, ...] = (),
        source: str = "",
        heading: str = "",
        quoted: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, hint=hint, code=code, quoted=quoted)
        self.evidence = evidence
        self.source = source
        self.heading = heading or f"Last lines of {source or 'it'}:"


class CommandFailed(WherryError):
    default_code = "command_failed"
