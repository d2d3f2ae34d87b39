"""The conversation on the terminal, as it happens: who says what, where, and to whom."""

import os
import re
import sys
from collections.abc import Callable
from typing import TextIO

from sandbox.masking import Masker
from sandbox.mrkdwn import readable
from sandbox.rendering import block_lines, modal_lines, shown_value, wrapped
from sandbox.slack import change_feed
from sandbox.slack.forms import state_values, stateful_elements
from sandbox.slack.model import Channel, Message, User, View

WIDTH = 92
STEPS = 25
UNWRAPPED = 10_000
INDENT = "  "


class Transcript:
    """An observer for `SlackSandbox.observe`.

    `dated` writes dates as words; without it, their fallback is shown.
    """

    def __init__(
        self,
        name_of: Callable[[str], str],
        out: TextIO = sys.stdout,
        dated: Callable[[str], str] = str,
    ) -> None:
        self._name_of, self._dated = name_of, dated
        self._out = out
        self._masker = Masker()
        self._has_color = out.isatty() and "NO_COLOR" not in os.environ

    def __call__(self, change: change_feed.Change) -> None:
        """Print one change."""
        self._tell_of_messages(change)
        self._tell_of_modals(change)
        self._tell_of_people(change)

    def _tell_of_messages(self, change: change_feed.Change) -> None:
        match change:
            case change_feed.MessagePosted(message):
                self._message(message, _where(message))
            case change_feed.MessageEdited(message, before):
                self._edited(message, before)
            case change_feed.MessageDeleted(message):
                self._line(f"✗ deleted: {self._gist(self._content(message, UNWRAPPED))}", "2")
            case change_feed.EphemeralShown(message):
                self._private(message)

    def _tell_of_modals(self, change: change_feed.Change) -> None:
        match change:
            case change_feed.ViewOpened(view) | change_feed.ViewUpdated(view):
                self._modal(view)
            case change_feed.ViewSubmitted(view):
                self._submitted(view)
            case change_feed.ViewRefused(view):
                self._refused(view)
            case change_feed.HomePublished(view):
                self._home(view)

    def _tell_of_people(self, change: change_feed.Change) -> None:
        match change:
            case change_feed.CommandTyped(user, channel, text):
                self._says(user, f"#{channel.name}", text)
            case change_feed.ElementUsed(user, label, where):
                self._pressed(user, label, where)
            case change_feed.Noticed(user, text):
                self._line(f"⚠ Slack tells {user.real_name}: {text}", "33")
            case change_feed.MemberJoined(user, channel) | change_feed.MemberLeft(user, channel):
                self._membership(user, channel)

    def heading(self, text: str) -> None:
        """Print a line between the scenes."""
        self._line("")
        self._line(f"━━━ {text} {'━' * max(3, WIDTH - len(text) - 5)}", "1;34")

    def _membership(self, user: User, channel: Channel) -> None:
        verb = "joined" if user.id in channel.members else "left"
        self._line(f"{user.real_name} {verb} #{channel.name}", "2")

    def _message(self, message: Message, where: str) -> None:
        self._says(message.user, where, "", self._progress(message))
        self._block(self._content(message))

    def _private(self, message: Message) -> None:
        reader = message.ephemeral_to.real_name if message.ephemeral_to else ""
        self._says(message.user, f"(private, only {reader} sees this)", "")
        self._block(self._content(message))

    def _content(self, message: Message, width: int = WIDTH - 2 * len(INDENT)) -> list[str]:
        if message.blocks:
            return block_lines(message.blocks, self._readable, width)
        return wrapped(self._readable(message.text), width)

    def _edited(self, message: Message, before: Message) -> None:
        """Print only what the edit changed, in brief."""
        old, new = self._content(before, UNWRAPPED), self._content(message, UNWRAPPED)
        changed = [line for line in new if line not in old]
        gone = [f"without {line}" for line in old if line not in new]
        self._line(f"{INDENT}✎ edited {message.slot or ''}: {self._gist(changed or gone)}", "2")

    def _gist(self, lines: list[str]) -> str:
        gist = self._plain(" · ".join(lines))
        return gist if len(gist) <= 2 * WIDTH else gist[: 2 * WIDTH] + " …"

    def _pressed(self, user: User, label: str, where: Message | View) -> None:
        match where:
            case View(is_home=True):
                place = "the app's Home"
            case View():
                place = f"“{where.title}”"
            case Message():
                place = where.slot or "a message"
        self._says(user, f"presses [ {label} ] in {place}", "")

    def _modal(self, view: View) -> None:
        self._line("")
        self._line(f"{INDENT}┌─ {view.title} ── (private, only {view.user.real_name} sees this)")
        for line in modal_lines(view, self._readable, WIDTH - 6):
            self._line(f"{INDENT}│ {line}")
        self._line(f"{INDENT}└{'─' * 40}")

    def _home(self, view: View) -> None:
        """Print it in brief, because it is published again with every change."""
        lines = modal_lines(view, self._readable, UNWRAPPED)
        self._line(f"{INDENT}⌂ Home of {view.user.real_name}: {self._gist(lines)}", "2")

    def _submitted(self, view: View) -> None:
        self._says(view.user, f"fills in “{view.title}”", "")
        values = state_values(view)
        for block, element in stateful_elements(view):
            ids = (block["block_id"], element["action_id"])
            shown = shown_value(values[ids[0]][ids[1]], self._readable)
            if shown and ids in view.typed and element["type"].endswith("_input"):
                shown = self._masker.typed(ids[0], shown)
            if shown:
                label = block.get("label", {}).get("text", ids[1])
                self._block(wrapped(f"{label}: {shown}", WIDTH - 2 * len(INDENT)))

    def _refused(self, view: View) -> None:
        labels = {
            block["block_id"]: block["label"]["text"]
            for block in view.blocks
            if block["type"] == "input"
        }
        for block_id, text in view.errors.items():
            for line in wrapped(f"✗ {labels[block_id]}: {text}", WIDTH - 6):
                self._line(f"{INDENT}│ {line}", "31")

    def _says(self, user: User, where: str, text: str, progress: str = "") -> None:
        company = "app" if user.is_bot else user.team.name
        head = f"{user.real_name} ({company}) {where}"
        self._line("")
        self._line(f"{head} {progress:>{max(0, WIDTH - len(head) - 1)}}".rstrip(), "1;36")
        if text:
            self._block(wrapped(text, WIDTH - 2 * len(INDENT)))

    def _block(self, lines: list[str]) -> None:
        for line in lines:
            self._line(INDENT * 2 + line)

    def _progress(self, message: Message) -> str:
        step = re.fullmatch(r"step:(\d+)", message.slot or "")
        return f"step {step[1]}/{STEPS}" if step else ""

    def _readable(self, text: str) -> str:
        return readable(self._dated(text), self._name_of)

    def _line(self, text: str, style: str = "") -> None:
        shown = self._plain(self._masker.hide(text))
        if style and self._has_color:
            shown = f"\x1b[{style}m{shown}\x1b[0m"
        print(shown, file=self._out, flush=True)

    def _plain(self, text: str) -> str:
        """`*bold*` and `_small_` as bold and dim if the terminal can, or without the marks."""
        bold, dim = ("\x1b[1m", "\x1b[2m") if self._has_color else ("", "")
        end = "\x1b[22m" if self._has_color else ""
        text = re.sub(
            r"(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])", lambda mark: bold + mark[1] + end, text
        )
        return re.sub(r"(?<!\w)_(\S(?:[^_\n]*\S)?)_(?!\w)", lambda mark: dim + mark[1] + end, text)


def _where(message: Message) -> str:
    place = f"#{message.channel.name}"
    return f"{place} › thread" if message.thread_ts else place
