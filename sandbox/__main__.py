"""`python -m sandbox [--play]`: the bot against a pretend Slack and a pretend ServiceTitan."""

import asyncio
import sys

from sandbox.play import play as play_onboarding
from sandbox.walk import walk


def main(play: bool) -> int:
    """Play one whole onboarding, or let the person at the terminal walk; the exit status."""
    try:
        return asyncio.run(play_onboarding() if play else walk())
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(play="--play" in sys.argv[1:]))
