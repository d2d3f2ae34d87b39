"""Values that somebody wrote where others read them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import suppress

from bot.credentials import CredentialField
from bot.errors import Repeated, Unavailable, UnreadableRow
from bot.exposure import candidates, shaped
from bot.guide import Guide
from bot.loops import each
from bot.mrkdwn import listed
from bot.onboarding import Onboarding
from bot.people import Actor, Role
from bot.use_cases.base import Request, UseCase
from bot.use_cases.words import Reply
from storage import credentials, onboardings

# The pieces of a text that are, or look like, values: by field.
Found = dict[str, set[str]]


class Exposure(UseCase):
    """Looks at what people write; nothing is decrypted for it, and the text is kept nowhere."""

    async def look(self, request: Request, thread_ts: str | None, text: str) -> Reply | None:
        """Return what the writer is told if `text` bears a value; the thread is told as well.

        Raises Repeated if all of it was told before.
        """
        found, replies = await self._find(request.channel, thread_ts, text), []

        async def expose(onboarding_id: str) -> None:
            try:
                guide = (await self._expose(request, onboarding_id, found[onboarding_id])).guide
            except UnreadableRow:  # named in the log; the writer is warned all the same
                guide = self._services.shelf.newest
            replies.append(Reply(onboarding_id, _warning(guide, found[onboarding_id])))

        await each(found, expose)
        if found and not replies:
            raise Repeated
        return replies[-1] if replies else None

    async def _expose(self, request: Request, onboarding_id: str, found: Found) -> Onboarding:
        names, marks = tuple(sorted(found)), self._marks(found)
        onboarding, person = await self._get(onboarding_id), request.person
        try:
            role = await self._role(person, onboarding)
        except Unavailable:  # what was posted is told of at once, whoever it was
            role = Role.NOBODY
        actor = Actor(person.user_id, person.team_id, role)
        one = Request(person, request.channel, f"{request.delivery}:{onboarding_id}")
        return await self._change(
            one, onboarding_id, lambda at, now: at.expose(names, actor, now, marks)
        )

    def _marks(self, found: Found) -> frozenset[str]:
        """The digests by which the secrets are known again if somebody enters them later."""
        secret = {field.id for field in self._fields if field.telltale}
        return frozenset(
            self._services.vault.mark(piece)
            for name, pieces in found.items()
            for piece in pieces
            if name in secret
        )

    async def _find(self, channel: str, thread_ts: str | None, text: str) -> dict[str, Found]:
        """Return what was found: by onboarding, by field, the pieces of the text."""
        services = self._services
        new = {name: set(pieces) for name, pieces in shaped(text, self._fields).items()}
        words = candidates(text).union(*new.values())
        by_mark = {mark: word for word in words for mark in services.vault.fingerprints(word)}
        if not by_mark:
            return {}
        found: dict[str, Found] = defaultdict(lambda: defaultdict(set))
        async with services.database.begin(write=False) as session:
            stored = await credentials.known(session, by_mark, channel=channel)
            running: Sequence[Onboarding] = []
            with suppress(UnreadableRow):
                if new:
                    running = await onboardings.running_in(session, services.shelf, channel)
        for one in stored:
            found[one.onboarding_id][one.field].add(by_mark[one.fingerprint])
        seen = {by_mark[one.fingerprint] for one in stored}
        # Nobody has entered the rest yet: whose it is, only the thread can tell.
        of_thread = [one for one in running if one.thread_ts == thread_ts]
        for name, pieces in new.items():
            for whose in (of_thread or running) if pieces - seen else ():
                if name in {field.id for field in whose.guide.credentials}:
                    found[whose.id][name] |= pieces - seen
        return found

    @property
    def _fields(self) -> Sequence[CredentialField]:
        return self._services.shelf.newest.credentials


def _warning(guide: Guide, names: Collection[str]) -> str:
    fields = sorted((one for one in guide.credentials if one.id in names), key=lambda one: one.id)
    secret = [field for field in fields if field.telltale]
    text = (
        f"⚠️ You just posted the {listed(field.label for field in fields)} where everybody in "
        "this channel reads it. Please delete your message now."
    )
    if not secret:
        return f"{text} Values belong into “Enter securely” only."
    steps = listed(f"step {field.step}" for field in secret)
    return (
        f"{text} Treat it as known to others: make a new one ({steps}), and enter that with "
        "“Enter securely”."
    )
