"""Pinned messages and bookmarked links in a channel."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.slack import Channel, Manifest, Person, SlackSandbox
from tests.stub_bot import FrozenClock, StubBot

SCOPES = "chat:write pins:write bookmarks:read bookmarks:write"
LINK = {"type": "link", "title": "The guide", "link": "https://guide.example/acme"}


@pytest.fixture
async def slack(clock: FrozenClock) -> AsyncIterator[SlackSandbox]:
    async with SlackSandbox(Manifest(frozenset(SCOPES.split())), clock=clock) as slack:
        yield slack


@pytest.fixture
async def ts(bot: StubBot, channel: Channel) -> str:
    """The timestamp of a message from the bot."""
    posted = await bot.call("chat.postMessage", channel=channel.id, text="hello")
    return str(posted["ts"])


async def add(bot: StubBot, channel: Channel, **changes: Any) -> dict[str, Any]:
    bookmark = {name: value for name, value in {**LINK, **changes}.items() if value is not None}
    return await bot.call("bookmarks.add", channel_id=channel.id, **bookmark)


async def test_a_message_can_be_pinned_only_once(bot: StubBot, channel: Channel, ts: str) -> None:
    item = {"channel": channel.id, "timestamp": ts}

    added = [await bot.call("pins.add", **item) for _ in range(2)]

    assert channel.pins == [ts]
    assert [answer.get("error") for answer in added] == [None, "already_pinned"]


@pytest.mark.parametrize(
    ("timestamp", "error"),
    [
        (None, "no_item_specified"),
        ("yesterday", "bad_timestamp"),
        ("1700000000.000001", "message_not_found"),
    ],
)
async def test_a_pin_needs_a_message(
    bot: StubBot, channel: Channel, timestamp: str | None, error: str
) -> None:
    item = {"timestamp": timestamp} if timestamp else {}

    assert (await bot.call("pins.add", channel=channel.id, **item))["error"] == error


async def test_a_pin_needs_membership_and_an_active_channel(
    slack: SlackSandbox, bot: StubBot, channel: Channel, erin: Person, ts: str
) -> None:
    public = slack.add_channel("public", with_bot=False)
    private = slack.add_channel("private", private=True, with_bot=False)

    async def pin(where: Channel) -> str:
        answer = await bot.call("pins.add", channel=where.id, timestamp=ts)
        return str(answer["error"])

    assert await pin(public) == "not_in_channel"
    assert await pin(private) == "channel_not_found"
    await slack.admin.archive(channel, erin)
    assert await pin(channel) == "is_archived"


async def test_deleting_a_message_removes_its_pin(bot: StubBot, channel: Channel, ts: str) -> None:
    await bot.call("pins.add", channel=channel.id, timestamp=ts)

    await bot.call("chat.delete", channel=channel.id, ts=ts)

    assert channel.pins == []


async def test_a_bookmark_is_added_edited_and_listed(
    bot: StubBot, channel: Channel, clock: FrozenClock
) -> None:
    added = (await add(bot, channel, emoji=":wrench:"))["bookmark"]
    clock.advance(60)
    known = {"channel_id": channel.id, "bookmark_id": added["id"]}
    edited = (await bot.call("bookmarks.edit", **known, title="Step 7"))["bookmark"]
    listed = (await bot.call("bookmarks.list", channel_id=channel.id))["bookmarks"]

    assert (added["title"], added["link"], added["emoji"]) == (
        "The guide",
        "https://guide.example/acme",
        ":wrench:",
    )
    assert edited == {**added, "title": "Step 7", "date_updated": int(clock.now)}
    assert listed == [edited] == channel.bookmarks


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"title": None}, "invalid_arguments"),
        ({"title": ""}, "invalid_arguments"),
        ({"type": "file"}, "invalid_bookmark_type"),
        ({"link": None}, "invalid_link"),
        ({"link": "ftp://guide.example"}, "invalid_link"),
        ({"emoji": "wrench"}, "invalid_emoji"),
        ({"parent_id": "Bk1"}, "invalid_arguments"),
    ],
)
async def test_an_invalid_bookmark_is_refused(
    bot: StubBot, channel: Channel, changes: dict[str, str | None], error: str
) -> None:
    assert (await add(bot, channel, **changes))["error"] == error
    assert channel.bookmarks == []


async def test_an_invalid_bookmark_edit_is_refused_and_changes_nothing(
    bot: StubBot, channel: Channel
) -> None:
    added = (await add(bot, channel))["bookmark"]
    known = {"channel_id": channel.id, "bookmark_id": added["id"]}

    answer = await bot.call("bookmarks.edit", **known, title="new", link="nonsense")

    assert answer["error"] == "invalid_link"
    assert channel.bookmarks == [added]


async def test_editing_an_unknown_bookmark_returns_not_found(
    bot: StubBot, channel: Channel
) -> None:
    answer = await bot.call("bookmarks.edit", channel_id=channel.id, bookmark_id="Bk0")

    assert answer["error"] == "not_found"


async def test_a_channel_holds_at_most_100_bookmarks(bot: StubBot, channel: Channel) -> None:
    answers = [await add(bot, channel) for _ in range(101)]

    assert [answer.get("error") for answer in answers[99:]] == [None, "too_many_bookmarks"]


async def test_bookmarks_need_membership_and_an_active_channel(
    slack: SlackSandbox, bot: StubBot, channel: Channel, erin: Person
) -> None:
    public = slack.add_channel("public", with_bot=False)
    private = slack.add_channel("private", private=True, with_bot=False)

    assert (await add(bot, public))["error"] == "permission_denied"
    assert (await add(bot, private))["error"] == "channel_not_found"
    await slack.admin.archive(channel, erin)
    assert (await add(bot, channel))["error"] == "permission_denied"


@pytest.mark.parametrize(
    ("method", "scope"),
    [
        ("pins.add", "pins:write"),
        ("bookmarks.add", "bookmarks:write"),
        ("bookmarks.edit", "bookmarks:write"),
        ("bookmarks.list", "bookmarks:read"),
    ],
)
async def test_each_method_needs_its_scope(method: str, scope: str) -> None:
    scopes = frozenset(SCOPES.split())
    manifest = Manifest(scopes, optional_scopes=scopes)
    async with SlackSandbox(manifest, declined_scopes=[scope]) as slack, StubBot(slack) as bot:
        answer = await bot.call(method)

    assert (answer["error"], answer["needed"]) == ("missing_scope", scope)
