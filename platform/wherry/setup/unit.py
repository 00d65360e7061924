"""The systemd unit of a platform, as text."""

from __future__ import annotations

from pathlib import Path

from wherry.settings import Settings

UNITS = Path("/etc/systemd/system")
PRIVATE = ("/tmp/", "/var/tmp/")
HOMES = ("/home/", "/root/", "/run/user/")


def path(settings: Settings) -> Path:
    return UNITS / f"{settings.name}.service"


def text(settings: Settings, argv: list[str], env: dict[str, str]) -> str:
    """KillMode=process: when only the supervisor is killed, the proxy serves on and the next supervisor adopts it; the
    other processes die with their parent by themselves. Protections that would hide the state folder are left out."""
    home = f"{settings.home}/"
    protections = ["NoNewPrivileges=yes", "ProtectSystem=full"]
    protections += [] if home.startswith(PRIVATE) else ["PrivateTmp=yes"]
    protections += [] if home.startswith(HOMES) else ["ProtectHome=yes"]
    environment = " ".join(f"{key}={value}" for key, value in sorted(env.items()))
    lines = [
        "[Unit]",
        f"Description=Wherry platform {settings.name}: git push to this machine",
        "Wants=network-online.target docker.service",
        "After=network-online.target docker.service",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=exec",
        f"Environment={environment}",
        f"ExecStart={' '.join(argv)}",
        "ExecReload=/bin/kill -USR2 $MAINPID",
        "Restart=always",
        "RestartSec=1",
        "KillMode=process",
        "TimeoutStopSec=60",
        "LimitNOFILE=65536",
        "TasksMax=infinity",
        "OOMScoreAdjust=-500",
        *protections,
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"
