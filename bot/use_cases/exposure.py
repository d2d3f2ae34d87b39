"""Values that somebody wrote where others read them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.credentials import CredentialField
from bot.errors import Repeated, Unavailable, UnreadableRow
from bot.exposure import bears_password, candidates, forms, shaped
from bot.guide import Guide
from bot.loops import each
from bot.mrkdwn import listed
from bot.onboarding import Onboarding
from bot.people import Actor, Role
from bot.use_cases.base import Request, UseCase
from bot.use_cases.words import Reply
from storage import credentials, deliveries, onboardings, overviews

POSTED_LOGIN = (
    "⚠️ Your message looks like it has a password in it, and everyone here can see it. Please "
    "delete it and change that password. We don't need one: your own admin can do these steps."
)

# The pieces of a text that are, or look like, values: by field.
Found = dict[str, set[str]]


class Exposure(UseCase):
    """Looks at what people write; nothing is decrypted for it, and the text is kept nowhere."""

    async def look(self, request: Request, thread_ts: str | None, text: str) -> Reply | None:
        """Return what the writer is told if `text` bears a value; the thread is told as well.

        A password is told of to its writer alone. Raises Repeated if all of it was told before.
        """
        found, replies = await self._find(request.channel, thread_ts, text), []
        if not found:
            return await self._look_for_looks(request, text)

        async def expose(onboarding_id: str) -> None:
            try:
                guide = (await self._expose(request, onboarding_id, found[onboarding_id])).guide
            except UnreadableRow:  # named in the log; the writer is warned all the same
                guide = self._services.shelf.newest
            replies.append(Reply(onboarding_id, _warning(guide, found[onboarding_id])))

        await each(found, expose)
        if not replies:
            raise Repeated
        return replies[-1]

    async def _look_for_looks(self, request: Request, text: str) -> Reply | None:
        """Return a warning of what is no value of a client's, or not yet; it is kept nowhere."""
        services, channel = self._services, request.channel
        secret = shaped(text, self._fields) if channel == services.engineering_channel else {}
        if secret:
            warning = _warning(services.shelf.newest, secret)
        elif bears_password(text) and await self._is_onboarded(channel):
            warning = POSTED_LOGIN
        else:
            return None
        async with services.database.begin() as session:
            await deliveries.claim(session, f"{request.delivery}:looks", services.clock())
        return Reply("", warning)

    async def _is_onboarded(self, channel: str) -> bool:
        services = self._services
        if channel == services.engineering_channel:
            return True
        async with services.database.begin(write=False) as session:
            return bool(await overviews.overview_in(session, services.shelf, channel))

    async def _expose(self, request: Request, onboarding_id: str, found: Found) -> Onboarding:
        names, marks = tuple(sorted(found)), self._marks(found)
        onboarding, person = await self._get(onboarding_id), request.person
        try:
            role = await self._role(person, onboarding)
        except Unavailable:  # what was posted is told of at once, whoever it was
            role = Role.NOBODY
        actor = Actor(person.user_id, person.team_id, role)
        one = Request(person, request.channel, f"{request.delivery}:{onboarding_id}")
        elsewhere = request.channel == self._services.engineering_channel
        return await self._change(
            one,
            onboarding_id,
            lambda at, now: at.expose(names, actor, now, marks, elsewhere=elsewhere),
        )

    def _marks(self, found: Found) -> frozenset[str]:
        """The digests by which the secrets are known again if somebody enters them later."""
        secret = {field.id for field in self._fields if field.telltale}
        return frozenset(
            self._services.vault.mark(form)
            for name, pieces in found.items()
            for piece in pieces
            for form in forms(piece)
            if name in secret
        )

    async def _find(self, channel: str, thread_ts: str | None, text: str) -> dict[str, Found]:
        """Return what was found: by onboarding, by field, the pieces of the text."""
        services = self._services
        new = {name: set(pieces) for name, pieces in shaped(text, self._fields).items()}
        pieces = set().union(*new.values())
        words = candidates(text).union(*map(forms, pieces))
        by_mark = {mark: word for word in words for mark in services.vault.fingerprints(word)}
        if not by_mark:
            return {}
        found: dict[str, Found] = defaultdict(lambda: defaultdict(set))
        async with services.database.begin(write=False) as session:
            stored = await self._stored(session, by_mark, channel)
            running: Sequence[Onboarding] = []
            with suppress(UnreadableRow):
                if new:
                    running = await onboardings.running_in(session, services.shelf, channel)
        for one in stored:
            found[one.onboarding_id][one.field].add(by_mark[one.fingerprint])
        seen = {form for one in stored for form in forms(by_mark[one.fingerprint])}
        # Nobody has entered the rest yet: whose it is, only the thread can tell.
        of_thread = [one for one in running if one.thread_ts == thread_ts]
        for name, pieces in new.items():
            unknown = {piece for piece in pieces if not forms(piece) & seen}
            for whose in (of_thread or running) if unknown else ():
                if name in {field.id for field in whose.guide.credentials}:
                    found[whose.id][name] |= unknown
        return found

    async def _stored(
        self, session: AsyncSession, marks: Iterable[str], channel: str
    ) -> Sequence[credentials.Known]:
        """Return the stored values that were written in a channel.

        In the engineering channel any client's secrets count; ids are talked about there.
        """
        if channel != self._services.engineering_channel:
            return await credentials.known(session, marks, channel=channel)
        secret = {field.id for field in self._fields if field.telltale}
        return [one for one in await credentials.known(session, marks) if one.field in secret]

    @property
    def _fields(self) -> Sequence[CredentialField]:
        return self._services.shelf.newest.credentials


def _warning(guide: Guide, names: Collection[str]) -> str:
    fields = sorted((one for one in guide.credentials if one.id in names), key=lambda one: one.id)
    secret = [field for field in fields if field.telltale]
    labels = listed(field.label for field in fields)
    text = (
        f"⚠️ Your message includes the {labels}, and everyone here can see it. Please delete it now."
    )
    if not secret:
        return f"{text} Use *Enter securely* for IDs and keys."
    steps = listed(f"step {field.step}" for field in secret)
    return (
        f"{text} Others may have seen it, so create a new one ({steps}) and use *Enter securely*."
    )
