"""Values that somebody wrote where others read them."""

from bot.exposure import candidates, looks_like
from bot.mrkdwn import listed
from bot.onboarding import Onboarding
from bot.people import Actor
from bot.use_cases.base import Request, UseCase
from bot.use_cases.words import Reply
from storage import credentials, onboardings


class Exposure(UseCase):
    """Looks at what people write; nothing is decrypted for it, and the text is kept nowhere."""

    async def look(self, request: Request, thread_ts: str | None, text: str) -> Reply | None:
        """Return what the writer is told if `text` bears a value; the thread is told as well."""
        found = await self._find(request.channel, thread_ts, text)
        reply = None
        for onboarding_id, fields in found.items():
            names = tuple(sorted(fields))
            after = await self._expose(request, onboarding_id, names)
            reply = Reply(onboarding_id, _warning(after, names))
        return reply

    async def _expose(
        self, request: Request, onboarding_id: str, names: tuple[str, ...]
    ) -> Onboarding:
        onboarding, person = await self._get(onboarding_id), request.person
        role = await self._services.directory.role(person, onboarding)
        actor = Actor(person.user_id, person.team_id, role)
        one = Request(person, request.channel, f"{request.delivery}:{onboarding_id}")
        return await self._change(one, onboarding_id, lambda at, now: at.expose(names, actor, now))

    async def _find(self, channel: str, thread_ts: str | None, text: str) -> dict[str, set[str]]:
        services = self._services
        shaped = looks_like(text, services.shelf.newest.credentials)
        marks = {mark for one in candidates(text) for mark in services.vault.fingerprints(one)}
        if not shaped and not marks:
            return {}
        found: dict[str, set[str]] = {}
        async with services.database.begin(write=False) as session:
            for onboarding_id, name in await credentials.known_in(session, channel, marks):
                found.setdefault(onboarding_id, set()).add(name)
            if shaped and not found:
                running = await onboardings.running_in(session, services.shelf, channel)
                # Nobody has entered it yet: whose it is, only the thread can tell.
                of_thread = [one for one in running if one.thread_ts == thread_ts]
                found = {one.id: set(shaped) for one in of_thread or running}
        return found


def _warning(onboarding: Onboarding, names: tuple[str, ...]) -> str:
    fields = [onboarding.guide.field(name) for name in names]
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
