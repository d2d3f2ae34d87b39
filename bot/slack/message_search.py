"""Calls that look for a message in Slack: one of ours whose response was lost, or a person's."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.slack.call import BaseClient, next_cursor
from bot.views.blocks import EVENT_TYPE, Message

HISTORY_PAGE, HISTORY_PAGES = 200, 5
# Slack rejects requests when clocks differ by more than five minutes, and so do we; one of our
# messages is at most this much older than we think.
CLOCK_SKEW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Written:
    """A message that somebody wrote, in Slack's markup."""

    user_id: str
    text: str


class MessageSearch(BaseClient):
    async def find(
        self, channel: str, message: Message, since: datetime, thread_ts: str | None = None
    ) -> str | None:
        """Return the ts of a message that we may have posted since then; None if we didn't.

        It is found by its metadata, which Slack returns to its own app.
        """
        wanted = (message.onboarding_id, message.slot)
        async for posted in self._history(channel, since - CLOCK_SKEW, thread_ts):
            metadata = posted.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            found = (payload.get("onboarding_id"), payload.get("slot"))
            if metadata.get("event_type") == EVENT_TYPE and found == wanted:
                return str(posted["ts"])
        return None

    async def message_at(
        self, channel: str, ts: str, thread_ts: str | None = None
    ) -> Written | None:
        """Return the message with this ts in its current wording; None if it is gone."""
        only: dict[str, Any] = {"channel": channel, "oldest": ts, "latest": ts, "inclusive": True}
        if thread_ts and thread_ts != ts:
            call = self._client.conversations_replies(ts=thread_ts, limit=2, **only)
            answer = await self._call("conversations.replies", call, channel, messages=list)
        else:
            call = self._client.conversations_history(limit=1, **only)
            answer = await self._call("conversations.history", call, channel, messages=list)
        for one in answer["messages"]:
            if one.get("ts") == ts and one.get("subtype") != "tombstone":
                return Written(str(one.get("user", "")), str(one.get("text", "")))
        return None

    async def _history(
        self, channel: str, since: datetime, thread_ts: str | None
    ) -> AsyncIterator[Mapping[str, Any]]:
        cursor = None
        for _ in range(HISTORY_PAGES):
            common: dict[str, Any] = {
                "channel": channel,
                "oldest": str(since.timestamp()),
                "limit": HISTORY_PAGE,
                "cursor": cursor,
                "include_all_metadata": True,
            }
            if thread_ts:
                call = self._client.conversations_replies(ts=thread_ts, **common)
                answer = await self._call("conversations.replies", call, messages=list)
            else:
                call = self._client.conversations_history(**common)
                answer = await self._call("conversations.history", call, messages=list)
            for posted in answer["messages"]:
                yield posted
            if not (cursor := next_cursor(answer)):
                return
