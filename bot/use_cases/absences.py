"""`/servicetitan away`: a colleague covers an engineer's clients until they are back."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, time, timedelta
from functools import partial

from bot.core.errors import OnboardingError, Refused
from bot.core.loops import for_each
from bot.core.mrkdwn import escape, mention, when
from bot.onboarding import Change, Onboarding
from bot.onboarding.assignment import Absence, away_at, cover, covering, hand_back, stand_in
from bot.onboarding.business_time import calendar_of
from bot.onboarding.days import day_in
from bot.use_cases.services import Request, Services
from bot.use_cases.slash_command import PERSON
from bot.use_cases.use_case import UseCase
from bot.views.absence import (
    away_message,
    away_slot,
    back_message,
    back_slot,
    is_away_text,
    nobody_away_text,
)
from bot.views.blocks import EphemeralReply, Message, section
from storage import absences, handled_requests, notices
from storage.changes import change

EXAMPLE = "For example: `/servicetitan away until Monday @lee`"
BACK = re.compile(
    r"(?:(?:i|i['’]?m|am|now|and)\s+)*(?:back|ends?|ended|stop|over|off|cancel|done|return(?:ed)?)"
    r"(?:\s+(?:again|now|today|early))*\W*",
    re.IGNORECASE,
)
UNTIL = re.compile(
    r"(?:(?:i['’]?m|am|from now|now|out)\s+)*"
    r"(?:(?P<last>through|thru)|until|untill|till|til|to|up to|back|returning|for)?\b",
    re.IGNORECASE,
)
LONGEST = timedelta(days=366)
BATCH = 200


class Absences(UseCase):
    """For engineers, each for themselves. `look` carries out what follows from an absence."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._looking = asyncio.Lock()
        self._told: set[str] = set()  # the lines that are known to be posted

    async def away(self, request: Request, words: str) -> EphemeralReply:
        """Record that an engineer is away from now on; without words, return whether they are."""
        engineer = (await self._engineer(request.person)).user_id
        if BACK.fullmatch(words):
            return await self.back(request)
        away, now = await self._away(), self._services.clock()
        current = away.get(engineer)
        if not words.strip(" ?!."):
            if current:
                return [section(is_away_text(current, await self._clients_of(engineer)))]
            return [section(nobody_away_text(away.values()))]
        people = [found["person"] for found in PERSON.finditer(words)]
        if not people and current:
            people = [current.colleague]
        until = await self._until(engineer, PERSON.sub(" ", words), now)
        colleague = await self._colleague(engineer, people, away)
        absence = Absence(engineer, colleague, now, until)
        if current is None or (current.colleague, current.until) != (colleague, until):
            async with self._services.database.begin() as session:
                await handled_requests.claim(session, request.request_key, now)
                await absences.put(session, absence)
            self._services.tasks.spawn(self.look(), "cover for an engineer")
        return [section(is_away_text(absence, await self._clients_of(engineer)))]

    async def back(self, request: Request, _words: str = "") -> EphemeralReply:
        """End an engineer's absence: they get their clients back."""
        engineer = (await self._engineer(request.person)).user_id
        away, now = await self._away(), self._services.clock()
        if engineer not in away:
            return [section(nobody_away_text(away.values()))]
        async with self._services.database.begin() as session:
            await handled_requests.claim(session, request.request_key, now)
            await absences.end(session, engineer, now)
        self._services.tasks.spawn(self.look(), "give clients back")
        colleague = mention(away[engineer].colleague)
        return [section(f"Welcome back! {colleague} gives your clients back to you now.")]

    async def _until(self, engineer: str, words: str, now: datetime) -> datetime:
        """Return the morning of the business day that `words` specify."""
        typed = re.sub(r"\A\W+(?=\w)|\W+\Z", "", " ".join(words.split()))
        found = UNTIL.match(typed)
        text = typed[found.end() :].strip() if found else typed
        if not text:
            raise Refused(f"Until when? {EXAMPLE}")
        if unknown := re.search(r"@\S+", text):
            raise Refused(
                f"I don't know who {escape(unknown[0])} is. Pick your colleague from "
                "the list that Slack shows after `@`."
            )
        timezone = None
        with suppress(OnboardingError):  # then the business's time zone is used
            timezone = await self._services.directory.timezone(engineer)
        calendar = calendar_of(timezone, self._services.stall.timezone)
        today = now.astimezone(calendar.zone).date()
        day = day_in(text, today)
        if day is None:
            raise Refused(f"I can't read “{escape(text)}” as a day. {EXAMPLE}, or a date: `Dec 1`")
        if found and found["last"]:
            day += timedelta(days=1)
        if day <= today:
            raise Refused(f"“{escape(text)}” isn't in the future. {EXAMPLE}, or a date: `Dec 1`")
        if day - today > LONGEST:
            raise Refused(
                "That's more than a year from now. Hand your clients over instead: "
                "`/servicetitan assign @lee all of mine`"
            )
        return calendar.open_from(datetime.combine(day, time.min, calendar.zone))

    async def _colleague(
        self, engineer: str, people: Sequence[str], away: Mapping[str, Absence]
    ) -> str:
        """Return the colleague who covers; raises Refused if they can't."""
        if len(people) != 1:
            raise Refused(f"Who covers for you? {EXAMPLE}")
        [colleague] = people
        if colleague == engineer:
            raise Refused(f"That's you. Who covers for you? {EXAMPLE}")
        if not await self._services.directory.is_engineer(colleague):
            raise Refused(f"{mention(colleague)} isn't a HeavySet engineer.")
        if absence := away.get(colleague):
            raise Refused(
                f"{mention(colleague)} is away too, until {when(absence.until)}. Who else could "
                "cover for you?"
            )
        return colleague

    async def _clients_of(self, engineer: str) -> int:
        return await self._services.read(absences.clients_of, engineer)

    async def look(self) -> None:
        """Reassign clients according to who is away, including new clients and after downtime."""
        async with self._looking:
            services, now = self._services, self._services.clock()
            async with services.database.begin(write=False, background=True) as session:
                known = await absences.all_of(session)
                away = away_at(known, now)
                theirs = await absences.in_hands_of(session, away.keys()) if away else ()
                returning = dict(await absences.to_hand_back(session, away.keys(), BATCH))
            moving = [one for one, by, owner in theirs if covering(by, owner, away)][:BATCH]
            await for_each(moving, partial(self._move, partial(cover, away=away, now=now)))
            for engineer in dict.fromkeys(returning.values()):
                left = not await services.directory.is_engineer(engineer)
                giving = partial(hand_back, now=now, stays=left)
                own = [one for one, owner in returning.items() if owner == engineer]
                await for_each(own, partial(self._move, giving))
            if max(len(moving), len(returning)) < BATCH:
                for absence in known:
                    engineer = absence.engineer
                    colleague = stand_in(away, engineer) if engineer in away else ""
                    await self._tell_of(absence, colleague)

    async def _move(self, transition: Callable[[Onboarding], Change], onboarding_id: str) -> None:
        services = self._services
        with suppress(Refused):  # another worker did it
            await change(services.database, onboarding_id, transition)
            services.publisher.wake(onboarding_id)

    async def _tell_of(self, absence: Absence, colleague: str) -> None:
        """Tell the engineering channel once who covers; without a `colleague`, who is back."""
        services, slot = self._services, away_slot(absence) if colleague else back_slot(absence)
        if slot in self._told:
            return

        async def line(_since: datetime) -> Message:
            clients = await self._clients_of(absence.engineer)
            if colleague:
                return away_message(absence, colleague, clients)
            left = not await services.directory.is_engineer(absence.engineer)
            return back_message(absence, clients, left=left)

        if not await services.notices.post(slot, line):
            return
        if colleague:
            self._told.add(slot)
            return
        async with services.database.begin() as session:
            await notices.drop(session, away_slot(absence))
            await absences.drop(session, absence)
