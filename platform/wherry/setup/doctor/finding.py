"""A finding of the doctor's: well, worth a look, or broken; with one line that says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from wherry.errors import WherryError
from wherry.own_name import USUAL, in_own_name

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Finding:
    """`check` names what was looked at, `what` is one line, `fix` one line that mends it; empty when all is well."""

    check: str
    level: str
    what: str
    fix: str = ""

    def of(self, name: str) -> Finding:
        """With the platform's own name in its fix. `scripts/up` without the settings of another platform is about the usual one."""
        fix = in_own_name(self.fix, name)
        return replace(self, fix=fix if name == USUAL else fix.replace("sudo scripts/up", f"sudo {name} setup"))


Check = Callable[[], Iterable[Finding]]


def ok(check: str, what: str) -> Finding:
    return Finding(check, OK, what)


def warn(check: str, what: str, fix: str) -> Finding:
    return Finding(check, WARN, what, fix)


def fail(check: str, what: str, fix: str) -> Finding:
    return Finding(check, FAIL, what, fix)


def amount(count: float, decimals: int = 1) -> str:
    """Bytes as MB with so many `decimals`, or as GB with one, as the makers of disks count them."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.{decimals}f} MB"


def findings_of(checks: dict[str, Check]) -> Iterator[Finding]:
    """Runs the checks one after the other. One that can not look is a finding itself and stops no other."""
    for name, check in checks.items():
        try:
            yield from check()
        except WherryError as error:
            yield fail(name, error.message, error.hint or "Mend that first, then run wherry doctor again.")
        except Exception as error:
            yield warn(name, f"could not be looked at: {type(error).__name__}", "Report it with: wherry doctor --bundle")


def lines_of(finding: Finding) -> list[str]:
    """For a person: the level in front, the fix below."""
    lines = [f"{finding.level:<5} {finding.check}: {finding.what}"]
    return [*lines, f"      {finding.fix}"] if finding.fix else lines


def summary(findings: list[Finding]) -> str:
    """`14 ok, 1 warning, no failure`."""
    counts = {level: sum(finding.level == level for finding in findings) for level in (OK, WARN, FAIL)}
    warnings, failures = (
        f"{count or 'no'} {word}{'s' if count > 1 else ''}" for count, word in ((counts[WARN], "warning"), (counts[FAIL], "failure"))
    )
    return f"{counts[OK]} ok, {warnings}, {failures}"


def to_json(findings: list[Finding]) -> dict[str, Any]:
    return {"findings": [asdict(finding) for finding in findings], "ok": all(finding.level != FAIL for finding in findings)}
