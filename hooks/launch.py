"""Starts the hook from the code beside it: with -I -S, Python neither looks around nor loads what is installed."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "platform"))

from wherry.faces.git_hook.pre_receive import run

sys.exit(run(os.environ))
