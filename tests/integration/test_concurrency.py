"""People acting at the same moment: everyone is heard, nothing happens twice or halfway."""

import asyncio
import threading
from collections.abc import Awaitable
from typing import Any

import pytest

from sandbox.slack import Person, View
from tests.databases import ON_BOTH, ON_SQLITE
from tests.integration.world import World, last_reply

pytestmark = ON_BOTH

COUNT = 20


async def simultaneously(world: World, *actions: Awaitable[Any]) -> list[Any]:
    """Do everything at the same moment, let the bot finish, and check the invariants."""
    done = await asyncio.gather(*actions)
    await world.slack.delivered()
    await world.idle()
    await world.assert_consistent()
    return done


async def add_admin(world: World, name: str = "Ben Admin") -> Person:
    """Another admin of the client."""
    ben = world.slack.add_person(name, world.ann.team)
    world.channel.members[ben.id] = ben.user
    return ben


async def open_form(world: World, person: Person, slot: str) -> View:
    return await world.open(person, slot, "enter_credentials")


async def test_twenty_simultaneous_presses_of_a_button_count_once(begun: World) -> None:
    await begun.walk_to(2)
    step = begun.message("step:2")

    presses = await simultaneously(
        begun, *(begun.ann.press(step, "step_done") for _ in range(COUNT))
    )

    assert all(press.ack.ok for press in presses)
    assert begun.events("step_done") == [(begun.ann.id, 1), (begun.ann.id, 2)]
    assert begun.current == 3
    answers = [message.text for message in begun.ann.ephemerals]
    assert len(answers) == COUNT - 1
    assert all("already finished step 2" in answer for answer in answers)


async def test_twenty_deliveries_of_one_press_count_once_without_a_notice(
    begun: World,
) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:new")
    pressed = begun.last_interaction
    pressed["trigger_id"] = "1.2.another"
    pressed["actions"][0] |= {"action_id": "step_done", "value": f"{begun.onboarding}:2"}

    acks = await simultaneously(begun, *(begun.send(pressed) for _ in range(COUNT)))

    assert all(ack.ok for ack in acks)
    assert begun.current == 3
    assert not begun.ann.ephemerals


async def test_twenty_simultaneous_starts_begin_one_onboarding(world: World) -> None:
    await world.type("start Acme")
    form = world.view_of(world.erin)

    answers = await simultaneously(world, *(world.erin.submit(form, {}) for _ in range(COUNT)))

    assert all(answer.ok for answer in answers)
    assert world.slots() == ["root", "welcome", "step:1"]


async def test_simultaneous_done_and_undo_by_two_admins_both_take_effect(begun: World) -> None:
    ben = await add_admin(begun)
    await begun.walk_to(4)
    done, step = begun.message("step:3"), begun.message("step:4")

    await simultaneously(begun, begun.ann.press(step, "step_done"), ben.press(done, "step_undo"))

    # Whichever came first, step 3 is open again, and nothing after it is done.
    assert begun.current == 3
    assert begun.events("step_undone") == [(ben.id, 3)]


async def test_a_step_done_and_handed_over_simultaneously_ends_up_done(begun: World) -> None:
    ben = await add_admin(begun)
    await begun.walk_to(4)
    step = begun.message("step:4")

    await simultaneously(begun, begun.ann.press(step, "step_done"), ben.press(step, "hand_over"))

    assert begun.current == 5
    handed_over = begun.events("steps_handed_over")
    assert handed_over == [(ben.id, 4)] or "already finished step 4" in last_reply(ben)


@pytest.mark.parametrize(("command", "current"), [("reopen 2", 2), ("skip 5", 6)])
async def test_an_engineer_can_reopen_or_skip_while_the_client_presses_done(
    begun: World, command: str, current: int
) -> None:
    await begun.walk_to(4)
    step = begun.message("step:4")

    _, reply = await simultaneously(
        begun,
        begun.ann.press(step, "step_done"),
        begun.erin.command(begun.channel, "/servicetitan", command),
    )

    assert begun.current == current
    assert "Back to step" in reply.text or "Skipped step" in reply.text


async def test_a_step_skipped_and_done_simultaneously_is_either_one_not_both(begun: World) -> None:
    await begun.walk_to(4)

    _, reply = await simultaneously(
        begun,
        begun.ann.press(begun.message("step:4"), "step_done"),
        begun.erin.command(begun.channel, "/servicetitan", "skip 4"),
    )

    assert begun.current == 5
    if begun.events("step_skipped"):
        assert "already skipped step 4" in last_reply(begun.ann)
    else:
        assert "already finished step 4" in reply.text


async def test_a_form_submitted_twice_simultaneously_stores_its_value_once(begun: World) -> None:
    await begun.walk_to(11)
    form = await open_form(begun, begun.ann, "step:11")
    value = {"booking_provider_id": begun.servicetitan.credentials["booking_provider_id"]}

    answers = await simultaneously(
        begun, begun.ann.submit(form, value), begun.ann.submit(form, value)
    )

    assert all(answer.ok for answer in answers)
    assert len(begun.events("credential_entered")) == 1
    assert not begun.events("credential_replaced")


async def test_a_form_submitted_by_two_admins_simultaneously_stores_one_value(begun: World) -> None:
    ben = await add_admin(begun)
    await begun.walk_to(11)
    forms = [await open_form(begun, person, "step:11") for person in (begun.ann, ben)]

    answers = await simultaneously(
        begun,
        begun.ann.submit(forms[0], {"booking_provider_id": "123456789"}),
        ben.submit(forms[1], {"booking_provider_id": "987654321"}),
    )

    assert all(answer.ok for answer in answers)
    assert begun.rows("SELECT field, version FROM credential") == [("booking_provider_id", 2)]
    [(mask, by)] = begun.rows("SELECT mask, submitted_by_user FROM credential")
    assert (mask[-4:], by) in {("6789", begun.ann.id), ("4321", ben.id)}
    assert f"Booking Provider ID ending in {mask[-4:]} — <@{by}>" in begun.message("step:11").text


async def test_credentials_and_done_submitted_simultaneously_are_both_handled(begun: World) -> None:
    await begun.walk_to(22)
    form = await open_form(begun, begun.ann, "step:22")

    await simultaneously(
        begun,
        begun.ann.submit(form, begun.servicetitan.credentials),
        begun.erin.press(begun.message("step:22"), "step_done"),
    )

    assert begun.message("verification:1").payload["outcome"] == "passed"
    assert begun.current == 23 or "We still need" in last_reply(begun.erin)


async def test_a_cancellation_wins_over_simultaneous_actions(begun: World) -> None:
    ben = await add_admin(begun)
    await begun.walk_to(11)
    await begun.enter(begun.ann, 11, booking_provider_id="123456789")
    form = await open_form(begun, ben, "step:11")
    await begun.type("cancel")
    cancel_form = begun.view_of(begun.erin)
    step, root = begun.message("step:11"), begun.message("root")

    await simultaneously(
        begun,
        begun.ann.press(step, "step_done"),
        begun.ann.press(step, "hand_over"),
        begun.ann.press(begun.message("step:10"), "step_undo"),
        begun.erin.submit(cancel_form, {"reason": "They moved."}),
        ben.submit(form, {"booking_provider_id": "987654321"}),
        begun.ann.say(begun.channel, "done", root.ts),
        begun.ann.say(begun.channel, "help Which portal?", root.ts),
        begun.erin.command(begun.channel, "/servicetitan", "skip 12"),
        begun.erin.command(begun.channel, "/servicetitan", "pause"),
    )

    assert begun.rows("SELECT status FROM onboarding") == [("cancelled",)]
    assert begun.rows("SELECT count(*) FROM credential") == [(0,)]
    assert len(begun.events("cancelled")) == 1
    assert not [block for block in begun.message("step:11").blocks if block["type"] == "actions"]


async def test_a_cancellation_submitted_twice_simultaneously_happens_once(begun: World) -> None:
    await begun.type("cancel")
    form, reason = begun.view_of(begun.erin), {"reason": "They moved."}

    answers = await simultaneously(
        begun, begun.erin.submit(form, reason), begun.erin.submit(form, reason)
    )

    assert all(answer.ok for answer in answers)
    assert len(begun.events("cancelled")) == 1


async def test_completing_and_reopening_simultaneously_leave_one_outcome(begun: World) -> None:
    await begun.walk_to(25)

    _, reply = await simultaneously(
        begun,
        begun.erin.press(begun.message("step:25"), "run_verification"),
        begun.erin.command(begun.channel, "/servicetitan", "reopen 24"),
    )

    if "Back to step" in reply.text:
        assert begun.rows("SELECT status FROM onboarding") == [("active",)]
        assert begun.current == 24
    else:
        assert "This setup is complete" in reply.text


async def test_simultaneous_mentions_by_two_engineers_are_both_handled(begun: World) -> None:
    max_, eve = (begun.slack.add_person(name) for name in ("Max Engineer", "Eve Engineer"))
    begun.channel.members |= {max_.id: max_.user, eve.id: eve.user}
    await begun.walk_to(3)
    root = begun.message("root").ts
    bot = begun.slack.bot.id
    both_are_read = asyncio.Barrier(2)

    async def gate(moment: str, method: str, _arguments: dict[str, Any]) -> bool:
        if (moment, method) == ("arrived", "users.info"):  # asked once about each of the two
            await both_are_read.wait()
        return True

    begun.slack.guard(gate)
    await simultaneously(
        begun,
        max_.say(begun.channel, f"<@{bot}> done", root),
        eve.say(begun.channel, f"<@{bot}> status", root),
    )

    assert begun.current == 4
    assert "Next: step" in last_reply(eve)


@ON_SQLITE
async def test_sqlite_writers_are_served_in_order(world: World) -> None:
    came: list[int] = []

    async def write(number: int) -> None:
        async with world.bot.database.begin():
            came.append(number)
            await asyncio.sleep(0.002)

    await asyncio.gather(*(write(number) for number in range(COUNT)))

    assert came == list(range(COUNT))


@ON_SQLITE
async def test_hanging_dns_lookups_do_not_block_a_press(begun: World) -> None:
    loop, found = asyncio.get_running_loop(), threading.Event()
    lookups = [loop.run_in_executor(None, found.wait, 60) for _ in range(40)]
    try:
        async with asyncio.timeout(20):
            await begun.ann.press(begun.message("step:1"), "choose_account:new")
    finally:
        found.set()
    await asyncio.gather(*lookups)
    await begun.idle()

    assert begun.current == 2
