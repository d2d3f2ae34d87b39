"""The conversation on the terminal, as it happens: who says what, where, and to whom."""

import os
import re
import sys
from functools import singledispatchmethod
from typing import TextIO

from sandbox.masking import Masker
from sandbox.mrkdwn import readable
from sandbox.rendering import block_lines, modal_lines, shown_value, wrapped
from sandbox.slack import SlackSandbox, change_feed
from sandbox.slack.forms import inputs, state_values
from sandbox.slack.model import Message, User, View

WIDTH = 92
STEPS = 25
UNWRAPPED = 10_000
INDENT = "  "
BLOCK_WIDTH = WIDTH - 2 * len(INDENT)


class Transcript:
    """Prints each change to a pretend Slack that it observes."""

    def __init__(self, slack: SlackSandbox, out: TextIO = sys.stdout) -> None:
        self._slack = slack
        self._out = out
        self._masker = Masker()
        self._has_color = out.isatty() and "NO_COLOR" not in os.environ

    def heading(self, text: str) -> None:
        """Print a line between the scenes."""
        self._line("")
        self._line(f"━━━ {text} {'━' * max(3, WIDTH - len(text) - 5)}", "1;34")

    @singledispatchmethod
    def __call__(self, change: change_feed.Change) -> None:
        """Print one change; the method for its type does so."""

    @__call__.register
    def _posted(self, change: change_feed.MessagePosted) -> None:
        message = change.message
        place = f"#{message.channel.name}{' › thread' if message.thread_ts else ''}"
        step = re.fullmatch(r"step:(\d+)", message.slot or "")
        self._says(message.user, place, progress=f"step {step[1]}/{STEPS}" if step else "")
        self._block(self._content(message))

    @__call__.register
    def _shown_privately(self, change: change_feed.EphemeralShown) -> None:
        message = change.message
        reader = message.ephemeral_to.real_name if message.ephemeral_to else ""
        self._says(message.user, f"(private, only {reader} sees this)")
        self._block(self._content(message))

    @__call__.register
    def _edited(self, change: change_feed.MessageEdited) -> None:
        """Print only what the edit changed, in brief."""
        message = change.message
        old, new = (self._content(each, UNWRAPPED) for each in (message.versions[-1], message))
        changed = [line for line in new if line not in old]
        gone = [f"without {line}" for line in old if line not in new]
        self._line(f"{INDENT}✎ edited {message.slot or ''}: {self._gist(changed or gone)}", "2")

    @__call__.register
    def _deleted(self, change: change_feed.MessageDeleted) -> None:
        self._line(f"✗ deleted: {self._gist(self._content(change.message, UNWRAPPED))}", "2")

    @__call__.register
    def _typed(self, change: change_feed.CommandTyped) -> None:
        self._says(change.user, f"#{change.channel.name}")
        self._block(wrapped(change.text, BLOCK_WIDTH))

    @__call__.register
    def _noticed(self, change: change_feed.Noticed) -> None:
        self._line(f"⚠ Slack tells {change.user.real_name}: {change.text}", "33")

    @__call__.register
    def _moved(self, change: change_feed.MemberJoined | change_feed.MemberLeft) -> None:
        verb = "joined" if change.user.id in change.channel.members else "left"
        self._line(f"{change.user.real_name} {verb} #{change.channel.name}", "2")

    @__call__.register
    def _pressed(self, change: change_feed.ButtonPressed) -> None:
        where = change.where
        match where:
            case View(is_home=True):
                place = "the app's Home"
            case View():
                place = f"“{where.title}”"
            case Message():
                place = where.slot or "a message"
        self._says(change.user, f"presses [ {change.label} ] in {place}")

    @__call__.register
    def _modal(self, change: change_feed.ViewShown) -> None:
        view = change.view
        self._line("")
        self._line(f"{INDENT}┌─ {view.title} ── (private, only {view.user.real_name} sees this)")
        for line in modal_lines(view, self._readable, WIDTH - 6):
            self._line(f"{INDENT}│ {line}")
        self._line(f"{INDENT}└{'─' * 40}")

    @__call__.register
    def _home(self, change: change_feed.HomePublished) -> None:
        """Print it in brief, because it is published again with every change."""
        lines = modal_lines(change.view, self._readable, UNWRAPPED)
        self._line(f"{INDENT}⌂ Home of {change.view.user.real_name}: {self._gist(lines)}", "2")

    @__call__.register
    def _submitted(self, change: change_feed.ViewSubmitted) -> None:
        view = change.view
        self._says(view.user, f"fills in “{view.title}”")
        values = state_values(view)
        for block, element in inputs(view):
            ids = (block["block_id"], element["action_id"])
            shown = shown_value(values[ids[0]][ids[1]], self._readable)
            if shown and ids in view.typed and element["type"].endswith("_input"):
                shown = self._masker.typed(ids[0], shown)
            if shown:
                label = block["label"]["text"]
                self._block(wrapped(f"{label}: {shown}", BLOCK_WIDTH))

    @__call__.register
    def _refused(self, change: change_feed.ViewRefused) -> None:
        view = change.view
        labels = {block["block_id"]: block["label"]["text"] for block, _ in inputs(view)}
        for block_id, text in view.errors.items():
            for line in wrapped(f"✗ {labels[block_id]}: {text}", WIDTH - 6):
                self._line(f"{INDENT}│ {line}", "31")

    def _says(self, user: User, where: str, progress: str = "") -> None:
        company = "app" if user.is_bot else user.team.name
        head = f"{user.real_name} ({company}) {where}"
        self._line("")
        self._line(f"{head} {progress:>{max(0, WIDTH - len(head) - 1)}}".rstrip(), "1;36")

    def _content(self, message: Message, width: int = BLOCK_WIDTH) -> list[str]:
        if message.blocks:
            return block_lines(message.blocks, self._readable, width)
        return wrapped(self._readable(message.text), width)

    def _gist(self, lines: list[str]) -> str:
        gist = self._plain(" · ".join(lines))
        return gist if len(gist) <= 2 * WIDTH else gist[: 2 * WIDTH] + " …"

    def _block(self, lines: list[str]) -> None:
        for line in lines:
            self._line(INDENT * 2 + line)

    def _readable(self, text: str) -> str:
        return readable(self._slack.dated(text), self._slack.name_of)

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
