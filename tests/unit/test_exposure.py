"""Values in what people write: found where they are, and nowhere else."""

import pytest

from bot.exposure import candidates, looks_like
from bot.guide import load

FIELDS = load().credentials
SECRET = "cs1." + "a1b2c3d4e5" * 5
KEY = "ak1." + "q7w8e9r0t1" * 2 + "y2u3i"

BEARING = [
    SECRET,
    f"here it is: {SECRET}, thanks!",
    f"`{SECRET}`",
    f"client_secret={SECRET}",
    f"<{SECRET}|click>",
    f"line\n{SECRET}\nline",
    f"\u200b{SECRET}\u200b",
    f'"{SECRET}"',
    f"cs_{SECRET} no, {SECRET}",
]
ORDINARY = [
    "Good morning! Are we still on for 10:30?",
    "I am at step 19, where is the Generate button?",
    "The Client Secret is only shown once, right?",
    "It starts with cs1. but I will enter it securely.",
    "ak1. is the prefix of the Application Key, I think",
    "Our tenant is Acme Plumbing, account 4471 in your billing.",
    "Invoice 2026-11-0042 is attached: invoice_2026_11_0042.pdf",
    "https://developer.servicetitan.io/docs/get-going-create-app/",
    "call me at 555-0134 or +1 (800) 555-0199",
    "version cs1.2.3 of the docs mentions it",
    "git commit 9fceb02d0ae598e95dc970b74767f19372d61af8 fixed that",
    "cc1.example.com is down; ask1.example.com too",
    "Thanks, done!",
    "Das Formular heißt „API Application Access“ – richtig?",
    "meeting id 845 1234 5678 passcode 381927",
    "cs101.introductiontocomputerscience is a course",
]


@pytest.mark.parametrize("text", BEARING)
def test_what_looks_like_a_secret_is_found(text: str) -> None:
    assert looks_like(text, FIELDS) == ("client_secret",)


@pytest.mark.parametrize("text", BEARING)
def test_the_value_itself_is_among_the_candidates(text: str) -> None:
    assert SECRET in candidates(text)


def test_an_application_key_is_found() -> None:
    assert looks_like(f"key: {KEY}", FIELDS) == ("application_key",)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_talk_raises_no_alarm(text: str) -> None:
    assert looks_like(text, FIELDS) == ()


def test_short_words_are_no_candidates() -> None:
    assert candidates("one two three four") == frozenset()
