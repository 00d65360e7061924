"""The story of `scripts/up`: from a bare machine to a platform that serves its first app. Every step is idempotent.

The first half runs on the system's Python from the clone; it ends by starting the second half from the code and the
virtual environment that it has put in place.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from wherry import clock
from wherry import settings as settings_module
from wherry.settings import Settings, source_root
from wherry.setup import accounts, code, docker_daemon, folders, machine, packages, ports, service, values, venv
from wherry.setup.console import Console


@dataclass
class Site:
    """What the steps work on. `person` is the account that becomes admin; `began` is on the monotonic clock."""

    settings: Settings
    person: str
    source: Path = field(default_factory=source_root)
    swap: str = ""
    began: float = field(default_factory=clock.monotonic)
    console: Console = field(default_factory=Console)


def first_half(swap: str = "") -> None:
    """Everything that needs no library, then the second half in this very process."""
    kept = values.decide(settings_module.given())
    site = Site(values.settings_of(kept), settings_module.invoker(), swap=swap)
    home, console = site.settings.home, site.console
    console.heading(f"Wherry on {machine.describe()}; state in {home}")
    console.step("machine", lambda: machine.check(home))
    _care_for_memory(site)
    console.step("ports", lambda: "" if service.is_running(site.settings) else ports.check(site.settings))
    console.step("packages", lambda: packages.ensure(console.doing))
    console.step("service users", lambda: accounts.ensure(site.settings))
    console.step("folders", lambda: folders.ensure(site.settings))
    console.step("settings", lambda: values.keep(site.settings, kept))
    console.step("Docker", lambda: docker_daemon.ensure(site.settings, console.doing))
    console.step("code", lambda: code.ensure(site.settings, site.source))
    console.step("Python packages", lambda: venv.ensure(site.settings, console.doing))
    _go_on(site)


def second_half(settings: Settings, person: str, began: float) -> int:
    """With all libraries: database, base images, the admin, the service, the sample app."""
    from wherry.setup import launcher, sample, stacks
    from wherry.setup import person as person_module

    site = Site(settings, person, began=began)
    console = site.console
    console.step("database", lambda: stacks.migrate(settings))
    console.step("base images", lambda: stacks.ensure(settings, console))
    console.step("admin", lambda: person_module.ensure(settings, person))
    console.step("command", lambda: launcher.ensure(settings))
    console.step("platform", lambda: service.ensure(settings, console.doing))
    console.step("sample app", lambda: sample.ensure(settings, person))
    _farewell(site)
    return 0


def _care_for_memory(site: Site) -> None:
    console = site.console
    if site.swap:
        console.step("swap", lambda: machine.make_swap(site.swap, site.settings.home / "swap"))
    elif machine.is_small():
        console.warning(
            f"{machine.memory() / 2**20:.0f} MB of memory and no swap: builds of large apps may not fit.",
            "A swap file helps: sudo WHERRY_SWAP=1G scripts/up",
        )
    if machine.lacks_memory_limits():
        console.warning(
            "This kernel does not limit the memory of containers: one app can take all of it.",
            "On a Raspberry Pi, add cgroup_enable=memory to /boot/firmware/cmdline.txt and reboot.",
        )


def _go_on(site: Site) -> None:
    python, settings = venv.python(site.settings), site.settings
    main = code.folder(settings) / "platform" / "wherry" / "main.py"
    words = ["setup", "--go-on", "--person", site.person, "--began", f"{site.began:.3f}"]
    env = {
        **service.environment(settings),
        **settings_module.network(),
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }
    os.execve(python, [str(python), "-I", str(main), *words], env)


def _farewell(site: Site) -> None:
    from wherry.setup import sample

    settings, console = site.settings, site.console
    name, port, host = settings.name, settings.ssh_port, machine.public_address() or os.uname().nodename
    console.heading(f"Ready in {clock.monotonic() - site.began:.1f} s: {settings.url_of(sample.APP)}")
    console.detail("Next:")
    console.detail(f"  git remote add wherry ssh://wherry@{host}:{port}/myapp && git push wherry main")
    console.detail(f"  {name} ps:scale {sample.APP} web=2")
    console.detail(f"  {name} logs {sample.APP} -t")
