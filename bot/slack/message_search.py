"""Calls that look for a message in Slack: one of ours whose response was lost, or a person's."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.web.async_slack_response import AsyncSlackResponse

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
        oldest = str((since - CLOCK_SKEW).timestamp())
        cursor = None
        for _ in range(HISTORY_PAGES):
            answer = await self._read(
                channel,
                thread_ts,
                oldest=oldest,
                limit=HISTORY_PAGE,
                cursor=cursor,
                include_all_metadata=True,
            )
            for posted in answer["messages"]:
                metadata = posted.get("metadata") or {}
                payload = metadata.get("event_payload") or {}
                found = (payload.get("onboarding_id"), payload.get("slot"))
                if metadata.get("event_type") == EVENT_TYPE and found == wanted:
                    return str(posted["ts"])
            if not (cursor := next_cursor(answer)):
                break
        return None

    async def message_at(
        self, channel: str, ts: str, thread_ts: str | None = None
    ) -> Written | None:
        """Return the message with this ts in its current wording; None if it is gone."""
        parent = thread_ts if thread_ts != ts else None
        # Slack adds the first message of a thread.
        answer = await self._read(channel, parent, oldest=ts, latest=ts, inclusive=True, limit=2)
        for one in answer["messages"]:
            if one.get("ts") == ts and one.get("subtype") != "tombstone":
                return Written(str(one.get("user", "")), str(one.get("text", "")))
        return None

    async def _read(self, channel: str, thread_ts: str | None, **which: Any) -> AsyncSlackResponse:
        """Read a page of a thread or, without `thread_ts`, of a channel."""
        if thread_ts:
            call = self._client.conversations_replies(channel=channel, ts=thread_ts, **which)
            return await self._call("conversations.replies", call, messages=list)
        call = self._client.conversations_history(channel=channel, **which)
        return await self._call("conversations.history", call, messages=list)
