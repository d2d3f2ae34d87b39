"""Secrets in messages are found, and ordinary text raises no false alarms.

`pytest -s -k corpus tests/unit/test_secret_scan.py` prints how many were found and missed.
"""

import base64
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.guide import load
from bot.onboarding.secret_scan import candidates, contains_password, shaped
from tests import corpora

FIELDS = load().credentials
SECRET = "cs1." + "a1b2c3d4e5" * 5
KEY = "ak1." + "q7w8e9r0t1" * 2 + "y2u3i"
CORPUS = tomllib.loads(
    (Path(next(iter(corpora.__path__))) / "exposure.toml").read_text(encoding="utf-8")
)
ORDINARY: list[str] = CORPUS["ordinary"]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from _strings(part)


# Other things people ask and say: none of it may raise an alarm either.
OTHER_TALK = [
    text
    for name in ("questions.toml", "typed_messages.toml")
    for text in _strings(
        tomllib.loads((Path(next(iter(corpora.__path__))) / name).read_text(encoding="utf-8"))
    )
]
LEAKS = [text.format(secret=SECRET, key=KEY) for text in CORPUS["leaks"]]
MISSED = [
    text.format(
        secret_without_prefix=SECRET.removeprefix("cs1."),
        secret_in_two_pieces=f"{SECRET[:20]} {SECRET[20:]}",
        secret_in_base64=base64.b64encode(SECRET.encode()).decode(),
        secret_backwards=SECRET[::-1],
    )
    for text in CORPUS["missed"]
]


def expected(text: str) -> set[str]:
    values = {"client_secret": SECRET, "application_key": KEY}
    return {name for name, value in values.items() if value in text}


@pytest.mark.parametrize("text", LEAKS)
def test_a_value_that_looks_like_a_secret_is_found(text: str) -> None:
    assert set(shaped(text, FIELDS)) == expected(text)


@pytest.mark.parametrize("text", LEAKS)
def test_a_secret_is_extracted_whole_so_it_can_be_recognized_again(text: str) -> None:
    pieces = {piece for found in shaped(text, FIELDS).values() for piece in found}

    assert pieces == {value for value in (SECRET, KEY) if value in text}


def test_ordinary_talk_raises_no_alarm() -> None:
    assert [text for text in ORDINARY if shaped(text, FIELDS)] == []


def test_short_words_are_not_candidates() -> None:
    assert candidates("one two three four") == frozenset()


@pytest.mark.parametrize("value", ["1122334455", "987654321"])
@pytest.mark.parametrize(
    "around",
    ["{}", "tenant={}", "ID: {}.", "“{}”", "({})", "<tel:{}|{}>", "https://a.co/{}?b", "{}.txt"],
)
def test_a_stored_number_is_among_the_candidates(value: str, around: str) -> None:
    assert value in candidates(around.format(value, value))


def test_the_corpus_is_large_enough_and_sorted_correctly() -> None:
    found = sum(bool(shaped(text, FIELDS)) for text in LEAKS)
    false = sum(bool(shaped(text, FIELDS)) for text in ORDINARY)
    missed = sum(not shaped(text, FIELDS) for text in MISSED)

    print(  # noqa: T201 (the figures are meant to be seen)
        f"\nleaks: {found} of {len(LEAKS)} found by their looks; "
        f"ordinary talk: {false} of {len(ORDINARY)} false alarms; "
        f"known to be missed: {missed} of {len(MISSED)}"
    )
    assert (found, false) == (len(LEAKS), 0)
    assert (len(LEAKS) >= 40, len(ORDINARY) >= 100) == (True, True)
    assert missed == len(MISSED)  # one that is found belongs in LEAKS


# --- disguised secrets ---

WIDE = {n: n + 0xFEE0 for n in range(0x21, 0x7F)}
DISGUISES = {
    "capitals": SECRET.upper(),
    "full-width": SECRET.translate(WIDE),
    "invisible characters": "\u2060".join(SECRET),
    "two lines": f"{SECRET[:30]}\n{SECRET[30:]}",
    "three lines": f"here: {SECRET[:20]}\n{SECRET[20:40]}\n{SECRET[40:]} ok",
    "quoted lines": f"> {SECRET[:30]}\\\n{SECRET[30:]}",
}


@pytest.mark.parametrize("text", DISGUISES.values(), ids=DISGUISES)
def test_a_disguised_secret_is_found(text: str) -> None:
    assert list(shaped(text, FIELDS)) == ["client_secret"]


@pytest.mark.parametrize("text", DISGUISES.values(), ids=DISGUISES)
def test_a_disguised_stored_secret_is_among_the_candidates(text: str) -> None:
    assert SECRET in candidates(text)


PASSWORDS = [
    "login ann@acme.com password Summer2024!",
    "login: ann, password: hunter2",
    "login ann password hunter",
    "pw: hunter2",
    "PW=geheim",
    "Password - Summer24",
    "the password is Summer24",
    "Passwort: geheim",
    "user ann@acme.com\npassword hunter2!",
    "ann@acme.com / Summer2024!",
    "ｐａｓｓｗｏｒｄ：ｈｕｎｔｅｒ２",
    "*password:* hunter2",
    "user: ann, pass: letmein1",
    "login: ann/Summer24!",
    "ann@acme.com\nSummer24!",
    "the password for the new user is Summer24!",
    "I set the password to Summer24!",
    "the password's Summer24",
    "passcode: 48291376",
]


@pytest.mark.parametrize("text", PASSWORDS)
def test_a_password_is_detected(text: str) -> None:
    assert contains_password(text)


@pytest.mark.parametrize("part", ["a", "a.", "1", ",", " ", "-", "pw ", "user ,"])
def test_scanning_forty_thousand_characters_takes_under_three_seconds(part: str) -> None:
    text = f"user {part * (40_000 // len(part))}"
    began = time.process_time()

    contains_password(text), shaped(text, FIELDS), candidates(text)

    assert time.process_time() - began < 3  # it used to take a minute


ABOUT_PASSWORDS = [
    "Do I need a password?",
    "I forgot my password, what now?",
    "password: required",
    "the password is expired",
    "password: see 1Password",
    "password: ********",
    "Which login and password do I use at step 3?",
    "Please reset the password for ann@acme.com",
    "ann@acme.com\nbob@acme.com",
    "Please send the password to ann@acme.com",
    "The password for the new user is on its way!",
]


def test_talk_about_passwords_raises_no_alarm() -> None:
    talk = [*ORDINARY, *OTHER_TALK, *ABOUT_PASSWORDS]

    assert [text for text in talk if contains_password(text)] == []
