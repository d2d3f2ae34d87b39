"""An edited guide: new wording is picked up; a new structure needs a new version."""

import pytest

from bot.guide import GuideError
from bot.guide.loading import SERVICETITAN, source_of
from bot.guide.structure import changes
from sandbox.bot_process import free_port
from tests.background import wait_for_tasks
from tests.commands import onboarding
from tests.databases import ON_BOTH, ON_SQLITE
from tests.integration.test_cli import VALID_SETTINGS
from tests.integration.world import World

SOURCE = source_of(SERVICETITAN)
STEP_5 = SOURCE[SOURCE.index("[[phases.steps]]\nnumber = 5\n") :]
STEP_5 = STEP_5[: STEP_5.index("\n\n") + 2]
# Edits to the file: the old text, the new text, and what the bot says about it at startup.
EDITS = {
    "a step removed": (STEP_5, "", "step 5 is gone"),
    "a step added": (STEP_5, STEP_5 + STEP_5.replace("= 5", "= 26", 1), "step 26 is new"),
    "a credential renamed": ('"booking_provider_id"', '"booking_id"', "credential booking_id"),
    "a choice renamed": ('id = "existing"', 'id = "admin"', "step 1 has another choice"),
    "a choice that skips more steps": (
        "skips = [2]",
        "skips = [2, 3]",
        "step 1 has another choice",
    ),
    "another owner of a step": (
        'owner = "heavyset"',
        'owner = "client"',
        "step 23 has another owner",
    ),
    "a credential asked for at another step": (
        'credentials = ["application_key"]',
        'credentials = ["application_key", "tenant_id"]',
        "step 22 has other credentials",
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), EDITS.values(), ids=EDITS)
def test_a_structural_change_is_reported(old: str, new: str, expected: str) -> None:
    assert old in SOURCE

    assert any(change.startswith(expected) for change in changes(SOURCE, SOURCE.replace(old, new)))
    assert changes(SOURCE, SOURCE) == []


def test_rewording_is_not_a_structural_change() -> None:
    assert 'title = "Initiate a New Application"' in SOURCE
    other = SOURCE.replace("Initiate a New Application", "Begin").replace("Which would", "Which")

    assert changes(SOURCE, other) == []


def test_an_invalid_previous_guide_is_not_compared() -> None:
    assert changes("not TOML", SOURCE) == changes("phases = 3", SOURCE) == []


@ON_BOTH
async def test_a_structural_change_without_a_new_version_blocks_startup(begun: World) -> None:
    """The stored guide differs from the file, as it does after someone edits the file."""
    begun.write("UPDATE guide SET source = ?", SOURCE.replace(STEP_5, ""))

    with pytest.raises(GuideError, match=r"step 5 is new.*Raise “version”"):
        async with begun.second_bot():
            pass

    assert STEP_5 not in str(begun.rows("SELECT source FROM guide"))


async def test_new_wording_is_stored_and_running_threads_are_updated(
    begun: World,
) -> None:
    """The message of step 1 still has the guide's old wording."""
    begun.write("UPDATE guide SET source = ?", SOURCE.replace("Create a Developer", "Make a"))
    begun.write("UPDATE message SET digest = 'of the old wording' WHERE slot = 'step:1'")
    before = len(begun.slack.calls)

    async with begun.second_bot() as bot:
        await bot.sweep()
        await wait_for_tasks(bot.tasks)

    assert begun.rows("SELECT source FROM guide") == [(SOURCE,)]
    edits = [call.arguments for call in begun.slack.calls[before:] if call.method == "chat.update"]
    assert [edit["metadata"]["event_payload"]["slot"] for edit in edits] == ["step:1"]
    assert begun.rows("SELECT revision - published_revision FROM onboarding") == [(0,)]


async def test_unchanged_guides_and_ended_threads_are_not_republished(
    begun: World,
) -> None:
    published = "SELECT published_revision = revision FROM onboarding"

    async with begun.bot.database.begin() as session:
        await begun.bot.database.guides.save_newest(session)
    assert begun.rows(published) == [(True,)]

    begun.write("UPDATE guide SET source = ?", SOURCE.replace("Create a Developer", "Make a"))
    begun.write("UPDATE onboarding SET status = 'cancelled'")
    async with begun.bot.database.begin() as session:
        await begun.bot.database.guides.save_newest(session)
    assert begun.rows(published) == [(True,)]


@ON_SQLITE
async def test_run_reports_a_structural_change_and_exits_with_2(begun: World) -> None:
    begun.write("UPDATE guide SET source = ?", SOURCE.replace(STEP_5, ""))
    settings = {
        **VALID_SETTINGS,
        "DATABASE_URL": begun.settings.database_url,
        "SLACK_API_URL": begun.settings.slack_api_url,
        "SLACK_BOT_TOKEN": begun.slack.bot_token,
        "PORT": str(free_port()),
    }

    ended = await onboarding(begun.database.directory, "run", **settings)

    assert ended.status == 2
    assert "servicetitan/guide.toml: version 1.1" in ended.err
    assert "step 5 is new" in ended.err
    assert "Traceback" not in ended.err


async def test_progress_is_counted_by_the_guide_version_at_the_start(begun: World) -> None:
    """The file now has a newer, shorter version; this onboarding began with 1.0's 25 steps."""
    older = SOURCE.replace('version = "1.1"', 'version = "1.0"')
    begun.write("INSERT INTO guide (id, version, source) VALUES ('servicetitan', '1.0', ?)", older)
    begun.write("UPDATE onboarding SET guide_version = '1.0'")
    guides = begun.bot.database.guides
    shorter = guides.default.model_validate(
        {**guides.default.model_dump(), "phases": guides.default.model_dump()["phases"][:5]}
    )
    guides.all = (shorter, *guides.all[1:])
    guides._parsed[("servicetitan", "1.1")] = shorter

    await begun.press(begun.ann, "step:1", "choose_account:new")
    reply = str((await begun.type("status")).ack.json())
    await begun.erin.open_home()
    await begun.idle()

    assert "1 of 25" in reply
    assert begun.erin.home
    assert "1 of 25" in str(begun.erin.home.content)
    assert "of 22, then" in begun.message("root").text
