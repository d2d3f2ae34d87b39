"""Requests without a team or with an unexpected sender: Slack is asked, and strangers can't act."""

import json
from typing import Any

import pytest

from sandbox.slack import Person
from tests.integration.world import World, last_reply

SCREENSHOT = ["screenshot.png"]


async def say(world: World, person: Person, text: str, **options: Any) -> None:
    await person.say(world.channel, text, world.message("root").ts, **options)
    await world.slack.delivered()
    await world.idle()


def guest(world: World) -> Person:
    gus = world.slack.add_person("Gus Guest", is_restricted=True)
    world.channel.members[gus.id] = gus.user
    return gus


async def redeliver(world: World, **changed: Any) -> None:
    """Redeliver the last message event as a new one, with `changed`; None removes a key."""
    event = world.last_event("message")
    event["event_id"] = f"Ev0{len(world.slack.deliveries)}"
    inner = event["event"] | {"ts": f"{event['event']['ts']}1"} | changed
    event["event"] = {key: value for key, value in inner.items() if value is not None}
    await world.slack.post_signed(json.dumps(event).encode(), "application/json")
    await world.idle()


MESSAGE_OPTIONS: list[dict[str, Any]] = [
    {"files": SCREENSHOT},
    {"subtype": "thread_broadcast"},
    {"subtype": "me_message"},
    {},
]


@pytest.mark.parametrize("options", MESSAGE_OPTIONS)
async def test_a_guest_is_refused_for_every_kind_of_message(
    begun: World, options: dict[str, Any]
) -> None:
    gus = guest(begun)

    await say(begun, gus, "new", **options)

    assert begun.current == 1
    assert "Please ask" in last_reply(gus)


@pytest.mark.parametrize("options", MESSAGE_OPTIONS)
async def test_a_client_admin_is_accepted_for_every_kind_of_message(
    begun: World, options: dict[str, Any]
) -> None:
    await say(begun, begun.ann, "new", **options)

    assert begun.current == 2
    assert begun.rows("SELECT by_team, by_role FROM step WHERE number = 1") == [
        (begun.ann.team.id, "client_admin")
    ]


async def test_an_engineers_reply_with_a_screenshot_can_answer_a_question(begun: World) -> None:
    await say(begun, begun.ann, "help Where is that?")
    await say(begun, begun.erin, "Here, where is what you need?", files=SCREENSHOT)

    assert "Did that answer" in last_reply(begun.erin)
    assert len(begun.events("help_asked")) == 1


async def test_messages_from_slackbot_are_ignored(begun: World) -> None:
    messages = len(begun.channel.messages)

    await say(begun, begun.slack.slackbot, "new")
    await say(begun, begun.slack.slackbot, "Reminder: where do I find the application key?")

    assert begun.current == 1
    assert len(begun.channel.messages) == messages + 2
    assert begun.find("answer:1") is None


@pytest.mark.parametrize("bot_fields", [{"bot_id": "B0OTHER"}, {"bot_profile": {"id": "B0OTHER"}}])
async def test_messages_from_other_bots_are_ignored(
    begun: World, bot_fields: dict[str, Any]
) -> None:
    await say(begun, begun.ann, "hello")

    await redeliver(begun, text="new", **bot_fields)

    assert begun.current == 1
    assert not begun.ann.ephemerals


@pytest.mark.parametrize("kind", [{"is_bot": True}, {"deleted": True}])
@pytest.mark.parametrize("team", ["theirs", None])
async def test_bots_and_deactivated_users_cannot_act(
    begun: World, kind: dict[str, Any], team: str | None
) -> None:
    rob = begun.slack.add_person("Rob Robot", begun.ann.team, **kind)
    begun.channel.members[rob.id] = rob.user
    await say(begun, begun.ann, "hello")

    team_id = begun.ann.team.id if team else None
    await redeliver(
        begun, text="new", user=rob.id, team=team_id, user_team=team_id, source_team=team_id
    )

    assert begun.current == 1


@pytest.mark.parametrize("error", ["user_not_found", "user_not_visible"])
async def test_a_user_unknown_to_slack_cannot_act(begun: World, error: str) -> None:
    begun.bot.use_cases.messages._services.directory._users._found.clear()
    begun.slack.fail_next("users.info", error=error, times=9)

    await say(begun, begun.ann, "new", files=SCREENSHOT)

    assert begun.current == 1
    assert "Please ask" in last_reply(begun.ann)


async def test_a_message_without_a_team_is_redelivered_if_the_lookup_fails(
    begun: World,
) -> None:
    begun.bot.use_cases.messages._services.directory._users._found.clear()
    begun.slack.fail_next("users.info", status=500)

    await say(begun, begun.ann, "new", files=SCREENSHOT)
    await begun.slack.until(lambda: begun.find("step:2"))

    sent = [delivery.ack.status for delivery in begun.slack.deliveries[-2:]]
    assert sent == [503, 200]
    assert begun.current == 2


@pytest.mark.parametrize("missing", [{}, {"team_id": None}, {"team_id": ""}])
async def test_a_press_without_a_team_is_authorized_by_looking_up_the_user(
    begun: World, missing: dict[str, Any]
) -> None:
    gus = guest(begun)
    for person in (gus, begun.ann):
        await begun.press(person, "step:1", "step_help")
        press = begun.last_interaction
        del press["user"]["team_id"]
        press["user"] |= missing
        press["actions"][0] |= {
            "action_id": "choose_account:new",
            "value": f"{begun.onboarding}:1",
        }
        press["trigger_id"] += "1"

        assert (await begun.send(press)).status == 200

        assert begun.current == (1 if person is gus else 2)


async def test_a_secret_edited_into_a_message_is_attributed_to_its_author(begun: World) -> None:
    gus = guest(begun)
    await begun.walk_to(23)
    written = await gus.say(begun.channel, "hello", begun.message("root").ts, files=SCREENSHOT)
    await gus.edit(written, f"it is {begun.servicetitan.credentials['client_secret']}")
    await begun.slack.delivered()
    await begun.idle()

    assert begun.rows("SELECT actor_user, actor_role FROM event WHERE kind = 'exposed'") == [
        (gus.id, "nobody")
    ]


@pytest.mark.parametrize(("who", "joins"), [("colleague", 0), ("client", 1)])
async def test_a_new_member_without_a_team_is_looked_up(begun: World, who: str, joins: int) -> None:
    team = begun.ann.team if who == "client" else None
    new = begun.slack.add_person("New Comer", team)
    await begun.slack.admin.invite(begun.channel, begun.slack.add_person("Max Member"))
    begun.channel.members[new.id] = new.user
    event = begun.last_event("member_joined_channel")
    event["event_id"] = "Ev0JOINED"
    event["event"]["user"] = new.id
    del event["event"]["team"]

    await begun.slack.post_signed(json.dumps(event).encode(), "application/json")
    await begun.idle()

    assert len(begun.events("client_joined")) == joins
