"""Starts the hook from the code beside it: with -I -S, Python neither looks around nor loads what is installed."""

import sys

sys.path.insert(0, __file__.removesuffix("hooks/launch.py") + "platform")

from wherry.faces.git_hook import knock

status = knock.run()
if status is None:
    import os

    from wherry.faces.git_hook.pre_receive import run

    status = run(os.environ)
sys.exit(status)
