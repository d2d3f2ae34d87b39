"""Log lines: text for people, JSON for machines, and only warnings from other libraries."""

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest

from bot.core import logs

OTHERS = ("slack_bolt", "slack_bolt.AsyncApp", "slack_sdk", "httpx", "httpcore", "aiohttp.access")
OURS = ("bot.app.bot", "bot.thread", "handlers.steps", "storage.database")
NAMES = ("", *logs.OURS)


@pytest.fixture(autouse=True)
def _restored_loggers() -> Iterator[None]:
    root = logging.getLogger()
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in NAMES}
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def line(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that was logged."""
    (only,) = capsys.readouterr().err.splitlines()
    return only


def test_a_text_line_has_level_logger_message_and_extra_fields(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.set_up("INFO", "text")

    logging.getLogger("bot.thread").info("a step was posted", extra={"onboarding": "a1", "step": 7})

    assert line(capsys).endswith(" INFO bot.thread: a step was posted onboarding=a1 step=7")


def test_a_json_line_has_the_same_fields_as_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO", "json")

    logging.getLogger("bot.thread").warning("no %s", "answer", extra={"onboarding": "a1"})

    entry = json.loads(line(capsys))
    assert entry.pop("at").endswith("+00:00")
    assert entry == {
        "level": "WARNING",
        "logger": "bot.thread",
        "message": "no answer",
        "onboarding": "a1",
    }


async def test_all_lines_of_a_request_carry_its_id_even_from_its_tasks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.set_up("INFO", "json")

    async def work() -> None:
        logging.getLogger("bot.thread").info("in a task")

    with logs.request_id():
        logging.getLogger("handlers.steps").info("at once")
        task = asyncio.create_task(work())
    await task
    logging.getLogger("bot.app.bot").info("the sweep")
    with logs.request_id():
        logging.getLogger("handlers.steps").info("another")

    first, second, sweep, another = map(json.loads, capsys.readouterr().err.splitlines())
    assert first["request"] == second["request"] != another["request"]
    assert "request" not in sweep


def test_a_json_line_includes_the_full_exception(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO", "json")
    error = ValueError("first line\nsecond line")

    logging.getLogger("bot.thread").error("unexpected error", exc_info=error)

    assert "second line" in json.loads(line(capsys))["exception"]


def test_values_json_cannot_encode_are_logged_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO", "json")

    logging.getLogger("bot.thread").info("done", extra={"fields": {"a"}})

    assert json.loads(line(capsys))["fields"] == "{'a'}"


@pytest.mark.parametrize("name", OURS)
def test_the_log_level_applies_to_our_own_loggers(name: str) -> None:
    logs.set_up("DEBUG", "text")

    assert logging.getLogger(name).isEnabledFor(logging.DEBUG)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_other_libraries_log_only_warnings_and_up_at_any_level(name: str, level: str) -> None:
    logs.set_up(level, "text")

    assert not logging.getLogger(name).isEnabledFor(logging.INFO)
    assert logging.getLogger(name).isEnabledFor(logging.WARNING)


def test_at_level_error_our_own_warnings_are_suppressed(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("ERROR", "text")

    logging.getLogger("bot.thread").warning("nothing new")

    assert not capsys.readouterr().err


def test_setting_up_twice_writes_every_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO", "text")
    logs.set_up("INFO", "text")

    logging.getLogger("bot.thread").info("once")

    assert line(capsys).endswith("once")
