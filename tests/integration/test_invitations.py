"""`/servicetitan start … invite …`: creates a channel, invites the client, and starts."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.slack import Channel, Invitation, Submission, View
from tests.databases import AnyDatabase
from tests.integration.world import World, hold_calls, last_reply, running_world

pytestmark = [pytest.mark.slow_slack, pytest.mark.virtual_time]

COUNT = "SELECT count(*) FROM onboarding"
INVITE_COMMAND = "start Acme Plumbing invite ann@acme.example"


def modal_text(view: View) -> str:
    return "\n".join(block["text"]["text"] for block in view.blocks if "text" in block)


def created_channel(world: World, name: str = "acme-plumbing-heavyset") -> Channel:
    [channel] = [channel for channel in world.slack.channels.values() if channel.name == name]
    return channel


def invited_addresses(world: World) -> list[str | None]:
    return [invitation.email for invitation in world.slack.invitations]


async def invite_client(world: World, text: str = INVITE_COMMAND, **values: Any) -> Submission:
    """Type the command in a conversation the bot isn't in, and submit its form."""
    elsewhere = world.slack.direct_message(world.erin.user)
    await world.type(text, channel=elsewhere)
    return await world.submit(world.erin, world.view_of(world.erin), **values)


async def outcome(world: World, text: str = INVITE_COMMAND, **values: Any) -> str:
    """Return what the engineer sees at the end."""
    answer = await invite_client(world, text, **values)
    assert answer.ok, answer
    return modal_text(world.view_of(world.erin))


async def test_the_form_is_prefilled_from_the_command(world: World) -> None:
    await world.type(
        "start Acme Plumbing invite <mailto:ann@acme.example|ann@acme.example>, bo@b.c"
    )

    elements = {
        block["block_id"]: block["element"] for block in world.view_of(world.erin).blocks[1:]
    }
    assert elements["client_name"]["initial_value"] == "Acme Plumbing"
    assert elements["addresses"]["initial_value"] == "ann@acme.example bo@b.c"
    assert elements["channel_name"]["initial_value"] == "acme-plumbing-heavyset"
    assert elements["engineer"]["initial_user"] == world.erin.id


async def test_a_channel_is_created_the_client_invited_and_onboarding_started(world: World) -> None:
    max_ = world.slack.add_person("Max Engineer")

    text = await outcome(world, engineer=max_.id)

    channel = created_channel(world)
    assert channel.kind == "public"
    assert {world.slack.bot.id, world.erin.id, max_.id} == set(channel.members)
    [invitation] = world.slack.invitations
    assert (invitation.email, invitation.external_limited) == ("ann@acme.example", False)
    assert world.slots(channel) == ["root", "welcome", "step:1"]
    assert channel.pins == [world.message("root", channel).ts]
    assert "⚠️" not in text
    assert f"<#{channel.id}>" in text
    assert "Invited ann@acme.example" in text
    assert world.events("client_invited") == [(world.erin.id, None)]


async def test_a_client_who_accepts_can_work_through_the_steps(world: World) -> None:
    await invite_client(world)
    [invitation] = world.slack.invitations
    zoe = world.slack.add_person("Zoe Admin", world.slack.add_team("Acme West"))

    await world.slack.accept_invite(invitation, zoe)
    await world.press(zoe, "step:1", "choose_account:new", created_channel(world))

    assert world.events("step_done") == [(zoe.id, 1)]
    assert world.find("step:2", created_channel(world))


async def test_engineers_are_notified_once_when_the_client_joins(world: World) -> None:
    await invite_client(world)
    [invitation] = world.slack.invitations
    zoe = world.slack.add_person("Zoe Admin", world.slack.add_team("Acme West"))

    await world.slack.accept_invite(invitation, zoe)
    await world.idle()

    assert [zoe.id in text for text in world.announced if "joined the channel" in text] == [True]


async def test_engineers_are_notified_of_pending_and_granted_admin_approval(
    world: World,
) -> None:
    await invite_client(world)
    [invitation] = world.slack.invitations
    zoe = world.slack.add_person("Zoe Admin", world.slack.add_team("Acme West"))

    await world.slack.accept_invite(invitation, zoe, needs_approval=True)
    await world.idle()
    assert "ann@acme.example accepted the invitation" in world.announced[-1]
    assert "admin still has to approve it" in world.announced[-1]
    assert not world.events("client_joined")

    await world.slack.approve_invite(invitation)
    await world.idle()

    assert "was approved" in world.announced[-2]
    assert "joined the channel" in world.announced[-1]
    await world.type("history", channel=created_channel(world))
    history = modal_text(world.view_of(world.erin))
    assert "accepted the invitation to ann@acme.example; an admin has to approve it" in history


async def test_engineers_are_notified_of_a_declined_invitation(world: World) -> None:
    await invite_client(world)
    [invitation] = world.slack.invitations
    zoe = world.slack.add_person("Zoe Admin", world.slack.add_team("Acme West"))

    await world.slack.decline_invite(invitation, zoe)
    await world.idle()

    assert "ann@acme.example declined the invitation" in world.announced[-1]


@pytest.mark.parametrize("answer", ["accepted", "approved", "declined"])
async def test_invitation_events_without_optional_fields_are_handled(
    world: World, answer: str
) -> None:
    await invite_client(world)
    [invitation] = world.slack.invitations
    zoe = world.slack.add_person("Zoe Admin", world.slack.add_team("Acme West"))
    await world.slack.decline_invite(invitation, zoe)
    event = world.last_event("shared_channel_invite_declined")
    event["event_id"] = "Ev0BARE"
    event["event"] = {
        "type": f"shared_channel_invite_{answer}",
        "channel": {"id": created_channel(world).id},
        "invite": None,
        "accepting_user": None,
    }

    ack = await world.slack.post_signed(json.dumps(event).encode(), "application/json")
    await world.idle()

    assert ack.ok
    announcements = [text for text in world.announced if "Someone" in text]
    assert len(announcements) == (0 if answer == "accepted" else 1)  # the join itself is announced
    assert not [text for text in world.announced if "<@>" in text]


@pytest.mark.parametrize(
    ("answer", "field"), [("approved", "approving"), ("declined", "declining")]
)
async def test_an_invitation_event_names_who_answered_beside_empty_fields(
    world: World, answer: str, field: str
) -> None:
    await invite_client(world)
    [invitation] = world.slack.invitations
    zoe = world.slack.add_person("Zoe Admin", world.slack.add_team("Acme West"))
    await world.slack.decline_invite(invitation, zoe)
    event = world.last_event("shared_channel_invite_declined")
    event["event_id"] = "Ev0EMPTY"
    event["event"] = {
        "type": f"shared_channel_invite_{answer}",
        "channel": {"id": created_channel(world).id},
        "invite": None,
        "accepting_user": None,
        f"{field}_user": {"id": zoe.id, "team_id": zoe.team.id},
    }

    ack = await world.slack.post_signed(json.dumps(event).encode(), "application/json")
    await world.idle()

    assert ack.ok
    assert not [text for text in world.announced if "Someone" in text]


async def test_a_private_channel_is_created_on_request(world: World) -> None:
    await invite_client(world, private_channel=["private"])

    assert created_channel(world).kind == "private"
    assert invited_addresses(world) == ["ann@acme.example"]
    assert world.slots(created_channel(world)) == ["root", "welcome", "step:1"]


async def test_a_client_name_can_start_with_the_word_invite(world: World) -> None:
    await world.type("start Invite & Co")

    assert world.view_of(world.erin).title == "Start onboarding"


@pytest.mark.parametrize(
    ("text", "name", "addresses"),
    [
        ("start invite a@b.example", None, "a@b.example"),
        ("start Invite & Co invite a@b.example", "Invite & Co", "a@b.example"),
        ("start Acme INVITE invite@b.example;x@b.example", "Acme", "invite@b.example x@b.example"),
    ],
)
async def test_the_last_invite_in_the_command_is_the_keyword(
    world: World, text: str, name: str | None, addresses: str
) -> None:
    await world.type(text)

    elements = {
        block["block_id"]: block["element"] for block in world.view_of(world.erin).blocks[1:]
    }
    assert elements["client_name"].get("initial_value") == name
    assert elements["addresses"]["initial_value"] == addresses


async def test_invite_without_an_address_shows_an_example(world: World) -> None:
    reply = await world.type("start Acme invite")

    assert "invite ann@acme.com" in reply.text
    assert world.erin.view is None


async def test_only_engineers_can_invite(database: AnyDatabase) -> None:
    async with running_world(database, named_engineers=True) as world:
        harry = world.slack.add_person("Harry Home")
        await world.slack.admin.invite(world.channel, harry)

        reply = await world.type(INVITE_COMMAND, harry)

        assert "for HeavySet engineers" in reply.text
        assert (harry.view, invited_addresses(world)) == (None, [])


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("addresses", "ann", "Not an email address: “ann” (it has no @)"),
        ("addresses", "a@b.example <!channel>", "Not an email address"),
        ("addresses", " ".join(f"a{n}@b.example" for n in range(11)), "1 to 10"),
        ("channel_name", "Acme Plumbing", "lowercase letters"),
        ("channel_name", "---", "lowercase letters"),
        ("client_name", "<!channel>", "can't contain mentions"),
    ],
)
async def test_invalid_input_is_rejected_at_its_field(
    world: World, field: str, value: str, why: str
) -> None:
    answer = await invite_client(world, **{field: value})

    assert why in answer.errors[field]
    assert not world.slack.calls_of("conversations.create")


async def test_only_an_engineer_can_be_in_charge(world: World) -> None:
    answer = await invite_client(world, engineer=world.ann.id)

    assert "isn't a HeavySet engineer" in answer.errors["engineer"]
    assert not world.slack.calls_of("conversations.create")


async def test_an_existing_channel_the_bot_did_not_create_is_not_taken_over(world: World) -> None:
    world.slack.add_channel("acme-plumbing-heavyset", world.erin)

    text = await outcome(world)

    assert "There's already a #acme-plumbing-heavyset that I didn't create" in text
    assert "/servicetitan start Acme Plumbing" in text
    assert (invited_addresses(world), world.rows(COUNT)) == ([], [(0,)])


async def test_another_clients_channel_is_not_taken_over(world: World) -> None:
    await invite_client(world)

    text = await outcome(
        world, "start Beta invite bea@beta.example", channel_name="acme-plumbing-heavyset"
    )

    assert "#acme-plumbing-heavyset is already used for Acme Plumbing" in text
    assert invited_addresses(world) == ["ann@acme.example"]
    assert world.rows(COUNT) == [(1,)]


@pytest.mark.parametrize(
    ("scope", "private"), [("channels:manage", False), ("groups:write", True)], ids=str
)
async def test_nothing_is_created_without_the_channel_scope(
    world: World, scope: str, private: bool
) -> None:
    world.slack.admin.decline(scope)

    text = await outcome(world, private_channel=["private"] if private else [])

    assert f"optional scope `{scope}`" in text
    assert "OAuth" in text
    assert "Nothing was created" in text
    assert (invited_addresses(world), world.rows(COUNT)) == ([], [(0,)])


async def test_everything_else_is_done_without_the_invitation_scope(world: World) -> None:
    world.slack.admin.decline("conversations.connect:write")

    text = await outcome(world)

    assert "optional scope `conversations.connect:write`" in text
    assert "Invite them yourself" in text
    assert world.slots(created_channel(world)) == ["root", "welcome", "step:1"]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("not_paid", "needs a paid plan"),
        ("restricted_action", "doesn't let apps send"),
        ("connection_limit_exceeded", "limit for connected organizations"),
        ("something_new", "something_new"),
    ],
)
async def test_a_rejected_invitation_is_explained_and_the_rest_succeeds(
    world: World, code: str, why: str
) -> None:
    world.slack.fail_next("conversations.inviteShared", error=code)

    text = await outcome(world, "start Acme Plumbing invite ann@acme.example bo@acme.example")

    assert "⚠️ ann@acme.example wasn't invited" in text
    assert why in text
    assert "✅ Invited bo@acme.example" in text
    assert world.slots(created_channel(world)) == ["root", "welcome", "step:1"]


async def test_an_engineer_who_cannot_be_added_is_asked_to_join(world: World) -> None:
    world.slack.fail_next("conversations.invite", error="cant_invite")

    text = await outcome(world)

    assert "couldn't be added (cant_invite)" in text
    assert invited_addresses(world) == ["ann@acme.example"]


LOST: list[Mapping[str, Any]] = [{"status": 503}, {"status": 503, "performed": True}]


@pytest.mark.parametrize("fault", LOST, ids=["not done", "done, and the answer lost"])
@pytest.mark.parametrize("method", ["conversations.create", "conversations.invite"])
async def test_repeating_the_command_after_an_outage_resumes_where_it_stopped(
    world: World, method: str, fault: Mapping[str, Any]
) -> None:
    world.slack.fail_next(method, **fault)

    stopped = await outcome(world)
    went_on = await outcome(world)

    assert "I'll pick up where I left off" in stopped
    assert "⚠️" not in went_on
    assert set(created_channel(world).members) == {world.slack.bot.id, world.erin.id}
    assert invited_addresses(world) == ["ann@acme.example"]
    assert world.slots(created_channel(world)) == ["root", "welcome", "step:1"]
    assert world.rows(COUNT) == [(1,)]


async def test_repeating_the_command_invites_only_new_addresses(world: World) -> None:
    world.slack.fail_next("conversations.inviteShared", status=503)
    both = "start Acme Plumbing invite ann@acme.example"
    await invite_client(world, both)
    await invite_client(world, both)

    text = await outcome(world, "start acme  PLUMBING invite ANN@acme.example bo@acme.example")

    assert "ANN@acme.example was already invited" in text
    assert invited_addresses(world) == ["ann@acme.example", "bo@acme.example"]
    assert world.rows(COUNT) == [(1,)]


async def test_a_duplicate_form_submission_creates_nothing_twice(world: World) -> None:
    await invite_client(world)

    ack = await world.send(world.last_interaction)

    assert ack.ok
    assert invited_addresses(world) == ["ann@acme.example"]
    assert world.rows(COUNT) == [(1,)]
    assert world.slots(created_channel(world)) == ["root", "welcome", "step:1"]


async def test_if_the_window_was_closed_the_result_goes_to_the_new_channel(world: World) -> None:
    elsewhere = world.slack.direct_message(world.erin.user)
    await world.type(INVITE_COMMAND, channel=elsewhere)
    await world.erin.submit(world.view_of(world.erin))
    await world.erin.close(world.view_of(world.erin))

    await world.idle()

    assert "Invited ann@acme.example" in last_reply(world.erin)
    assert world.erin.ephemerals[-1].channel is created_channel(world)


async def test_the_form_is_acknowledged_before_slack_is_called(world: World) -> None:
    async with hold_calls(world.slack, "conversations.create"):
        await world.type(INVITE_COMMAND)

        answer = await world.erin.submit(world.view_of(world.erin))

        assert answer.ok
        assert "Setting up Acme Plumbing" in modal_text(world.view_of(world.erin))
    await world.idle()
    assert "Invited ann@acme.example" in modal_text(world.view_of(world.erin))


async def test_an_accepted_invitation_is_not_sent_again(world: World) -> None:
    await invite_client(world)
    [invitation] = world.slack.invitations
    assert isinstance(invitation, Invitation)
    await world.slack.accept_invite(invitation, world.ann)

    text = await outcome(world)

    assert "was already invited" in text
    assert len(world.slack.invitations) == 1


@pytest.mark.parametrize(
    "text",
    [
        "start Acme Plumbing invite: ann@acme.example",
        "start Acme Plumbing, invite Ann Admin <ann@acme.example>",
        "start Acme Plumbing invite “ann@acme.example”.",
        "start Acme Plumbing invite [\u200bann@acme.example]",
    ],
)
async def test_addresses_are_parsed_as_mail_programs_write_them(world: World, text: str) -> None:
    await outcome(world, text)

    assert invited_addresses(world) == ["ann@acme.example"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("start Acme invite annacme.com", "“annacme.com” (it has no @)"),
        ("start Acme invite ann@acme", "“ann@acme”"),
        ("start Acme invite @erin.engineer", "not a mention"),
    ],
)
async def test_a_mistyped_address_is_reported_before_anything_is_created(
    world: World, text: str, why: str
) -> None:
    reply = await world.type(text)

    assert why in reply.text
    assert (world.erin.view, world.rows(COUNT)) == (None, [(0,)])
    assert not world.slack.calls_of("conversations.create")


async def test_the_form_accepts_addresses_pasted_from_mail_programs(world: World) -> None:
    pasted = '"Admin, Ann" <ann@acme.example>; mailto:bob@acme.example'

    answer = await invite_client(world, addresses=pasted)

    assert answer.ok
    assert invited_addresses(world) == ["ann@acme.example", "bob@acme.example"]
