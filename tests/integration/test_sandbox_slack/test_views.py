"""The app's Home and buttons in views: what the bot receives and how it can respond."""

from typing import Any

import pytest

from sandbox.slack import (
    Channel,
    Manifest,
    NotOfferedError,
    Person,
    SlackSandbox,
    View,
    visible_text,
)
from tests.stub_bot import FrozenClock, StubBot


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def button(action_id: str, value: str = "") -> dict[str, Any]:
    named = {"action_id": action_id, "value": value or action_id}
    return {"type": "button", "text": plain(action_id.title()), **named}


def home(*texts: str, **changes: Any) -> dict[str, Any]:
    blocks = [{"type": "section", "text": plain(text)} for text in texts]
    return {"type": "home", "blocks": blocks, **changes}


def modal(*action_ids: str, **changes: Any) -> dict[str, Any]:
    elements = [button(action_id) for action_id in action_ids]
    blocks = [{"type": "actions", "block_id": "keys", "elements": elements}]
    return {"type": "modal", "title": plain("History"), "blocks": blocks, **changes}


async def publish(bot: StubBot, person: Person, view: Any, **more: Any) -> dict[str, Any]:
    return await bot.call("views.publish", user_id=person.id, view=view, **more)


async def open_modal(bot: StubBot, channel: Channel, person: Person, view: Any) -> View:
    await person.command(channel, "/servicetitan")
    await bot.call("views.open", trigger_id=bot.received[-1]["trigger_id"], view=view)
    assert person.view is not None
    return person.view


# --- Home


async def test_opening_the_home_sends_an_event_with_the_current_view(
    slack: SlackSandbox, bot: StubBot, erin: Person
) -> None:
    assert await erin.open_home() is None
    published = await publish(bot, erin, home("Nothing to do"))

    shown = await erin.open_home()

    first, second = (payload["event"] for payload in bot.received)
    assert (first["type"], first["user"], first["tab"]) == ("app_home_opened", erin.id, "home")
    assert first["channel"] == slack.direct_message(erin.user).id
    assert first["channel"].startswith("D")
    assert "event_ts" in first
    assert "view" not in first
    assert second["view"] == published["view"]
    assert shown is erin.home
    assert shown is not None
    assert "Nothing to do" in visible_text(shown)


async def test_opening_the_home_sends_no_event_without_a_subscription() -> None:
    async with SlackSandbox(Manifest(has_home=True)) as slack, StubBot(slack) as bot:
        erin = slack.add_person("Erin")
        await publish(bot, erin, home("Hello"))

        assert await erin.open_home() is not None
        assert bot.received == []


async def test_without_a_home_in_the_manifest_none_can_be_opened_or_published() -> None:
    async with SlackSandbox(Manifest()) as slack, StubBot(slack) as bot:
        erin = slack.add_person("Erin")

        with pytest.raises(NotOfferedError):
            await erin.open_home()
        assert (await publish(bot, erin, home("Hello")))["error"] == "not_enabled"


async def test_a_home_published_for_an_external_person_is_not_shown_to_them(
    slack: SlackSandbox, bot: StubBot, channel: Channel, ann: Person
) -> None:
    assert ann.id in channel.members
    answer = await publish(bot, ann, home("Hello"))

    assert answer["ok"]
    assert await ann.open_home() is None
    assert bot.received[-1]["event"]["user"] == ann.id
    slack.doubts.external_sees_home = True
    assert await ann.open_home() is not None


@pytest.mark.parametrize(
    "view",
    [
        modal("go"),
        home("Hello", title=plain("Home")),
        home("Hello", submit=plain("Send")),
        home("Hello", notify_on_close=True),
        home(*["line"] * 101),
        home("x" * 3001),
        {"type": "home"},
        {"type": "home", "blocks": [{"type": "carousel", "elements": []}]},
    ],
)
async def test_a_home_that_breaks_block_kits_rules_is_refused(
    bot: StubBot, erin: Person, view: dict[str, Any]
) -> None:
    answer = await publish(bot, erin, view)

    assert answer["error"] == "invalid_arguments"
    assert answer["response_metadata"]["messages"]
    assert erin.home is None


async def test_a_home_takes_a_hundred_blocks_and_no_more_than_250_kilobytes(
    bot: StubBot, erin: Person
) -> None:
    fits = await publish(bot, erin, home(*["line"] * 100))
    too_large = await publish(bot, erin, home(*["x" * 2900] * 90))

    assert (fits["ok"], too_large["error"]) == (True, "view_too_large")


async def test_publishing_a_home_needs_an_existing_user(bot: StubBot) -> None:
    answer = await bot.call("views.publish", user_id="U0NOBODY", view=home("Hello"))

    assert answer["error"] == "invalid_arguments"
    assert answer["response_metadata"]["messages"] == ["invalid `user_id`"]


async def test_an_older_hash_does_not_overwrite_a_newer_home(bot: StubBot, erin: Person) -> None:
    first = (await publish(bot, erin, home("first")))["view"]
    second = (await publish(bot, erin, home("second"), hash=first["hash"]))["view"]

    stale = await publish(bot, erin, home("third"), hash=first["hash"])

    assert stale["error"] == "hash_conflict"
    assert first["id"] == second["id"]
    assert erin.home is not None
    assert "second" in visible_text(erin.home)


async def test_a_hash_conflicts_if_no_home_was_published(bot: StubBot, erin: Person) -> None:
    assert (await publish(bot, erin, home("first"), hash="1.2"))["error"] == "hash_conflict"


async def test_an_external_id_can_be_used_for_one_home_only(
    slack: SlackSandbox, bot: StubBot, erin: Person
) -> None:
    nora = slack.add_person("Nora")
    named = home("Hello", external_id="home")

    answers = [await publish(bot, person, named) for person in (erin, erin, nora)]

    assert [answer.get("error") for answer in answers] == [None, None, "duplicate_external_id"]


async def test_a_press_in_the_home_names_the_view_and_no_channel(
    slack: SlackSandbox, bot: StubBot, erin: Person
) -> None:
    await publish(
        bot,
        erin,
        home("Acme", blocks=[{"type": "actions", "elements": [button("assign", "7")]}]),
    )
    assert erin.home is not None

    await erin.press(erin.home, "assign")

    payload = bot.received[-1]
    assert payload["type"] == "block_actions"
    assert payload["container"] == {"type": "view", "view_id": erin.home.id}
    assert payload["view"]["type"] == "home"
    assert payload["view"]["app_installed_team_id"] == slack.home.id
    assert payload["actions"][0]["value"] == "7"
    assert not payload.keys() & {"channel", "message", "response_url"}


async def test_a_press_in_the_home_may_open_a_modal(bot: StubBot, erin: Person) -> None:
    keys = {"type": "actions", "elements": [button("more")]}
    await publish(bot, erin, home(blocks=[keys]))
    assert erin.home is not None

    await erin.press(erin.home, "more")
    trigger_id = bot.received[-1]["trigger_id"]
    await bot.call("views.open", trigger_id=trigger_id, view=modal("go"))

    assert erin.view is not None


async def test_an_old_home_can_be_pressed_on_a_stale_screen(bot: StubBot, erin: Person) -> None:
    await publish(bot, erin, home(blocks=[{"type": "actions", "elements": [button("old")]}]))
    before = erin.home
    await publish(bot, erin, home("nothing left"))
    assert before is not None

    await erin.press(before, "old")

    assert bot.received[-1]["actions"][0]["action_id"] == "old"


async def test_another_persons_home_cannot_be_pressed(
    slack: SlackSandbox, bot: StubBot, erin: Person, ann: Person
) -> None:
    keys = {"type": "actions", "elements": [button("more")]}
    for person in (erin, ann):
        await publish(bot, person, home(blocks=[keys]))
    assert erin.home is not None
    nora = slack.add_person("Nora")

    for person in (nora, ann):
        with pytest.raises(NotOfferedError):
            await person.press(erin.home, "more")


# --- buttons within modals


async def test_presses_in_a_modal_can_update_it_repeatedly_without_a_trigger(
    clock: FrozenClock, bot: StubBot, channel: Channel, erin: Person
) -> None:
    view = await open_modal(bot, channel, erin, modal("next"))

    for page in ("first", "second"):
        await erin.press(view, "next")
        pressed = bot.received[-1]
        assert pressed["container"] == {"type": "view", "view_id": view.id}
        clock.advance(60)  # unlike opening, updating needs no trigger, which would expire
        change = modal("next", private_metadata=page)
        target = {"view_id": pressed["view"]["id"], "hash": pressed["view"]["hash"]}
        assert (await bot.call("views.update", **target, view=change))["ok"]

    assert erin.view is view
    assert view.content["private_metadata"] == "second"


async def test_a_modal_can_be_pressed_only_by_its_owner(
    bot: StubBot, channel: Channel, erin: Person, ann: Person
) -> None:
    view = await open_modal(bot, channel, erin, modal("more"))

    with pytest.raises(NotOfferedError):
        await ann.press(view, "more")


async def test_a_home_cannot_be_changed_with_views_update(bot: StubBot, erin: Person) -> None:
    published = (await publish(bot, erin, home("Hello")))["view"]

    answer = await bot.call("views.update", view_id=published["id"], view=modal("go"))

    assert answer["error"] == "not_found"


# --- input values during a modal update


def form(*names: str, **initial: str) -> dict[str, Any]:
    """A form with a text input for each name, prefilled from `initial`."""
    blocks = []
    for name in names:
        element = {"type": "plain_text_input", "action_id": name}
        if name in initial:
            element["initial_value"] = initial[name]
        blocks.append({"type": "input", "block_id": name, "label": plain(name), "element": element})
    return {"type": "modal", "title": plain("Form"), "submit": plain("Go"), "blocks": blocks}


async def submitted_values(bot: StubBot, person: Person) -> dict[str, Any]:
    """Submit the open form and return each input's value as the bot receives it."""
    assert person.view is not None
    await person.submit(person.view)
    values = bot.received[-1]["view"]["state"]["values"]
    return {name: value[name]["value"] for name, value in values.items()}


async def test_typed_text_survives_a_modal_update(
    bot: StubBot, channel: Channel, erin: Person
) -> None:
    view = await open_modal(bot, channel, erin, form("name", name="Acme"))
    erin.fill(view, {"name": "Acme West"})

    await bot.call("views.update", view_id=view.id, view=form("name", name="Beta"))

    assert await submitted_values(bot, erin) == {"name": "Acme West"}


async def test_a_modal_update_sets_initial_values_only_for_new_inputs(
    bot: StubBot, channel: Channel, erin: Person
) -> None:
    view = await open_modal(bot, channel, erin, form("name", name="Acme"))

    changed = form("name", "town", name="Beta", town="Graz")
    await bot.call("views.update", view_id=view.id, view=changed)

    assert await submitted_values(bot, erin) == {"name": "Acme", "town": "Graz"}
