"""The verification that a guide declares: sign in, then read what it names, in its order.

A request that does not pass ends it; the later ones are reported as not checked. Credentials are
sent to sign in and nowhere else, and no text of the report holds one.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr

from bot.guide import Guide
from bot.guide.http_checks import HttpChecks, Request, Token, cause_of, id_of
from bot.guide.remedies import GAP
from bot.onboarding.report import Outcome, Report
from bot.verification import diagnosis
from bot.verification.answers import Answer
from bot.verification.errors import NoAnswer, Reason, RequestError, TooManyRequests, no_use
from bot.verification.remedies import Finding
from bot.verification.sender import Sender, fits_a_header, sendable

LONGEST_TOKEN = 7000  # servers usually accept 8 kB of headers


async def verify_http(
    guide: Guide,
    checks: HttpChecks,
    sender: Sender,
    values: Mapping[str, SecretStr],
    *,
    now: Callable[[], datetime],
) -> Report:
    """Make the requests of `checks` with `values`, by field; nothing is raised."""
    began, run = now(), _Run(checks, sender, values, now)
    findings = [diagnosis.shape(guide, values)]
    for request in checks.in_order:
        if findings[-1].outcome is Outcome.PASSED:
            findings.append(await run.ask(request))
        else:
            findings.append(Finding(id_of(request), "not run", "later", title=request.title))
    return Report(
        checks=tuple(one.check_of(guide) for one in findings),
        started_at=began,
        duration_ms=_ms(now() - began),
        environment=checks.api.partition("://")[2].partition("/")[0],
    )


class _Run:
    def __init__(
        self,
        checks: HttpChecks,
        sender: Sender,
        values: Mapping[str, SecretStr],
        now: Callable[[], datetime],
    ) -> None:
        self._checks, self._sender, self._values, self._now = checks, sender, values, now
        self._bearer = ""

    async def ask(self, request: Request | Token) -> Finding:
        """Make a request, again while that may help, and return what was found."""
        began = self._now()

        async def status_of() -> int:
            return await self._status(request)

        try:
            status = await self._sender.with_retries(status_of)
            cause = self._cause(request, status)
            told = f"HTTP {status}"
        except RequestError as error:
            cause, told = _cause_of_error(error), str(error)
        what = f"GET {request.path}" if isinstance(request, Request) else "token"
        told = f"{what}: {told}, {_ms(self._now() - began)} ms"
        return Finding(id_of(request), told, cause, title=request.title, passed=request.passed)

    async def _status(self, request: Request | Token) -> int:
        """Send `request` once; return the status of an answer that comes from the platform."""
        if isinstance(request, Token):
            form = {
                "grant_type": "client_credentials",
                "client_id": self._plain(request.client_id),
                "client_secret": self._plain(request.client_secret),
            }
            answer = await self._sender.send("POST", request.url, data=form)
        else:
            answer = await self._sender.send("GET", self._checks.api + request.path, **self._auth())
        if error := no_use(answer):
            raise error
        # A gateway's page says nothing about the values, whatever its status.
        if answer.status in range(300, 400) or not answer.is_json:
            raise NoAnswer(Reason.ELSEWHERE, status=answer.status)
        if isinstance(request, Token) and answer.status == 200:
            self._bearer = _bearer(answer)
        return answer.status

    def _cause(self, request: Request | Token, status: int) -> str:
        """Return what a status means: nothing if it is the expected one."""
        if status == (request.expect if isinstance(request, Request) else 200):
            return ""
        return cause_of(request, status) if status in request.remedies else "unclear"

    def _auth(self) -> dict[str, Any]:
        """Return how a request is signed in: its headers, and perhaps a user and a password."""
        headers = {name: self._filled(value) for name, value in self._checks.headers.items()}
        if self._checks.token:
            headers["Authorization"] = f"Bearer {self._bearer}"
        if basic := self._checks.basic:
            pair = f"{self._plain(basic.user)}:{self._plain(basic.password)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return {"headers": headers}

    def _filled(self, value: str) -> str:
        return GAP.sub(lambda gap: self._plain(gap[1]), value)

    def _plain(self, field: str) -> str:
        return sendable(self._values[field])


def _bearer(answer: Answer) -> str:
    """Return the access token of an answer; raises NoAnswer if there is none."""
    token = (answer.body or {}).get("access_token")
    if not isinstance(token, str) or not fits_a_header(token) or len(token) > LONGEST_TOKEN:
        raise NoAnswer(Reason.ELSEWHERE, status=answer.status)
    return token


def _cause_of_error(error: RequestError) -> str:
    match error:
        case NoAnswer():
            return "away"
        case TooManyRequests():
            return "rate_limited"
        case _:
            return "unclear"


def _ms(elapsed: timedelta) -> int:
    return round(elapsed.total_seconds() * 1000)
