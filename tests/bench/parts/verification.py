"""A verification, when ServiceTitan takes 250 ms for each request."""

import asyncio
import json
from collections.abc import AsyncIterator

from sqlmodel import col, select

from sandbox.scripted_people import SHOWN_AT, opened
from storage.tables import VerificationRow
from tests.bench.bench import Bench
from tests.bench.figures import P50_TOLERANCE, Figure
from tests.bench.population import populate
from tests.bench.stage import Platforms, engine_for, running_platforms

REQUEST_MS = 250.0
LEAST_MS = 2 * REQUEST_MS  # the token, then the slowest of the reads
STEP = max(SHOWN_AT)
AIM = 1.15
TIMEOUT_SECONDS = 15.0


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """Enter all five values for one client after the other, which starts a verification."""
    count = bench.rounds(quick=1, usual=5, long=10)
    with bench.databases() as urls:
        for name, url in urls.items():
            async with running_platforms(bench.directory()) as platforms:
                took = await _verified(platforms, url, count)
            yield Figure(
                what="verification",
                where=name,
                unit="ms",
                rounds=tuple(took),
                against=(LEAST_MS,),
                aim=AIM,
                tolerance=P50_TOLERANCE,
            )


async def _verified(platforms: Platforms, url: str, count: int) -> list[float]:
    clients = await populate(platforms, url, "client", count, STEP)
    stage = await platforms.stage(await platforms.start("bot", url))
    platforms.servicetitan.slow(REQUEST_MS / 1000)
    for done, client in enumerate(clients):
        message = platforms.slack.message(client.channel, f"step:{STEP}")
        assert message
        await stage.admin.press(message, "enter_credentials")
        form = await opened(stage, stage.admin, "enter_credentials")
        assert (await stage.admin.submit(form, platforms.servicetitan.credentials)).ok
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while len(_durations(url)) <= done:  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.1)
    return _durations(url)


def _durations(url: str) -> list[float]:
    engine = engine_for(url)
    with engine.connect() as connection:
        query = select(VerificationRow.report).where(col(VerificationRow.report).is_not(None))
        reports = connection.execute(query).scalars().all()
    engine.dispose()
    return [json.loads(report)["duration_ms"] for report in reports if report]
