"""Control characters are stripped from input, and escaped or removed when old rows have them."""

import json
import logging
from collections.abc import Iterator

import pytest

from bot.cli.command import say
from bot.core import logs
from bot.core.mrkdwn import escape
from bot.core.typed_text import escape_controls, one_line, prose

# Carriage return, terminal controls, C1, bidi overrides and isolates, separators, and so on.
CONTROL_CHARACTERS = [
    *("\x00", "\x07", "\x08", "\x0b", "\x0c", "\r", "\x1b", "\x7f", "\x85", "\x9b"),
    *("\u061c", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069", "\u2028", "\u2029"),
    *("\ufeff", "\u200b", "\ud800", "\U000e0041"),
]


@pytest.fixture(autouse=True)
def _restored_loggers() -> Iterator[None]:
    root = logging.getLogger()
    handlers = root.handlers[:]
    yield
    root.handlers[:] = handlers


def test_control_characters_are_stripped_from_texts_and_names() -> None:
    for character in CONTROL_CHARACTERS:
        assert character not in prose(f"one{character}two")
        assert character not in one_line(f"one{character}two")


def test_a_text_keeps_its_lines_and_a_name_becomes_one_line() -> None:
    assert prose("one\r\ntwo\x0bthree\tfour") == "one\ntwo\nthree four"
    assert one_line("one\r\ntwo\x0bthree\tfour") == "one two three four"


def test_control_characters_are_shown_as_json_escapes() -> None:
    for character in CONTROL_CHARACTERS:
        shown = escape_controls(f"Acme{character}")

        assert character not in shown
        assert shown.isascii()
        assert json.loads(f'"{shown}"') == f"Acme{character}"


def test_ordinary_text_and_emoji_are_not_escaped() -> None:
    for text in (
        "Müller & Söhne",
        "👨\u200d👩\u200d👧 ⚠\ufe0f",
        "می\u200cخواهم",
        "שלום",
        "a\u00a0b",
        "a\tb\nc",
    ):
        assert escape_controls(text) == text


def test_control_characters_are_removed_for_slack() -> None:
    for character in CONTROL_CHARACTERS:
        assert escape(f"Acme{character} <b>") == "Acme &lt;b&gt;", ascii(character)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_log_record_is_one_line_without_control_characters(
    capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    logs.set_up("INFO", log_format)

    for character in ("\n", *CONTROL_CHARACTERS):
        extra = {"client": f"A{character}B", character: 1, "at_all": {f"x{character}"}}
        logging.getLogger("bot.publishing.thread").error("of %s", f"A{character}B", extra=extra)

        out = capsys.readouterr().err
        assert out.endswith("\n")
        assert character not in out[:-1]
        assert "\n" not in out[:-1]


def test_a_traceback_cannot_forge_a_log_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO", "text")

    try:
        raise ValueError("no\n2026-11-26 18:00:00,000 INFO bot.app.bot: all is well\x1b[2J\u202e")
    except ValueError:
        logging.getLogger("bot.publishing.thread").exception("it failed")

    first, *others = capsys.readouterr().err.splitlines()
    assert first.endswith("it failed")
    assert others
    assert all(line.startswith("  ") for line in others)
    assert "\x1b" not in "".join(others)
    assert "\u202e" not in "".join(others)


@pytest.mark.parametrize("status", [0, 1])
def test_a_command_escapes_control_characters_in_its_output(
    capsys: pytest.CaptureFixture[str], status: int
) -> None:
    for character in CONTROL_CHARACTERS:
        say(f"Acme{character}", status)

        out, err = capsys.readouterr()
        assert character not in out + err
        assert "Acme\\" in out + err
