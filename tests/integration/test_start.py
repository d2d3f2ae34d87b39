"""`/servicetitan start`: the form, the thread's first messages, and every reason for refusal."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.slack import Channel, NotOfferedError, View, buttons, visible_text
from tests.databases import ON_BOTH, AnyDatabase
from tests.integration.world import World, hold_calls, running_world

pytestmark = [pytest.mark.slow_slack, pytest.mark.virtual_time]

NO_ONBOARDINGS = [(0,)]
COUNT = "SELECT count(*) FROM onboarding"


def initial_value(view: View, name: str) -> Any:
    """The initial value of a field of the form."""
    [element] = [block["element"] for block in view.blocks if block["block_id"] == name]
    return next((value for key, value in element.items() if key.startswith("initial_")), None)


@pytest.fixture
async def only_erin(database: AnyDatabase) -> AsyncIterator[World]:
    """A world where ENGINEERS lists only Erin."""
    async with running_world(database, named_engineers=True) as world:
        yield world


async def test_the_form_is_prefilled_with_the_typed_name(world: World) -> None:
    await world.type("start Acme Plumbing")

    view = world.view_of(world.erin)
    assert [block["type"] for block in view.blocks] == ["input", "input", "input"]
    assert initial_value(view, "client_name") == "Acme Plumbing"
    assert initial_value(view, "engineer") == world.erin.id


async def test_without_a_typed_name_the_form_suggests_the_channels_name(world: World) -> None:
    await world.slack.admin.rename(world.channel, "ext-acme-plumbing-heavyset")

    await world.type("start")

    assert initial_value(world.view_of(world.erin), "client_name") == "Acme Plumbing"


async def test_the_form_asks_for_a_name_if_the_channel_suggests_none(world: World) -> None:
    await world.slack.admin.rename(world.channel, "heavyset-onboarding")
    await world.type("start")

    view = world.view_of(world.erin)
    assert initial_value(view, "client_name") is None
    assert (await world.submit(world.erin, view, client_name="Acme")).ok
    assert world.rows("SELECT client_name FROM onboarding") == [("Acme",)]


async def test_a_thread_begins_with_root_welcome_and_step_1(world: World) -> None:
    await world.begin()

    root, welcome, step = world.channel.messages
    assert [root.slot, welcome.slot, step.slot] == ["root", "welcome", "step:1"]
    assert (root.thread_ts, welcome.thread_ts, step.thread_ts) == (None, root.ts, root.ts)
    assert "0 of 22, then" in root.text
    assert "active ServiceTitan account in good standing" in welcome.text
    assert [button["action_id"] for button in buttons(step)] == [
        "choose_account:new",
        "choose_account:existing",
        "step_help",
        "hand_over",
    ]


async def test_the_start_is_announced_with_a_link_in_the_engineering_channel(world: World) -> None:
    await world.begin()

    [announced] = world.announced
    assert "Acme Plumbing: onboarding started" in announced
    assert world.message("root").ts.replace(".", "") in announced


async def test_named_admins_are_greeted_and_an_engineer_can_be_chosen(world: World) -> None:
    max_ = world.slack.add_person("Max Engineer")

    await world.begin(client_admins=[world.ann.id], engineer=max_.id)

    assert f"<@{world.ann.id}>" in world.message("welcome").text
    assert f"<@{max_.id}>" in world.message("root").text


@pytest.mark.parametrize("text", ["start", "start acme  PLUMBING"])
async def test_a_client_cannot_have_two_onboardings_at_the_same_time(
    begun: World, text: str
) -> None:
    reply = await begun.type(text)

    assert "Acme Plumbing already has an onboarding" in reply.text
    assert "already has an onboarding here" in reply.text
    assert reply.is_ephemeral
    assert begun.erin.view is None
    assert begun.rows(COUNT) == [(1,)]


async def test_a_channel_may_have_several_clients(begun: World) -> None:
    await begun.type("start Beta Heating")
    answer = await begun.submit(begun.erin, begun.view_of(begun.erin))

    assert answer.ok
    assert begun.rows(COUNT) == [(2,)]
    assert begun.slots() == ["root", "welcome", "step:1"] * 2


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
async def test_start_is_refused_where_the_bot_is_not_a_member(world: World, private: bool) -> None:
    channel = world.slack.add_channel("elsewhere", world.erin, private=private, with_bot=False)

    reply = await world.type("start Acme", channel=channel)

    assert "I'm not in this channel yet" in reply.text
    assert "/invite" in reply.text
    assert (world.erin.view, world.rows(COUNT)) == (None, NO_ONBOARDINGS)


async def test_start_is_refused_in_a_direct_message(world: World) -> None:
    channel = world.slack.direct_message(world.erin.user)

    reply = await world.type("start Acme", channel=channel)

    assert "not in a DM" in reply.text
    assert (world.erin.view, world.rows(COUNT)) == (None, NO_ONBOARDINGS)


async def test_a_name_of_300_characters_is_refused(world: World) -> None:
    reply = await world.type(f"start {'a' * 300}")

    assert "300 characters" in reply.text
    assert (world.erin.view, world.rows(COUNT)) == (None, NO_ONBOARDINGS)


async def test_a_form_with_a_name_of_300_characters_is_refused(world: World) -> None:
    await world.type("start Acme")
    await world.submit(world.erin, world.view_of(world.erin), client_name=" ")
    forged = world.last_interaction
    forged["view"]["state"]["values"]["client_name"]["client_name"]["value"] = "a" * 300

    ack = await world.send(forged)

    assert "client_name" in (ack.json() or {}).get("errors", {})
    assert world.rows(COUNT) == NO_ONBOARDINGS


@pytest.mark.parametrize("name", ["", "   ", "\u200b"], ids=["empty", "spaces", "invisible"])
async def test_a_form_without_a_name_stays_open(world: World, name: str) -> None:
    await world.type("start Acme")
    view = world.view_of(world.erin)

    answer = await world.submit(world.erin, view, client_name=name)

    assert list(answer.errors) == ["client_name"]
    assert world.view_of(world.erin) is view
    assert world.rows(COUNT) == NO_ONBOARDINGS


@pytest.mark.parametrize(
    "name", ["<!channel>", "&lt;!channel&gt;", "<https://evil.example|Acme>", "<@U0SBX000001>"]
)
async def test_a_name_with_mentions_or_links_is_refused_in_the_command(
    world: World, name: str
) -> None:
    reply = await world.type(f"start {name}")

    assert "can't contain mentions" in reply.text
    assert "<!channel>" not in reply.text
    assert (world.erin.view, world.rows(COUNT)) == (None, NO_ONBOARDINGS)


async def test_a_name_with_mentions_is_refused_at_the_field(world: World) -> None:
    await world.type("start Acme")

    answer = await world.submit(
        world.erin, world.view_of(world.erin), client_name="<!channel> Acme"
    )

    assert "can't contain mentions" in answer.errors["client_name"]
    assert world.rows(COUNT) == NO_ONBOARDINGS


async def test_a_name_with_formatting_characters_is_shown_literally(world: World) -> None:
    await world.begin("*Tom* & _Jerry_ &amp;")

    await world.press(world.ann, "step:1", "choose_account:new")

    assert world.rows("SELECT client_name FROM onboarding") == [("*Tom* & _Jerry_ &",)]
    root = world.message("root")
    assert root.blocks[0]["text"]["text"].endswith("*Tom* & _Jerry_ &")
    assert "*Waiting on:* *Tom* &amp; _Jerry_ &amp;" in visible_text(root)


async def test_only_an_engineer_can_be_assigned(only_erin: World) -> None:
    harry = only_erin.slack.add_person("Harry Home")
    await only_erin.type("start Acme")
    view = only_erin.view_of(only_erin.erin)

    for stranger in (only_erin.ann, harry, only_erin.slack.bot):
        answer = await only_erin.submit(only_erin.erin, view, engineer=stranger.id)
        assert "isn't a HeavySet engineer" in answer.errors["engineer"]

    assert only_erin.rows(COUNT) == NO_ONBOARDINGS


@ON_BOTH
async def test_concurrent_starts_for_one_client_create_one_onboarding(world: World) -> None:
    max_ = world.slack.add_person("Max Engineer")
    await world.slack.admin.invite(world.channel, max_)
    await world.type("start Acme")
    await world.type("start ACME", max_)

    answers = await asyncio.gather(
        *(world.submit(person, world.view_of(person)) for person in (world.erin, max_))
    )

    assert sorted(answer.ok for answer in answers) == [False, True]
    [errors] = [answer.errors for answer in answers if not answer.ok]
    assert "already has an onboarding" in errors["client_name"]
    assert world.rows(COUNT) == [(1,)]
    assert world.slots() == ["root", "welcome", "step:1"]
    assert len(world.announced) == 1


@pytest.mark.parametrize("kind", ["is_restricted", "is_ultra_restricted"])
async def test_guests_cannot_start_an_onboarding(world: World, kind: str) -> None:
    guest = world.slack.add_person("Gus Guest")
    setattr(guest.user, kind, True)
    await world.slack.admin.invite(world.channel, guest)

    reply = await world.type("start Acme", guest)

    assert "for HeavySet engineers" in reply.text
    assert (guest.view, world.rows(COUNT)) == (None, NO_ONBOARDINGS)


async def test_members_not_listed_in_engineers_cannot_start_an_onboarding(only_erin: World) -> None:
    harry = only_erin.slack.add_person("Harry Home")
    await only_erin.slack.admin.invite(only_erin.channel, harry)

    reply = await only_erin.type("start Acme", harry)

    assert "ENGINEERS" in reply.text
    assert (harry.view, only_erin.rows(COUNT)) == (None, NO_ONBOARDINGS)


async def test_external_people_are_not_offered_the_command(world: World) -> None:
    with pytest.raises(NotOfferedError):
        await world.type("start Acme", world.ann)


@ON_BOTH
async def test_a_new_onboarding_can_start_after_the_last_one_completed(begun: World) -> None:
    begun.write("UPDATE onboarding SET status = 'completed'")

    await begun.type("start Acme Plumbing")

    assert (await begun.submit(begun.erin, begun.view_of(begun.erin))).ok
    assert begun.rows(COUNT) == [(2,)]


async def test_onboardings_in_different_channels_are_isolated(begun: World) -> None:
    beta: Channel = begun.slack.add_channel("beta", begun.erin)

    await begun.begin("Beta Heating", beta)

    assert begun.slots(beta) == ["root", "welcome", "step:1"]
    assert "Beta Heating" not in "".join(message.text for message in begun.channel.messages)


async def test_the_engineer_is_notified_if_slack_refuses_to_open_the_form(world: World) -> None:
    world.slack.fail_next("views.open", error="expired_trigger_id")

    reply = await world.type("start Acme")

    assert reply.text == "Slack took too long to open the window. Please try again."
    assert world.erin.view is None


# --- who is in the channel ---


async def test_external_members_are_suggested_as_the_clients_admins(world: World) -> None:
    for other in (
        world.slack.add_person("Bo Bot", world.ann.team, is_bot=True),
        world.slack.add_person("Gone Gus", world.ann.team, deleted=True),
    ):
        await world.slack.admin.invite(world.channel, other)

    await world.type("start Acme")

    view = world.view_of(world.erin)
    assert initial_value(view, "client_admins") == [world.ann.id]
    assert "No one from outside" not in form_text(view)
    assert (await world.submit(world.erin, view)).ok
    assert f"<@{world.ann.id}>" in world.message("welcome").text


async def test_the_clients_time_zone_comes_from_its_people(world: World) -> None:
    world.ann.user.tz = "America/Denver"

    await world.begin()

    assert world.rows("SELECT timezone FROM onboarding") == [("America/Denver",)]


async def test_the_form_warns_if_no_external_people_are_in_the_channel(world: World) -> None:
    without_client = world.slack.add_channel("lonely", world.erin)

    await world.type("start Acme", channel=without_client)

    view = world.view_of(world.erin)
    assert "No one from outside HeavySet is here yet" in form_text(view)
    assert initial_value(view, "client_admins") is None
    assert (await world.submit(world.erin, view)).ok
    assert world.rows("SELECT timezone FROM onboarding") == [(None,)]


async def test_the_form_lists_other_clients_in_progress_in_the_channel(begun: World) -> None:
    await begun.type("start Beta Heating")

    assert "Also in progress in this channel: *Acme Plumbing* (0 of 25 steps done)" in form_text(
        begun.view_of(begun.erin)
    )


async def test_another_clients_admins_in_the_channel_are_not_suggested(world: World) -> None:
    await world.begin(client_admins=[world.ann.id])
    bea = world.slack.add_person("Bea Boss", world.slack.add_team("Beta"), tz="Europe/Vienna")
    await world.slack.admin.invite(world.channel, bea)

    await world.type("start Beta Heating")

    assert initial_value(world.view_of(world.erin), "client_admins") == [bea.id]
    assert (await world.submit(world.erin, world.view_of(world.erin))).ok
    assert world.rows("SELECT timezone FROM onboarding WHERE client_name = 'Beta Heating'") == [
        ("Europe/Vienna",)
    ]


@pytest.mark.parametrize("fault", [{"error": "fetch_members_failed"}, {"status": 503}])
async def test_no_admins_are_suggested_if_members_cannot_be_listed(
    world: World, fault: dict[str, Any]
) -> None:
    world.slack.fail_next("conversations.members", **fault)

    await world.type("start Acme")

    view = world.view_of(world.erin)
    assert initial_value(view, "client_admins") is None
    assert "No one from outside" not in form_text(view)
    assert (await world.submit(world.erin, view)).ok


async def test_the_form_opens_immediately_and_is_filled_in_when_slack_answers(
    world: World,
) -> None:
    erin = world.erin
    async with hold_calls(world.slack, "conversations.members"):
        reply = await erin.command(world.channel, "/servicetitan", "start Acme")
        first_view = world.view_of(erin)
        first_fields = [
            block["block_id"] for block in first_view.blocks if block["type"] == "input"
        ]
        erin.fill(first_view, {"client_name": "Acme Plumbing & Sons"})
    await world.idle()

    assert reply.ack.ok
    assert first_fields == ["client_name", "engineer"]
    filled_in = world.view_of(erin)
    assert initial_value(filled_in, "client_admins") == [world.ann.id]
    assert (await world.submit(erin, filled_in)).ok
    assert world.rows("SELECT client_name FROM onboarding") == [("Acme Plumbing & Sons",)]
    assert f"<@{world.ann.id}>" in world.message("welcome").text


async def test_a_form_submitted_early_is_not_filled_in_afterward(world: World) -> None:
    async with hold_calls(world.slack, "conversations.members"):
        await world.erin.command(world.channel, "/servicetitan", "start Acme")
        answer = await world.erin.submit(world.view_of(world.erin))
    await world.idle()

    assert answer.ok
    assert world.erin.view is None
    assert world.rows(COUNT) == [(1,)]


def form_text(view: View) -> str:
    """The text of a form outside its fields."""
    return "\n".join(block["text"]["text"] for block in view.blocks if block["type"] == "section")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("start Plumbing.com", "Plumbing.com"),
        ("start “Acme Plumbing”", "Acme Plumbing"),
        ("start: Smith & Sons, Inc.", "Smith & Sons, Inc."),
        ("start -- A/C Pros", "A/C Pros"),
        ("start “Ace” Plumbing", "“Ace” Plumbing"),
        ("start\u00a0Acme\u3000Plumbing\u200b", "Acme Plumbing"),
        ("start \u202bأكمي للسباكة\u202c", "أكمي للسباكة"),
        ("start Invite & Co", "Invite & Co"),
    ],
)
async def test_a_typed_name_is_kept_without_stray_punctuation_or_spaces(
    world: World, typed: str, name: str
) -> None:
    await world.type(typed)
    form = world.view_of(world.erin)

    answer = await world.submit(world.erin, form, client_name=f" \u2060{name}\u00a0")

    assert form.blocks[0]["element"]["initial_value"] == name
    assert answer.ok
    assert world.rows("SELECT client_name FROM onboarding") == [(name,)]


async def test_a_name_with_an_email_address_is_refused(world: World) -> None:
    reply = await world.type("start Acme ann@acme.example")

    assert "email address in that name" in reply.text
    assert (world.erin.view, world.rows(COUNT)) == (None, NO_ONBOARDINGS)
