"""The verification that a guide declares: sign in, then make its requests in order.

A request that does not pass ends it; the later ones are reported as not checked. Credentials are
sent to sign in and nowhere else, and no text of the report holds one.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from pydantic import SecretStr

from bot.guide import Guide
from bot.guide.http_checks import HttpChecks, Request, Token, cause_of
from bot.guide.remedies import GAP
from bot.onboarding.verification_report import Outcome, Report
from bot.verification import diagnosis
from bot.verification.errors import NoAnswer, Reason, RequestError, unavailable_error
from bot.verification.findings import Finding, milliseconds, report_of
from bot.verification.sender import Sender, access_token, client_credentials, sendable


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
            findings.append(Finding(request.id, "not run", "later", title=request.title))
    host = checks.api.partition("://")[2].partition("/")[0]
    return report_of(guide, findings, began, now(), host)


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
        """Make a request, retrying while that may help, and return what was found."""
        began = self._now()
        try:
            status = await self._sender.with_retries(partial(self._status, request))
            cause = self._cause(request, status)
            told = f"HTTP {status}"
        except RequestError as error:
            cause, told = diagnosis.cause_of_error(error), str(error)
        what = f"GET {request.path}" if isinstance(request, Request) else "token"
        told = f"{what}: {told}, {milliseconds(self._now() - began)} ms"
        return Finding(request.id, told, cause, title=request.title, passed=request.passed)

    async def _status(self, request: Request | Token) -> int:
        """Send `request` once; return the status of an answer that comes from the platform."""
        if isinstance(request, Token):
            client_id, secret = self._values[request.client_id], self._values[request.client_secret]
            form = client_credentials(client_id, secret)
            answer = await self._sender.send("POST", request.url, data=form)
        else:
            url = self._checks.api + request.path
            answer = await self._sender.send("GET", url, headers=self._headers())
        if error := unavailable_error(answer):
            raise error
        # A gateway's page says nothing about the values, whatever its status.
        if answer.status in range(300, 400) or not answer.is_json:
            raise NoAnswer(Reason.ELSEWHERE, status=answer.status)
        if isinstance(request, Token) and answer.status == 200:
            self._bearer = access_token(answer.body or {}, Reason.ELSEWHERE)
        return answer.status

    def _cause(self, request: Request | Token, status: int) -> str:
        """Return what a status means: nothing if it is the expected one."""
        if status == (request.expect if isinstance(request, Request) else 200):
            return ""
        return cause_of(request, status) if status in request.remedies else "unclear"

    def _headers(self) -> Mapping[str, str]:
        headers = {name: self._filled(value) for name, value in self._checks.headers.items()}
        if self._checks.token:
            headers["Authorization"] = f"Bearer {self._bearer}"
        if basic := self._checks.basic:
            pair = f"{self._plain(basic.user)}:{self._plain(basic.password)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return headers

    def _filled(self, value: str) -> str:
        return GAP.sub(lambda gap: self._plain(gap[1]), value)

    def _plain(self, field: str) -> str:
        return sendable(self._values[field])
