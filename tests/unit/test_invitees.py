"""Email addresses as mail programs copy them: accepted, or reported with the reason."""

import pytest
from hypothesis import given, strategies as st

from bot.use_cases.invitees import Invitees, name_and_invitees, why_wrong

BOTH = ("ann@acme.com", "bob@b.co")


@pytest.mark.parametrize(
    "text",
    [
        "ann@acme.com",
        "Ann Admin <ann@acme.com>",
        "Ann<ann@acme.com>",
        "'Ann' <ann@acme.com>",
        '"Admin, Ann" <ann@acme.com>',
        "Admin, Ann <ann@acme.com>",
        "ann@acme.com (Ann Admin)",
        "Ann: ann@acme.com",
        "Ann Admin [mailto:ann@acme.com]",
        "Ann Admin (ann@acme.com)",
        "1. ann@acme.com",
        "mailto:ann@acme.com",
        "mailto:ann@acme.com?subject=Hello",
        "[ann@acme.com](mailto:ann@acme.com)",
        "[ann@acme.com]",
        "< ann@acme.com >",
        "“ann@acme.com”",
        "`ann@acme.com`",
        "_ann@acme.com_",
        "\u200bann@acme.com\u202c.",
        "ann＠acme.com",
        "ann@acme.com, ANN@acme.com",
    ],
)
def test_an_address_is_read_in_any_format_mail_programs_use(text: str) -> None:
    assert Invitees.of(text) == Invitees(("ann@acme.com",))


@pytest.mark.parametrize(
    "between", [" ", ",", ", ", ";", "; ", "\n", " and ", "\u00a0", "\t", "；", "，", "、"]
)
def test_addresses_may_be_separated_by_any_common_delimiter(between: str) -> None:
    assert Invitees.of(between.join(BOTH)) == Invitees(BOTH)


@pytest.mark.parametrize(
    ("text", "wrong", "why"),
    [
        ("annacme.com", "annacme.com", "no @"),
        ("ann@acme", "ann@acme", "such as acme.com"),
        ("ann@acme..com", "ann@acme..com", "such as acme.com"),
        ("ann@@acme.com", "ann@@acme.com", "more than one @"),
        ("ann.@acme.com", "ann.@acme.com", "typos"),
        ("<@U0ANN>", "@U0ANN", "not a mention"),
        ("bob ann@acme.com", "bob", "no @"),
        ("annacme.com, Bob <bob@b.co>", "annacme.com", "no @"),
        ("ann@acme.com; bob", "bob", "no @"),
    ],
)
def test_an_invalid_address_is_reported_with_the_reason(text: str, wrong: str, why: str) -> None:
    assert Invitees.of(text).wrong == (wrong,)
    assert why in why_wrong(wrong)


@pytest.mark.parametrize(
    ("words", "name", "addresses"),
    [
        ("Acme invite ann@acme.com", "Acme", ("ann@acme.com",)),
        ("Acme invite: ann@acme.com", "Acme", ("ann@acme.com",)),
        ("Acme INVITE ann@acme.com", "Acme", ("ann@acme.com",)),
        ("Acme Inc., invite Ann <ann@acme.com>", "Acme Inc.", ("ann@acme.com",)),
        ("“Acme” (invite ann@acme.com)", "Acme", ("ann@acme.com",)),
        ("Acme — invite — ann@acme.com", "Acme", ("ann@acme.com",)),
        ("Invite & Co invite ann@acme.com", "Invite & Co", ("ann@acme.com",)),
        ("Acme --invite ann@acme.com", "Acme", ("ann@acme.com",)),
        ("Acme and invite ann@acme.com", "Acme", ("ann@acme.com",)),
        ("Acme A+ /invite ann@acme.com", "Acme A+", ("ann@acme.com",)),
        ("Acme invite annacme.com", "Acme", ()),
        ("Acme invite ann", "Acme", ()),
        ("Acme invite", "Acme", ()),
    ],
)
def test_the_invite_clause_is_not_part_of_the_client_name(
    words: str, name: str, addresses: object
) -> None:
    found = name_and_invitees(words)

    assert found is not None
    assert (found[0], found[1].addresses) == (name, addresses)


@pytest.mark.parametrize(
    "name", ["Invite & Co", "Paper Invite Shop", "invite & co", "Invite-only AC"]
)
def test_a_client_name_may_contain_the_word_invite(name: str) -> None:
    assert name_and_invitees(name) is None


@given(st.text(max_size=200))
def test_arbitrary_text_never_crashes_the_parser(text: str) -> None:
    name_and_invitees(text)
    assert all(why_wrong(address) for address in Invitees.of(text).wrong)
