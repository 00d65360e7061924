"""Text that would leave a file behind if any shell, template or `eval` ever read it, and a look whether it did."""

from __future__ import annotations

from pathlib import Path

FORMS = (
    "$(touch {0})",
    "`touch {0}`",
    "; touch {0};",
    "x\ntouch {0}\n",
    "| touch {0}",
    "' ; touch {0} #",
    '" ; touch {0} #',
    "--upload-pack=touch {0}",
    "{{{{ touch('{0}') }}}}",
    "../../../../{0}",
    "\x00{0}",
    "%00%0a{0}",
)


def canaries(folder: Path) -> list[str]:
    """One text of each form, all about one file in `folder`."""
    return [form.format(folder / "sung") for form in FORMS]


def silent(folder: Path) -> bool:
    """Whether none of them was ever run."""
    return not (folder / "sung").exists()
