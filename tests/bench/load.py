"""A separate process that sends signed requests on schedule and times their acknowledgements.

The load is open: a request leaves at its time whether or not earlier ones were answered, and its
latency counts from that time, so that a bot that falls behind cannot hide it.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from typing import Any, Self

import aiohttp

from sandbox.slack.signing import signed_headers

Body = tuple[bytes, str]  # with its content type
LEAD_SECONDS = 0.05


class LoadFailedError(Exception):
    """A request was not acknowledged with 200."""


class Load:
    """`async with Load() as load` starts the process; it ends with the block."""

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.load"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 26,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        await self._process.wait()

    async def send(self, url: str, secret: str, bodies: Sequence[Body], rate: float) -> list[float]:
        """Send `rate` bodies per second; return the seconds until each acknowledgement."""
        assert self._process.stdin
        assert self._process.stdout
        texts = [(body.decode(), kind) for body, kind in bodies]
        plan = {"url": url, "secret": secret, "rate": rate, "bodies": texts}
        self._process.stdin.write(f"{json.dumps(plan)}\n".encode())
        found = json.loads(await self._process.stdout.readline())
        if refused := [status for status in found["statuses"] if status != 200]:
            raise LoadFailedError(f"{len(refused)} of {len(bodies)} failed, such as {refused[0]}")
        return list(found["seconds"])


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            plan = json.loads(line)
            start, every = loop.time() + LEAD_SECONDS, 1 / plan["rate"]
            found = await asyncio.gather(
                *(
                    _send(session, plan, body, kind, start + number * every)
                    for number, (body, kind) in enumerate(plan["bodies"])
                )
            )
            seconds, statuses = zip(*found, strict=True)
            sys.stdout.write(f"{json.dumps({'seconds': seconds, 'statuses': statuses})}\n")
            sys.stdout.flush()


async def _send(
    session: aiohttp.ClientSession, plan: dict[str, Any], body: str, kind: str, at: float
) -> tuple[float, int | str]:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(max(0.0, at - loop.time()))
    content = body.encode()
    signed = signed_headers(plan["secret"], str(int(time.time())), content)
    headers = {"Content-Type": kind, **signed}
    try:
        async with session.post(plan["url"], data=content, headers=headers) as response:
            await response.read()
            return loop.time() - at, response.status
    except aiohttp.ClientError as error:
        return loop.time() - at, type(error).__name__


if __name__ == "__main__":
    asyncio.run(_serve())
