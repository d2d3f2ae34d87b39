"""`python -m sandbox [--play [--real-limits] | --web]`: the bot against a pretend Slack."""

import asyncio
import os
import sys

from sandbox.interactive import walk
from sandbox.scenario import play as play_onboarding
from sandbox.web.server import serve


def main(*, play: bool = False, real_limits: bool = False, port: int | None = None) -> int:
    """Run it until it ends, and return the exit status.

    `play` plays one whole onboarding; a `port` (0: any) serves both sides to a browser; with
    neither, the person at the terminal plays both sides.
    """
    os.umask(0o077)  # the log, the database, the key: readable only by this user
    if port is not None:
        run = serve(port)
    elif play:
        run = play_onboarding(real_limits=real_limits)
    else:
        run = walk()
    try:
        return asyncio.run(run)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(
        main(
            play="--play" in sys.argv,
            real_limits="--real-limits" in sys.argv,
            port=0 if "--web" in sys.argv else None,
        )
    )
