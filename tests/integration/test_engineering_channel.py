"""The engineering channel gets clients' names and questions, so no one else may read it."""

import json
from datetime import datetime

import pytest

from bot.cli.doctor import Finding, examine
from bot.publishing.engineering_channel import SHARED
from bot.views.blocks import Message as NewMessage
from bot.views.engineering_channel import shared_channel_message
from sandbox.slack import Message
from sandbox.slack.model import Invitation
from tests.background import wait_for_tasks
from tests.databases import AnyDatabase
from tests.integration.world import World, from_now, now, running_world


def warnings_posted(world: World) -> list[Message]:
    found = world.engineering.messages
    return [finding for finding in found if "is open to another organization" in finding.text]


async def share(world: World) -> None:
    await world.slack.admin.share(world.engineering, world.ann.team)
    await check(world)


async def check(world: World) -> None:
    """Check the channel as the next sweep would."""
    await world.idle()
    await world.bot.engineering.look()


async def test_a_shared_channel_is_reported_once_by_all_workers(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await share(world)
    async with world.second_bot() as other:
        await wait_for_tasks(other.tasks)

    assert len(warnings_posted(world)) == 1
    assert "the engineering channel is shared with another organization" in caplog.text


async def test_sharing_the_channel_again_is_reported_again(world: World) -> None:
    await share(world)
    await share(world)
    await world.slack.admin.unshare(world.engineering, world.ann.team)
    await check(world)
    assert len(warnings_posted(world)) == 1

    await share(world)

    assert len(warnings_posted(world)) == 2


async def test_a_pending_external_invitation_is_reported_too(world: World) -> None:
    invited = Invitation(
        "I1", world.engineering, world.erin.user, "ann@acme.example", None, True, 0
    )
    world.engineering.invitations.append(invited)

    async with world.second_bot() as other:
        await wait_for_tasks(other.tasks)

    assert len(warnings_posted(world)) == 1


async def test_workers_starting_together_report_a_shared_channel_once(world: World) -> None:
    world.engineering.connected.append(world.ann.team)

    async with world.second_bot() as one, world.second_bot() as two, world.second_bot() as three:
        for bot in (one, two, three):
            await wait_for_tasks(bot.tasks)

    assert len(warnings_posted(world)) == 1


async def test_another_workers_pending_report_is_taken_over_after_a_minute(world: World) -> None:
    world.write("INSERT INTO notice (id, since) VALUES (?, ?)", SHARED, now())
    await share(world)
    assert not warnings_posted(world)

    world.write("UPDATE notice SET since = ?", from_now(seconds=-61))
    async with world.second_bot() as other:
        await wait_for_tasks(other.tasks)

    assert len(warnings_posted(world)) == 1


@pytest.mark.parametrize("performed", [False, True])
async def test_a_report_is_posted_exactly_once_after_a_slack_server_error(
    world: World, performed: bool
) -> None:
    world.slack.fail_next("chat.postMessage", status=500, performed=performed)

    await share(world)
    assert len(warnings_posted(world)) == performed
    await check(world)

    assert len(warnings_posted(world)) == 1


async def test_another_refused_notice_does_not_hold_the_report_back(world: World) -> None:
    async def too_long(_since: datetime) -> NewMessage:
        return shared_channel_message(now())

    world.slack.fail_next("chat.postMessage", error="msg_too_long")
    assert await world.bot.notices.post("another", too_long) is None

    await share(world)

    assert len(warnings_posted(world)) == 1


async def test_a_refused_report_is_posted_when_the_channel_is_shared_again(world: World) -> None:
    world.slack.fail_next("chat.postMessage", error="restricted_action")
    await share(world)
    assert warnings_posted(world) == []

    await share(world)

    assert len(warnings_posted(world)) == 1


async def test_the_report_says_what_to_do_and_names_no_client(begun: World) -> None:
    await share(begun)

    [line] = warnings_posted(begun)

    assert "ENGINEERING_CHANNEL" in line.text
    assert "Acme" not in json.dumps(line.blocks)


async def test_start_is_refused_in_the_engineering_channel(world: World) -> None:
    reply = await world.type("start Acme", channel=world.engineering)

    assert world.erin.view is None
    assert "engineering channel" in reply.text


async def test_a_forged_form_cannot_start_in_the_engineering_channel(world: World) -> None:
    await world.type("start Acme Plumbing")
    view = world.view_of(world.erin)
    view.content["private_metadata"] = view.content["private_metadata"].replace(
        world.channel.id, world.engineering.id
    )

    answer = await world.submit(world.erin, view)

    assert "engineering channel" in next(iter(answer.errors.values()))
    assert world.rows("SELECT count(*) FROM onboarding") == [(0,)]


async def test_inviting_a_client_into_the_engineering_channel_is_refused(world: World) -> None:
    world.engineering.creator = world.slack.bot
    await world.type("start Acme invite ann@acme.example")
    view = world.view_of(world.erin)

    await world.submit(world.erin, view, channel_name="engineering")

    assert "engineering channel" in str(world.view_of(world.erin).blocks)
    assert not world.slack.invitations
    assert world.rows("SELECT count(*) FROM onboarding") == [(0,)]


# --- who the engineers are ---


async def doctor(world: World, **settings: object) -> dict[str, Finding]:
    changed = world.settings.model_validate({**world.settings.model_dump(), **settings})
    return {finding.title: finding async for finding in examine(changed)}


async def test_doctor_explains_each_id_that_matches_no_engineer(world: World) -> None:
    slack = world.slack
    gus = slack.add_person("Gus Guest", is_restricted=True)
    gil = slack.add_person("Gil Gone", deleted=True)
    empty, group = slack.add_usergroup(), slack.add_usergroup(world.erin)
    ids = [world.erin.id, group, gus.id, gil.id, world.ann.id, "U0NOBODY", "S0NOTHING", empty]

    text = (await doctor(world, engineers=ids))["ENGINEERS"].text

    for id_, reason in (
        (gus.id, "a guest"),
        (gil.id, "deactivated"),
        (world.ann.id, "of another organization"),
        ("U0NOBODY", "Slack doesn't know this person"),
        ("S0NOTHING", "no_such_subteam"),
        (empty, "a user group without members"),
    ):
        assert f"{id_} adds no engineer ({reason})" in text
    assert world.erin.id not in text


@pytest.mark.parametrize(
    "code", ["no_such_subteam", "subteam_disabled", "missing_scope", "plan_upgrade_required"]
)
async def test_an_unreadable_user_group_adds_no_engineers_and_breaks_nothing(
    database: AnyDatabase, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_world(database) as world:
        max_ = world.slack.add_person("Max Member")
        world.channel.members[max_.id] = max_.user
        world.slack.fail_next("usergroups.users.list", error=code, times=99)
        async with world.second_bot(engineers=["S0NOTHING", world.erin.id]) as bot:
            world.slack.deliver_to(f"http://127.0.0.1:{bot.settings.port}/slack/events")
            await wait_for_tasks(bot.tasks)

            for _ in range(2):
                assert "Nothing in progress" in (await world.type("status")).text
                assert "for HeavySet engineers" in (await world.type("status", max_)).text

    logged = [
        record.getMessage() for record in caplog.records if "S0NOTHING" in record.getMessage()
    ]
    assert logged == [f"ENGINEERS: S0NOTHING adds no engineer ({code})"]
