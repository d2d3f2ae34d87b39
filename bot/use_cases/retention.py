"""Keeping the credentials of an onboarding that stands still."""

from bot.core.mrkdwn import escape, when
from bot.onboarding.retention import keep_credentials
from bot.use_cases.services import Request
from bot.use_cases.use_case import UseCase


class Retention(UseCase):
    """Engineering is asked by `bot.use_cases.expiry`; here is its answer."""

    async def keep(self, request: Request, onboarding_id: str) -> str:
        """Keep the credentials for as long again; return what was done."""
        actor, keep = await self._engineer(request.person), self._services.retain_for
        after = await self._change(
            request, onboarding_id, lambda at, now: keep_credentials(at, actor, now, now + keep)
        )
        until = f" I'll ask again {when(after.retained.until)}." if after.retained else ""
        return f"The credentials of *{escape(after.client_name)}* are kept.{until}"
