"""The HTTP server: Slack's requests, and the answers to whoever watches over the bot."""

import json
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from bot.health import Health
from bot.metrics import CONTENT_TYPE, Metrics
from bot.traffic import Traffic

log = logging.getLogger(__name__)

# Slack's own requests stay far below; a larger body is not Slack's.
LARGEST_REQUEST = 1024 * 1024
# What Bolt's own parsing raises for a body that is not UTF-8, not JSON, or of another shape; what
# our listeners raise never gets here.
NOT_SLACKS = (ValueError, TypeError, AttributeError, LookupError, RecursionError)


def web_app(
    health: Health, metrics: Metrics, traffic: Traffic, bolt: AsyncApp | None
) -> web.Application:
    """Return the server's routes; `bolt` takes Slack's requests, unless Socket Mode does."""
    app = web.Application(client_max_size=LARGEST_REQUEST)

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def readyz(_request: web.Request) -> web.Response:
        causes = await health.causes()
        answer: dict[str, object] = {"status": "unready" if causes else "ready"}
        if causes:
            answer["causes"] = causes
        answer["warnings"] = health.warnings
        text = json.dumps(answer, ensure_ascii=False, indent=2) + "\n"
        status = 503 if causes else 200
        return web.Response(text=text, status=status, content_type="application/json")

    async def figures(_request: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    app.add_routes(
        [
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/metrics", figures),
        ]
    )
    if bolt:
        app.add_routes([web.post("/slack/events", _slack_events(bolt, traffic))])
    return app


def _slack_events(
    bolt: AsyncApp, traffic: Traffic
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def slack_events(request: web.Request) -> web.StreamResponse:
        with traffic.request():
            response = await _answer(bolt, request)
            if traffic.ending:  # the next request on this connection would not reach us
                response.force_close()
            try:
                await response.prepare(request)
                await response.write_eof()
            except ConnectionError:  # Slack waits no longer; who pressed sees it in the thread
                log.warning("an acknowledgement was lost with its connection")
            return response

    return slack_events


async def _answer(bolt: AsyncApp, request: web.Request) -> web.Response:
    try:
        bolt_request = await to_bolt_request(request)
        return await to_aiohttp_response(await bolt.async_dispatch(bolt_request))
    except NOT_SLACKS:
        return web.Response(status=400, text="malformed request\n")
