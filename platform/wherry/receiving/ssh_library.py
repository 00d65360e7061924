"""The one place that loads paramiko, and how: without `invoke`, which it would load for a client's config file (12 MB)."""

from __future__ import annotations

import logging
import sys

sys.modules.setdefault("invoke", None)  # type: ignore[arg-type]

import paramiko  # noqa: E402
import paramiko.common  # noqa: E402

logging.getLogger("paramiko").setLevel(logging.CRITICAL)

__all__ = ["paramiko"]
