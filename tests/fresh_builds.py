"""A chapter of scripts/test-fresh: apps with real dependencies are built on a small machine, and nobody else notices."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from fresh_support import SSH, Machine, Visitor, expect, wait_for

FASTAPI = {
    "requirements.txt": "fastapi==0.115.5\nuvicorn==0.32.1\njinja2==3.1.4\n",
    "main.py": """\
from fastapi import FastAPI
from jinja2 import Template

app = FastAPI()


@app.get("/")
def page() -> dict[str, str]:
    return {"made by": Template("Fast{{ word }}").render(word="API")}
""",
}
EXPRESS = {
    "package.json": """\
{
  "name": "express-app", "version": "1.0.0", "private": true, "engines": {"node": "24.x"},
  "scripts": {"start": "node server.js"}, "dependencies": {"express": "4.19.2"}
}
""",
    "server.js": """\
const app = require("express")();
app.get("/", (_, answer) => answer.json({ "made by": "Express" }));
app.listen(process.env.PORT);
""",
}
COMMIT = """\
cd /root/{name} && git init -q -b main && git config user.name Person && git config user.email person@example.org
git add . && git commit -q -m one && git remote add wherry ssh://wherry@127.0.0.1:2222/{name}
"""
PROCESSES = """\
home=$(sed -n 's/^export WHERRY_HOME=//p' /usr/local/bin/wherry)
for pid in $(pgrep -f '^wherry: '; pgrep -f "^haproxy .*$home/"; pgrep -x dockerd); do
  echo "$pid $(tr '\\0' ' ' </proc/$pid/cmdline)"
done | sort
"""


def build_python_and_node(machine: Machine) -> str:
    before = machine.run(PROCESSES)
    with Visitor(machine, "sample-app.localhost") as visitor:
        python, node = pushed(machine, "fastapi", "FastAPI", FASTAPI), pushed(machine, "express", "Express", EXPRESS)
    expect(visitor.good > 100 and not visitor.bad, f"builds lose no request of others: {visitor.good} good, {visitor.bad[:5]}")
    after = machine.run(PROCESSES)
    expect(set(before.splitlines()) <= set(after.splitlines()), f"no process of the platform was killed:\n{before}\n{after}")
    machine.run("for name in fastapi express; do wherry apps:destroy $name --confirm $name; done")
    return f"FastAPI is live in {python:.0f} s, Express in {node:.0f} s; {visitor.good} requests meanwhile, 0 lost"


def pushed(machine: Machine, name: str, text: str, files: Mapping[str, str]) -> float:
    """Seconds from the push until the app has answered with `text`."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / name
        source.mkdir()
        for file, content in files.items():
            (source / file).write_text(content)
        machine.put(source, f"/root/{name}")
    machine.run(COMMIT.format(name=name))
    began = time.monotonic()
    machine.run(f"cd {name} && {SSH} git push wherry main", 900)
    wait_for(machine, f"{name}.localhost", text)
    return time.monotonic() - began
