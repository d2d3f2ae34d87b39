"""`python -m sandbox [--play [--real-limits]]`: the bot against pretend neighbours."""

import asyncio
import os
import sys

from sandbox.interactive import walk
from sandbox.scenario import play as play_onboarding


def main(*, play: bool, real_limits: bool = False) -> int:
    """Play one whole onboarding, or let the person at the terminal walk; the exit status."""
    os.umask(0o077)  # the log, the database, the key: for nobody else's eyes
    try:
        return asyncio.run(play_onboarding(real_limits=real_limits) if play else walk())
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(play="--play" in sys.argv, real_limits="--real-limits" in sys.argv))
