"""Channels and their members: creating, inviting, sharing, and reading them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import (
    Channel,
    Invitation,
    Manifest,
    NotOfferedError,
    Person,
    SlackSandbox,
    Team,
)
from tests.stub_bot import FrozenClock, StubBot

SCOPES = """
    channels:read channels:manage groups:read groups:write conversations.connect:write users:read
    chat:write
"""
EVENTS = """
    channel_shared member_joined_channel shared_channel_invite_accepted
    shared_channel_invite_approved shared_channel_invite_declined
"""


@pytest.fixture
async def slack(clock: FrozenClock) -> AsyncIterator[SlackSandbox]:
    manifest = Manifest(frozenset(SCOPES.split()), bot_events=frozenset(EVENTS.split()))
    async with SlackSandbox(manifest, clock=clock, event_retries=()) as slack:
        yield slack


@pytest.fixture
async def own_channel(slack: SlackSandbox, bot: StubBot, erin: Person) -> Channel:
    """A channel created by the bot, with Erin in it."""
    created = await bot.call("conversations.create", name="acme-onboarding", is_private=True)
    await bot.call("conversations.invite", channel=created["channel"]["id"], users=erin.id)
    await slack.delivered()
    bot.received.clear()
    return slack.channels[created["channel"]["id"]]


async def get_info(bot: StubBot, channel: Channel) -> dict[str, Any]:
    answer = await bot.call("conversations.info", channel=channel.id)
    conversation: dict[str, Any] = answer["channel"]
    return conversation


async def invite_shared(bot: StubBot, channel: Channel, **arguments: Any) -> dict[str, Any]:
    return await bot.call("conversations.inviteShared", channel=channel.id, **arguments)


async def invited_by_email(
    slack: SlackSandbox, bot: StubBot, channel: Channel, **more: Any
) -> Invitation:
    assert (await invite_shared(bot, channel, emails=["ann@acme.example"], **more))["ok"]
    return slack.invitations[-1]


def events(bot: StubBot) -> list[str]:
    return [payload["event"]["type"] for payload in bot.received]


# --- creating


@pytest.mark.parametrize("is_private", [True, False])
async def test_a_created_channel_has_the_bot_as_its_only_member(
    slack: SlackSandbox, bot: StubBot, is_private: bool
) -> None:
    answer = await bot.call("conversations.create", name="acme_2-onboarding", is_private=is_private)

    created = answer["channel"]
    assert (created["name"], created["is_private"]) == ("acme_2-onboarding", is_private)
    assert (created["is_member"], created["creator"]) == (True, slack.bot.id)
    assert list(slack.channels[created["id"]].members) == [slack.bot.id]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "invalid_name_required"),
        ("a" * 81, "invalid_name_maxlength"),
        ("Acme", "invalid_name_specials"),
        ("acme plumbing", "invalid_name_specials"),
        ("acme.plumbing", "invalid_name_specials"),
        ("müller", "invalid_name_specials"),
        ("-_-", "invalid_name_punctuation"),
        ("taken", "name_taken"),
        ("hidden", "name_taken"),
    ],
)
async def test_an_invalid_or_taken_channel_name_is_refused(
    slack: SlackSandbox, bot: StubBot, erin: Person, name: str, error: str
) -> None:
    await slack.admin.archive(slack.add_channel("taken"), erin)
    slack.add_channel("hidden", private=True, with_bot=False)

    assert (await bot.call("conversations.create", name=name))["error"] == error


async def test_a_channel_name_of_80_characters_is_accepted(bot: StubBot) -> None:
    assert (await bot.call("conversations.create", name="a" * 80))["ok"]


@pytest.mark.parametrize(
    ("scope", "is_private"), [("channels:manage", True), ("groups:write", False)]
)
async def test_public_and_private_channels_need_different_scopes(
    scope: str, is_private: bool
) -> None:
    async with SlackSandbox(Manifest(frozenset({scope}))) as slack, StubBot(slack) as bot:
        refused = await bot.call("conversations.create", name="acme", is_private=is_private)
        allowed = await bot.call("conversations.create", name="acme", is_private=not is_private)

    assert (refused["error"], allowed["ok"]) == ("missing_scope", True)


# --- inviting colleagues


async def test_an_invited_colleague_joins_and_the_event_names_the_inviter(
    slack: SlackSandbox, bot: StubBot, channel: Channel
) -> None:
    nora = slack.add_person("Nora")

    answer = await bot.call("conversations.invite", channel=channel.id, users=nora.id)
    await slack.delivered()

    assert answer["channel"]["id"] == channel.id
    assert nora.id in channel.members
    event = bot.received[-1]["event"]
    assert (event["user"], event["inviter"]) == (nora.id, slack.bot.id)


async def test_each_reason_a_user_cannot_be_invited_has_its_own_error(
    slack: SlackSandbox, bot: StubBot, channel: Channel, erin: Person
) -> None:
    stranger = slack.add_person("Sven", slack.add_team("Sven's Heating"))
    elsewhere = slack.add_person("Olga", slack.add_team("Olga's Roofs"))
    slack.add_channel("olga", elsewhere)
    gone = slack.add_person("Gone", deleted=True)
    users = [slack.bot.id, erin.id, stranger.id, elsewhere.id, gone.id, "U0NOBODY"]

    answers = [
        await bot.call("conversations.invite", channel=channel.id, users=user) for user in users
    ]

    assert [answer["error"] for answer in answers] == [
        "cant_invite_self",
        "already_in_channel",
        "user_not_found",
        "no_external_invite_permission",
        "cant_invite",
        "user_not_found",
    ]


async def test_one_uninvitable_user_blocks_the_whole_invite_unless_forced(
    slack: SlackSandbox, bot: StubBot, channel: Channel, erin: Person
) -> None:
    nora = slack.add_person("Nora")
    invitation = {"channel": channel.id, "users": f"{nora.id},{erin.id}"}

    refused = await bot.call("conversations.invite", **invitation)
    assert nora.id not in channel.members
    forced = await bot.call("conversations.invite", **invitation, force=True)

    failure = {"user": erin.id, "ok": False, "error": "already_in_channel"}
    assert (refused["error"], refused["errors"]) == ("already_in_channel", [failure])
    assert (forced["ok"], forced["errors"]) == (True, [failure])
    assert nora.id in channel.members


async def test_an_invite_needs_users_membership_and_an_active_channel(
    slack: SlackSandbox, bot: StubBot, channel: Channel, erin: Person
) -> None:
    nora = slack.add_person("Nora")
    elsewhere = slack.add_channel("elsewhere", with_bot=False)
    direct = slack.direct_message(erin.user)

    async def invite(where: Channel, users: str) -> str:
        answer = await bot.call("conversations.invite", channel=where.id, users=users)
        return str(answer["error"])

    assert await invite(channel, "") == "no_user"
    assert await invite(channel, ",".join(f"U{number}" for number in range(101))) == (
        "too_many_users"
    )
    assert await invite(elsewhere, nora.id) == "not_in_channel"
    assert await invite(direct, nora.id) == "method_not_supported_for_channel_type"
    await slack.admin.archive(channel, erin)
    assert await invite(channel, nora.id) == "is_archived"


async def test_inviting_to_a_private_channel_needs_the_private_scope() -> None:
    scopes = frozenset({"channels:manage", "groups:read"})
    async with SlackSandbox(Manifest(scopes)) as slack, StubBot(slack) as bot:
        private = slack.add_channel("acme", private=True)
        nora = slack.add_person("Nora")
        answer = await bot.call("conversations.invite", channel=private.id, users=nora.id)

    assert answer["error"] == "missing_scope"


# --- Slack Connect


async def test_an_email_invitation_is_pending_until_it_is_accepted(
    slack: SlackSandbox, bot: StubBot, own_channel: Channel, ann: Person
) -> None:
    assert not (await get_info(bot, own_channel))["is_pending_ext_shared"]
    answer = await invite_shared(bot, own_channel, emails=["ann@acme.example"])
    asked = await get_info(bot, own_channel)
    invitation = slack.invitations[-1]

    await slack.accept_invite(invitation, ann)

    shared = await get_info(bot, own_channel)
    assert answer["invite_id"] == invitation.id
    assert answer["is_legacy_shared_channel"] is False
    assert (asked["is_pending_ext_shared"], asked["is_ext_shared"]) == (True, False)
    assert (shared["is_pending_ext_shared"], shared["is_ext_shared"]) == (False, True)
    assert ann.id in own_channel.members
    assert shared["connected_team_ids"] == [ann.team.id]
    assert (invitation.status, invitation.email) == ("accepted", "ann@acme.example")


async def test_an_accepted_invitation_sends_three_events(
    slack: SlackSandbox, bot: StubBot, own_channel: Channel, ann: Person
) -> None:
    invitation = await invited_by_email(slack, bot, own_channel)

    await slack.accept_invite(invitation, ann)

    accepted, shared, joined = (payload["event"] for payload in bot.received)
    assert events(bot) == [
        "shared_channel_invite_accepted",
        "channel_shared",
        "member_joined_channel",
    ]
    assert accepted["invite"]["id"] == invitation.id
    assert accepted["invite"]["recipient_email"] == "ann@acme.example"
    assert accepted["channel"]["id"] == own_channel.id
    assert (accepted["approval_required"], accepted["accepting_user"]["id"]) == (False, ann.id)
    assert accepted["accepting_user"]["team_id"] == ann.team.id
    assert [team["id"] for team in accepted["teams_in_channel"]] == [slack.home.id]
    assert shared["connected_team_id"] == ann.team.id
    assert (joined["user"], joined["team"]) == (ann.id, ann.team.id)


async def test_an_invitee_joins_only_after_a_required_approval(
    slack: SlackSandbox, bot: StubBot, own_channel: Channel, ann: Person
) -> None:
    invitation = await invited_by_email(slack, bot, own_channel)

    await slack.accept_invite(invitation, ann, needs_approval=True)
    assert bot.received[-1]["event"]["approval_required"] is True
    assert ann.id not in own_channel.members
    assert own_channel.is_pending_ext_shared
    await slack.approve_invite(invitation)

    assert events(bot)[1:] == [
        "shared_channel_invite_approved",
        "channel_shared",
        "member_joined_channel",
    ]
    assert ann.id in own_channel.members


async def test_a_declined_invitation_can_no_longer_be_accepted(
    slack: SlackSandbox, bot: StubBot, own_channel: Channel, ann: Person
) -> None:
    invitation = await invited_by_email(slack, bot, own_channel)

    await slack.decline_invite(invitation, ann)

    assert events(bot) == ["shared_channel_invite_declined"]
    assert not own_channel.is_pending_ext_shared
    with pytest.raises(NotOfferedError):
        await slack.accept_invite(invitation, ann)


async def test_a_second_invitee_from_a_company_sends_no_channel_shared_event(
    slack: SlackSandbox, bot: StubBot, own_channel: Channel, ann: Person, acme: Team
) -> None:
    await slack.accept_invite(await invited_by_email(slack, bot, own_channel), ann)
    bob = slack.add_person("Bob", acme)
    bot.received.clear()

    await slack.accept_invite(await invited_by_email(slack, bot, own_channel), bob)

    assert events(bot) == ["shared_channel_invite_accepted", "member_joined_channel"]


async def test_a_known_user_can_be_invited_by_id_and_only_they_can_accept(
    slack: SlackSandbox,
    bot: StubBot,
    channel: Channel,
    own_channel: Channel,
    ann: Person,
    acme: Team,
) -> None:
    assert ann.id in channel.members  # which is how the app knows her
    assert (await invite_shared(bot, own_channel, user_ids=ann.id))["ok"]
    invitation = slack.invitations[-1]

    with pytest.raises(NotOfferedError):
        await slack.accept_invite(invitation, slack.add_person("Bob", acme))
    await slack.accept_invite(invitation, ann)

    accepted = bot.received[0]["event"]
    assert accepted["invite"]["recipient_user_id"] == ann.id
    assert "recipient_email" not in accepted["invite"]


async def test_colleagues_cannot_accept_invitations_to_their_own_channel(
    slack: SlackSandbox, bot: StubBot, own_channel: Channel
) -> None:
    with pytest.raises(NotOfferedError):
        await slack.accept_invite(
            await invited_by_email(slack, bot, own_channel), slack.add_person("Nora")
        )


async def test_an_invited_person_may_only_post_by_default(
    slack: SlackSandbox, bot: StubBot, own_channel: Channel, ann: Person
) -> None:
    limited = await invite_shared(bot, own_channel, emails="ann@acme.example")
    full = await invite_shared(bot, own_channel, emails="bob@acme.example", external_limited=False)
    await slack.accept_invite(slack.invitations[0], ann)

    assert not limited.keys() & {"url", "conf_code"}
    assert full.keys() >= {"url", "conf_code"}
    assert [invitation.external_limited for invitation in slack.invitations] == [True, False]
    assert (await get_info(bot, own_channel))["connected_limited_team_ids"] == [ann.team.id]


async def test_button_presses_by_limited_invitees_can_be_disallowed(
    slack: SlackSandbox, bot: StubBot, own_channel: Channel, ann: Person
) -> None:
    await slack.accept_invite(await invited_by_email(slack, bot, own_channel), ann)
    text = {"type": "plain_text", "text": "Go"}
    keys = [{"type": "actions", "elements": [{"type": "button", "action_id": "go", "text": text}]}]
    await bot.call("chat.postMessage", channel=own_channel.id, text="step", blocks=keys)
    assert (await ann.press(own_channel.messages[-1], "go")).ack.ok

    slack.doubts.limited_external_can_press = False

    with pytest.raises(NotOfferedError):
        await ann.press(own_channel.messages[-1], "go")


async def test_a_shared_invite_takes_exactly_one_recipient(
    bot: StubBot, own_channel: Channel, channel: Channel, ann: Person
) -> None:
    both = {"emails": "a@acme.example", "user_ids": ann.id}

    assert (await invite_shared(bot, own_channel))["error"] == "recipients_not_specified"
    two = await invite_shared(bot, own_channel, emails="a@acme.example,b@acme.example")
    assert two["error"] == "too_many_emails"
    assert (await invite_shared(bot, own_channel, **both))["error"] == "invalid_arguments"
    assert channel.invitations == own_channel.invitations == []


async def test_a_shared_invite_to_an_ineligible_recipient_is_refused(
    slack: SlackSandbox, bot: StubBot, channel: Channel, ann: Person, erin: Person
) -> None:
    stranger = slack.add_person("Sven", slack.add_team("Sven's Heating"))

    assert (await invite_shared(bot, channel, emails="nonsense"))["error"] == "invalid_email"
    assert (await invite_shared(bot, channel, user_ids=stranger.id))["error"] == "user_not_found"
    assert (await invite_shared(bot, channel, user_ids=erin.id))["error"] == "user_not_found"
    assert (await invite_shared(bot, channel, user_ids=ann.id))["error"] == "already_in_channel"
    assert (await invite_shared(bot, channel, emails=ann.user.email))[
        "error"
    ] == "already_in_channel"


async def test_dms_archived_and_unjoined_channels_cannot_be_shared(
    slack: SlackSandbox, bot: StubBot, channel: Channel, erin: Person
) -> None:
    elsewhere = slack.add_channel("elsewhere", with_bot=False)
    to = {"emails": "ann@acme.example"}

    direct = await invite_shared(bot, slack.direct_message(erin.user), **to)
    assert direct["error"] == "invalid_channel_type"
    assert (await invite_shared(bot, elsewhere, **to))["error"] == "not_in_channel"
    await slack.admin.archive(channel, erin)
    assert (await invite_shared(bot, channel, **to))["error"] == "channel_archived"


# --- reading


async def test_members_are_paginated_and_include_external_ones(
    slack: SlackSandbox, bot: StubBot, channel: Channel, ann: Person, erin: Person
) -> None:
    members, cursor = [], ""
    while True:
        page = await bot.call(
            "conversations.members", channel=channel.id, limit=2, cursor=cursor or None
        )
        assert len(page["members"]) <= 2
        members += page["members"]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            break

    assert members == [slack.bot.id, erin.id, ann.id]


async def test_users_conversations_lists_only_channels_the_bot_is_in(
    slack: SlackSandbox, bot: StubBot, channel: Channel, erin: Person
) -> None:
    secret = slack.add_channel("secret", erin, private=True)
    slack.add_channel("elsewhere", erin, with_bot=False)
    await slack.admin.archive(secret, erin)

    async def channel_names(**arguments: Any) -> list[str]:
        answer = await bot.call("users.conversations", **arguments)
        return [channel["name"] for channel in answer["channels"]]

    both = "public_channel,private_channel"
    assert await channel_names() == [channel.name]
    assert await channel_names(types=both) == [channel.name, "secret"]
    assert await channel_names(types=both, limit=1) == [channel.name]
    assert (await bot.call("users.conversations", types="group"))["error"] == "invalid_types"


@pytest.mark.parametrize(
    ("at", "offset", "label"),
    [
        (datetime(2027, 1, 15, tzinfo=UTC), -21600, "Central Standard Time"),
        (datetime(2027, 7, 15, tzinfo=UTC), -18000, "Central Daylight Time"),
    ],
)
async def test_an_external_users_time_zone_reflects_daylight_saving_time(
    slack: SlackSandbox,
    bot: StubBot,
    clock: FrozenClock,
    acme: Team,
    at: datetime,
    offset: int,
    label: str,
) -> None:
    clock.now = at.timestamp()
    bob = slack.add_person("Bob", acme, tz="America/Chicago")
    slack.add_channel("bob", bob)

    user = (await bot.call("users.info", user=bob.id))["user"]

    assert (user["tz"], user["tz_offset"], user["tz_label"]) == ("America/Chicago", offset, label)


async def test_the_time_zone_can_be_missing(
    slack: SlackSandbox, bot: StubBot, channel: Channel, acme: Team
) -> None:
    silent = slack.add_person("Silent", acme, tz=None)
    await slack.admin.invite(channel, silent)
    stranger = slack.add_person("Sven", slack.add_team("Sven's Heating"))

    for person in (silent, stranger):
        user = (await bot.call("users.info", user=person.id))["user"]
        assert not user.keys() & {"tz", "tz_offset", "tz_label"}


# --- optional scopes


def test_a_manifest_may_mark_scopes_as_optional(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.yml"
    manifest.write_text(
        "oauth_config: {scopes: {bot: [chat:write, pins:write], bot_optional: [pins:write]}}"
    )

    read = Manifest.read(manifest)

    assert read.scopes == {"chat:write", "pins:write"}
    assert read.optional_scopes == {"pins:write"}


def test_optional_scopes_must_also_be_listed_as_bot_scopes(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.yml"
    manifest.write_text("oauth_config: {scopes: {bot: [chat:write], bot_optional: [pins:write]}}")

    with pytest.raises(ValueError, match=r"must also be listed.*: pins:write"):
        Manifest.read(manifest)


async def test_an_optional_scope_may_be_declined_and_granted_later() -> None:
    manifest = Manifest(
        frozenset({"chat:write", "users:read"}), optional_scopes=frozenset({"users:read"})
    )
    async with SlackSandbox(manifest, declined_scopes=["users:read"]) as slack:
        erin = slack.add_person("Erin")
        async with StubBot(slack) as bot:
            declined = await bot.call("users.info", user=erin.id)
            slack.admin.grant("users:read")
            granted = await bot.call("users.info", user=erin.id)
            slack.admin.decline("users:read")

    assert (declined["error"], declined["needed"]) == ("missing_scope", "users:read")
    assert declined["provided"] == "chat:write"
    assert granted["ok"]
    assert slack.scopes == {"chat:write"}


def test_a_required_scope_cannot_be_declined() -> None:
    with pytest.raises(ValueError, match="chat:write"):
        SlackSandbox(Manifest(frozenset({"chat:write"})), declined_scopes=["chat:write"])


# --- as the official client sends it


async def test_calls_from_the_official_slack_sdk_are_accepted(
    slack: SlackSandbox, erin: Person
) -> None:
    client = AsyncWebClient(slack.bot_token, slack.api_url)

    created = await client.conversations_create(name="acme-onboarding", is_private=False)
    channel = created["channel"]["id"]
    await client.conversations_invite(channel=channel, users=[erin.id], force=True)
    await client.conversations_inviteShared(
        channel=channel, emails=["ann@acme.example"], external_limited=False
    )
    answer = await client.conversations_info(channel=channel)

    assert answer["channel"]["is_pending_ext_shared"] is True
    assert [invitation.external_limited for invitation in slack.invitations] == [False]
