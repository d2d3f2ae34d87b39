"""A step's buttons: done, the account choice, and undo; and presses that are rejected."""

import asyncio
from collections import Counter

import pytest

from sandbox.slack import buttons, offers
from tests.databases import AnyDatabase
from tests.integration.world import World, last_reply, running_world

pytestmark = [pytest.mark.slow_slack, pytest.mark.virtual_time]

LATENCY = 0.2


def action_ids(world: World, slot: str) -> list[str]:
    return [button["action_id"] for button in buttons(world.message(slot))]


async def test_done_shows_who_and_when_and_moves_on_to_the_next_step(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:new")

    await begun.press(begun.ann, "step:2", "step_done")

    text = begun.message("step:2").text
    assert f"— <@{begun.ann.id}>, <!date^" in text
    assert "today at" in begun.ann.reads(text)
    assert len(text.splitlines()) <= 2
    assert action_ids(begun, "step:2") == ["step_undo"]
    assert action_ids(begun, "step:3") == ["step_done", "step_help", "hand_over"]
    assert "2 of 22, then" in begun.message("root").text
    assert begun.events("step_done") == [(begun.ann.id, 1), (begun.ann.id, 2)]


async def test_done_costs_one_post_and_three_edits(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:new")
    before = len(begun.slack.calls)

    await begun.press(begun.ann, "step:2", "step_done")

    methods = Counter(call.method for call in begun.slack.calls[before:])
    assert methods == {"chat.update": 3, "chat.postMessage": 1}


async def test_done_makes_its_slack_calls_concurrently_except_the_root_edit(
    database: AnyDatabase,
) -> None:
    async with running_world(database, latency=LATENCY) as world:
        await world.begin()
        await world.press(world.ann, "step:1", "choose_account:new")
        before = len(world.slack.calls)

        await world.press(world.ann, "step:2", "step_done")

        *answered, _root = [call.at for call in world.slack.calls[before:]]
        assert max(answered) - min(answered) < LATENCY


async def test_a_new_account_leads_to_step_2(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:new")

    assert begun.slots() == ["root", "welcome", "step:1", "step:2"]
    assert "“Create a new account”" in begun.message("step:1").text
    assert begun.rows("SELECT account FROM onboarding") == [("new",)]


async def test_an_existing_admin_skips_step_2_and_says_so(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:existing")

    assert begun.slots() == ["root", "welcome", "step:1", "step:2", "step:3"]
    skipped = begun.message("step:2")
    assert "because you chose “Use an existing admin” in step 1" in skipped.text
    assert buttons(skipped) == []
    assert begun.current == 3
    assert "2 of 22, then" in begun.message("root").text


async def test_done_cannot_skip_the_question_in_step_1(begun: World) -> None:
    await begun.ann.press_raw(begun.message("root"), "step_done", f"{begun.onboarding}:1")
    await begun.idle()

    assert "Step 1 is a question." in last_reply(begun.ann)
    assert begun.current == 1


async def test_undo_and_redo_edit_the_step_messages_in_place(begun: World) -> None:
    await begun.walk_to(5)
    before = {slot: begun.message(slot).ts for slot in begun.slots()}

    await begun.press(begun.ann, "step:4", "step_undo")
    await begun.press(begun.ann, "step:3", "step_undo")

    assert action_ids(begun, "step:3") == ["step_done", "step_help", "hand_over"]
    assert action_ids(begun, "step:4") == action_ids(begun, "step:5") == []
    assert begun.slots()[-2:] == ["jump:1", "jump:2"]
    assert f"<@{begun.ann.id}> went back to <http" in begun.message("jump:2").text
    assert begun.current == 3

    for step in (3, 4):
        await begun.press(begun.ann, f"step:{step}", "step_done")

    assert {slot: begun.message(slot).ts for slot in before} == before
    assert len(begun.slots()) == len(before) + 2
    assert begun.current == 5


async def test_an_engineer_can_reopen_an_earlier_step_but_the_client_cannot(
    begun: World,
) -> None:
    await begun.walk_to(6)
    assert action_ids(begun, "step:5") == ["step_undo"]
    assert action_ids(begun, "step:3") == ["reopen_step"]

    await begun.press(begun.ann, "step:3", "reopen_step")
    assert f"Please ask <@{begun.erin.id}>" in last_reply(begun.ann)
    await begun.press(begun.erin, "step:3", "reopen_step")

    assert begun.current == 3
    assert action_ids(begun, "step:4") == ["reopen_step"]
    assert "/archives/" in begun.message("root").text
    await begun.press(begun.ann, "step:3", "step_done")
    assert begun.current == 6


async def test_a_step_skipped_ahead_of_time_appears_only_in_its_turn(begun: World) -> None:
    await begun.walk_to(3)
    await begun.type("skip 5")

    assert "step:5" not in begun.slots()
    for step in (3, 4):
        await begun.press(begun.ann, f"step:{step}", "step_done")

    assert begun.slots()[-3:] == ["step:4", "step:5", "step:6"]


async def test_changing_the_answer_to_step_1_brings_step_2_back(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:existing")
    before = begun.slots()

    await begun.press(begun.ann, "step:1", "step_undo")
    await begun.press(begun.ann, "step:1", "choose_account:new")

    assert begun.current == 2
    assert begun.slots() == [*before, "jump:1"]
    assert offers(begun.message("step:2"), "step_done")
    assert buttons(begun.message("step:3")) == []


async def test_a_double_click_counts_once(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:new")
    screen = begun.message("step:2").snapshot()

    presses = await asyncio.gather(*(begun.ann.press(screen, "step_done") for _ in range(2)))
    await begun.idle()

    assert all(press.ack.ok for press in presses)
    assert begun.current == 3
    assert begun.events("step_done") == [(begun.ann.id, 1), (begun.ann.id, 2)]
    assert len(begun.ann.ephemerals) == 1
    assert f"<@{begun.ann.id}> already finished step 2" in last_reply(begun.ann)


async def test_two_people_pressing_done_together_finish_a_step_once(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:new")
    screen = begun.message("step:2").snapshot()

    await asyncio.gather(*(person.press(screen, "step_done") for person in (begun.ann, begun.erin)))
    await begun.idle()

    assert begun.current == 3
    assert len([step for _, step in begun.events("step_done") if step == 2]) == 1
    assert len(begun.ann.ephemerals) + len(begun.erin.ephemerals) == 1


async def test_done_on_a_stale_screen_says_who_already_finished_the_step(begun: World) -> None:
    await begun.walk_to(3)
    old = begun.message("step:3").snapshot()
    await begun.press(begun.ann, "step:3", "step_done")

    await begun.erin.press(old, "step_done")
    await begun.idle()

    assert f"<@{begun.ann.id}> already finished step 3" in last_reply(begun.erin)
    assert begun.current == 4


async def test_a_future_step_cannot_be_marked_done(begun: World) -> None:
    await begun.ann.press_raw(begun.message("root"), "step_done", f"{begun.onboarding}:9")
    await begun.idle()

    assert "Not yet! Step 1" in last_reply(begun.ann)
    assert begun.events("step_done") == []


@pytest.mark.parametrize("action", ["step_done", "step_undo", "step_help", "enter_credentials"])
async def test_a_press_from_another_channel_is_refused(begun: World, action: str) -> None:
    bob = begun.slack.add_person("Bob Boss", begun.slack.add_team("Beta Heating"))
    beta = begun.slack.add_channel("beta", begun.erin, bob)
    value = f"{begun.onboarding}:1"

    await bob.press_raw(begun.message("step:1"), action, value, channel=beta)
    await begun.idle()

    assert "That button belongs to another channel" in last_reply(bob)
    assert bob.view is None
    assert begun.current == 1


async def test_a_press_for_an_unknown_onboarding_is_refused(begun: World) -> None:
    await begun.ann.press_raw(begun.message("step:1"), "step_done", "0123456789abcdef:1")
    await begun.idle()

    assert "This onboarding does not exist" in last_reply(begun.ann)


@pytest.mark.parametrize("step", ["0", "26", "999999999999999999999"])
async def test_a_step_that_the_guide_does_not_have_is_refused(begun: World, step: str) -> None:
    value = f"{begun.onboarding}:{step}"

    press = await begun.ann.press_raw(begun.message("step:1"), "step_done", value)
    await begun.idle()

    assert press.ack.ok
    assert "There's no step" in last_reply(begun.ann)


async def test_home_workspace_members_who_are_not_engineers_are_read_only(
    database: AnyDatabase,
) -> None:
    async with running_world(database, named_engineers=True) as world:
        harry = world.slack.add_person("Harry Home")
        guest = world.slack.add_person("Gus Guest", is_restricted=True)
        for person in (harry, guest):
            await world.slack.admin.invite(world.channel, person)
        await world.begin()

        for person in (harry, guest):
            await world.press(person, "step:1", "choose_account:new")
            assert "Only the client's team" in last_reply(person)

        assert world.current == 1


async def test_a_guest_named_at_the_start_acts_as_client_admin(world: World) -> None:
    guest = world.slack.add_person("Gus Guest", is_restricted=True)
    await world.slack.admin.invite(world.channel, guest)
    await world.begin(client_admins=[guest.id])

    await world.press(guest, "step:1", "choose_account:new")

    assert world.rows("SELECT by_user, by_role FROM step WHERE number = 1") == [
        (guest.id, "client_admin")
    ]


async def test_an_engineer_can_do_the_clients_steps(begun: World) -> None:
    await begun.press(begun.erin, "step:1", "choose_account:new")

    assert f"— <@{begun.erin.id}>" in begun.message("step:1").text
    assert begun.rows("SELECT by_role FROM step WHERE number = 1") == [("engineer",)]


async def test_the_client_cannot_act_on_phase_6_steps(begun: World) -> None:
    await begun.walk_to(23)

    for action in ("step_done", "reveal_credentials"):
        await begun.press(begun.ann, "step:23", action)

    done, reveal = [message.text for message in begun.ann.ephemerals]
    assert "This one's on us" in done
    assert "Only HeavySet engineers can see stored credentials" in reveal
    assert begun.ann.view is None
    assert begun.current == 23


async def test_a_button_from_another_release_says_it_is_out_of_date(begun: World) -> None:
    press = await begun.ann.press_raw(begun.message("step:1"), "step_finish", "whatever")
    await begun.idle()

    assert press.ack.ok
    assert "out of date" in last_reply(begun.ann)


async def test_an_answer_that_is_not_offered_is_refused(begun: World) -> None:
    value = f"{begun.onboarding}:1"

    await begun.ann.press_raw(begun.message("step:1"), "choose_account:borrowed", value)
    await begun.idle()

    assert "That option is gone" in last_reply(begun.ann)
    assert begun.current == 1


async def test_a_completed_onboarding_cannot_be_undone(begun: World) -> None:
    await begun.walk_to(25)
    old = begun.message("step:24").snapshot()
    await begun.press(begun.erin, "step:25", "run_verification")
    assert action_ids(begun, "step:24") == []

    await begun.erin.press(old, "step_undo")
    await begun.idle()

    assert "This setup is complete" in last_reply(begun.erin)
    assert begun.rows("SELECT status FROM onboarding") == [("completed",)]


async def test_a_press_is_answered_even_if_ephemerals_cannot_reach_the_client(
    begun: World,
) -> None:
    begun.slack.doubts.ephemeral_reaches_external = False
    await begun.walk_to(2)
    old = begun.message("step:2").snapshot()
    await begun.press(begun.ann, "step:2", "step_done")

    await begun.ann.press(old, "step_done")
    await begun.idle()

    assert "already finished step 2" in last_reply(begun.ann)


async def test_step_1_shows_the_engineers_email_if_slack_provides_it(world: World) -> None:
    eve = world.slack.add_person("Eve Engineer")
    await world.begin()
    assert f"`{world.erin.user.email}`" in world.message("step:1").text

    await world.type(f"assign <@{eve.id}>")
    assert f"`{eve.user.email}`" in world.message("step:1").text

    world.slack.admin.decline("users:read.email")
    world.bot.directory._users._found.clear()
    await world.type(f"assign <@{world.erin.id}>")
    assert f"ask <@{world.erin.id}> for the address" in world.message("step:1").text
