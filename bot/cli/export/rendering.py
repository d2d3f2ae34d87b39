"""Renders the history as Markdown, HTML or JSON, without values: only their masks."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.cli.export.charts import WIDTH, phase_rows, waiting_bars
from bot.cli.export.inquiries import Inquiry
from bot.cli.templates import environment
from bot.core.typed_text import escape_controls, one_line
from bot.guide.credential_fields import ending
from bot.onboarding import BOT, Event, Onboarding
from bot.onboarding.history import SIDES, History, lasting
from bot.onboarding.people import Actor, ChannelRef, UserRef
from bot.onboarding.verification_report import Outcome

# Fingerprints of posted secrets: of no use to a reader.
OMITTED = {"marks"}


def render(export: "Export", format_: str) -> str:
    """Return the file's content as md, html or json."""
    if format_ == "json":
        text = export.json()
    else:
        template = environment("bot.cli.export").get_template(f"history.{format_}")
        text = template.render(export.facts())
    return escape_controls(text)


def people_and_channels(onboarding: Onboarding, history: History) -> Iterator[str]:
    """Yield the ids that an export names."""
    yield from (onboarding.engineer, onboarding.channel)
    yield from (stored.by.user_id for stored in onboarding.credentials.values())
    for event in history.events:
        yield event.actor.user_id
        for part in history.words(event):
            if isinstance(part, UserRef):
                yield part.user_id
            elif isinstance(part, ChannelRef):
                yield part.channel


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported, the names that are known, and whether questions have `links` to Slack."""

    onboarding: Onboarding
    history: History
    now: datetime
    names: Mapping[str, str]
    inquiries: Sequence[Inquiry]
    links: bool

    def json(self) -> str:
        history = self.history
        content = {
            "onboarding": self.onboarding.id,
            "client": one_line(self.onboarding.client_name),
            "status": self.onboarding.status.value,
            "exported_at": self.now.isoformat(),
            "started_at": history.started_at.isoformat(),
            "until": history.until.isoformat(),
            "names": dict(self.names),
            "seconds_to_act": {
                SIDES[side]: round(time.total_seconds()) for side, time in history.sides.items()
            },
            "seconds_per_phase": {
                number: {SIDES[side]: round(time.total_seconds()) for side, time in times.items()}
                for number, times in history.phases.items()
            },
            "checks": [
                {
                    "number": number,
                    "outcome": outcome,
                    "problems": [{"check": title, "why": why} for title, why in problems],
                }
                for number, outcome, problems in self._checks()
            ],
            "links_known": self.links,
            "questions": [self._question(one) for one in self.inquiries],
            "events": [self._event(event) for event in history.events],
        }
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    def _question(self, asked: Inquiry) -> dict[str, Any]:
        question = asked.question
        answer = {
            "by": "guide" if question.passage else _by(question.answered_by or BOT),
            "at": asked.answered_at.isoformat() if asked.answered_at else None,
            "link": asked.answer_link,
        }
        return {
            "number": question.number,
            "step": question.step,
            "question": asked.text,
            "by": _by(question.by),
            "at": question.at.isoformat(),
            "link": asked.link,
            "answer": answer if asked.answered_at else None,
        }

    def _event(self, event: Event) -> dict[str, Any]:
        return {
            "at": event.at.isoformat(),
            "kind": event.kind.value,
            "by": _by(event.actor),
            "step": event.step,
            "words": self._sentence(event),
            "detail": {name: value for name, value in event.detail.items() if name not in OMITTED},
        }

    def facts(self) -> Mapping[str, Any]:
        """Return what the templates show."""
        onboarding, history = self.onboarding, self.history
        return {
            "onboarding": onboarding.id,
            "client": one_line(onboarding.client_name),
            "platform": onboarding.guide.title,
            "status": onboarding.status.value,
            "done": onboarding.finished_steps,
            "steps": len(onboarding.steps),
            "engineer": self._named(onboarding.engineer),
            "channel": self._named(onboarding.channel),
            "started": _when(history.started_at),
            "until": _when(history.until),
            "over": history.over,
            "now": _when(self.now),
            "took": lasting(history.took),
            "sides": [(SIDES[side], lasting(time)) for side, time in history.sides.items()],
            "phases": phase_rows(history),
            "waiting": waiting_bars(history),
            "width": WIDTH,
            "checks": list(self._checks()),
            "links": self.links,
            "questions": [self._asked(one) for one in self.inquiries],
            "values": [
                (
                    field.label,
                    ending(stored.mask),
                    self._named(stored.by.user_id),
                    _when(stored.at),
                )
                for field in onboarding.guide.credentials
                if (stored := onboarding.credentials.get(field.id))
            ],
            "destroyed": _when(onboarding.destroyed_at) if onboarding.destroyed_at else None,
            "entries": [
                (_when(event.at), self._actor(event.actor), self._sentence(event))
                for event in history.events
            ],
        }

    def _asked(self, asked: Inquiry) -> Mapping[str, Any]:
        question = asked.question
        by = "the guide" if question.passage else self._actor(question.answered_by or BOT)
        return {
            "step": question.step,
            "by": self._actor(question.by),
            "at": _when(question.at),
            "text": asked.text,
            "link": asked.link,
            "answer": f"answered by {by}, {_when(asked.answered_at)}" if asked.answered_at else "",
            "answer_link": asked.answer_link,
        }

    def _checks(self) -> Iterator[tuple[int, str, Sequence[tuple[str, str]]]]:
        """Yield each verification: its number, its outcome, what was wrong, and why."""
        for run in self.onboarding.verifications:
            report = run.report
            problems = [
                (check.title, f"{check.for_client} ({check.for_engineer})")
                for check in (report.checks if report else ())
                if check.outcome in (Outcome.FAILED, Outcome.UNKNOWN)
            ]
            yield run.number, report.outcome.value if report else "—", problems

    def _named(self, id_: str) -> str:
        return f"{self.names[id_]} ({id_})" if id_ in self.names else id_

    def _actor(self, actor: Actor) -> str:
        if actor == BOT:
            return "the bot"
        if not actor.user_id:
            return "someone"
        role, name = actor.role.value.replace("_", " "), self.names.get(actor.user_id)
        return f"{name} ({role}, {actor.user_id})" if name else f"{actor.user_id} ({role})"

    def _sentence(self, event: Event) -> str:
        return "".join(map(self._word, self.history.words(event)))

    def _word(self, part: str | UserRef | ChannelRef | datetime) -> str:
        match part:
            case UserRef():
                return self._named(part.user_id)
            case ChannelRef():
                return self._named(part.channel)
            case datetime():
                return _when(part)
            case _:
                return part


def _by(actor: Actor) -> dict[str, str]:
    return {"user": actor.user_id, "role": actor.role.value}


def _when(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
