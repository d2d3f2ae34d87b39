"""Live clients: checks all of them at once, and tells them what to fix."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from secrets import token_hex

from bot.core.english import count
from bot.core.errors import Refused, Repeated
from bot.core.mrkdwn import channel_link, escape, mention, when
from bot.onboarding import Onboarding, Verification
from bot.onboarding.after_go_live import failing, tell_client, told_of
from bot.onboarding.history import lasting
from bot.onboarding.people import Person
from bot.use_cases.services import Request
from bot.use_cases.use_case import UseCase
from bot.verification.rechecks import lasts
from bot.views.blocks import EphemeralReply, section
from bot.views.check_all import ask_modal, key, names_of
from bot.views.forms import View
from bot.views.ids import FormRef, StepRef
from storage import rechecks
from storage.database import Conflict
from storage.rechecks import Round

ALL = ("all", "allclients", "everyone")
WHICH = (
    "For all live clients: `/servicetitan check all`. For one of them: `/servicetitan verify "
    "[client]`"
)


class AfterGoLive(UseCase):
    async def check_all(self, request: Request, words: str) -> EphemeralReply:
        """Start checking the credentials of all live clients, or report how far that is."""
        await self._engineer(request.person)
        if re.sub(r"\W", "", words).casefold() not in ALL:
            raise Refused(WHICH)
        async with self._services.database.begin(write=False) as session:
            clients = await rechecks.live_ids(session)
            running = await rechecks.running_round(session)
            checked = await rechecks.checked(session, running) if running else 0
        where = channel_link(self._services.engineering_channel)
        if running:
            text = (
                f"🔎 Already on it: checked {checked} of {len(running.clients)}. Started by "
                f"{mention(running.by_user)}, {when(running.started_at)}. Results show up in "
                f"{where}."
            )
            return [section(text)]
        if not clients:
            raise Refused("There's nothing to check: we don't keep any live client's credentials.")
        if not await self._start(request.person, clients):  # somebody else was faster
            return await self.check_all(request, words)
        took = lasts(len(clients))
        about = "about " if took >= timedelta(minutes=1) else ""
        text = (
            f"🔎 Checking {count(len(clients), 'live client')}. That takes {about}{lasting(took)}; "
            f"progress and results show up in {where}. Clients don't see any of it."
        )
        return [section(text)]

    async def _start(self, person: Person, clients: Sequence[str]) -> bool:
        """Start a round; False if one is running."""
        now = self._services.clock()
        one = Round(
            id=token_hex(8),
            by_user=person.user_id,
            by_team=person.team_id,
            started_at=now,
            clients=clients,
            position=0,
            next_at=now,
        )
        try:
            async with self._services.database.begin() as session:
                await rechecks.start_round(session, one)
        except Conflict:
            return False
        return True

    async def tell(self, request: Request, ref: StepRef) -> str:
        """Tell a client in the thread what to fix; return a line that says so."""
        after = await self._change_as_engineer(request, ref.onboarding_id, tell_client)
        return f"Done: *{escape(after.client_name)}* can read in the thread what to fix."

    async def ask_form(self, request: Request, value: str) -> View:
        """Return the form that lists the clients of a round to ask to fix a cause."""
        await self._engineer(request.person)
        round_id, _, reason = value.partition(":")
        to_ask, asked = await self._clients(round_id, reason)
        if to_ask:
            return ask_modal(request.form(round_id, 0, (reason,)), to_ask, asked)
        if asked:
            raise Refused(f"Already asked: {names_of(asked)}.")
        raise Refused("Nobody is left to ask: these work again, or their credentials are gone.")

    async def must_ask(self, request: Request, ref: FormRef) -> None:
        await self._submitter(request, ref)

    async def ask(self, request: Request, ref: FormRef) -> tuple[str, Sequence[str]]:
        """Tell the clients of the form, each once; return the channel, and what was done."""
        actor = await self._engineer(request.person)
        to_ask, _ = await self._clients(ref.onboarding_id, ref.fields[0])
        tell, told = partial(tell_client, actor=actor), []
        for onboarding, _ in to_ask:
            with suppress(Refused, Repeated):  # they have been told, or it works again
                one = request.part(onboarding.id)
                told.append(await self._change(one, onboarding.id, tell))
        await self._services.rounds.show_result(await self._round(ref.onboarding_id))
        if not told:
            return ref.channel, ["Nobody was left to ask."]
        return ref.channel, [f"✅ Asked {count(len(told), 'client')}: {names_of(told)}."]

    async def _clients(
        self, round_id: str, reason: str
    ) -> tuple[list[tuple[Onboarding, Verification]], list[Onboarding]]:
        """Return the clients of a round that still fail for a reason: to ask, and asked before."""
        found = await self._services.rounds.results(await self._round(round_id))
        runs = [(one, run) for one, _ in found if (run := failing(one)) and key(run) == reason]
        to_ask = [(one, run) for one, run in runs if not told_of(one, run)]
        return to_ask, [one for one, run in runs if told_of(one, run)]

    async def _round(self, round_id: str) -> Round:
        found = await self._services.read(rechecks.get_round, round_id)
        if found is None:
            raise Refused(
                "This round isn't on record anymore. Please run `/servicetitan check all` again."
            )
        return found
