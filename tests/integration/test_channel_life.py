"""Channel changes: the onboarding pauses or follows, and engineering is notified once."""

import json

import pytest

from tests.background import wait_for_tasks
from tests.databases import ON_BOTH
from tests.integration.world import World, last_reply


def pause_announcements(world: World) -> list[str]:
    return [text for text in world.announced if "is paused" in text]


def status(world: World) -> str:
    [(status,)] = world.rows("SELECT status FROM onboarding")
    return str(status)


async def deliver_events(world: World) -> None:
    await world.slack.delivered()
    await world.idle()


async def test_removing_the_bot_pauses_and_reinviting_it_resumes(begun: World) -> None:
    await begun.slack.admin.remove(begun.channel, begun.slack.bot)
    await deliver_events(begun)

    assert status(begun) == "paused"
    assert len(pause_announcements(begun)) == 1
    assert "/invite" in pause_announcements(begun)[0]

    await begun.slack.admin.invite(begun.channel, begun.slack.bot, begun.erin)
    await deliver_events(begun)

    assert status(begun) == "active"
    assert "is back on" in begun.announced[-1]


async def test_archiving_the_channel_pauses_and_unarchiving_resumes(begun: World) -> None:
    await begun.slack.admin.archive(begun.channel, begun.erin)
    await deliver_events(begun)

    assert status(begun) == "paused"
    assert len(pause_announcements(begun)) == 1

    await begun.slack.admin.unarchive(begun.channel, begun.erin)
    await deliver_events(begun)

    assert status(begun) == "active"


async def test_unsharing_the_channel_pauses_and_the_thread_says_so(begun: World) -> None:
    await begun.slack.admin.unshare(begun.channel, begun.ann.team)
    await deliver_events(begun)

    assert status(begun) == "paused"
    assert "On hold" in begun.message("root").text

    await begun.slack.admin.share(begun.channel, begun.ann.team)
    await deliver_events(begun)

    assert status(begun) == "active"


async def test_a_paused_onboarding_accepts_no_button_presses(begun: World) -> None:
    await begun.slack.admin.unshare(begun.channel, begun.ann.team)
    await deliver_events(begun)

    value = f"{begun.onboarding}:1"
    await begun.erin.press_raw(begun.message("step:1"), "choose_account:new", value)
    await begun.idle()

    assert begun.current == 1
    assert "resume` first" in last_reply(begun.erin)


async def test_the_onboarding_follows_a_channel_to_its_new_id(begun: World) -> None:
    old_id = begun.channel.id
    await begun.slack.admin.change_id(begun.channel)
    await deliver_events(begun)

    await begun.press(begun.ann, "step:1", "choose_account:new")

    assert begun.channel.id != old_id
    assert begun.current == 2
    assert "new ID" in begun.announced[-1]


@pytest.mark.parametrize("kind", ["app_uninstalled", "tokens_revoked"])
async def test_either_event_of_uninstalling_pauses(begun: World, kind: str) -> None:
    await begun.slack.admin.uninstall()
    await deliver_events(begun)
    begun.write("UPDATE onboarding SET status = 'active', loss = NULL")
    event = begun.last_event(kind) | {"event_id": "Ev0ALONE"}

    await begun.slack.post_signed(json.dumps(event).encode(), "application/json")
    await begun.idle()

    assert status(begun) == "paused"


@ON_BOTH
async def test_uninstalling_pauses_and_the_start_after_reinstalling_resumes(begun: World) -> None:
    await begun.slack.admin.uninstall()
    await deliver_events(begun)
    assert status(begun) == "paused"

    begun.slack.admin.reinstall()
    async with begun.second_bot() as bot:
        await bot.use_cases.channels.regained_all()
        await wait_for_tasks(bot.tasks)

    assert status(begun) == "active"


async def test_an_is_archived_error_pauses_the_onboarding(begun: World) -> None:
    begun.slack.fail_next("chat.update", error="is_archived", times=9)
    begun.slack.fail_next("chat.postMessage", error="is_archived", times=1)

    await begun.press(begun.ann, "step:1", "choose_account:new")

    assert status(begun) == "paused"
    assert len(pause_announcements(begun)) == 1


async def test_an_engineer_can_resume_by_hand(begun: World) -> None:
    begun.write("UPDATE onboarding SET status = 'paused', loss = 'unshared'")

    reply = await begun.type("resume")

    assert "Resumed" in reply.text
    assert status(begun) == "active"


async def test_only_the_first_client_member_to_join_is_announced(begun: World) -> None:
    bea, cyd = (begun.slack.add_person(name, begun.ann.team) for name in ("Bea Acme", "Cyd Acme"))

    for person in (begun.slack.add_person("Max Member"), bea, cyd):
        await begun.slack.admin.invite(begun.channel, person, begun.erin)
    await deliver_events(begun)

    joined = [text for text in begun.announced if "joined the channel" in text]
    assert len(joined) == 1
    assert bea.id in joined[0]


async def test_a_new_member_is_greeted_in_the_thread_with_a_link(begun: World) -> None:
    ben = begun.slack.add_person("Ben", begun.ann.team)
    await begun.slack.admin.invite(begun.channel, ben, begun.ann)
    await begun.slack.delivered()
    await begun.idle()

    greeting = begun.message("greeting:1").text
    assert f"Hi <@{ben.id}>, welcome!" in greeting
    assert "|step 1>" in greeting
    await begun.type("remind")
    assert f"<@{ben.id}>" in begun.message("reminder:1").text
