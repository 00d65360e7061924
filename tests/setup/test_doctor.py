"""The doctor names what is wrong with its fix, stops at nothing, and its bundle holds no secret."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from draining_support import posts
from free_ports import free_port
from stored_platform import ADMIN, deployed, new_platform, running
from wherry import clock
from wherry.errors import Unavailable
from wherry.model.volume import Mount, mounts_to_json
from wherry.services import logs, storage
from wherry.services.platform import Platform
from wherry.setup import machine, service
from wherry.setup.doctor import bundle, masking, on_machine, on_platform, on_state, on_volumes
from wherry.setup.doctor.finding import FAIL, OK, WARN, Finding, findings_of, lines_of, ok, summary, warn
from wherry.store import apps, certificates, operations, volumes

CANARY = "canary-7731-only-in-config"
SECOND = "line-one-secret\nline-two-secret"


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return new_platform(tmp_path)


def levels(found: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(finding.check, finding.level) for finding in found]


def test_a_check_that_can_not_look_is_a_finding_and_stops_no_other() -> None:
    def down() -> Iterator[Finding]:
        raise Unavailable("no Docker engine answers", hint="Start it.")

    def broken() -> Iterator[Finding]:
        raise KeyError("Driver")

    found = list(findings_of({"docker": down, "disk": broken, "clock": lambda: [ok("clock", "right")]}))
    assert [(finding.check, finding.level) for finding in found] == [("docker", FAIL), ("disk", WARN), ("clock", OK)]
    assert (found[0].what, found[0].fix) == ("no Docker engine answers", "Start it.")
    assert "doctor --bundle" in found[1].fix


def test_a_finding_is_a_line_and_its_fix_below() -> None:
    found = [ok("clock", "right"), warn("disk", "0.9 GB free", "Make room.")]
    told = [line for finding in found for line in lines_of(finding)]
    assert told == ["ok    clock: right", "warn  disk: 0.9 GB free", "      Make room."]
    assert summary(found) == "1 ok, 1 warning, no failure"


def test_a_full_disk_is_a_failure_and_a_nearly_full_one_a_warning() -> None:
    plenty = os.statvfs("/")
    shape = list(plenty)

    def at(free: int, has_images: bool = True) -> Finding:
        shape[1], shape[2], shape[4] = 4096, 10_000_000, free // 4096
        return on_machine._room(Path("/x"), os.statvfs_result(shape), has_images)

    assert [at(20_000_000_000).level, at(900_000_000).level, at(100_000_000).level, at(0).level] == [OK, WARN, FAIL, FAIL]
    assert at(100_000_000).what == "100 MB of 41.0 GB free at /x"
    assert "wherry disk" in at(100_000_000).fix and "wherry" not in at(0).fix, "our own commands write to that disk"
    assert "docker" not in at(100_000_000, has_images=False).fix + at(0, has_images=False).fix


def test_what_a_full_disk_is_told_to_run_shows_what_is_large(tmp_path: Path) -> None:
    words = on_machine._largest(tmp_path).removeprefix("sudo ").split(" | ")[0].split()
    top = Path(words.pop())
    assert top.is_mount() and tmp_path.is_relative_to(top)
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "file").write_bytes(b"x" * 60_000_000)
    shown = subprocess.run([*words, str(tmp_path)], capture_output=True, text=True, check=True).stdout
    (tmp_path / "large" / "file").unlink()  # pytest keeps the folders of its last runs
    assert f"{tmp_path}/large\n" in shown


def test_a_clock_that_is_behind_is_told_by_code_from_the_future(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / "platform" / "wherry" / "version.py"
    made.parent.mkdir(parents=True)
    made.touch()
    monkeypatch.setattr(on_machine, "source_root", lambda: tmp_path)
    assert FAIL not in [finding.level for finding in on_machine.clock()]
    os.utime(made, (time.time() + 3 * 86_400,) * 2)
    (told,) = on_machine.clock()
    assert told.fix.startswith("Set it: sudo date -u -s 'YYYY-MM-DD HH:MM'")
    assert told.level == FAIL
    assert re.fullmatch(r"it says \d{4}-\d\d-\d\d \d\d:\d\d UTC, before this version was made", told.what)
    assert "Have it kept: " in told.fix


def test_a_whole_database_is_well_and_a_damaged_one_is_named(platform: Platform) -> None:
    deployed(platform)
    assert levels(on_state.database(platform.settings)) == [("database", OK), ("key", OK)]
    platform.database.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    platform.database.close()
    body = bytearray(platform.settings.database.read_bytes())
    body[4096:8192] = b"\xff" * 4096
    platform.settings.database.write_bytes(bytes(body))
    assert ("database", FAIL) in levels(on_state.database(platform.settings))


def test_a_key_that_is_gone_is_told_with_the_way_out(platform: Platform) -> None:
    deployed(platform, config={"TOKEN": "s3cret"})
    platform.database.key.path.unlink()
    (_, key) = on_state.database(platform.settings)
    assert (key.check, key.level) == ("key", FAIL) and "secret.key, is gone" in key.what and "--forget-secrets" in key.fix


def test_a_change_of_the_key_that_was_cut_short_is_told(platform: Platform) -> None:
    deployed(platform, config={"TOKEN": "s3cret"})
    platform.database.key.begin_change(os.getgid())
    assert levels(on_state.database(platform.settings)) == [("database", OK), ("key", WARN), ("key", OK)]


def with_volumes(platform: Platform, *names: str, size: int | None = None) -> dict[str, str]:
    """Volumes of shop's, the first of them mounted; by name, what Docker calls them."""
    deployed(platform)
    for name in names:
        _, volume = storage.create(platform, ADMIN, "shop", name)
        with platform.database.write() as connection:
            if size is not None:
                volumes.measured(connection, volume, size, clock.now())
            app = apps.get(connection, "shop")
            apps.change(connection, app, mounts=mounts_to_json([Mount(names[0], "/data")]))
    return {volume.name: volume.source for volume in on_state.read(platform.settings).apps[0].volumes}


def test_volumes_that_are_gone_or_seen_by_nobody_or_nobodys_are_told(platform: Platform) -> None:
    at_docker = [{"Name": "wherry-old-x1", "Labels": {"wherry.app": "old"}}]
    with_volumes(platform, "data", "spare", size=12_000_000)
    gone, also, unseen, nobodys = on_volumes.compared(on_state.read(platform.settings).apps, at_docker)
    assert (gone.level, unseen.level, nobodys.level) == (FAIL, WARN, WARN)
    assert gone.what.startswith("data of shop (12.0 MB) is gone from Docker") and "storage:import shop data" in gone.fix
    assert also.what.startswith("spare of shop (12.0 MB) is gone")
    assert unseen.what == "spare of shop (12.0 MB) is mounted nowhere" and "storage:destroy shop spare" in unseen.fix
    assert nobodys.what == "wherry-old-x1, once of old belongs to no app" and "docker volume rm wherry-old-x1" in nobodys.fix


def test_volumes_that_are_well_are_told_by_their_size(platform: Platform) -> None:
    names = with_volumes(platform, "data", size=1_500_000_000)
    at_docker = [{"Name": names["data"], "Labels": None}]
    (found,) = on_volumes.compared(on_state.read(platform.settings).apps, at_docker)
    assert (found.level, found.what) == (OK, "1, all there, 1.5 GB")


def test_a_volume_that_no_instance_ever_mounted_is_not_missed(platform: Platform) -> None:
    with_volumes(platform, "data")
    assert levels(on_volumes.compared(on_state.read(platform.settings).apps, [])) == [("volumes", OK)]


def test_an_operation_that_nobody_takes_up_or_that_never_ends_is_told(platform: Platform) -> None:
    deployed(platform)
    old = clock.text(clock.parse(clock.now()) - timedelta(hours=2))
    with platform.database.write() as connection:
        operations.add(connection, "shop", "scale", "alice", {}, old)
        stuck = operations.add(connection, "blog", "deploy", "alice", {}, old)
        operations.claim(connection, stuck, "someone", old)
    found = list(on_state.work(on_state.read(platform.settings)))
    assert [(finding.level, finding.check) for finding in found] == [(WARN, "operations"), (FAIL, "operations")]
    assert f"wherry operations:cancel {stuck.id}" in found[0].fix


def test_a_crashed_instance_is_told_with_where_to_look(platform: Platform) -> None:
    deployed(platform)
    running(platform)
    with platform.database.write() as connection:
        connection.execute("UPDATE instances SET state = 'crashed', detail = 'exit 1'")
    (found,) = on_state.crashes(on_state.read(platform.settings))
    assert (found.level, found.what, found.fix) == (WARN, "web.1 of shop crashed: exit 1", "Its last lines: wherry logs shop -p web.1")


def test_logs_may_take_what_their_apps_were_given(platform: Platform) -> None:
    deployed(platform)
    folder = platform.settings.app_logs / "shop"
    folder.mkdir()
    with (folder / "00000001.log").open("wb") as file:
        file.truncate(40 * 1024 * 1024)
    assert levels(on_state.logs(platform.settings, on_state.read(platform.settings))) == [("logs", WARN)]
    logs.change(platform, ADMIN, "shop", {"max_size": 64})
    (found,) = on_state.logs(platform.settings, on_state.read(platform.settings))
    assert (found.level, found.what) == (OK, "41.9 MB of at most 67 MB")


def test_a_certificate_near_its_end_or_past_it_is_told(platform: Platform) -> None:
    app = deployed(platform)
    facts = {"issuer": "x", "serial": "1", "fingerprint": "AA", "not_before": "2026-01-01T00:00:00.000000Z"}
    soon = clock.text(clock.parse(clock.now()) + timedelta(days=3))
    with platform.database.write() as connection:
        certificates.put(connection, app, "old.example.org", "own", clock.now(), **facts, not_after="2026-01-02T00:00:00.000000Z")
        certificates.put(connection, app, "soon.example.org", "acme", clock.now(), **facts, not_after=soon, error="the authority said no")
        certificates.put(connection, app, "never.example.org", "acme", clock.now(), error="no such host")
    found = {finding.level: finding for finding in on_state.certificates_of(on_state.read(platform.settings))}
    assert "old.example.org of shop expired" in found[FAIL].what and "certs:add shop" in found[FAIL].fix
    assert "wherry certs:renew shop" in found[WARN].fix


def test_without_a_public_domain_no_name_is_looked_up(platform: Platform) -> None:
    deployed(platform)
    assert levels(on_state.names(platform.settings, on_state.read(platform.settings))) == [("names", OK)]


def test_domains_without_an_address_are_one_finding() -> None:
    one = on_state._without_address(["a.org (shop)"], "192.0.2.7")
    assert (one.what, one.fix) == ("a.org (shop) has no address", "Add a DNS record: a.org A 192.0.2.7")
    many = on_state._without_address([f"{letter}.org (shop)" for letter in "abcde"], "192.0.2.7")
    assert many.what == "5 domains have no address: a.org (shop), b.org (shop), c.org (shop) and 2 more"
    assert many.fix == "Add a DNS record for each, e.g. a.org A 192.0.2.7"


def test_a_program_on_a_port_of_visitors_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        mine = new_platform(tmp_path, WHERRY_HTTP_PORT=str(port), WHERRY_HTTPS_PORT=str(free_port())).settings
        assert re.fullmatch(rf"port {port} is taken by .+ \(process {os.getpid()}\)", on_platform._taken(mine))
    assert on_platform._taken(mine) == ""


def test_a_proxy_that_hangs_does_not_answer(platform: Platform) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hung:
        assert not service._serves(hung.getsockname()[1], 0.2), "the kernel takes the connection for it"
    with posts() as well:
        assert service._serves(well.port)


def test_a_key_that_everybody_may_read_is_told_with_the_way_out(platform: Platform) -> None:
    deployed(platform, config={"TOKEN": "s3cret"})
    key = platform.database.key.path
    key.chmod(0o644)
    told = [finding for finding in on_platform.modes(platform.settings) if str(key) in finding.what]
    assert [(finding.level, finding.fix) for finding in told] == [(FAIL, f"chmod o-rwx {key}")]


def test_a_clock_that_nothing_keeps_right_gets_a_program_that_does() -> None:
    """Without systemd nobody can tell whether there is one, and there is no timedatectl."""
    kept = "Have it kept: sudo apt-get install -y systemd-timesyncd", "Have it kept: sudo timedatectl set-ntp true"
    by_hand = "Have it kept: sudo apt-get install -y chrony"
    assert on_machine._keep_right() == (kept[on_machine._says("CanNTP") != "no"] if machine.has_systemd() else by_hand)


def test_a_fix_of_another_platform_is_about_that_one() -> None:
    found = warn("files", "x", "Put it right: sudo scripts/up")
    assert found.of("wherry").fix == "Put it right: sudo scripts/up"
    assert found.of("trial").fix == "Put it right: sudo trial setup"


def test_a_configuration_that_haproxy_refuses_is_told_in_its_words(platform: Platform) -> None:
    folder = platform.settings.proxy
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "haproxy.cfg").write_text("global\nfrontend f\n    nonsense here\n")
    (found,) = on_platform.proxy(platform.settings)
    assert found.level == FAIL
    assert "haproxy.cfg:3] : unknown keyword 'nonsense'" in found.what
    assert found.fix == "Write it anew, without a lost request: sudo scripts/up"


def test_a_certificate_that_haproxy_refuses_is_named_with_another_way_out(platform: Platform) -> None:
    folder = platform.settings.proxy
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "broken.pem").write_text("no certificate\n")
    (folder / "haproxy.cfg").write_text(f"frontend f\n    mode http\n    timeout client 1s\n    bind :443 ssl crt {folder}/broken.pem\n")
    (found,) = on_platform.proxy(platform.settings)
    assert found.level == FAIL and "broken.pem" in found.what
    assert found.fix == "Move that file away, then bring the certificate again: wherry certs:add or certs:renew"


def bundled(platform: Platform) -> dict[str, str]:
    body = bundle.make(platform.settings, [warn("apps", f"web.1 said {CANARY}", "Look.")])
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return {entry.name.partition("/")[2]: archive.extractfile(entry).read().decode() for entry in archive}  # type: ignore[union-attr]


def test_a_bundle_holds_what_a_report_needs_and_no_secret_in_any_of_its_files(platform: Platform) -> None:
    app = deployed(platform, config={"SECRET": CANARY, "PEM": SECOND})
    settings = platform.settings
    with platform.database.write() as connection:
        apps.change(connection, app, config={"OTHER": "canary-of-the-wish"})
        failed = operations.add(connection, "shop", "config", "alice", {"changes": {"SECRET": CANARY}}, clock.now())
        told = {"code": "H10", "message": f"web.1 said {CANARY} and line-two-secret", "hint": ""}
        operations.finish(connection, failed, "failed", clock.now(), error=told)
    settings.platform_log.write_text(
        f"engine: {CANARY}\nhttp://me:hunter2@proxy:3128\ntoken wherry_0123456789abcdefghijABCDEFGHIJ012345\nAPI_KEY=abc123def\n"
        "canary-of-the-wish\nmail me@example.org\n-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n"
    )
    settings.registry_logins.write_text("registry-canary-password")
    files = bundled(Platform(replace(settings, acme_email="owner@example.org"), platform.database))
    assert {"doctor.txt", "versions.txt", "settings.txt", "docker.json", "platform.log", "operations.json", "haproxy.cfg"} <= files.keys()
    every = "\n".join(files.values())
    secrets = [CANARY, "line-one-secret", "line-two-secret", "canary-of-the-wish", "hunter2", "wherry_0123", "abc123def", "MIIEvQ"]
    assert [secret for secret in [*secrets, "me@example.org", "owner@", "registry-canary"] if secret in every] == []
    assert json.loads(files["operations.json"])[0]["error"]["code"] == "H10"
    assert "WHERRY_HTTP_PORT=80" in files["settings.txt"]


def test_values_of_several_lines_are_masked_line_by_line_and_short_ones_left() -> None:
    masked = masking.Masker([*SECOND.splitlines(), "1", "abcd", "abcdef"])
    assert masked("x=1 abcdef line-two-secret") == "x=1 *** ***"


def test_only_an_admin_may_ask_the_doctor(platform: Platform) -> None:
    from stored_platform import DEPLOYER
    from wherry.errors import Forbidden, NotFound
    from wherry.services import doctor

    with pytest.raises(Forbidden):
        doctor.examine(platform, DEPLOYER, False)
    asked = doctor.examine(platform, ADMIN, True)
    with pytest.raises(Forbidden):
        doctor.bundle(platform, DEPLOYER, asked.id)
    with pytest.raises(NotFound):
        doctor.bundle(platform, ADMIN, asked.id)
