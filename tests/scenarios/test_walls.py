"""What an app can not reach: the host, the control plane, other apps, the cloud's metadata; and what it may not do."""

import gzip
import json
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from scenario_support import Repository, Site, contents
from waiting import until

pytestmark = [pytest.mark.engine, pytest.mark.scenario]

Make = Callable[[str], Repository]
KNOCK = """
import socket, sys
for place in sys.argv[1:]:
    host, port = place.split(':')
    try:
        socket.create_connection((host, int(port)), 2).close()
        print(place, 'open')
    except OSError as error:
        print(place, 'closed')
"""


LOOK_UP = """
import json, socket, sys
names = []
for name in sys.argv[1:]:
    try:
        found = socket.gethostbyname(name)
        if found != socket.gethostbyname(socket.gethostname()):
            names.append(name)
    except OSError:
        pass
try:
    ipv6 = [line.split()[5] for line in open("/proc/net/if_inet6") if line.split()[5] != "lo"]
except OSError:
    ipv6 = []
print(json.dumps({"names": names, "interfaces": sorted(name for _, name in socket.if_nameindex()), "ipv6": ipv6}))
"""
"""Which names lead somewhere else than to the container itself."""
ATTEMPTS = """
import ctypes, json, os, socket
libc = ctypes.CDLL(None, use_errno=True)
done = {}

def attempt(name, action):
    try:
        done[name] = repr(action())
    except OSError:
        pass

def call(function, *words):
    if getattr(libc, function)(*words) < 0:
        raise OSError(ctypes.get_errno(), function)

attempt("root", lambda: os.setuid(0))
attempt("mount", lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, None))
attempt("chroot", lambda: os.chroot("/tmp"))
attempt("device", lambda: os.mknod("/tmp/disk", 0o060600, os.makedev(8, 0)))
attempt("clock", lambda: __import__("time").clock_settime(0, 0))
attempt("name", lambda: socket.sethostname("evil"))
attempt("user namespace", lambda: call("unshare", 0x10000000))
attempt("other namespaces", lambda: call("unshare", 0x00020000 | 0x40000000 | 0x20000000))
attempt("raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("packets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 768))
attempt("kernel", lambda: open("/proc/sys/kernel/core_pattern", "w"))
attempt("sysrq", lambda: open("/proc/sysrq-trigger", "w"))
attempt("sys", lambda: open("/sys/kernel/uevent_helper", "w"))
attempt("memory", lambda: open("/dev/mem", "rb"))
attempt("log", lambda: call("klogctl", 3, ctypes.create_string_buffer(64), 64))
attempt("cgroup", lambda: os.mkdir("/sys/fs/cgroup/evil"))
attempt("first process", lambda: open("/proc/1/mem", "rb+") if os.stat("/proc/1").st_uid != os.getuid() else call("close", -1))
attempt("keys", lambda: call("syscall", 250, 0, -3, 0))
attempt("bpf", lambda: call("syscall", 321, 0, 0, 0))
attempt("perf", lambda: call("syscall", 298, 0, 0, -1, -1, 0))
attempt("userfaultfd", lambda: call("syscall", 323, 0))
attempt("handle", lambda: call("syscall", 304, 0, 0, 0))
attempt("kexec", lambda: call("syscall", 246, 0, 0, 0, 0))
attempt("module", lambda: call("syscall", 175, 0, 0, 0))
attempt("docker", lambda: os.listdir("/var/run/docker.sock"))
print(json.dumps(done))
"""
"""What none of them may succeed in; the numbers are x86-64's."""
FORKS = """
import threading
over, started = threading.Event(), 0
try:
    while started < 2000:
        threading.Thread(target=over.wait).start()
        started += 1
except RuntimeError:
    pass
print(started)
over.set()
"""
"""The kernel counts threads as processes; these need no memory."""
TOLD = [
    "releases vault",
    "releases vault --json",
    "operations vault",
    "operations vault --json",
    "events vault --json",
    "events --json",
    "logs vault -n 2000",
    "builds vault",
    "ps vault --json",
    "ps:report vault",
    "apps:info vault --json",
    "config vault",
]


def inside(here: Site, app: str, *argv: str) -> str:
    return here.docker("exec", here.containers(app)[0], *argv).text


def address(here: Site, app: str, what: str) -> str:
    (network,) = json.loads(here.docker("inspect", here.containers(app)[0]).text)[0]["NetworkSettings"]["Networks"].values()
    return str(network[what])


def test_an_app_reaches_neither_the_host_nor_the_control_plane_nor_other_apps(here: Site, app: Make) -> None:
    """By every address that the host has: that of its own bridge, of another app's, of Docker's own, and the machine's."""
    app("inner").release(1)
    app("other").release(1)
    with socket.create_server(("0.0.0.0", 0), backlog=1) as some_service:
        hosts = {address(here, "inner", "Gateway"), address(here, "other", "Gateway"), *host_addresses()}
        ports = {here.ssh_port, here.api_port, some_service.getsockname()[1]}
        places = [f"{host}:{port}" for host in sorted(hosts) for port in sorted(ports)]
        places += [f"{address(here, 'other', 'IPAddress')}:5000", "169.254.169.254:80", "169.254.170.2:80", "127.0.0.1:22"]
        knocked = inside(here, "inner", "python", "-c", KNOCK, *places).splitlines()
    assert knocked == [f"{place} closed" for place in places]


def test_an_app_finds_nobody_by_name_and_has_one_way_out(here: Site, app: Make) -> None:
    app("finder").release(1)
    app("hidden").release(1)
    hidden = json.loads(here.docker("inspect", here.containers("hidden")[0]).text)[0]
    names = [hidden["Name"].strip("/"), hidden["Config"]["Hostname"], "hidden", "host.docker.internal", "gateway.docker.internal"]
    found = json.loads(inside(here, "finder", "python", "-c", LOOK_UP, *names))
    assert found["names"] == []
    assert [name for name in found["interfaces"] if not name.startswith(("lo", "tun", "sit", "ip", "gre"))] == ["eth0"]
    assert found["ipv6"] == []


def host_addresses() -> set[str]:
    """The machine's own addresses, but for loopback, which is another one inside."""
    found = subprocess.run(["ip", "-4", "-o", "addr"], capture_output=True, text=True, check=True).stdout
    return {match[1] for match in re.finditer(r"inet ([0-9.]+)/", found) if not match[1].startswith("127.")}


def test_an_app_reaches_the_front_door_like_any_visitor(here: Site, app: Make) -> None:
    app("guest").release(1)
    place = f"{address(here, 'guest', 'Gateway')}:{here.http_port}"
    assert inside(here, "guest", "python", "-c", KNOCK, place).strip() == f"{place} open"


def test_an_app_is_not_root_and_may_not_become_it(here: Site, app: Make) -> None:
    app("plain").release(1)
    status = inside(here, "plain", "cat", "/proc/1/status")
    for line in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert f"{line}:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
    assert inside(here, "plain", "id", "-u").strip() != "0"
    assert json.loads(inside(here, "plain", "python", "-c", ATTEMPTS)) == {}


def test_a_container_has_no_door_to_the_host(here: Site, app: Make) -> None:
    app("boxed").release(1)
    facts = json.loads(here.docker("inspect", here.containers("boxed")[0]).text)[0]
    host = facts["HostConfig"]
    assert facts["Mounts"] == [] and not host["Binds"] and not host["Devices"] and not host["VolumesFrom"]
    assert host["Privileged"] is False and host["CapDrop"] == ["ALL"] and not host["CapAdd"]
    assert host["NetworkMode"] not in ("host", "bridge", "default") and host["PidMode"] == "" and host["UTSMode"] == ""
    assert host["IpcMode"] == "private" and not host["GroupAdd"] and not host["Links"] and not host["ExtraHosts"]
    assert host["PidsLimit"] == 512 and 0 < host["Memory"] == host["MemorySwap"] and host["Init"] is True
    assert host["PublishAllPorts"] is False and not host["PortBindings"]
    found = inside(here, "boxed", "find", "/", "-xdev", "-type", "s").splitlines()
    assert [line for line in found if not line.startswith("find: ")] == []  # what it may not read, it may not open


def test_a_fork_bomb_ends_at_its_limit_and_the_neighbour_answers(here: Site, app: Make) -> None:
    app("calm").release(1)
    app("bomb").release(1)
    made = int(inside(here, "bomb", "python", "-c", FORKS))
    assert 100 < made <= 512
    assert here.get("calm") == (200, "1")


def test_a_secret_stands_nowhere_but_in_its_app(here: Site, app: Make, tmp_path: Path) -> None:
    """Set by SSH and on the machine, through a push, a failed push, a scale, a one-off and a report for strangers, while somebody
    else on the machine reads the arguments of every process."""
    vault, canary = app("vault"), "canary-3b1e77"
    with reading_arguments() as seen:
        vault.release(1)
        assert here.ssh("config:set", "vault", f"TOKEN={canary}", f"URL=postgres://me:{canary}@db/x").status == 0
        assert here.wherry("config:set", "vault", "OTHER", stdin=canary).status == 0
        vault.release(2)
        vault.commit({"requirements.txt": "no-such-package-3b1e77\n"})
        assert vault.push().status != 0
        assert here.wherry("ps:scale", "vault", "web=2").status == 0
        here.wherry("run", "vault", "--", "true")
        here.ssh("config:set", "vault", f"PORT={canary}")
        here.wherry("doctor", "--bundle", "-o", str(tmp_path / "bundle.tar.gz"))
    until(lambda: len(here.containers("vault")) == 2, what="the end of all but web.1 and web.2")
    told = {line for line in seen if canary in line and not line.startswith("ssh ")}  # that is the person's own, elsewhere
    assert told == set()
    shown = {name: text for name, text in everything_told(here, "vault", tmp_path / "bundle.tar.gz").items() if canary.encode() in text}
    assert shown == {}
    found = [path for path, held in contents(here.home) if canary.encode() in held]
    assert [path for path in found if "venvs" not in path.parts] == []


def everything_told(here: Site, app: str, bundle: Path) -> dict[str, bytes]:
    """All that is said about an app to anybody but the app, and its images to their last layer."""
    told = {f"wherry {words}": here.wherry(*words.split()).text.encode() for words in TOLD}
    for container in here.containers(app):
        facts = json.loads(here.docker("inspect", container).text)[0]
        del facts["Config"]["Env"]
        told[f"container {container[:12]}"] = json.dumps(facts).encode()
    for image in set(here.docker("images", "-q", "--no-trunc", "--filter", f"label=wherry.platform={here.name}").text.split()):
        told[f"history {image}"] = here.docker("history", "--no-trunc", image).text.encode()
        told[f"image {image}"] = here.docker("inspect", image).text.encode()
    image = here.docker("inspect", "-f", "{{.Image}}", here.containers(app)[0]).text.strip()
    told["layers"] = subprocess.run(["docker", "save", image], capture_output=True, check=True).stdout
    told["bundle"] = gzip.decompress(bundle.read_bytes())
    return told


@contextmanager
def reading_arguments() -> Iterator[set[str]]:
    """The arguments of every process that ran meanwhile, as any account of the machine may read them, but for our own tests."""
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.005):
            for folder in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    seen.add((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join(10)
