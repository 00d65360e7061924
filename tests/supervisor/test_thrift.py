"""Memory is given back only where nothing can be lost."""

import subprocess
import sys
from pathlib import Path

from wherry.supervisor import thrift

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys; sys.path.insert(0, sys.argv[1])
import hashlib, json, sqlite3, ssl
from pathlib import Path
from wherry.supervisor import thrift
def resident(): return sum(kb for _, _, kb in thrift.clean_mappings(Path("/proc/self/smaps").read_text()))
before = resident()
freed = thrift.let_go(Path("/proc/self/smaps").read_text())
after = resident()
works = json.loads("[1]") and hashlib.sha256(b"x").hexdigest() and sqlite3.connect(":memory:").execute("select 1").fetchone()
ssl.create_default_context()
print(before, freed, after, bool(works))
"""


def test_code_pages_are_given_back_and_everything_still_works() -> None:
    argv = [sys.executable, "-I", "-c", PROGRAM, str(ROOT / "platform")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    before, freed, after, works = done.stdout.split()
    assert int(freed) > 1000 and int(after) < int(before) and works == "True"


def test_a_mapping_with_a_page_of_its_own_is_left_alone() -> None:
    clean = "Rss: 8 kB\nShared_Dirty: 0 kB\nPrivate_Dirty: {dirty} kB\nAnonymous: {dirty} kB\nSwap: 0 kB\n"
    smaps = "".join(
        f"{start}-{end} {mode} 00000000 fe:00 {inode} {name}\n" + clean.format(dirty=dirty)
        for start, end, mode, inode, name, dirty in (
            ("1000", "2000", "r-xp", 7, "/lib/a.so", 0),
            ("2000", "3000", "r--p", 7, "/lib/a.so", 4),
            ("3000", "4000", "rw-p", 7, "/lib/a.so", 0),
            ("4000", "5000", "r-xp", 0, "[vdso]", 0),
        )
    )
    assert list(thrift.clean_mappings(smaps)) == [(0x1000, 0x2000, 8)]
