"""`/servicetitan history`: the paginated window that support reads."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.onboarding import Event, EventKind
from bot.onboarding.people import Actor, Role
from sandbox.slack import NotOfferedError, View
from storage import history
from tests.databases import ON_BOTH
from tests.integration.world import World, last_reply

LATER = datetime.now(UTC) + timedelta(days=1)


async def open_history(world: World, command: str = "history") -> View:
    await world.type(command)
    return world.view_of(world.erin)


def view_text(view: View) -> str:
    return json.dumps(view.content["blocks"], ensure_ascii=False)


async def add_refusals(world: World, count: int) -> None:
    """Add refused attempts to the history, each by a different person."""
    async with world.bot.database.begin() as session:
        for number in range(count):
            stranger = Actor(f"U0STRANGER{number}", "T0ELSEWHERE", Role.NOBODY)
            detail = {"deed": "reveal", "reason": "NotAllowed"}
            event = Event(EventKind.REFUSED, stranger, LATER, None, detail)
            await history.record(session, world.onboarding, event)


@ON_BOTH
async def test_the_history_shows_who_did_what(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:existing")
    await begun.press(begun.ann, "step:3", "step_done")

    view = await open_history(begun)

    assert view.title == "History"
    shown = view_text(view)
    assert f"<@{begun.ann.id}> finished step 3, Access the ServiceTitan Developer Portal" in shown
    assert f"<@{begun.erin.id}> started the onboarding" in shown
    assert "“Use an existing admin”" in shown
    assert "2 of 25 steps" not in shown  # the skipped step 2 counts, too
    assert "3 of 25 steps" in shown
    assert "<!date^" in shown  # in the reader's own time zone


async def test_the_newest_entry_comes_first(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:existing")

    shown = view_text(await open_history(begun))

    assert shown.index("skipped step 2") < shown.index("started the onboarding")


@ON_BOTH
async def test_a_named_clients_history_opens_from_any_channel(begun: World) -> None:
    await begun.type("history acme", channel=begun.engineering)

    assert "Acme Plumbing" in view_text(begun.view_of(begun.erin))


async def test_a_canceled_onboarding_still_has_a_history(begun: World) -> None:
    await begun.type("cancel")
    await begun.submit(begun.erin, begun.view_of(begun.erin), reason="another provider")

    assert "canceled the onboarding: “another provider”" in view_text(await open_history(begun))


@ON_BOTH
async def test_history_pages_can_be_turned_in_both_directions(begun: World) -> None:
    await add_refusals(begun, 45)
    view = await open_history(begun)
    assert "1–20 of 46" in view_text(view)
    assert "U0STRANGER44" in view_text(view)

    await turn_page(begun, view, "older")
    assert "21–40 of 46" in view_text(view)
    await turn_page(begun, view, "older")
    assert "41–46 of 46" in view_text(view)
    assert "started the onboarding" in view_text(view)
    with pytest.raises(NotOfferedError):
        await turn_page(begun, view, "older")
    await turn_page(begun, view, "newer")
    await turn_page(begun, view, "newer")

    assert "1–20 of 46" in view_text(view)
    with pytest.raises(NotOfferedError):
        await turn_page(begun, view, "newer")


async def turn_page(world: World, view: View, direction: str) -> None:
    await world.erin.press(view, f"history_page:{direction}")
    await world.idle()


async def test_new_entries_do_not_shift_the_pages(begun: World) -> None:
    await add_refusals(begun, 45)
    view = await open_history(begun)
    await add_refusals(begun, 5)

    await turn_page(begun, view, "older")

    assert "U0STRANGER24" in view_text(view)
    assert "U0STRANGER25" not in view_text(view)


async def test_a_non_engineer_is_refused(begun: World) -> None:
    guest = begun.slack.add_person("Gus Guest", is_restricted=True)
    somewhere = begun.slack.add_channel("somewhere", guest)

    reply = await begun.type("history acme", guest, somewhere)

    assert guest.view is None
    assert "for HeavySet engineers" in json.dumps(reply.ack.body)


async def test_only_the_person_who_opened_the_window_can_turn_its_pages(begun: World) -> None:
    await add_refusals(begun, 45)
    view = await open_history(begun)
    await begun.erin.press(view, "history_page:older")
    await begun.idle()
    eve = begun.slack.add_person("Eve Engineer")
    before = view_text(view)

    forged = begun.last_interaction
    forged["user"] = {**forged["user"], "id": eve.id}
    forged["trigger_id"] = "1.2.3"
    ack = await begun.send(forged)

    assert ack.status == 200
    assert view_text(view) == before


async def test_a_former_engineer_cannot_turn_pages(begun: World) -> None:
    await add_refusals(begun, 45)
    view = await open_history(begun)
    begun.erin.user.deleted = True
    begun.bot.directory._users._found.clear()  # as if the cache had expired

    await turn_page(begun, view, "older")

    assert "1–20 of 46" in view_text(view)
    assert "for HeavySet engineers" in last_reply(begun.erin)


@pytest.mark.parametrize("value", ["x", "-1", "²", "9" * 30])
async def test_an_invalid_page_number_is_rejected(begun: World, value: str) -> None:
    await add_refusals(begun, 45)
    await turn_page(begun, await open_history(begun), "older")
    forged = begun.last_interaction
    forged["actions"][0]["value"] = value

    ack = await begun.send(forged)

    assert ack.status == 400


async def test_a_page_number_past_the_newest_entry_shows_the_newest_page(begun: World) -> None:
    await add_refusals(begun, 45)
    view = await open_history(begun)
    await turn_page(begun, view, "older")
    forged = begun.last_interaction
    forged["actions"][0]["value"] = "999"
    forged["view"]["hash"] = ""

    await begun.send(forged)

    assert "1–20 of 46" in view_text(view)


@ON_BOTH
async def test_a_history_of_hundreds_of_long_entries_fits_the_window(begun: World) -> None:
    async with begun.bot.database.begin() as session:
        for number in range(300):
            actor = Actor(begun.ann.id, begun.ann.team.id, Role.CLIENT_ADMIN)
            detail = {"question": "<&>" * 600, "passage": "x"}
            event = Event(EventKind.GUIDE_ANSWERED, actor, LATER, number % 25 + 1, detail)
            await history.record(session, begun.onboarding, event)

    view = await open_history(begun)

    assert "1–20 of 301" in view_text(view)
