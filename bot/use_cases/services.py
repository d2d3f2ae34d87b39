"""What all use cases share: their services, requests and exceptions."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Concatenate, ParamSpec, TypeVar

from bot.core.background import BackgroundTasks
from bot.core.errors import Refused
from bot.onboarding.overview import Stall
from bot.onboarding.people import Person
from bot.publishing.announcements import Announcements
from bot.publishing.check_all import RoundPublisher
from bot.publishing.engineering_channel import EngineeringChannel
from bot.publishing.home import HomePublisher
from bot.publishing.notices import Notices
from bot.publishing.publisher import Publisher
from bot.reminders.schedule import FollowUpCalendar
from bot.slack import Slack
from bot.slack.directory import Directory
from bot.use_cases.revealed_windows import Reveals
from bot.verification.runner import VerificationRunner
from bot.views.forms import View
from bot.views.ids import FormRef
from storage.database import Database
from storage.session import Session
from storage.vault import Vault

Parameters = ParamSpec("Parameters")
Found = TypeVar("Found")


class InvalidInput(Refused):
    """Something entered is invalid; `errors` says why, by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class Opening:
    """A form to open now, and the view that replaces it once that is ready."""

    view: View
    then: asyncio.Task[View] | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """The person who asks, and where. `request_key` is the same for a repeated request."""

    person: Person
    channel: str
    request_key: str

    def form(self, onboarding_id: str = "", step: int = 0, fields: Sequence[str] = ()) -> FormRef:
        """Return the reference for a modal that this person opens here."""
        person = self.person
        return FormRef(self.channel, person.user_id, person.team_id, onboarding_id, step, fields)

    def part(self, name: str) -> "Request":
        """Return the request for one part of what is asked, which is repeated by itself."""
        return replace(self, request_key=f"{self.request_key}:{name}")


@dataclass(frozen=True, slots=True)
class Services:
    """What the use cases work with; `app` builds it."""

    database: Database
    vault: Vault
    slack: Slack
    directory: Directory
    publisher: Publisher
    announcements: Announcements
    homes: HomePublisher
    rounds: RoundPublisher
    notices: Notices
    verification_runner: VerificationRunner
    follow_ups: FollowUpCalendar
    reveals: Reveals
    stall: Stall
    retain_for: timedelta
    engineering_channel: str
    engineering: EngineeringChannel
    tasks: BackgroundTasks
    clock: Callable[[], datetime]

    async def read(
        self,
        query: Callable[Concatenate[Session, Parameters], Awaitable[Found]],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Found:
        """Return what one query finds."""
        async with self.database.begin(write=False) as session:
            return await query(session, *args, **kwargs)
