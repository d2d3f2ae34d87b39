"""Typed and pasted text: invisible characters are removed, and Slack's formatting is undone."""

import sys
import unicodedata

import pytest
from hypothesis import given, strategies as st

from bot.core.typed_text import as_typed, clean, one_line
from sandbox.slack.typed_text import as_message

CONTROLS = [chr(n) for n in [*range(0x20), *range(0x7F, 0xA0)] if not chr(n).isspace()]
OTHER_INVISIBLES = (
    "\u034f\u115f\u1160\u17b4\u180b\u2800\u3164\ufe0f\uffa0\ufffc\U000e0101\U000e0041\ud800"
)


def test_invisible_characters_are_removed_wherever_they_occur() -> None:
    format_characters = [
        chr(n) for n in range(sys.maxunicode + 1) if unicodedata.category(chr(n)) == "Cf"
    ]
    for invisible in (*format_characters, *CONTROLS, *OTHER_INVISIBLES):
        assert clean(f"{invisible}12{invisible}34{invisible}") == "1234", ascii(invisible)


@pytest.mark.parametrize(
    "name", ["Smith & Sons, Inc.", "أكمي للسباكة", "אקמי אינסטלציה", "Müller", "東京 Plumbing"]
)
def test_a_name_in_any_script_is_preserved(name: str) -> None:
    assert clean(f"\u202b{name}\u202c") == name


@pytest.mark.parametrize("space", " \t\n\r\u00a0\u2007\u2009\u202f\u2028\u3000\x85")
def test_any_kind_of_whitespace_separates_words(space: str) -> None:
    assert one_line(f"{space}Acme{space}{space}Plumbing{space}") == "Acme Plumbing"


@given(st.text())
def test_cleaning_text_is_idempotent(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert one_line(one_line(text)) == one_line(text)


# --- links ---


@pytest.mark.parametrize(
    ("arrived", "typed"),
    [
        ("<http://Plumbing.com|Plumbing.com>", "Plumbing.com"),
        ("<https://acme.com>", "https://acme.com"),
        ("<https://www.acme.com/|acme.com>", "acme.com"),
        ("<http://acme.com/?a=1&amp;b=2|acme.com/?a=1&amp;b=2>", "acme.com/?a=1&b=2"),
        ("<mailto:a@b.co|a@b.co>", "a@b.co"),
        ("<mailto:ann@acme.com|Ann>", "ann@acme.com"),
        ("<tel:5551234567|(555) 123-4567>", "(555) 123-4567"),
        ("<!date^1795426200^{date_short}|Nov 24>", "Nov 24"),
        ("<@U0ANN|ann> in <#C0ACME|acme>", "<@U0ANN> in <#C0ACME>"),
        ("Smith &amp; Sons &lt;west&gt;", "Smith & Sons <west>"),
        ("&amp;lt;", "&lt;"),
    ],
)
def test_links_and_escapes_are_restored_to_what_was_typed(arrived: str, typed: str) -> None:
    assert as_typed(arrived) == typed


def test_a_link_with_an_unrelated_label_still_shows_its_url() -> None:
    assert as_typed("<https://evil.example|Acme>") == "<https://evil.example|Acme>"


@pytest.mark.parametrize(
    "typed",
    [
        "Plumbing.com & Sons",
        "see https://acme.com/x?a=1&b=2, or acme.io.",
        "Ann Admin <ann@acme.com>, (555) 123-4567",
        "a < b && c > d",
    ],
)
def test_slack_formatting_of_typical_text_is_undone(typed: str) -> None:
    assert as_message(typed) != typed
    assert as_typed(as_message(typed)) == typed


@given(st.text(st.sampled_from("ab1.@:/&<> \u00a0"), max_size=40))
def test_slack_formatting_of_arbitrary_text_is_undone(typed: str) -> None:
    assert as_typed(as_message(typed)) == typed
