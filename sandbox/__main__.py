"""`python -m sandbox [--play [--real-limits] | --web]`: the bot against a pretend Slack."""

import asyncio
import os
import sys


def main(*, play: bool = False, real_limits: bool = False, port: int | None = None) -> int:
    """Run it until it ends, and return the exit status.

    `play` plays one whole onboarding; a `port` (0: any) serves both sides to a browser; with
    neither, the person at the terminal plays both sides.
    """
    os.umask(0o077)  # the log, the database, the key: readable only by this user
    try:
        return asyncio.run(_run(play=play, real_limits=real_limits, port=port))
    except KeyboardInterrupt:
        return 130


async def _run(*, play: bool, real_limits: bool, port: int | None) -> int:
    if port is not None:
        from sandbox.web.server import serve

        return await serve(port)
    if play:
        from sandbox.scenario import play as play_onboarding

        return await play_onboarding(real_limits=real_limits)
    from sandbox.interactive import walk

    return await walk()


if __name__ == "__main__":
    sys.exit(
        main(
            play="--play" in sys.argv,
            real_limits="--real-limits" in sys.argv,
            port=0 if "--web" in sys.argv else None,
        )
    )
