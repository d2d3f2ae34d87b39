"""The probes for monitoring: is the bot alive, can it serve, and its metrics."""

import hmac
import json
from collections.abc import Sequence
from functools import partial

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import SecretStr

from bot.app.health import Health
from bot.core.metrics import Metrics
from bot.core.typed_text import escape_controls

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="metrics"'}  # RFC 6750, section 3


class Probes:
    """`GET /healthz`, `/readyz` and `/metrics`, answered from memory."""

    def __init__(self, health: Health, metrics: Metrics, token: SecretStr | None) -> None:
        """Take METRICS_TOKEN; with None, anyone who reaches the port may read everything."""
        self._health, self._metrics = health, metrics
        self._token = token.get_secret_value().encode() if token else None

    def routes(self, *, elsewhere: bool = False) -> Sequence[web.RouteDef]:
        """Return a port's routes; if METRICS_PORT is `elsewhere`, without metrics and details."""
        routes = [
            web.get("/healthz", _healthz),
            web.get("/readyz", partial(self._readyz, may_have_details=not elsewhere)),
        ]
        return routes if elsewhere else [*routes, web.get("/metrics", self._get_metrics)]

    async def _readyz(self, request: web.Request, *, may_have_details: bool) -> web.Response:
        causes = await self._health.causes()
        answer: dict[str, object] = {"status": "unready" if causes else "ready"}
        if may_have_details and self._is_authorized(request):
            if causes:
                answer["causes"] = causes
            answer["warnings"] = self._health.warnings
        text = escape_controls(json.dumps(answer, ensure_ascii=False, indent=2)) + "\n"
        status = 503 if causes else 200
        return web.Response(text=text, status=status, content_type="application/json")

    async def _get_metrics(self, request: web.Request) -> web.Response:
        if not self._is_authorized(request):
            return web.Response(status=401, text="METRICS_TOKEN is needed\n", headers=CHALLENGE)
        return web.Response(
            body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    def _is_authorized(self, request: web.Request) -> bool:
        if self._token is None:
            return True
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        given = token.strip().encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, self._token) and scheme.lower() == "bearer"


async def _healthz(_request: web.Request) -> web.Response:
    return web.Response(text="alive\n")
