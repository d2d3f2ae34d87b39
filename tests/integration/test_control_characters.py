"""Control and bidi characters in names, questions, and reasons are never shown to anyone."""

import json

import pytest

from sandbox.slack import Person, visible_text
from tests.databases import ON_BOTH, ON_SQLITE
from tests.integration.test_export import export
from tests.integration.world import World

pytestmark = ON_BOTH

CONTROL_CHARACTERS = "\n\x1b[31m\x9b\u202e\u2066\u2028"
NAME, MESSAGE = f"Acme{CONTROL_CHARACTERS}Plumbing", "1\x1b[2J\u202e2"


def control_characters(text: str) -> set[str]:
    return set(CONTROL_CHARACTERS.replace("[31m", "")) & set(text)


async def test_control_characters_are_stripped_from_a_name_in_the_start_form(world: World) -> None:
    await world.type("start Acme")
    view = world.view_of(world.erin)

    assert (await world.submit(world.erin, view, client_name=NAME)).ok

    [(name,)] = world.rows("SELECT client_name FROM onboarding")
    assert not control_characters(name)
    assert name.startswith("Acme")


async def test_control_characters_are_stripped_from_a_name_in_the_command(world: World) -> None:
    await world.type(f"start {NAME}")
    await world.submit(world.erin, world.view_of(world.erin))

    [(name,)] = world.rows("SELECT client_name FROM onboarding")
    assert not control_characters(name)


async def test_control_characters_are_stripped_from_questions_and_reasons(begun: World) -> None:
    view = await begun.open(begun.ann, "step:1", "step_help")
    await begun.submit(begun.ann, view, question=f"What is this?{CONTROL_CHARACTERS}\nAnd that?")
    await begun.ann.say(
        begun.channel, f"help what is {CONTROL_CHARACTERS} this?", begun.message("root").ts
    )
    await begun.slack.delivered()
    await begun.type("cancel")
    await begun.submit(begun.erin, begun.view_of(begun.erin), reason=f"No{CONTROL_CHARACTERS}more")

    rows = [str(row) for row in begun.rows("SELECT detail, step FROM event")]
    texts = [
        str(json.loads(row[0]) if isinstance(row[0], str) else row[0])
        for row in begun.rows("SELECT detail FROM event")
    ]
    assert any("What is this?" in text for text in texts)
    for escape in ("x1b", "x9b", "u202e", "u2066", "u2028"):
        assert not [text for text in (*rows, *texts) if escape in text]


@pytest.fixture
async def unfiltered(begun: World) -> World:
    """A world whose rows were written by an earlier release that didn't filter anything."""
    view = await begun.open(begun.ann, "step:1", "step_help")
    await begun.submit(begun.ann, view, question="What is this?")
    begun.write("UPDATE onboarding SET client_name = ?", NAME)
    detail = json.dumps({"question": f"What{CONTROL_CHARACTERS}is this?"})
    begun.write("UPDATE event SET detail = ? WHERE kind = 'help_asked'", detail)
    return begun


@ON_SQLITE
@pytest.mark.parametrize("format_", ["md", "html", "json"])
async def test_an_export_of_old_rows_contains_no_control_characters(
    unfiltered: World, format_: str
) -> None:
    ended = await export(unfiltered, unfiltered.onboarding, "--format", format_)

    assert ended.status == 0
    assert not control_characters(ended.out) - {"\n"}
    if format_ == "json":
        assert json.loads(ended.out)["client"] == "Acme [31m Plumbing"


@ON_SQLITE
async def test_the_cli_prints_no_control_characters_from_client_names(unfiltered: World) -> None:
    await unfiltered.begin("Acme Heating", unfiltered.slack.add_channel("heating", unfiltered.erin))

    ended = await export(unfiltered, "acme")

    assert ended.status == 1
    assert not control_characters(ended.out + ended.err) - {"\n"}
    assert "Plumbing" in ended.out + ended.err


async def test_slack_shows_no_control_characters_from_old_rows(unfiltered: World) -> None:
    answer = await unfiltered.type("status")
    history = await unfiltered.type("history")

    assert not control_characters(answer.text) - {"\n"}
    assert "Plumbing" in answer.text
    assert not control_characters(history.text) - {"\n"}
    shown = [_modal_text(unfiltered.erin), await _home_text(unfiltered.erin)]
    assert not [text for text in shown if control_characters(text) - {"\n"}]


def _modal_text(person: Person) -> str:
    return visible_text(person.view) if person.view else ""


async def _home_text(person: Person) -> str:
    view = await person.open_home()
    return visible_text(view) if view else ""
