"""Pasted credentials: cleaned, checked on their own and against each other, and masked."""

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given, strategies as st

from bot.core.typed_text import clean
from bot.guide.credential_checks import check
from bot.guide.credential_fields import LONGEST, mask
from tests.builders import ALL_FIELDS, GUIDE, VALUES

LABELS = {field.id: field.label for field in GUIDE.credentials}
SOURCES = {field.id: field.source for field in GUIDE.credentials}
PREFIXED = ("client_id", "client_secret", "application_key")
NUMBERS = ("tenant_id", "booking_provider_id")
START = {"client_id": "cid.", "client_secret": "cs1.", "application_key": "ak1."}

names = st.sampled_from(ALL_FIELDS)
# Long enough not to match a word of our own texts by chance.
letters = st.characters(codec="utf-8", exclude_categories=("Cs", "Z", "Cc"))
pasted = st.text(letters, min_size=12, max_size=80)


def error_at(field: str, value: str) -> str:
    """The text of the error that `value` gets in `field`."""
    problem = check(GUIDE.credentials, {field: value})[field]
    assert problem.is_certain
    return problem.text


def warning_at(field: str, value: str) -> str:
    problem = check(GUIDE.credentials, {field: value})[field]
    assert not problem.is_certain
    return problem.text


# --- cleaning ---


@pytest.mark.parametrize(
    "around",
    [" {} ", "\u00a0{}\u00a0", "\t{}", "{}\r\n", "\n\n{}\n", "\u2003{}\u3000"],
    ids=["spaces", "no-break spaces", "a tab", "a line break", "empty lines", "wide spaces"],
)
def test_whitespace_around_a_value_is_stripped(around: str) -> None:
    assert clean(around.format("cid.abc")) == "cid.abc"


@pytest.mark.parametrize(
    "invisible", ["\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2060", "\ufeff", "\u00ad"]
)
@pytest.mark.parametrize("pattern", ["{}cid.abc", "cid{}.abc", "cid.abc{}", "{} cid.abc {}"])
def test_invisible_characters_are_removed_everywhere(pattern: str, invisible: str) -> None:
    assert clean(pattern.replace("{}", invisible)) == "cid.abc"


def test_cleaning_leaves_inner_whitespace_for_the_check_to_report() -> None:
    assert clean(" 12 34 ") == "12 34"


@given(st.text())
def test_cleaning_is_idempotent(value: str) -> None:
    assert clean(clean(value)) == clean(value)


# --- typical values ---


def test_five_typical_values_have_no_problem() -> None:
    assert check(GUIDE.credentials, VALUES) == {}


@pytest.mark.parametrize("field", ALL_FIELDS)
def test_a_typical_value_alone_has_no_problem(field: str) -> None:
    assert check(GUIDE.credentials, {field: VALUES[field]}) == {}


# --- mix-ups ---


@pytest.mark.parametrize(
    ("field", "other"), [pair for pair in product(ALL_FIELDS, PREFIXED) if pair[0] != pair[1]]
)
def test_a_value_in_the_wrong_field_is_identified(field: str, other: str) -> None:
    text = error_at(field, VALUES[other])

    assert text.startswith(f"That's the {LABELS[other]} (it starts with “{START[other]}”). ")
    assert LABELS[field] in text


@pytest.mark.parametrize("field", PREFIXED)
@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_in_the_wrong_field_is_identified(field: str, number: str) -> None:
    text = error_at(field, VALUES[number])

    assert text.startswith("That's a number, like the Tenant ID or the Booking Provider ID.")
    assert LABELS[field] in text


@pytest.mark.parametrize("pattern", ["{}.", "“{}”", "({})", "{}*", " {}", "{upper}"])
def test_a_wrong_field_is_reported_before_any_formatting_problem(pattern: str) -> None:
    value = VALUES["client_secret"]

    text = error_at("client_id", pattern.format(value, upper=value.upper()).strip())

    assert text.startswith("That's the Client Secret")


def test_swapped_client_id_and_secret_are_both_identified() -> None:
    swapped = {"client_id": VALUES["client_secret"], "client_secret": VALUES["client_id"]}

    found = check(GUIDE.credentials, swapped)

    assert found["client_id"].text.startswith("That's the Client Secret")
    assert found["client_secret"].text.startswith("That's the Client ID")


def test_the_same_value_in_two_fields_is_an_error_at_the_later_one() -> None:
    same = {"tenant_id": "1122334455", "booking_provider_id": "1122334455"}

    found = check(GUIDE.credentials, same)

    assert list(found) == ["booking_provider_id"]
    assert found["booking_provider_id"].is_certain
    assert "the same as the Tenant ID" in found["booking_provider_id"].text
    assert SOURCES["booking_provider_id"] in found["booking_provider_id"].text


# --- copied along with the value ---


@pytest.mark.parametrize("field", ALL_FIELDS)
@pytest.mark.parametrize("separator", [": ", ":", " ", " = "])
def test_a_label_copied_with_the_value_is_reported(field: str, separator: str) -> None:
    text = error_at(field, f"{LABELS[field]}{separator}{VALUES[field]}")

    assert text.startswith(f"The label “{LABELS[field]}” got copied too.")


@pytest.mark.parametrize(
    "label", ["client secret: ", "client_secret=", "ClientSecret:", '"client-secret": "']
)
def test_another_fields_label_is_recognized_in_any_spelling(label: str) -> None:
    assert "“Client Secret” got copied too" in error_at("client_id", f"{label}cs1.abc")


@pytest.mark.parametrize("quoted", ['"{}"', "“{}”", "'{}", "{}»", "`{}`"])
def test_quotation_marks_are_reported(quoted: str) -> None:
    assert "Quotation marks" in error_at("client_id", quoted.format(VALUES["client_id"]))


# --- invalid values ---


@pytest.mark.parametrize("gap", [" ", "\n", "\t", "\u00a0"])
def test_whitespace_inside_a_value_is_an_error(gap: str) -> None:
    value = VALUES["client_secret"]

    assert "space or line break in it" in error_at(
        "client_secret", f"{value[:20]}{gap}{value[20:]}"
    )


@pytest.mark.parametrize("field", NUMBERS)
@pytest.mark.parametrize("value", ["HeavySet", "12345a", "1,234,567", "12.5", "HeavySet (123456)"])
def test_an_id_with_non_digits_is_an_error_that_says_where_to_find_it(
    field: str, value: str
) -> None:
    text = error_at(field, value)

    assert f"The {LABELS[field]} is digits only" in text
    assert SOURCES[field] in text


@pytest.mark.parametrize(
    ("value", "sign"), [("1,234,567", ","), ("12-34567", "-"), ("+1234567", "+")]
)
def test_punctuation_in_a_number_is_reported(value: str, sign: str) -> None:
    assert f"leave out the “{sign}”" in error_at("tenant_id", value)


@pytest.mark.parametrize("value", ["١٢٣٤٥٦٧٨٩", "１２３４５６７８９", "12345²789"])
@pytest.mark.parametrize("field", NUMBERS)
def test_digits_of_other_scripts_are_rejected(field: str, value: str) -> None:
    assert "a character in it" in error_at(field, value)


@pytest.mark.parametrize("stray", ["é", "…", "•", "\x07", "🔑"])
def test_a_character_that_never_occurs_in_values_is_an_error(stray: str) -> None:
    value = VALUES["application_key"]

    assert "a character in it" in error_at("application_key", f"{value[:9]}{stray}{value[9:]}")


@pytest.mark.parametrize(
    ("field", "value"),
    [("tenant_id", "123"), ("client_id", "cid.abc"), ("client_secret", "cs1.abcdefgh")],
)
def test_a_value_that_is_too_short_is_an_error_with_its_length(field: str, value: str) -> None:
    assert f"Too short ({len(value)} characters)" in error_at(field, value)


def test_an_overlong_value_is_an_error() -> None:
    assert error_at("client_id", "cid." + "a" * LONGEST).startswith("Too long for the Client ID")


@pytest.mark.parametrize("between", ["", " ", "\n", ", ", "/"])
@pytest.mark.parametrize("field", ALL_FIELDS)
def test_a_value_pasted_twice_is_reported(field: str, between: str) -> None:
    text = error_at(field, between.join([VALUES[field]] * 2))

    assert text == f"The {LABELS[field]} was pasted twice. Paste it once."


def test_a_short_number_pasted_twice_is_only_a_warning() -> None:
    assert "pasted twice" in warning_at("booking_provider_id", "123123")


@pytest.mark.parametrize("field", NUMBERS)
def test_a_leading_zero_is_reported(field: str) -> None:
    assert "doesn't start with a zero" in error_at(field, "0123456789")


@pytest.mark.parametrize("field", ALL_FIELDS)
@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("{}.", "“.” at the end"),
        ("{},", "“,” at the end"),
        ("({})", "“(” at the start and a “)” at the end"),
        ("*{}*", "“*” at the start and a “*” at the end"),
        ("{}*", "“*” at the end"),
        ("- {}", "“-” at the start"),
        ("<{}>", "“<” at the start and a “>” at the end"),
    ],
)
def test_stray_punctuation_around_a_value_is_reported(field: str, pattern: str, named: str) -> None:
    text = error_at(field, pattern.format(VALUES[field]))

    assert f"There's a {named}." in text
    assert f"Paste just the {LABELS[field]}" in text


def test_trailing_punctuation_on_an_unusual_value_is_only_a_warning() -> None:
    assert "“=” at the end" in warning_at("client_secret", "abcdefghij0123456789abcd=")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("https://developer.servicetitan.io/apps", "web address"),
        ("ann.admin.of.acme@acme.example", "email address"),
        ("cs1.••••••••••••••••••••••••", "is hidden"),
        ("cs1.****************************", "is hidden"),
        ("your-client-secret-goes-here", "placeholder"),
        ("cs1.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "placeholder"),
        ("N/A", "placeholder"),
    ],
)
def test_urls_emails_masks_and_placeholders_are_identified(value: str, why: str) -> None:
    assert why in error_at("client_secret", value)


def test_a_value_already_stored_for_another_field_is_reported() -> None:
    found = check(
        GUIDE.credentials, {"client_secret": "1122334455"}, {"client_secret": "tenant_id"}
    )

    assert "the same as the Tenant ID" in found["client_secret"].text


def test_the_same_value_in_two_fields_is_reported_at_the_wrong_one() -> None:
    same = {"client_id": VALUES["client_secret"], "client_secret": VALUES["client_secret"]}

    found = check(GUIDE.credentials, same)

    assert list(found) == ["client_id"]
    assert "the same as the Client Secret" in found["client_id"].text


# --- unusual values ---


@pytest.mark.parametrize("app_id", ["a1b2c3d4e5f6g", "a1b2c3d4e5f6", "q7w8e9r0t1y2u."])
def test_an_app_id_in_the_application_key_field_is_identified(app_id: str) -> None:
    assert "That's the App ID" in error_at("application_key", app_id)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tenant_id", "1234567890123"),
        ("booking_provider_id", "12"),
        ("client_id", "cid.short1"),
        ("client_secret", "cs9." + "a" * 49),
        ("application_key", "ak2." + "a" * 40),
    ],
)
def test_an_unusual_shape_is_a_warning(field: str, value: str) -> None:
    assert warning_at(field, value).startswith(f"This doesn't look like a typical {LABELS[field]}")


@pytest.mark.parametrize("change", [str.upper, str.capitalize])
def test_capital_letters_are_a_warning(change: Callable[[str], str]) -> None:
    """Phone keyboards capitalize the first letter."""
    text = warning_at("client_secret", change(VALUES["client_secret"]))

    assert text.startswith("There are capital letters in it")


def test_an_error_and_a_warning_are_reported_for_separate_fields() -> None:
    found = check(GUIDE.credentials, {"tenant_id": "12345678901234", "booking_provider_id": "x1"})

    assert found["booking_provider_id"].is_certain
    assert not found["tenant_id"].is_certain


# --- never the value itself ---


@given(names, pasted)
def test_no_problem_repeats_the_value(name: str, value: str) -> None:
    found = check(GUIDE.credentials, {name: clean(value)})

    assert all(clean(value) not in problem.text for problem in found.values())


@given(names, names, st.text(st.sampled_from("abc012."), min_size=16, max_size=60))
def test_no_problem_repeats_what_follows_a_prefix(name: str, other: str, rest: str) -> None:
    found = check(GUIDE.credentials, {name: START.get(other, "") + rest})

    assert all(rest not in problem.text for problem in found.values())


@given(st.dictionaries(names, st.text(max_size=60).map(clean)))
def test_every_problem_is_about_a_field_that_was_given(values: dict[str, str]) -> None:
    assert check(GUIDE.credentials, values).keys() <= values.keys()


@pytest.mark.parametrize(
    ("length", "shown"), [(0, 0), (1, 0), (4, 0), (5, 2), (7, 2), (8, 4), (60, 4)]
)
def test_a_mask_shows_at_most_half_of_a_value(length: int, shown: int) -> None:
    value = "abcdefgh" * 8

    assert mask(value[:length]) == "••••" + value[length - shown : length]


@given(st.text(min_size=1))
def test_a_mask_never_shows_the_whole_value(value: str) -> None:
    shown = mask(value).removeprefix("••••")

    assert len(shown) <= min(4, len(value) // 2)
