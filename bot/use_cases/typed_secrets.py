"""Credentials in text where they don't belong: a question, a reason, a client's name."""

import logging

from bot.core.errors import NotAllowed
from bot.onboarding import Onboarding
from bot.onboarding.permissions import Permission
from bot.onboarding.secret_scan import candidates, guesses, shaped
from bot.onboarding.throttling import GUESSES, GUESSES_AT_ONCE
from bot.use_cases.authorization import Denied, record_denial
from bot.use_cases.services import Request, Services
from storage import credentials, throttling

log = logging.getLogger(__name__)


async def secret_in(
    services: Services, text: str, onboarding: Onboarding | None = None
) -> str | None:
    """Return the label of a credential in `text`: by its format, or because it is stored.

    Compared only with values of `onboarding`, where the author may act: nobody learns about
    another client's. The text itself isn't stored anywhere.
    """
    fields = onboarding.guide.credentials if onboarding else services.database.guides.fields
    found = list(shaped(text, fields))
    if not found and onboarding:
        fingerprints = set().union(*map(services.vault.fingerprints, candidates(text)))
        stored = await services.read(credentials.matches, fingerprints)
        found = [one.field for one in stored if one.onboarding_id == onboarding.id]
    labels = {field.id: field.label for field in fields}
    return labels.get(found[0], "credential") if found else None


async def is_guessing(
    services: Services, request: Request, onboarding: Onboarding, text: str
) -> bool:
    """Whether someone seems to be guessing stored values; if so, the history records it.

    What they write must then not be compared with stored values.
    """
    person = request.person
    if not (count := guesses(text)):
        return False
    key = f"guess:{onboarding.id}:{person.team_id}:{person.user_id}"
    async with services.database.begin() as session:
        recent = await throttling.count(session, key, count, services.clock(), GUESSES.within)
    if count <= GUESSES_AT_ONCE and recent <= GUESSES.most:
        return False
    log.warning("someone is trying many values", extra={"user": person.user_id, "count": count})
    denied = Denied(Permission.GUESS, NotAllowed("Too many."))
    await record_denial(services, person, onboarding.id, denied)
    return True
