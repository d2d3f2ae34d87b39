"""Slack's mrkdwn as HTML, for one reader (docs: formatting message text)."""

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from sandbox.mrkdwn import with_emoji
from sandbox.slack import Person
from sandbox.slack.dates import shown, with_dates
from sandbox.slack.model import Json

_FENCE = re.compile(r"```\n?(.+?)```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_REFERENCE = re.compile(r"<([^<>\n]+)>")
_PERMALINK = re.compile(
    r"https://[^/]+\.slack\.com/archives/(\w+)/p(\d+)(\d{6})(?:\?thread_ts=([\d.]+))?"
)
_EMPHASES = {
    tag: re.compile(rf"(?<![\w{mark}]){mark}(?=\S)([^{mark}\n]*[^{mark}\s]){mark}(?![\w{mark}])")
    for tag, mark in {"strong": r"\*", "em": "_", "s": "~"}.items()
}
_KEPT = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True)
class Reader:
    """The reader: their time zone, the names they see, and where links within Slack lead."""

    name_of: Callable[[str], str]
    now: float
    tz: str | None = "America/New_York"
    user_id: str = ""
    place: Callable[[str, str], str] = lambda _channel, _ts: ""  # the URL of a message
    people: Sequence[Person] = ()  # the choices in a menu of people
    picture: Callable[[Json], str] = lambda _image: ""  # where this page serves a picture

    def text(self, text: Json) -> Markup:
        if text["type"] == "mrkdwn":
            return self.mrkdwn(text["text"])
        shown = text["text"]
        return _lines(with_emoji(shown) if text.get("emoji", True) else shown)

    def mrkdwn(self, text: str) -> Markup:
        kept: list[str] = []

        def keep(markup: str) -> str:
            kept.append(markup)
            return f"\ue000{len(kept) - 1}\ue001"

        text = with_dates(text, self.now, self.tz)
        text = _FENCE.sub(lambda found: keep(f"<pre>{_escaped(found[1])}</pre>"), text)
        text = _CODE.sub(lambda found: keep(f"<code>{_escaped(found[1])}</code>"), text)
        text = _REFERENCE.sub(lambda found: keep(self._reference(found[1])), text)
        # The rest is plain text: escaped once, whichever of Slack's three escapes it contained.
        shown = str(_lines(with_emoji(html.unescape(text))))
        for tag, emphasis in _EMPHASES.items():
            shown = emphasis.sub(rf"<{tag}>\1</{tag}>", shown)
        shown = _quoted(shown)
        while _KEPT.search(shown):
            shown = _KEPT.sub(lambda found: kept[int(found[1])], shown)
        return Markup(shown)  # noqa: S704 (every part was escaped above)

    def date(self, at: float, form: str = "{time}") -> str:
        """A time in the reader's own time zone."""
        return shown(int(at), form, "", self.now, self.tz)

    def _link(self, url: str, label: str) -> Markup:
        href = self.href(url)
        if href != url:
            return Markup('<a href="{}" data-here>{}</a>').format(href, label or "message")
        if not re.match(r"(https?|mailto|tel):", url):
            return Markup("{}").format(label or url)
        attributes = 'target="_blank" rel="noreferrer"'
        return Markup(f'<a href="{{}}" {attributes}>{{}}</a>').format(url, label or url)  # noqa: S704

    def href(self, url: str) -> str:
        """The URL to open here: for a message, its place on this page."""
        if found := _PERMALINK.match(url):
            return self.place(found[1], found[4] or f"{found[2]}.{found[3]}")
        return url

    def _reference(self, inside: str) -> Markup:
        target, _, label = inside.partition("|")
        target, label = html.unescape(target), with_emoji(html.unescape(label))
        match target[:1]:
            case "@":
                kind = "mention me" if target[1:] == self.user_id else "mention"
                name = label or self.name_of(target[1:])
                return Markup('<span class="{}">@{}</span>').format(kind, name)
            case "#":
                name, href = label or self.name_of(target[1:]), self.place(target[1:], "")
                return Markup('<a class="mention" href="{}" data-here>#{}</a>').format(href, name)
            case "!":
                name = label or target[1:].partition("^")[0]
                return Markup('<span class="mention">@{}</span>').format(name.lstrip("@"))
            case _:
                return self._link(target, label)


def _escaped(text: str) -> str:
    return str(escape(html.unescape(text)))


def _lines(text: str) -> Markup:
    return Markup("<br>").join(text.split("\n"))


def _quoted(shown: str) -> str:
    """Lines that begin with `>` as quotes."""
    lines = [
        f"<blockquote>{line[4:].strip()}</blockquote>" if line.startswith("&gt;") else line
        for line in shown.split("<br>")
    ]
    return "<br>".join(lines).replace("</blockquote><br>", "</blockquote>")
