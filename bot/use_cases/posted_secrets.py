"""Finds credentials that someone posted where others can read them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from bot.core.english import listed
from bot.core.errors import Repeated, Unavailable, UnreadableRow
from bot.core.loops import for_each
from bot.guide import Guide
from bot.onboarding import Onboarding
from bot.onboarding.people import Actor, Role
from bot.onboarding.posted_secrets import record_posted_secret
from bot.onboarding.secret_scan import candidates, contains_password, forms, guesses, shaped
from bot.use_cases.services import Request
from bot.use_cases.typed_secrets import is_guessing
from bot.use_cases.use_case import UseCase
from storage import credentials, handled_requests, onboardings, status

POSTED_LOGIN = (
    "⚠️ Your message looks like it has a password in it, and everyone here can see it. Please "
    "delete it and change that password. We don't need one: your own admin can do these steps."
)

# The same for a look-alike and for another client's secret, so nobody learns which it is.
LOOKS_LIKE_ONE = (
    "⚠️ Your message looks like it has a secret in it, and everyone here can see it. Please delete "
    "it now. If it's a real one, create a new one and use *Enter securely*."
)


@dataclass(frozen=True, slots=True)
class Found:
    """The pieces of a text that are, or could become, an onboarding's credentials, by field."""

    stored: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    new: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


class PostedSecrets(UseCase):
    """Checks what people write, using only fingerprints; the text isn't stored anywhere."""

    async def look(self, request: Request, thread_ts: str | None, text: str) -> str | None:
        """Return a warning for the author if `text` has a credential; the thread shows one too.

        The warning is only private and general, and no step changes, if this is not the
        credential's channel, or if the text only looks like a secret or a password.
        Raises Repeated if all of it was reported before.
        """
        shaped_as = shaped(text, self._services.database.guides.fields)
        found, replies = await self._find(request, thread_ts, text, shaped_as), []

        async def expose(onboarding_id: str) -> None:
            one = found[onboarding_id]
            try:
                onboarding = await self._expose(request, onboarding_id, one)
            except UnreadableRow:  # named in the log; warn the author anyway
                replies.append(LOOKS_LIKE_ONE)
                return
            names = {*one.stored, *one.new, *shaped_as}
            # Whether people in this channel may know which client the credential belongs to.
            if request.channel in (onboarding.channel, self._services.engineering_channel):
                replies.insert(0, _warning(onboarding.guide, names))
            else:
                replies.append(LOOKS_LIKE_ONE)

        await for_each(found, expose)
        if found and not replies:
            raise Repeated
        if replies:
            return replies[0]
        if shaped_as:
            return await self._told_once(request, LOOKS_LIKE_ONE)
        if contains_password(text) and await self._is_for_clients(request.channel):
            return await self._told_once(request, POSTED_LOGIN)
        return None

    async def _told_once(self, request: Request, warning: str) -> str:
        """Warn about something that isn't a known credential; it isn't stored anywhere."""
        services = self._services
        async with services.database.begin() as session:
            key = request.part("looks").request_key
            await handled_requests.claim(session, key, services.clock())
        return warning

    async def _is_for_clients(self, channel: str) -> bool:
        """Whether a client is, or was, onboarded in this channel, or it is engineering's."""
        services = self._services
        if channel == services.engineering_channel:
            return True
        return bool(await services.read(status.overview_in, channel))

    async def _expose(self, request: Request, onboarding_id: str, found: Found) -> Onboarding:
        services, person = self._services, request.person
        onboarding = await self._get(onboarding_id)
        try:
            role = await services.directory.role_in(onboarding, person)
        except Unavailable:  # report it right away, no matter who posted it
            role = Role.NOBODY
        elsewhere: bool | str = request.channel != onboarding.channel
        if elsewhere and request.channel != services.engineering_channel:
            elsewhere = request.channel
        posted = partial(
            record_posted_secret,
            fields=sorted({*found.stored, *found.new}),
            actor=Actor(person.user_id, person.team_id, role),
            fingerprints=self._fingerprints(found),
            elsewhere=elsewhere,
            reopen=found.stored,
        )
        return await self._change(request.part(onboarding_id), onboarding_id, posted)

    def _fingerprints(self, found: Found) -> frozenset[str]:
        """Return the fingerprints that recognize the secrets if somebody enters them later."""
        return frozenset(
            self._services.vault.fingerprint(form)
            for name, pieces in (*found.stored.items(), *found.new.items())
            if name in self._secret
            for piece in pieces
            for form in forms(piece)
        )

    async def _find(
        self,
        request: Request,
        thread_ts: str | None,
        text: str,
        shaped_as: Mapping[str, Collection[str]],
    ) -> dict[str, Found]:
        """Return what was found, by onboarding: any value in this channel, secrets elsewhere."""
        services, channel = self._services, request.channel
        words = candidates(text).union(*(forms(one) for some in shaped_as.values() for one in some))
        by_fingerprint = {
            fingerprint: word for word in words for fingerprint in services.vault.fingerprints(word)
        }
        if not by_fingerprint:
            return {}
        running: Sequence[Onboarding] = []
        async with services.database.begin(write=False) as session:
            stored = await credentials.matches(session, by_fingerprint)
            if shaped_as or guesses(text):
                with suppress(UnreadableRow):
                    running = await onboardings.running_in(session, channel)
        tried = [await is_guessing(services, request, one, text) for one in running]
        found: dict[str, Found] = defaultdict(Found)
        seen: set[str] = set()
        for one in stored:
            if one.field in self._secret or (one.channel == channel and not any(tried)):
                found[one.onboarding_id].stored[one.field].add(by_fingerprint[one.fingerprint])
            seen |= forms(by_fingerprint[one.fingerprint])
        # The others aren't stored yet, so only the thread shows whose they are.
        whose = [one for one in running if one.thread_ts == thread_ts] or running
        for name, pieces in shaped_as.items():
            unknown = {piece for piece in pieces if not forms(piece) & seen}
            for onboarding in whose if unknown else ():
                if onboarding.asks_for(name) and await self._takes_part(request, onboarding):
                    found[onboarding.id].new[name] |= unknown
        return found

    async def _takes_part(self, request: Request, onboarding: Onboarding) -> bool:
        """Whether the author is from the client or HeavySet, or may be if Slack doesn't say."""
        try:
            role = await self._services.directory.role_in(onboarding, request.person)
            return role is not Role.NOBODY
        except Unavailable:
            return True

    @property
    def _secret(self) -> set[str]:
        return {field.id for field in self._services.database.guides.fields if field.is_secret}


def _warning(guide: Guide, names: Collection[str]) -> str:
    fields = sorted((one for one in guide.credentials if one.id in names), key=lambda one: one.id)
    secret = [one for one in fields if one.is_secret]
    labels = listed(one.label for one in fields)
    text = (
        f"⚠️ Your message includes the {labels}, and everyone here can see it. Please delete it now."
    )
    if not secret:
        return f"{text} Use *Enter securely* for IDs and keys."
    steps = listed(f"step {one.step}" for one in secret)
    return (
        f"{text} Others may have seen it, so create a new one ({steps}) and use *Enter securely*."
    )
