"""Canary secrets go through a whole run, failures included, and must not leak anywhere.

`pytest -s tests/e2e/test_canary.py` shows how much was searched and how often a secret was found.
"""

import json

import pytest

from sandbox.summary import CallCount
from tests.databases import ON_SQLITE, AnyDatabase
from tests.e2e.canary import (
    CANARIES,
    THIRD_SECRET,
    EverythingGoesWrong,
    everything_written,
    is_reveal,
    leaks,
    search_summary,
    send_malformed_bodies,
)
from tests.e2e.staging import finish_and_stop, rows, running_stage


@ON_SQLITE
@pytest.mark.usefixtures("new_processes")
@pytest.mark.parametrize("socket_mode", [False, True], ids=["http", "socket"])
async def test_secrets_appear_only_where_an_engineer_reveals_them(
    database: AnyDatabase, socket_mode: bool
) -> None:
    async with running_stage(
        database, socket_mode=socket_mode, log_level="DEBUG", **CANARIES
    ) as stage:
        answers = [] if socket_mode else await send_malformed_bodies(stage)
        run = EverythingGoesWrong(stage, CallCount(stage.slack))
        await run.run()

        running = everything_written(stage, [*answers, *run.answers])
        assert running.keys() >= {"bot.log", "onboarding.db-wal", "/proc/cmdline"}
        assert leaks(running) == set()
        assert await finish_and_stop(stage) == 0
        ended = everything_written(stage, [*answers, *run.answers])
        assert leaks(ended) == set()

        print(f"\n{search_summary(running)}")  # noqa: T201 (`pytest -s` shows the figures)
        assert running["bot.log"].count("Traceback") >= 2  # secrets were in memory then
        windows = [json.dumps(call.arguments) for call in stage.slack.calls if is_reveal(call)]
        assert max(sum(secret in window for secret in CANARIES.values()) for window in windows) == 1
        text_found = "".join(windows)
        values = {**CANARIES, "client_secret": THIRD_SECRET}
        assert all(value in text_found for value in values.values())
        statuses = rows(stage, "SELECT status FROM onboarding ORDER BY status")
        assert statuses == [("cancelled",), ("completed",)]
        assert len(stage.servicetitan.bookings) == 1


@pytest.mark.parametrize("template", ["{}", "{0.hex}", "token={} and so on"])
def test_the_leak_search_finds_plain_and_hex_encoded_secrets(template: str) -> None:
    secret, tenant = CANARIES["client_secret"], CANARIES["tenant_id"]
    text_found = secret.encode().hex() if "hex" in template else template.format(secret)

    found = leaks({"bot.log": text_found, "events": tenant})

    assert {place for place, _ in found} == {"bot.log", "events"}


def test_the_leak_search_finds_base64_encoded_secrets() -> None:
    import base64

    for before in ("", "a", "ab"):
        text = base64.b64encode(f"{before}{CANARIES['client_secret']} x".encode()).decode()
        assert leaks({"bot.log": text}) == {("bot.log", "client_secret")}
