"""Entering credentials: checked, encrypted, stored."""

import asyncio
import json
from collections.abc import Mapping
from functools import partial

from pydantic import SecretStr

from bot.core.errors import Refused
from bot.core.typed_text import half_width
from bot.guide.credential_checks import Problem, check
from bot.guide.credential_fields import mask
from bot.onboarding import BOT, EventKind, Onboarding
from bot.onboarding.credentials import enter_credentials, must_accept
from bot.onboarding.permissions import Permission
from bot.onboarding.posted_secrets import record_posted_secret
from bot.onboarding.redaction import free_text
from bot.onboarding.secret_scan import contains_value, forms
from bot.onboarding.throttling import CHECKS, REPLACEMENTS, in_minutes
from bot.use_cases.authorization import must_have_opened
from bot.use_cases.services import InvalidInput, Request
from bot.use_cases.use_case import UseCase
from bot.views import modals
from bot.views.forms import View
from bot.views.ids import CONFIRM_UNUSUAL, FormRef, StepRef
from storage import credentials, event_log, onboardings
from storage.session import Session
from storage.vault import Slot


class Credentials(UseCase):
    async def form(self, request: Request, ref: StepRef) -> View:
        """Return the form for the credentials of a step, or for just those that `ref` names."""
        onboarding = await self._get(ref.onboarding_id)
        actor = await self._actor(request, onboarding, Permission.CLIENT_STEP)
        at = onboarding.step(ref.step).number
        names = ref.fields or modals.fields_at(onboarding, at)
        if onboarding.finished_at:
            must_accept(onboarding, names, actor)
        if not names or not set(names).issubset(onboarding.guide.field_ids):
            raise Refused("Nothing to enter at this step.")
        return modals.credentials_modal(onboarding, request.form(onboarding.id, at, names))

    async def enter(
        self,
        request: Request,
        ref: FormRef,
        values: Mapping[str, SecretStr],
        *,
        confirmed: bool | None,
    ) -> View | None:
        """Check, encrypt and store credentials: all of them, or none.

        Raises InvalidInput for values that cannot be right. For unusual ones, returns the form that
        asks for confirmation; `confirmed` is the answer, None if the form hasn't asked.
        """
        (onboarding, stored), _ = await asyncio.gather(
            self._read(ref.onboarding_id), must_have_opened(self._services, request, ref)
        )
        await self._actor(request, onboarding, Permission.CLIENT_STEP)
        plain = {
            name: text
            for name in ref.fields
            if (text := half_width(values.get(name, SecretStr("")).get_secret_value()))
        }
        _must_be_complete(onboarding, ref, plain)
        onboarding = await self._look_in_texts(request, onboarding, plain)
        problems = check(onboarding.guide.credentials, plain, self._stored_as(plain, stored))
        if errors := self._errors(onboarding, plain, problems):
            raise InvalidInput(errors)
        if problems and confirmed is None:
            warnings = {name: problem.text for name, problem in problems.items()}
            return modals.credentials_modal(onboarding, ref, warnings)
        if problems and not confirmed:
            text = "Check the box if it's right. Otherwise, fix it above."
            raise InvalidInput({CONFIRM_UNUSUAL: text})
        await self._keep(request, ref, plain)
        return None

    def _errors(
        self, onboarding: Onboarding, plain: Mapping[str, str], problems: Mapping[str, Problem]
    ) -> dict[str, str]:
        """Return why values can't be used, by field: wrong, or posted in the channel before."""
        wrong = {n: one.text for n, one in problems.items() if one.is_certain}
        fingerprints = {
            fingerprint
            for posted in onboarding.posted_secrets
            for fingerprint in posted.fingerprints
        }
        fields = [onboarding.guide.field(name) for name in plain]
        return wrong | {
            field.id: f"This {field.label} was posted in the channel. Please create a new one "
            f"(step {field.step}) and enter that instead."
            for field in fields
            if field.is_secret and fingerprints & self._services.vault.fingerprints(plain[field.id])
        }

    async def _look_in_texts(
        self, request: Request, onboarding: Onboarding, plain: Mapping[str, str]
    ) -> Onboarding:
        """Mark secrets as posted that somebody wrote earlier, and return the onboarding.

        For example in a question, when it wasn't known yet that the text was a secret.
        """
        guide, vault = onboarding.guide, self._services.vault
        errors = self._errors(onboarding, plain, check(guide.credentials, plain, {}))
        secret = {
            name: value
            for name, value in plain.items()
            if guide.field(name).is_secret and name not in errors
        }
        if not secret:
            return onboarding
        events = await self._services.read(event_log.events_of, onboarding.id)
        for name, value in secret.items():
            telling = [
                one for one in events if any(contains_value(t, value) for t in free_text(one))
            ]
            if not telling and not contains_value(onboarding.client_name, value):
                continue
            fingerprints = {vault.fingerprint(form) for form in forms(value)}
            found = partial(
                record_posted_secret,
                fields=[name],
                actor=telling[0].actor if telling else BOT,
                fingerprints=fingerprints,
                reopen=(),
                texts=[event.at for event in telling],
            )
            one = request.part(f"{name}:{min(fingerprints)}")
            onboarding = await self._change(one, onboarding.id, found)
        return onboarding

    async def _keep(self, request: Request, ref: FormRef, plain: Mapping[str, str]) -> None:
        vault = self._services.vault
        # The same values from the same form are a repeated request: its answer may have been lost.
        fingerprint = vault.fingerprint(json.dumps(plain, sort_keys=True))
        request = request.part(fingerprint)
        masks = {name: mask(value) for name, value in plain.items()}

        async def put(session: Session, after: Onboarding) -> None:
            first = next(iter(plain))
            await _must_be_slow(session, after, first)
            sealed = [
                vault.seal(
                    Slot(after.id, name, after.credentials[name].version, masks[name]),
                    SecretStr(value),
                )
                for name, value in plain.items()
            ]
            await credentials.put(session, sealed, after.credentials[first].by, after.active_at)

        after = await self._act(
            request,
            ref.onboarding_id,
            Permission.CLIENT_STEP,
            partial(enter_credentials, step=ref.step, masks=masks),
            put,
        )
        if after.verification:
            self._services.verification_runner.wake(after.id)

    async def _read(self, onboarding_id: str) -> tuple[Onboarding, dict[str, str]]:
        """Return an onboarding and the fingerprints of its stored values, by field."""
        services = self._services
        async with services.database.begin(write=False) as session:
            onboarding = await onboardings.get(session, onboarding_id)
            return onboarding, await credentials.fingerprints(session, onboarding_id)

    def _stored_as(self, plain: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, str]:
        """Return, by field, the other field under which its value is already stored."""
        found: dict[str, str] = {}
        for name, value in plain.items():
            fingerprints = self._services.vault.fingerprints(value)
            for other, fingerprint in stored.items():
                if other not in plain and fingerprint in fingerprints:
                    found[name] = other
        return found


def _must_be_complete(onboarding: Onboarding, ref: FormRef, plain: Mapping[str, str]) -> None:
    required = modals.required_fields(onboarding, ref)
    missing = [name for name in required if name not in plain]
    if missing or not plain:
        raise InvalidInput(
            {
                name: f"Please enter the {onboarding.guide.field(name).label}."
                for name in missing or ref.fields[:1]
            }
        )


async def _must_be_slow(session: Session, after: Onboarding, name: str) -> None:
    """Raise InvalidInput, so nothing is stored, if the platform would be called too often.

    The history already contains the events of this entry.
    """
    kind, rate = EventKind.VERIFICATION_REQUESTED, CHECKS
    no_check = after.missing or not after.guide.is_checked
    if no_check:
        kind, rate = EventKind.CREDENTIAL_REPLACED, REPLACEMENTS
    now = after.active_at
    times = [event.at for event in await event_log.events_of(session, after.id, kind)]
    before = [at for at in times if at < now] if no_check else times[:-1]
    if wait := rate.wait(before, now):
        raise InvalidInput(
            {
                name: f"These credentials were changed {rate.most} times in the last hour. Please "
                f"look up the right one in {after.guide.platform} and enter it {in_minutes(wait)}."
            }
        )
