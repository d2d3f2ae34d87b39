"""Calls about channels: their info and members, creating and sharing them, pins, bookmarks."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.slack.call import BaseClient, next_cursor
from bot.slack.errors import ignoring

PAGE = 200
MEMBER_PAGES = 5
CHANNEL_PAGES = 20


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, from conversations.info."""

    name: str
    is_member: bool
    is_direct: bool
    is_archived: bool
    id: str = ""
    creator: str = ""
    is_ext_shared: bool = False  # with another organization
    is_pending: bool = False  # another organization was invited and has not accepted yet

    @property
    def is_shared(self) -> bool:
        """Whether another organization can read it, or will soon."""
        return self.is_ext_shared or self.is_pending


class ChannelCalls(BaseClient):
    async def channel(self, channel: str) -> Channel:
        call = self._client.conversations_info(channel=channel)
        return _channel((await self._call("conversations.info", call, channel=dict))["channel"])

    async def members(self, channel: str, limit: int) -> Sequence[str]:
        """Return the members of a channel, including us and people from other organizations."""
        call = self._client.conversations_members(channel=channel, limit=limit)
        return list((await self._call("conversations.members", call, members=list))["members"])

    async def is_in(self, channel: str, user_id: str) -> bool:
        """Whether somebody is in a channel; True if it has too many members to tell."""
        cursor = None
        for _ in range(MEMBER_PAGES):
            call = self._client.conversations_members(channel=channel, limit=PAGE, cursor=cursor)
            answer = await self._call("conversations.members", call, members=list)
            if user_id in answer["members"]:
                return True
            if not (cursor := next_cursor(answer)):
                return False
        return True

    async def create_channel(self, name: str, *, private: bool) -> str:
        """Create a channel and return its id. After Unavailable it may have been created."""
        call = self._client.conversations_create(name=name, is_private=private)
        return str((await self._call("conversations.create", call, channel=dict))["channel"]["id"])

    async def channel_named(self, name: str) -> Channel | None:
        """Return the channel with this name, if we are a member of it."""
        cursor = None
        for _ in range(CHANNEL_PAGES):
            call = self._client.users_conversations(
                types="public_channel,private_channel", limit=PAGE, cursor=cursor
            )
            answer = await self._call("users.conversations", call, channels=list)
            for info in answer["channels"]:
                if info.get("name") == name:
                    return _channel(info)
            if not (cursor := next_cursor(answer)):
                break
        return None

    async def invite(self, channel: str, user_ids: Sequence[str]) -> None:
        """Add people from our own workspace to a channel, unless they are already in it."""
        call = self._client.conversations_invite(channel=channel, users=list(user_ids), force=True)
        with ignoring("already_in_channel"):
            await self._call("conversations.invite", call)

    async def invite_shared(self, channel: str, address: str) -> str:
        """Invite someone from another organization to a channel by email; return the invite's id.

        They get full access: with permission to post only, buttons may not work.
        """
        call = self._client.conversations_inviteShared(
            channel=channel, emails=[address], external_limited=False
        )
        return str((await self._call("conversations.inviteShared", call)).get("invite_id", ""))

    async def pin(self, channel: str, ts: str) -> None:
        """Pin a message, unless it is pinned already."""
        with ignoring("already_pinned"):
            await self._call("pins.add", self._client.pins_add(channel=channel, timestamp=ts))

    async def add_bookmark(self, channel: str, title: str, link: str) -> None:
        """Put a link at the top of a channel. After Unavailable it may be there."""
        call = self._client.bookmarks_add(channel_id=channel, title=title, type="link", link=link)
        await self._call("bookmarks.add", call)

    async def bookmarks(self, channel: str) -> Mapping[str, str]:
        """Return the links at the top of a channel, with the id of each."""
        call = self._client.bookmarks_list(channel_id=channel)
        found = (await self._call("bookmarks.list", call, bookmarks=list))["bookmarks"]
        return {html.unescape(one.get("link") or ""): str(one.get("id", "")) for one in found}

    async def edit_bookmark(self, channel: str, bookmark_id: str, title: str, link: str) -> None:
        call = self._client.bookmarks_edit(
            channel_id=channel, bookmark_id=bookmark_id, title=title, link=link
        )
        await self._call("bookmarks.edit", call)


def _channel(info: dict[str, Any]) -> Channel:
    return Channel(
        name=info.get("name", ""),
        is_member=bool(info.get("is_member", True)),  # unknown: the first post will show
        is_direct=bool(info.get("is_im") or info.get("is_mpim")),
        is_archived=bool(info.get("is_archived")),
        id=info.get("id", ""),
        creator=info.get("creator", ""),
        is_ext_shared=bool(info.get("is_ext_shared")),
        is_pending=bool(info.get("is_pending_ext_shared")),
    )
