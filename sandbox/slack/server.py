"""The HTTP side that the bot calls: Web API, response_urls, Socket Mode."""

import asyncio
import uuid
from dataclasses import dataclass, replace

from aiohttp import hdrs, web

from sandbox.slack import responses
from sandbox.slack.arguments import Arguments, read_arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.faults import Fault, Gate, Moment, cut_off, rate_limited
from sandbox.slack.model import Json, copy_of
from sandbox.slack.outages import Outage
from sandbox.slack.pictures import download
from sandbox.slack.rate_limits import RateLimits
from sandbox.slack.socket_mode import LineTrouble, Sockets
from sandbox.slack.state import State
from sandbox.slack.web_api import METHODS
from sandbox.slack.web_api.base import require_scope

# What faults call a POST to a response_url, which isn't a method.
RESPONSE_URL, UPLOAD_URL = "response_url", "upload_url"


@dataclass(frozen=True)
class Call:
    """One of the bot's Web API calls as it is recorded: without the token."""

    method: str
    arguments: Json
    answer: Json
    at: float
    fault: str = ""  # what the bot got instead of a response


class Server:
    """An aiohttp application on an ephemeral loopback port."""

    def __init__(self, state: State, sockets: Sockets, limits: RateLimits, latency: float) -> None:
        self.calls: list[Call] = []
        self.faults: list[Fault] = []  # those still to happen, oldest first
        self.outages: list[Outage] = []
        self.gate: Gate | None = None
        self._state = state
        self._sockets = sockets
        self._limits = limits
        self._latency = latency
        application = web.Application()
        application.router.add_route("*", "/api/{method}", self._api)
        application.router.add_post("/actions/{team}/{number}/{token}", self._response_url)
        application.router.add_post("/upload/v1/{file}", self._upload)
        application.router.add_get("/link/", sockets.accept)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)

    async def start(self) -> None:
        """Listen; from now on, the state's `base_url` works."""
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await self._site.start()
        host, port = self._runner.addresses[0][:2]
        self._state.base_url = f"http://{host}:{port}"

    async def go_down(self) -> None:
        """Stop accepting connections, and reset those of Socket Mode."""
        await self._site.stop()
        await self._sockets.lose(LineTrouble.RESET)

    async def come_back(self) -> None:
        """Listen again, on the same port."""
        port = int(self._state.base_url.rpartition(":")[2])
        self._site = web.TCPSite(self._runner, "127.0.0.1", port)
        await self._site.start()

    async def stop(self) -> None:
        await self._sockets.lose(LineTrouble.LINK_DISABLED)
        await self._runner.cleanup()

    async def _api(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        await asyncio.sleep(self._latency)
        try:
            values = await read_arguments(request)
            token = _take_token(request, values)
        except SlackError as refused:
            return self._answer(name, {}, _failure(refused))
        except ConnectionError:  # the caller died while it spoke
            return cut_off(request)
        if not await self._passes("arrived", name, values):
            return cut_off(request)
        fault = self._take_fault(name, values)
        if fault is not None and not fault.performed:
            self._log(name, values, {"ok": False, "error": "fault"}, str(fault))
            return await fault.answer(request)
        if isinstance(values.get("blocks"), list):
            await download(self._state, values["blocks"])
        response = self._perform(name, token, values)
        if fault is not None:
            self.calls[-1] = replace(self.calls[-1], fault=str(fault))
        if not await self._passes("performed", name, values):
            return cut_off(request)
        return response if fault is None else await fault.answer(request)

    def _take_fault(self, method: str, arguments: Json) -> Fault | None:
        """The fault that hits this call, if any; each hits as often as it was told to."""
        for fault in self.faults:
            if fault.method == method and (fault.predicate is None or fault.predicate(arguments)):
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        taken = (outage.take(method, arguments) for outage in self.outages)
        return next((fault for fault in taken if fault is not None), None)

    async def _passes(self, moment: Moment, name: str, values: Json) -> bool:
        return self.gate is None or await self.gate(moment, name, values)

    def _perform(self, name: str, token: str | None, values: Json) -> web.Response:
        method = METHODS.get(name)
        args = Arguments(values)
        try:
            if method is None:
                raise SlackError("unknown_method", req_method=name)
            if method.needs_token:
                self._authenticate(token, app_token=method.app_token)
            wait = self._limits.wait_for(name, method, values)
            if wait:
                self._log(name, values, {"ok": False, "error": "ratelimited"})
                return rate_limited(wait)
            require_scope(self._state, *method.scopes.split())
            args.only(method.arguments)
            result = method.run(self._state, args)
        except SlackError as refused:
            return self._answer(name, values, _failure(refused))
        return self._answer(name, values, {"ok": True, **result})

    def _authenticate(self, token: str | None, *, app_token: bool) -> None:
        state = self._state
        if not token:
            raise SlackError("not_authed")
        if token not in (state.bot_token, state.app_token):
            raise SlackError("invalid_auth")
        if not state.is_installed:
            raise SlackError("account_inactive")
        if state.is_moving:  # docs: errors common to all methods
            raise SlackError("team_added_to_org")
        if (token == state.app_token) != app_token:
            raise SlackError("not_allowed_token_type")

    def _answer(self, name: str, values: Json, answer: Json) -> web.Response:
        self._log(name, values, answer)
        granted = ",".join(sorted(self._state.scopes))
        # Every answer has its own id, which Slack's support asks for.
        headers = {"x-oauth-scopes": granted, "x-slack-req-id": uuid.uuid4().hex}
        return web.json_response(answer, headers=headers)

    def _log(self, name: str, values: Json, answer: Json, fault: str = "") -> None:
        at = self._state.clock()
        self.calls.append(Call(name, copy_of(values), answer, at, fault))
        self._state.touch()  # whatever the call did, it has done

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        """Accept a file's content, raw as slack_sdk sends it; any status but 200 is a failure."""
        fault = self._take_fault(UPLOAD_URL, {})
        if fault is not None:
            return await fault.answer(request)
        file, content = self._state.files.get(request.match_info["file"]), await request.read()
        if file is None or len(content) != file.length:
            return web.Response(status=400)
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def _response_url(self, request: web.Request) -> web.StreamResponse:
        try:
            values = await request.json()
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        except ConnectionError:  # the caller died while it spoke
            return cut_off(request)
        fault = self._take_fault(RESPONSE_URL, values if isinstance(values, dict) else {})
        if fault is not None and not fault.performed:
            return await fault.answer(request)
        try:
            responses.use(self._state, request.path, values)
            response = web.json_response({"ok": True})
        except SlackError as refused:
            gone = refused.error in ("expired_url", "used_url", "no_text")
            response = web.json_response(_failure(refused), status=404 if gone else 400)
        return response if fault is None else await fault.answer(request)


def _take_token(request: web.Request, values: Json) -> str | None:
    """Take the token out of the header or the arguments."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    argument = values.pop("token", None)
    return token if scheme == "Bearer" else argument


def _failure(refused: SlackError) -> Json:
    return {"ok": False, "error": refused.error, **refused.details}
