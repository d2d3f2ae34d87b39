"""Slack's text markup: escaping, mentions, times.

Source: docs.slack.dev, "Formatting message text".
"""

import html
import re
from datetime import UTC, datetime
from textwrap import shorten

from bot.core.typed_text import CONTROLS


def escape(text: str) -> str:
    """Return `text` so that Slack shows it literally: no mention, no broadcast, no hidden link.

    Invisible characters, and those that change the text's direction, are removed.
    """
    return html.escape(CONTROLS.sub("", text), quote=False)


def excerpt(text: str, most: int) -> str:
    """Return `text` on one line, cut after a word to at most `most` characters, and escaped."""
    return escape(shorten(text, most, placeholder=" …"))


def code(text: str) -> str:
    """Return `text` as code, which a tap copies on a phone."""
    return f"`{escape(text.replace('`', chr(39)))}`"


def mention(user_id: str) -> str:
    return f"<@{user_id}>"


def channel_link(channel: str) -> str:
    return f"<#{channel}>"


def link(url: str, text: str) -> str:
    return f"<{url}|{escape(text)}>"


def when(moment: datetime) -> str:
    """Return a time that Slack shows in each reader's own time zone.

    It reads “today at 2:18 PM” or “Nov 23, 2026 at 2:18 PM”, so no “on” belongs before it.
    """
    utc = moment.astimezone(UTC)
    fallback = utc.strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(utc.timestamp())}^{{date_short_pretty}} at {{time}}|{fallback}>"


def thread_link(workspace_url: str, channel: str, thread_ts: str) -> str:
    return link(permalink(workspace_url, channel, thread_ts), "thread")


def plain(mrkdwn: str) -> str:
    """Return `mrkdwn` without bold and italic markers, for a message's fallback text."""
    return re.sub(r"(?<![\w*])([*_])(?=\S)(.+?)(?<=\S)\1(?![\w*])", r"\2", mrkdwn)


def permalink(workspace_url: str, channel: str, ts: str, thread_ts: str | None = None) -> str:
    """Return a message's permalink, as chat.getPermalink would, without asking Slack.

    `workspace_url` is auth.test's `url`, which ends in a slash.
    """
    address = f"{workspace_url}archives/{channel}/p{ts.replace('.', '')}"
    return f"{address}?thread_ts={thread_ts}&cid={channel}" if thread_ts else address
