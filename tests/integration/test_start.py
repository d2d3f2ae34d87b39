"""`/servicetitan start`: the form, the thread's first messages, and every way to be refused."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.slack import Channel, NotOfferedError, View, buttons, visible_text
from tests.databases import ON_BOTH, AnyDatabase
from tests.integration.world import World, a_world, held

pytestmark = [pytest.mark.slow_slack, pytest.mark.virtual_time]

NOTHING = [(0,)]
COUNT = "SELECT count(*) FROM onboarding"


def initial(view: View, name: str) -> Any:
    """What a field of the form holds before anybody touches it."""
    [element] = [block["element"] for block in view.blocks if block["block_id"] == name]
    return next((value for key, value in element.items() if key.startswith("initial_")), None)


@pytest.fixture
async def guarded(database: AnyDatabase) -> AsyncIterator[World]:
    """A world whose ENGINEERS names Erin alone."""
    async with a_world(database, named_engineers=True) as world:
        yield world


async def test_the_form_proposes_the_name_that_was_typed(world: World) -> None:
    await world.type("start Acme Plumbing")

    view = world.view_of(world.erin)
    assert [block["type"] for block in view.blocks] == ["input", "input", "input"]
    assert initial(view, "client_name") == "Acme Plumbing"
    assert initial(view, "engineer") == world.erin.id


async def test_without_a_name_the_form_proposes_the_channels(world: World) -> None:
    await world.slack.admin.rename(world.channel, "ext-acme-plumbing-heavyset")

    await world.type("start")

    assert initial(world.view_of(world.erin), "client_name") == "Acme Plumbing"


async def test_where_the_channel_tells_no_name_either_the_form_asks_for_one(world: World) -> None:
    await world.slack.admin.rename(world.channel, "heavyset-onboarding")
    await world.type("start")

    view = world.view_of(world.erin)
    assert initial(view, "client_name") is None
    assert (await world.submit(world.erin, view, client_name="Acme")).ok
    assert world.rows("SELECT client_name FROM onboarding") == [("Acme",)]


async def test_a_thread_begins_with_root_welcome_and_step_1(world: World) -> None:
    await world.begin()

    root, welcome, step = world.channel.messages
    assert [root.slot, welcome.slot, step.slot] == ["root", "welcome", "step:1"]
    assert (root.thread_ts, welcome.thread_ts, step.thread_ts) == (None, root.ts, root.ts)
    assert "0 of 22, then" in root.text
    assert "active ServiceTitan account in good standing" in welcome.text
    assert [one["action_id"] for one in buttons(step)] == [
        "choose_account:new",
        "choose_account:existing",
        "step_help",
        "hand_over",
    ]


async def test_the_engineering_channel_hears_of_the_start_with_a_link(world: World) -> None:
    await world.begin()

    [announced] = world.announced
    assert "Acme Plumbing: onboarding started" in announced
    assert world.message("root").ts.replace(".", "") in announced


async def test_named_admins_are_greeted_and_an_engineer_can_be_chosen(world: World) -> None:
    max_ = world.slack.add_person("Max Engineer")

    await world.begin(client_admins=[world.ann], engineer=max_)

    assert f"<@{world.ann.id}>" in world.message("welcome").text
    assert f"<@{max_.id}>" in world.message("root").text


@pytest.mark.parametrize("text", ["start", "start acme  PLUMBING"])
async def test_a_client_is_onboarded_once_at_a_time(begun: World, text: str) -> None:
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
async def test_start_is_refused_where_the_bot_is_no_member(world: World, private: bool) -> None:
    channel = world.slack.add_channel("elsewhere", world.erin, private=private, with_bot=False)

    reply = await world.type("start Acme", channel=channel)

    assert "I'm not in this channel yet" in reply.text
    assert "/invite" in reply.text
    assert (world.erin.view, world.rows(COUNT)) == (None, NOTHING)


async def test_start_is_refused_in_a_direct_message(world: World) -> None:
    channel = world.slack.direct_message(world.erin)

    reply = await world.type("start Acme", channel=channel)

    assert "not in a DM" in reply.text
    assert (world.erin.view, world.rows(COUNT)) == (None, NOTHING)


async def test_a_name_of_300_characters_is_refused(world: World) -> None:
    reply = await world.type(f"start {'a' * 300}")

    assert "300 characters" in reply.text
    assert (world.erin.view, world.rows(COUNT)) == (None, NOTHING)


async def test_a_form_with_a_name_of_300_characters_is_refused(world: World) -> None:
    await world.type("start Acme")
    await world.submit(world.erin, world.view_of(world.erin), client_name=" ")
    forged = world.last_sent
    forged["view"]["state"]["values"]["client_name"]["client_name"]["value"] = "a" * 300

    ack = await world.send(forged)

    assert "client_name" in (ack.json() or {}).get("errors", {})
    assert world.rows(COUNT) == NOTHING


@pytest.mark.parametrize("name", ["", "   ", "\u200b"], ids=["empty", "spaces", "invisible"])
async def test_a_form_without_a_name_stays_open(world: World, name: str) -> None:
    await world.type("start Acme")
    view = world.view_of(world.erin)

    answer = await world.submit(world.erin, view, client_name=name)

    assert list(answer.errors) == ["client_name"]
    assert world.view_of(world.erin) is view
    assert world.rows(COUNT) == NOTHING


@pytest.mark.parametrize(
    "name", ["<!channel>", "&lt;!channel&gt;", "<https://evil.example|Acme>", "<@U0SBX000001>"]
)
async def test_a_name_with_mentions_or_links_is_refused_in_the_command(
    world: World, name: str
) -> None:
    reply = await world.type(f"start {name}")

    assert "can't contain mentions" in reply.text
    assert "<!channel>" not in reply.text
    assert (world.erin.view, world.rows(COUNT)) == (None, NOTHING)


async def test_a_name_with_mentions_is_refused_at_the_field(world: World) -> None:
    await world.type("start Acme")

    answer = await world.submit(
        world.erin, world.view_of(world.erin), client_name="<!channel> Acme"
    )

    assert "can't contain mentions" in answer.errors["client_name"]
    assert world.rows(COUNT) == NOTHING


async def test_a_name_with_marks_is_shown_as_it_is(world: World) -> None:
    await world.begin("*Tom* & _Jerry_ &amp;")

    await world.press(world.ann, "step:1", "choose_account:new")

    assert world.rows("SELECT client_name FROM onboarding") == [("*Tom* & _Jerry_ &",)]
    root = world.message("root")
    assert root.blocks[0]["text"]["text"].endswith("*Tom* & _Jerry_ &")
    assert "*Waiting on:* *Tom* &amp; _Jerry_ &amp;" in visible_text(root)


async def test_only_an_engineer_can_be_asked(guarded: World) -> None:
    harry = guarded.slack.add_person("Harry Home")
    await guarded.type("start Acme")
    view = guarded.view_of(guarded.erin)

    for stranger in (guarded.ann, harry, guarded.slack.bot):
        answer = await guarded.submit(guarded.erin, view, engineer=stranger)
        assert "isn't a HeavySet engineer" in answer.errors["engineer"]

    assert guarded.rows(COUNT) == NOTHING


@ON_BOTH
async def test_of_two_engineers_who_start_at_once_one_succeeds(world: World) -> None:
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
async def test_guests_are_no_engineers(world: World, kind: str) -> None:
    guest = world.slack.add_person("Gus Guest")
    setattr(guest.user, kind, True)
    await world.slack.admin.invite(world.channel, guest)

    reply = await world.type("start Acme", guest)

    assert "for HeavySet engineers" in reply.text
    assert (guest.view, world.rows(COUNT)) == (None, NOTHING)


async def test_with_engineers_named_other_members_are_refused(guarded: World) -> None:
    harry = guarded.slack.add_person("Harry Home")
    await guarded.slack.admin.invite(guarded.channel, harry)

    reply = await guarded.type("start Acme", harry)

    assert "ENGINEERS" in reply.text
    assert (harry.view, guarded.rows(COUNT)) == (None, NOTHING)


async def test_external_people_are_not_offered_the_command(world: World) -> None:
    with pytest.raises(NotOfferedError):
        await world.type("start Acme", world.ann)


@ON_BOTH
async def test_a_channel_is_free_again_when_its_onboarding_is_over(begun: World) -> None:
    begun.write("UPDATE onboarding SET status = 'completed'")

    await begun.type("start Acme Plumbing")

    assert (await begun.submit(begun.erin, begun.view_of(begun.erin))).ok
    assert begun.rows(COUNT) == [(2,)]


async def test_clients_in_different_channels_do_not_meet(begun: World) -> None:
    beta: Channel = begun.slack.add_channel("beta", begun.erin)

    await begun.begin("Beta Heating", beta)

    assert begun.slots(beta) == ["root", "welcome", "step:1"]
    assert "Beta Heating" not in "".join(message.text for message in begun.channel.messages)


async def test_when_slack_refuses_to_open_the_form_the_engineer_is_told(world: World) -> None:
    world.slack.fail_next("views.open", error="expired_trigger_id")

    reply = await world.type("start Acme")

    assert reply.text == "Slack took too long to open the window. Please try again."
    assert world.erin.view is None


# --- who is in the channel ---


async def test_the_people_from_outside_are_proposed_as_the_clients_admins(world: World) -> None:
    for other in (
        world.slack.add_person("Bo Bot", world.ann.team, is_bot=True),
        world.slack.add_person("Gone Gus", world.ann.team, deleted=True),
    ):
        await world.slack.admin.invite(world.channel, other)

    await world.type("start Acme")

    view = world.view_of(world.erin)
    assert initial(view, "client_admins") == [world.ann.id]
    assert "No one from outside" not in words(view)
    assert (await world.submit(world.erin, view)).ok
    assert f"<@{world.ann.id}>" in world.message("welcome").text


async def test_the_clients_time_zone_is_theirs(world: World) -> None:
    world.ann.user.tz = "America/Denver"

    await world.begin()

    assert world.rows("SELECT timezone FROM onboarding") == [("America/Denver",)]


async def test_a_channel_without_anybody_from_outside_is_warned_of(world: World) -> None:
    lonely = world.slack.add_channel("lonely", world.erin)

    await world.type("start Acme", channel=lonely)

    view = world.view_of(world.erin)
    assert "No one from outside HeavySet is here yet" in words(view)
    assert initial(view, "client_admins") is None
    assert (await world.submit(world.erin, view)).ok
    assert world.rows("SELECT timezone FROM onboarding") == [(None,)]


async def test_other_clients_of_the_channel_are_named(begun: World) -> None:
    await begun.type("start Beta Heating")

    assert "Also in progress in this channel: *Acme Plumbing* (0 of 25 steps done)" in words(
        begun.view_of(begun.erin)
    )


async def test_people_of_another_client_in_the_channel_are_not_proposed(world: World) -> None:
    await world.begin(client_admins=[world.ann])
    bea = world.slack.add_person("Bea Boss", world.slack.add_team("Beta"), tz="Europe/Vienna")
    await world.slack.admin.invite(world.channel, bea)

    await world.type("start Beta Heating")

    assert initial(world.view_of(world.erin), "client_admins") == [bea.id]
    assert (await world.submit(world.erin, world.view_of(world.erin))).ok
    assert world.rows("SELECT timezone FROM onboarding WHERE client_name = 'Beta Heating'") == [
        ("Europe/Vienna",)
    ]


@pytest.mark.parametrize("fault", [{"error": "fetch_members_failed"}, {"status": 503}])
async def test_if_slack_does_not_tell_who_is_there_nothing_is_proposed(
    world: World, fault: dict[str, Any]
) -> None:
    world.slack.fail_next("conversations.members", **fault)

    await world.type("start Acme")

    view = world.view_of(world.erin)
    assert initial(view, "client_admins") is None
    assert "No one from outside" not in words(view)
    assert (await world.submit(world.erin, view)).ok


async def test_a_form_that_has_to_wait_for_slack_opens_at_once_and_is_filled_in_later(
    world: World,
) -> None:
    erin = world.erin
    async with held(world.slack, "conversations.members"):
        reply = await erin.command(world.channel, "/servicetitan", "start Acme")
        at_once = world.view_of(erin)
        first = [block["block_id"] for block in at_once.blocks if block["type"] == "input"]
        erin.fill(at_once, {"client_name": "Acme Plumbing & Sons"})
    await world.idle()

    assert reply.ack.ok
    assert first == ["client_name", "engineer"]
    later = world.view_of(erin)
    assert initial(later, "client_admins") == [world.ann.id]
    assert (await world.submit(erin, later)).ok
    assert world.rows("SELECT client_name FROM onboarding") == [("Acme Plumbing & Sons",)]
    assert f"<@{world.ann.id}>" in world.message("welcome").text


async def test_a_form_that_was_submitted_meanwhile_is_not_filled_in_any_more(world: World) -> None:
    async with held(world.slack, "conversations.members"):
        await world.erin.command(world.channel, "/servicetitan", "start Acme")
        answer = await world.erin.submit(world.view_of(world.erin))
    await world.idle()

    assert answer.ok
    assert world.erin.view is None
    assert world.rows(COUNT) == [(1,)]


def words(view: View) -> str:
    """What a form says besides its fields."""
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
async def test_the_name_is_what_was_typed(world: World, typed: str, name: str) -> None:
    await world.type(typed)
    form = world.view_of(world.erin)

    answer = await world.submit(world.erin, form, client_name=f" \u2060{name}\u00a0")

    assert form.blocks[0]["element"]["initial_value"] == name
    assert answer.ok
    assert world.rows("SELECT client_name FROM onboarding") == [(name,)]


async def test_an_address_is_no_name(world: World) -> None:
    reply = await world.type("start Acme ann@acme.example")

    assert "email address in that name" in reply.text
    assert (world.erin.view, world.rows(COUNT)) == (None, NOTHING)
