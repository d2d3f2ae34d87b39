"""Wrenchbook, a CRM that doesn't exist: the API that the second guide's checks ask."""

import shutil
from base64 import b64encode
from pathlib import Path

from aiohttp import web

GUIDE = Path(__file__).with_name("guides") / "wrenchbook"
ACCOUNT, KEY = "204816", "wb_7f3k9m2q8r5t1v6w4x0y3z8a"
ADDRESS = "https://api.wrenchbook.example"


class Wrenchbook:
    """Knows one account; `statuses` overrides the status of a path."""

    def __init__(self) -> None:
        self.statuses: dict[str, int] = {}
        self.html_paths: set[str] = set()  # paths answered with an HTML page, as by a gateway
        self.requests: list[web.Request] = []

    async def __aenter__(self) -> "Wrenchbook":
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self._runner.cleanup()

    def guide_in(self, folder: Path) -> Path:
        """Copy the guide into `folder`, with this server in place of the real one."""
        copy = Path(shutil.copytree(GUIDE, folder / GUIDE.name))
        checks = copy / "checks.toml"
        checks.write_text(checks.read_text("utf-8").replace(ADDRESS, self.url), "utf-8")
        return copy

    async def _answer(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        basic = "Basic " + b64encode(f"{ACCOUNT}:{KEY}".encode()).decode()
        accepted = basic, f"Key {KEY}", "Bearer a-token"
        is_authorized = request.headers.get("Authorization") in accepted
        if request.path == "/token":
            form = await request.post()
            is_authorized = (form["client_id"], form["client_secret"]) == (ACCOUNT, KEY)
        status = self.statuses.get(request.path, 200 if is_authorized else 401)
        headers = {"Location": f"{self.url}/elsewhere"} if status in range(300, 400) else {}
        body = '{"access_token": "a-token", "data": []}'
        if request.path in self.html_paths:
            body = "<html>Sign in to the Wi-Fi</html>"
        return web.Response(status=status, text=body, headers=headers)
