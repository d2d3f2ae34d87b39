"""The ServiceTitan guide is complete and matches the code that relies on it."""

import re

import pytest

from bot.guide import Owner, parse
from bot.guide.loading import SERVICETITAN
from bot.verification.servicetitan.endpoints import READS, WRITE_SCOPES
from tests.builders import ALL_FIELDS, GUIDE


def scopes() -> dict[str, list[str]]:
    return {name: words.split(", ") for name, words in GUIDE.step(6).tables[1].rows}


def test_steps_are_numbered_1_to_25_without_gaps() -> None:
    assert [step.number for step in GUIDE.steps] == list(range(1, 26))


def test_phases_are_numbered_1_to_6_without_gaps() -> None:
    assert [phase.number for phase in GUIDE.phases] == list(range(1, 7))


@pytest.mark.parametrize(
    ("phase", "first", "last"),
    [(1, 1, 2), (2, 3, 8), (3, 9, 11), (4, 12, 16), (5, 17, 22), (6, 23, 25)],
)
def test_phases_contain_the_same_steps_as_in_the_written_guide(
    phase: int, first: int, last: int
) -> None:
    steps = GUIDE.phases[phase - 1].steps

    assert (steps[0].number, steps[-1].number) == (first, last)
    assert all(GUIDE.phase_of(step.number).number == phase for step in steps)


def test_only_the_last_phase_is_heavysets_work() -> None:
    owners = [phase.owner for phase in GUIDE.phases]

    assert owners == [Owner.CLIENT] * 5 + [Owner.HEAVYSET]


def test_the_form_of_step_6_has_ten_values() -> None:
    table = GUIDE.step(6).tables[0]

    assert len(table.rows) == 10
    assert dict(table.rows)["Homepage"] == "https://heavysset.tech"


def test_the_eight_read_scopes_match_what_verification_reads() -> None:
    assert scopes()["Read"] == [endpoint.label for endpoint in READS]
    assert len(READS) == 8


def test_the_five_write_scopes_match_what_verification_checks_for() -> None:
    assert scopes()["Write"] == list(WRITE_SCOPES)
    assert len(WRITE_SCOPES) == 5


@pytest.mark.parametrize(
    ("field", "step"),
    [
        ("booking_provider_id", 11),
        ("tenant_id", 18),
        ("client_id", 18),
        ("client_secret", 19),
        ("application_key", 22),
    ],
)
def test_each_value_is_collected_at_the_step_that_shows_it(field: str, step: int) -> None:
    assert GUIDE.field(field).step == step
    assert field in GUIDE.step(step).credentials


def test_values_are_asked_for_at_five_steps_and_no_other() -> None:
    asking = {step.number: step.credentials for step in GUIDE.steps if step.credentials}

    assert sorted(asking) == [11, 18, 19, 20, 22]
    assert asking[20] == ("tenant_id", "client_id", "client_secret")


def test_every_value_has_been_shown_by_step_22() -> None:
    assert GUIDE.last_credential_step == 22
    assert max(field.step for field in GUIDE.credentials) == 22
    assert [field.id for field in GUIDE.credentials if field.step <= 17] == ["booking_provider_id"]


def test_values_are_revealed_where_engineers_paste_them() -> None:
    revealing = {step.number: set(step.reveals) for step in GUIDE.steps if step.reveals}

    assert revealing == {23: set(ALL_FIELDS), 24: {"booking_provider_id"}}


def test_only_step_25_is_finished_by_the_verification() -> None:
    assert [step.number for step in GUIDE.steps if step.verifies] == [25]


def test_only_the_existing_admin_option_skips_step_2() -> None:
    choice = GUIDE.step(1).choice

    assert choice
    assert {option.id: option.skips for option in choice.options} == {"new": (), "existing": (2,)}
    assert [step.number for step in GUIDE.steps if step.choice] == [1]


@pytest.mark.parametrize("number", [2, 6, 19, 25])
def test_notes_from_the_written_guide_are_at_their_steps(number: int) -> None:
    assert len(GUIDE.step(number).notes) == 1


@pytest.mark.parametrize("number", [6, 11, 15, 18, 19, 20])
def test_error_prone_steps_have_a_note_or_a_tip(number: int) -> None:
    assert GUIDE.step(number).notes or GUIDE.step(number).tips


def test_figures_are_numbered_after_their_steps() -> None:
    figures = {step.number: step.figure.number for step in GUIDE.steps if step.figure}

    assert sorted(figures) == [3, 5, 6, 8, 9, 10, 12, 17, 22, 23, 24]
    assert all(step == figure for step, figure in figures.items())


def test_all_five_troubleshooting_entries_are_included() -> None:
    assert len(GUIDE.troubleshooting) == 5
    assert all(trouble.steps for trouble in GUIDE.troubleshooting)


def test_references_to_other_steps_point_to_existing_steps() -> None:
    named = re.findall(r"[Ss]teps? (\d+)", GUIDE.model_dump_json())

    assert named
    assert {int(number) for number in named} <= set(range(1, 26))


def test_a_step_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(KeyError):
        GUIDE.step(26)
    with pytest.raises(KeyError):
        GUIDE.phase_of(0)


def test_a_value_that_is_not_asked_for_is_not_found() -> None:
    with pytest.raises(KeyError):
        GUIDE.field("password")


def test_troubleshooting_is_offered_only_at_relevant_steps() -> None:
    assert ["“Allowed by Tenant”" in trouble for trouble in GUIDE.trouble_at(18)] == [True]
    assert not GUIDE.trouble_at(1)


def test_a_guide_stored_by_an_earlier_release_still_parses_the_same() -> None:
    source = SERVICETITAN.read_text(encoding="utf-8")
    earlier = source.replace("\nsecret_pattern = ", "\ntelltale = ")

    assert earlier != source
    assert parse(earlier, "earlier.toml") == parse(source, "servicetitan.toml")
