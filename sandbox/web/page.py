"""The page as a function of the session and the URL: who is shown, and what they look at."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sandbox.slack import Person
from sandbox.slack.model import Json
from sandbox.web.block_kit import TEMPLATES, render_blocks
from sandbox.web.faults import SERVICETITAN, SLACK
from sandbox.web.mrkdwn import Reader
from sandbox.web.scenes import OFFICE, SCENES
from sandbox.web.session import Session

HOME, CLOSED = "home", "-"
CALLS_SHOWN = 60
REACTIONS = {"white_check_mark": "✅", "eyes": "👀", "+1": "👍", "tada": "🎉"}
COLORS = 8
LABELS = {
    "tenant_id": "Tenant ID",
    "client_id": "Client ID",
    "client_secret": "Client Secret",
    "application_key": "Application Key",
    "booking_provider_id": "Booking Provider ID",
}

templates = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)


def address(query: Mapping[str, str], **changes: str | None) -> str:
    """The page's address with some of its `query` changed; None leaves a part out.

    The query says who is shown (`a`, `b`), and the channel and thread that each looks at.
    """
    merged = {**query, **changes}
    return "/?" + urlencode({name: value for name, value in merged.items() if value is not None})


class Pane:
    """One person's Slack."""

    def __init__(
        self, session: Session, query: Mapping[str, str], side: str, person: Person
    ) -> None:
        self.side, self.person = side, person
        self._query = query
        slack = session.now.scene.slack
        wanted = query.get(f"{side}c", "")
        channels = {channel.id: channel for channel in person.channels}
        first = next(iter(channels.values()), None)
        self.app_name = slack.bot.real_name
        self.is_home = wanted == HOME and person.is_offered_home
        self.channel = None if self.is_home else channels.get(wanted, first)
        self.reader = Reader(
            slack.name_of,
            slack.clock(),
            person.user.tz,
            person.id,
            self.place,
            tuple(slack.people),
            _picture,
        )

    def place(self, channel: str, ts: str = CLOSED) -> str:
        """The address at which this person looks at a channel, or at a thread in it."""
        return address(self._query, **{f"{self.side}c": channel, f"{self.side}t": ts})

    @property
    def channel_name(self) -> str:
        """How Slack writes the open channel: a direct message with the app has the app's name."""
        if self.channel is None or self.channel.kind == "im":
            return self.app_name
        return f"#{self.channel.name}"

    @property
    def thread_ts(self) -> str | None:
        """The open thread: the one in the URL, or else the latest one in the channel."""
        if self.channel is None:
            return None
        wanted = self._query.get(f"{self.side}t", "")
        if wanted == CLOSED:
            return None
        if wanted and self.channel.thread(wanted):
            return wanted
        parents = [m.thread_ts for m in self.channel.messages if m.thread_ts]
        return parents[-1] if parents and self.channel.message(parents[-1]) else None


def _picture(image: Json) -> str:
    """The URL at which this page serves the picture of an image block."""
    return "/picture?" + urlencode(image.get("slack_file") or {"image_url": image["image_url"]})


def render(session: Session, query: Mapping[str, str]) -> str:
    scene = session.now.scene
    people = {person.id: person for person in scene.slack.people}
    sides = {"a": scene.engineer, "b": scene.admin}
    query = {name: value for name, value in query.items() if value}
    panes = [
        Pane(session, query, side, people.get(query.get(side, ""), person))
        for side, person in sides.items()
        if query.get("only", side) == side
    ]
    return templates.get_template("page.html").render(
        session=session,
        running=session.now,
        address=partial(address, query),
        panes=panes,
        people=list(people.values()),
        director=_director(session),
        blocks=render_blocks,
        reactions=REACTIONS,
        color=_color,
    )


def _director(session: Session) -> dict[str, Any]:
    running, slack = session.now, session.now.scene.slack
    right = {LABELS[name]: value for name, value in running.scene.servicetitan.credentials.items()}
    servicetitan = running.scene.servicetitan
    wrong = {
        "Application Key of another app": servicetitan.foreign_application_key,
        "ID of another booking provider": servicetitan.other_booking_provider_id,
        "Tenant ID of somebody else": "1029384756",
        "Client Secret that was replaced": "cs1." + "7q3mz0v9x2kd8w1rt5yh" * 2 + "p4n6b2c8fj",
    }
    at = datetime.fromtimestamp(running.clock(), OFFICE)
    return {
        "right": right,
        "wrong": wrong,
        "servicetitan": SERVICETITAN,
        "slack": SLACK,
        "scenes": SCENES,
        "clock": f"{at:%A, %B} {at.day}, {at.year}, {at:%I:%M %p} in New York".replace(", 0", ", "),
        "calls": list(enumerate(slack.calls, start=1))[: -CALLS_SHOWN - 1 : -1],
        "call_count": len(slack.calls),
        "gist": lambda call: _gist(slack.name_of, call.arguments),
        "time": lambda ts: f"{datetime.fromtimestamp(ts, OFFICE):%H:%M:%S}",
        "invitations": [each for each in slack.invitations if each.is_open],
        "strangers": [person for person in slack.people if person.is_external],
        "log": running.bot.log_tail(12) if running.bot else "",
    }


def _gist(name_of: Any, arguments: Mapping[str, Any]) -> str:
    """What a call is about, in a few words, but never its content."""
    channel = arguments.get("channel") or arguments.get("channel_id")
    parts = [f"#{name_of(channel)}"] if isinstance(channel, str) else []
    metadata = arguments.get("metadata")
    if isinstance(metadata, dict):
        parts.append(str(metadata.get("event_payload", {}).get("slot", "")))
    user = arguments.get("user") or arguments.get("user_id")
    if isinstance(user, str):
        parts.append(name_of(user))
    view = arguments.get("view")
    if isinstance(view, dict):
        parts.append(str(view.get("callback_id", "")))
    return " ".join(part for part in parts if part)


def _color(entity_id: str) -> int:
    return sum(ord(letter) for letter in entity_id) % COLORS
