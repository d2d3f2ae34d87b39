"""Renders the history as Markdown, HTML or JSON, without values: only their masks."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from bot.cli.export.charts import WIDTH, phase_rows, waiting_bars
from bot.core.typed_text import escape_controls, one_line
from bot.guide.credential_fields import ending
from bot.onboarding import BOT, Onboarding
from bot.onboarding.history import SIDES, Entry, History, lasting
from bot.onboarding.people import ChannelRef, UserRef

# Fingerprints of posted secrets: of no use to a reader.
OMITTED = {"marks"}


def render(onboarding: Onboarding, history: History, format_: str, *, now: datetime) -> str:
    """Return the file's content in one of FORMATS, exported at `now`."""
    return escape_controls(FORMATS[format_](onboarding, history, now))


def _html(onboarding: Onboarding, history: History, now: datetime) -> str:
    return _rendered("history.html", _facts(onboarding, history, now))


def _markdown(onboarding: Onboarding, history: History, now: datetime) -> str:
    return _rendered("history.md", _facts(onboarding, history, now))


def _json(onboarding: Onboarding, history: History, now: datetime) -> str:
    facts = _facts(onboarding, history, now)
    told = {
        "onboarding": facts["onboarding"],
        "client": one_line(onboarding.client_name),
        "status": onboarding.status.value,
        "exported_at": now.isoformat(),
        "started_at": history.started_at.isoformat(),
        "until": history.until.isoformat(),
        "seconds_to_act": {
            SIDES[side]: round(time.total_seconds()) for side, time in history.sides.items()
        },
        "seconds_per_phase": {
            number: {SIDES[side]: round(time.total_seconds()) for side, time in times.items()}
            for number, times in history.phases.items()
        },
        "events": [_event(entry) for entry in history.entries],
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _event(entry: Entry) -> dict[str, Any]:
    event = entry.event
    return {
        "at": event.at.isoformat(),
        "kind": event.kind.value,
        "by": {"user": event.actor.user_id, "role": event.actor.role.value},
        "step": event.step,
        "words": _sentence(entry),
        "detail": {name: value for name, value in event.detail.items() if name not in OMITTED},
    }


def _facts(onboarding: Onboarding, history: History, now: datetime) -> Mapping[str, Any]:
    return {
        "onboarding": onboarding.id,
        "client": one_line(onboarding.client_name),
        "platform": onboarding.guide.title,
        "status": onboarding.status.value,
        "done": onboarding.finished_steps,
        "steps": len(onboarding.steps),
        "engineer": onboarding.engineer,
        "channel": onboarding.channel,
        "started": _when(history.started_at),
        "until": _when(history.until),
        "over": history.over,
        "now": _when(now),
        "took": lasting(history.took),
        "sides": [(SIDES[side], lasting(time)) for side, time in history.sides.items()],
        "phases": phase_rows(history),
        "waiting": waiting_bars(history),
        "width": WIDTH,
        "runs": [(run.number, run.outcome.value if run.outcome else "—") for run in history.runs],
        "questions": len(history.inquiries),
        "values": [
            (field.label, ending(stored.mask), stored.by.user_id, _when(stored.at))
            for field in onboarding.guide.credentials
            if (stored := onboarding.credentials.get(field.id))
        ],
        "destroyed": _when(onboarding.destroyed_at) if onboarding.destroyed_at else None,
        "entries": [(_when(entry.at), _who(entry), _sentence(entry)) for entry in history.entries],
    }


def environment(package: str) -> Environment:
    """Return Jinja's environment with the templates of a package; `md` escapes for Markdown."""
    found = Environment(
        loader=PackageLoader(package),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters["md"] = _md
    return found


def _rendered(template: str, facts: Mapping[str, Any]) -> str:
    return environment("bot.cli.export").get_template(template).render(facts)


def _md(text: str) -> str:
    """Escape text for Markdown, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~-])", r"\\\1", " ".join(str(text).split()))


def _who(entry: Entry) -> str:
    if entry.by == BOT:
        return "the bot"
    if not entry.by.user_id:
        return "someone"
    return f"{entry.by.user_id} ({entry.by.role.value.replace('_', ' ')})"


def _sentence(entry: Entry) -> str:
    return "".join(_word(part) for part in entry.words)


def _word(part: str | UserRef | ChannelRef | datetime) -> str:
    match part:
        case UserRef():
            return part.user_id
        case ChannelRef():
            return part.channel
        case datetime():
            return _when(part)
        case _:
            return part


def _when(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


FORMATS: Mapping[str, Callable[[Onboarding, History, datetime], str]] = {
    "md": _markdown,
    "json": _json,
    "html": _html,
}
