"""The bookmarks.* methods: links at the top of a channel."""

import re

from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Channel, Json
from sandbox.slack.state import State
from sandbox.slack.web_api.base import find_channel, method, require_open

MOST_BOOKMARKS = 100  # docs: bookmarks.add


@method(
    "bookmarks.add", "channel_id title type link emoji", scopes="bookmarks:write", per_minute=20
)
def add(state: State, args: Arguments) -> Json:
    """Add a link; an identical one is no reason to refuse."""
    channel = _channel(state, args)
    title = args.text("title")
    if args.text("type") != "link":
        raise SlackError("invalid_bookmark_type")
    if len(channel.bookmarks) >= MOST_BOOKMARKS:
        raise SlackError("too_many_bookmarks")
    bookmark: Json = {
        "id": state.mint_id("Bk"),
        "channel_id": channel.id,
        "title": title,
        "link": _checked_link(args.maybe_text("link")),
        "emoji": _checked_emoji(args.maybe_text("emoji")),
        "icon_url": None,
        "type": "link",
        "entity_id": None,
        "date_created": int(state.clock()),
        "date_updated": 0,
        "rank": "",
        "last_updated_by_user_id": state.bot.id,
        "last_updated_by_team_id": state.home.id,
        "shortcut_id": None,
        "app_id": state.app_id,
    }
    channel.bookmarks.append(bookmark)
    return {"bookmark": dict(bookmark)}


@method(
    "bookmarks.edit",
    "channel_id bookmark_id title link emoji",
    scopes="bookmarks:write",
    per_minute=20,
)
def edit(state: State, args: Arguments) -> Json:
    """Change only what is given."""
    bookmark = _find(_channel(state, args), args)
    changes: Json = {}
    if "title" in args:
        changes["title"] = args.text("title")
    if "link" in args:
        changes["link"] = _checked_link(args.maybe_text("link"))
    if "emoji" in args:
        changes["emoji"] = _checked_emoji(args.maybe_text("emoji"))
    bookmark |= {**changes, "date_updated": int(state.clock())}
    return {"bookmark": dict(bookmark)}


@method("bookmarks.list", "channel_id", scopes="bookmarks:read")
def list_all(state: State, args: Arguments) -> Json:
    channel = _channel(state, args)
    return {"bookmarks": [dict(bookmark) for bookmark in channel.bookmarks]}


def _channel(state: State, args: Arguments) -> Channel:
    channel = find_channel(state, args.text("channel_id"))
    # The docs of these methods mention neither `not_in_channel` nor `is_archived`.
    if state.bot.id not in channel.members or channel.is_archived:
        raise SlackError("permission_denied")
    require_open(channel)
    return channel


def _find(channel: Channel, args: Arguments) -> Json:
    bookmark_id = args.text("bookmark_id")
    for bookmark in channel.bookmarks:
        if bookmark["id"] == bookmark_id:
            return bookmark
    raise SlackError("not_found")


def _checked_link(link: str | None) -> str:
    if link is None or not re.match(r"https?://\S", link):
        raise SlackError("invalid_link")
    return link


def _checked_emoji(emoji: str | None) -> str:
    if emoji and not re.fullmatch(r":[a-z0-9_+'-]+:", emoji):
        raise SlackError("invalid_emoji")
    return emoji or ""
