"""Whole onboardings through PgBouncer, with session pooling and with transaction pooling."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.scenario import Play
from tests.commands import onboarding
from tests.databases import Server
from tests.e2e.staging import finish_and_stop, running_stage
from tests.e2e.test_whole_onboardings import assert_complete, play
from tests.integration.test_cli import VALID_SETTINGS
from tests.pgbouncer import PooledDatabase, binary, pgbouncer, pooled_url
from tests.postgresql import Cluster

pytestmark = pytest.mark.skipif(
    binary() is None, reason="PgBouncer is not installed (Debian: apt-get install pgbouncer)"
)


@pytest.fixture(params=["session", "transaction"])
def pooled(
    request: pytest.FixtureRequest, cluster: Cluster, tmp_path: Path
) -> Iterator[PooledDatabase]:
    """An empty database behind PgBouncer."""
    with (
        Server(cluster.url).database() as direct_url,
        pgbouncer(cluster, request.param, tmp_path) as port,
    ):
        url = pooled_url(port, direct_url)
        with closing(PooledDatabase(tmp_path, url, direct_url)) as database:
            yield database


async def test_a_client_is_onboarded_through_pgbouncer(pooled: PooledDatabase) -> None:
    migrated = await onboarding(
        pooled.directory, "db", "upgrade", **{**VALID_SETTINGS, "DATABASE_URL": pooled.url}
    )
    assert (migrated.status, migrated.err) == (0, "")

    async with running_stage(pooled) as stage:
        await play(stage, Play)
        log = stage.bot.log_text()

        assert_complete(stage, await finish_and_stop(stage), verifications=2)
    assert [line for line in log.splitlines() if " WARNING " in line or " ERROR " in line] == []


async def test_pgbouncer_errors_are_shown_verbatim_without_a_traceback(
    pooled: PooledDatabase,
) -> None:
    settings = {**VALID_SETTINGS, "DATABASE_URL": f"{pooled.url}_nowhere"}

    for command in ("run", "doctor"):
        ended = await onboarding(pooled.directory, command, **settings)

        assert ended.status == 1
        assert '_nowhere" does not exist' in ended.out + ended.err
        assert "Traceback" not in ended.err
