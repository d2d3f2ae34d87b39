"""Proxies and URLs: secrets go only where the settings say, through the proxy they name."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import SecretStr

from bot.slack.web_api import is_slacks
from sandbox.bot_process import free_port
from tests.integration.world import World, running_world
from tests.proxies import running_proxy, serve_tls, write_certificate

pytestmark = pytest.mark.virtual_time

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "WSS_PROXY")
NOT_SLACK = [
    "http://hooks.slack.com/actions/T1/1/x",
    "https://hooks.slack.com.example/actions/T1/1/x",
    "https://hooks.slack.com@example.com/actions",
    "https://user:password@hooks.slack.com/actions",
    "https://hooks.slack.com:8443/actions",
    "https://hooks.slack.com\\@example.com/actions",
    "https://hooks.slack.com/actions?to=https://example.com",
    "https://hooks.slack.com/actions#@example.com",
    "https://hooks.slack.com/actions\r\nX: y",
    "https://hooks.slack.com/actions\n",
    "https://HOOKS.slack.com.example/",
    "https://evil.slack.com/actions",
    "https://slack.com/actions",
    "https://[::1]/actions",
    "https://169.254.169.254/latest/meta-data",
    "file:///etc/passwd",
    "//hooks.slack.com/actions",
    "hooks.slack.com/actions",
    "",
    " https://hooks.slack.com/actions",
]


@pytest.mark.parametrize("socket_mode", [False, True], ids=["http", "socket"])
async def test_proxy_environment_variables_are_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, socket_mode: bool
) -> None:
    async with running_proxy() as proxy:
        for name in VARIABLES:
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        async with running_world(tmp_path, socket_mode=socket_mode) as world:
            world.slack.doubts.ephemeral_reaches_external = False
            await world.begin()
            await world.walk_to(23)
            assert world.message("verification:1").payload["outcome"] == "passed"

    assert proxy.requests == []


@pytest.mark.parametrize("password", ["", "p4ss%40word"])
async def test_slack_and_servicetitan_are_called_through_the_configured_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    certificate = write_certificate(tmp_path, "slack.example", "servicetitan.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with (
        running_proxy(password.replace("%40", "@")) as proxy,
        running_world(tmp_path) as plain,
    ):
        ports = {
            "slack.example": int(plain.slack.api_url.split(":")[2].partition("/")[0]),
            "servicetitan.example": int(plain.servicetitan.api_url.split(":")[2]),
        }
        async with (
            serve_tls(ports["slack.example"], certificate) as slack,
            serve_tls(ports["servicetitan.example"], certificate) as servicetitan,
        ):
            proxy.ports = {"slack.example": slack, "servicetitan.example": servicetitan}
            user = f"bot:{password}@" if password else ""
            async with plain.second_bot(
                slack_api_url="https://slack.example/api/",
                servicetitan_auth_url="https://servicetitan.example",
                servicetitan_api_url="https://servicetitan.example",
                proxy_url=SecretStr(f"http://{user}127.0.0.1:{proxy.port}"),
            ) as plain.bot:
                plain.slack.deliver_to(f"http://127.0.0.1:{plain.bot.settings.port}/slack/events")
                await plain.begin()
                await plain.walk_to(23)
                passed = plain.message("verification:1").payload["outcome"]

    assert passed == "passed"
    assert set(proxy.requests) == {"CONNECT slack.example:443", "CONNECT servicetitan.example:443"}


async def test_a_proxy_that_refuses_is_reported_without_its_password(tmp_path: Path) -> None:
    async with (
        running_proxy("secret") as proxy,
        running_world(tmp_path) as world,
        world.second_bot(
            servicetitan_auth_url="https://servicetitan.example",
            proxy_url=SecretStr(f"http://bot:wr0ngpass@127.0.0.1:{proxy.port}"),
        ) as world.bot,
    ):
        world.slack.deliver_to(f"http://127.0.0.1:{world.bot.settings.port}/slack/events")
        await world.begin()
        await world.walk_to(22)
        assert (await world.enter(world.ann, 22, **world.servicetitan.credentials)).ok
        shown = json.dumps([message.blocks for message in world.engineering.messages])

    assert "the proxy (PROXY_URL) did not let it through" in shown
    assert "wr0ngpass" not in shown


@pytest.mark.parametrize("socket_mode", [False, True], ids=["http", "socket"])
async def test_local_addresses_bypass_the_proxy(tmp_path: Path, socket_mode: bool) -> None:
    async with (
        running_proxy() as proxy,
        running_world(tmp_path, proxy_url=proxy.url, socket_mode=socket_mode) as world,
    ):
        world.slack.doubts.ephemeral_reaches_external = False
        await world.begin()
        await world.walk_to(23)
        assert world.message("verification:1").payload["outcome"] == "passed"

    assert proxy.requests == []


@pytest.mark.parametrize("url", NOT_SLACK)
def test_response_urls_that_are_not_slacks_are_rejected(url: str) -> None:
    for api in ("https://slack.com/api/", "https://slack-gov.com/api/", "http://127.0.0.1:9/api/"):
        assert not is_slacks(url, api)


@pytest.mark.parametrize("host", ["hooks.slack.com", "hooks.slack-gov.com"])
def test_slacks_own_response_urls_are_accepted(host: str) -> None:
    for kind in ("actions/T1/1/AbC-_x", "commands/T1/2/y", "app/T1/3/z"):
        assert is_slacks(f"https://{host}/{kind}", "https://slack.com/api/")
    assert is_slacks("http://127.0.0.1:9/actions/T1/1/x", "http://127.0.0.1:9/api/")
    assert not is_slacks("http://127.0.0.1:8/actions/T1/1/x", "http://127.0.0.1:9/api/")
    assert not is_slacks("https://slack.com/actions/T1/1/x", "https://slack.com/api/")


@asynccontextmanager
async def foreign_server(listen: Handler) -> AsyncIterator[str]:
    """Run someone else's server; yield its URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", listen)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", free_port())
    await site.start()
    yield site.name
    await runner.cleanup()


async def press_again(world: World, **other: Any) -> None:
    """Press *Done* a second time, with parts of the payload replaced."""
    await world.begin()
    await world.walk_to(2)
    await world.press(world.ann, "step:2", "step_done")
    payload = world.last_interaction
    payload["actions"][0]["value"] = f"{world.onboarding}:1"
    world.slack.doubts.ephemeral_reaches_external = False
    await world.send({**payload, **other})


async def test_a_forged_response_url_receives_no_reply(
    tmp_path: Path,
) -> None:
    received: list[Mapping[str, str]] = []

    async def listen(request: web.Request) -> web.StreamResponse:
        received.append(request.headers)
        return web.Response()

    async with foreign_server(listen) as address, running_world(tmp_path) as world:
        await press_again(world, response_url=f"{address}/actions/T1/1/x")

    assert received == []


async def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    received: list[str] = []

    async def listen(request: web.Request) -> web.StreamResponse:
        received.append(request.path)
        return web.Response()

    async with foreign_server(listen) as address, running_world(tmp_path) as world:
        for status in (301, 302, 303, 307, 308):
            world.slack.fail_next("response_url", status=status, location=f"{address}/r")
            world.slack.fail_next("chat.update", status=status, location=f"{address}/u")
        await press_again(world)
        await world.catch_up()
        await world.catch_up()

    assert received == []
