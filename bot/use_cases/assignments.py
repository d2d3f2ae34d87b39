"""`/servicetitan assign`: one client, several, or all of an engineer's."""

import asyncio
from collections.abc import Sequence
from functools import partial

from bot.core.deadline import detached_task, seconds_left
from bot.core.errors import Refused
from bot.core.mrkdwn import escape, mention
from bot.onboarding import Onboarding
from bot.onboarding.assignment import assign, stand_in
from bot.use_cases.lookup import clients_of
from bot.use_cases.services import Request
from bot.use_cases.slash_command import Assignment, assignment
from bot.use_cases.use_case import Transition, UseCase
from bot.views.assignments import reassigned_answer
from bot.views.blocks import EphemeralReply
from bot.views.reply_texts import refusal_text
from storage import onboardings

WHO = (
    "Who? For example: `/servicetitan assign @lee [client]`, `assign @lee Acme, "
    "Bolt`, `assign @lee all of @erin` or `assign @lee all of mine`"
)
# How long the reply waits for the changes, which are made either way.
AT_ONCE_SECONDS = 1.0
MOST_AT_ONCE = 500


class Assignments(UseCase):
    async def assign(self, request: Request, words: str) -> EphemeralReply:
        """Reassign the clients that `words` name; return which were reassigned, which not."""
        await self._engineer(request.person)
        wanted = assignment(words)
        if wanted is None:
            raise Refused(WHO)
        found, unknown = await self._meant(request, wanted)
        directory = self._services.directory
        if not await directory.is_engineer(wanted.engineer):
            raise Refused(f"{mention(wanted.engineer)} isn't a HeavySet engineer.")
        email = (await directory.profile(wanted.engineer)).email
        away = await self._away()
        whom = mention(wanted.engineer)
        if (colleague := stand_in(away, wanted.engineer)) != wanted.engineer:
            whom = f"{whom} (away: {mention(colleague)} covers)"
        assigned = partial(assign, engineer=wanted.engineer, email=email, away=away)
        if len(found) == 1 and not unknown:
            after = await self._change_as_engineer(request, found[0].id, assigned)
            return self._done(after, f"Reassigned to {whom}.")
        changed, refused = list[str](), list(unknown)
        work = self._assign_all(request, found, wanted.engineer, assigned, changed, refused)
        task = detached_task(work, "reassign clients")
        self._services.tasks.adopt(task)
        await asyncio.wait({task}, timeout=min(AT_ONCE_SECONDS, seconds_left(AT_ONCE_SECONDS)))
        left = len(found) - len(changed) - len(refused) + len(unknown)
        return reassigned_answer(whom, changed, refused, left)

    async def _meant(
        self, request: Request, wanted: Assignment
    ) -> tuple[Sequence[Onboarding], Sequence[str]]:
        """Return the onboardings to reassign, and why others can't be."""
        services = self._services
        source = request.person.user_id if wanted.mine else wanted.source
        if not source:
            return await clients_of(services, request.channel, wanted.clients)
        found = await services.read(onboardings.of_engineer, source, MOST_AT_ONCE)
        if not found:
            raise Refused(f"{mention(source)} has no open clients.")
        return found, []

    async def _assign_all(
        self,
        request: Request,
        found: Sequence[Onboarding],
        engineer: str,
        assigned: Transition,
        changed: list[str],
        refused: list[str],
    ) -> None:
        """Reassign them one by one; add those reassigned to `changed`, and reasons to `refused`."""
        for number, onboarding in enumerate(found):
            name, first = escape(onboarding.client_name), not changed
            # How many others will change, as far as is known.
            left = found[number + 1 :] if first else ()
            others = sum((one.covers_for or one.engineer) != engineer for one in left)
            change = partial(assigned, others=others, quiet=not first)
            try:
                await self._change_as_engineer(request.part(onboarding.id), onboarding.id, change)
                changed.append(name)
            except Refused as refusal:
                refused.append(f"{name}: {refusal_text(refusal)}")
