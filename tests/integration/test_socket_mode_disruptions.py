"""Socket Mode reconnects after any disruption, while idle or in the middle of a press."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import bot.app.socket_mode
from sandbox.slack import HandshakeTrouble, LineTrouble, SlackSandbox
from tests.integration.world import World, hold_calls, running_world

pytestmark = [pytest.mark.slow_slack, pytest.mark.virtual_time]

OPEN = "apps.connections.open"


@dataclass(frozen=True)
class Disruption:
    """What happens to the connection, and to the first attempts to reconnect."""

    name: str
    line: LineTrouble = LineTrouble.RESET
    handshake: HandshakeTrouble | None = None
    fail_opening: Callable[[SlackSandbox], None] = lambda _slack: None


def fail_opening(**fault: object) -> Callable[[SlackSandbox], None]:
    return lambda slack: slack.fail_next(OPEN, **fault)


DISRUPTIONS = [
    *(Disruption(trouble.value, trouble) for trouble in LineTrouble),
    *(
        Disruption(f"{trouble.value}, at the next attempt", handshake=trouble)
        for trouble in HandshakeTrouble
    ),
    *(
        Disruption(
            f"{trouble.value}, after a friendly goodbye", LineTrouble.REFRESH_REQUESTED, trouble
        )
        for trouble in (HandshakeTrouble.SERVER_ERROR, HandshakeTrouble.NO_HELLO)
    ),
    Disruption("no address: HTTP 503", fail_opening=fail_opening(status=503, times=2)),
    Disruption("no address: HTTP 429", fail_opening=fail_opening(retry_after=1)),
    Disruption("no address: internal_error", fail_opening=fail_opening(error="internal_error")),
    Disruption(
        "no address: refused for now", fail_opening=fail_opening(error="invalid_auth", times=2)
    ),
    Disruption("no address: reset", fail_opening=fail_opening(drop=True)),
    Disruption("no address: late", fail_opening=fail_opening(hang=0.6)),
    Disruption("no address in the answer", fail_opening=fail_opening(body='{"ok": true}')),
    Disruption("no address: a web page", fail_opening=fail_opening(body="<html>")),
    Disruption("no address: an endless list", fail_opening=fail_opening(body="[" * 100_000)),
    Disruption("an invalid address", fail_opening=fail_opening(body='{"ok": true, "url": "?"}')),
]


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(bot.app.socket_mode, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(bot.app.socket_mode, "HANDSHAKE_SECONDS", 0.3)
    async with running_world(tmp_path, socket_mode=True) as world:
        await world.begin()
        yield world


async def wait_for_reconnect(world: World, opened: int) -> None:
    """Wait for a new connection and check that it is the only one."""
    slack = world.slack

    def has_reconnected() -> bool:
        return slack.connections == 1 and len(slack.calls_of(OPEN)) > opened

    await slack.until(has_reconnected, timeout=15, awaited="another connection")
    await slack.until(lambda: slack.sockets.held == 1, awaited="the old one to end")
    async with asyncio.timeout(5):
        while not (world.bot.socket and world.bot.socket.connected):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (await world.get("/readyz"))[0] == 200


async def disrupt(world: World, disruption: Disruption) -> int:
    slack = world.slack
    opened = len(slack.calls_of(OPEN))
    if disruption.handshake:
        slack.sockets.fail_next(disruption.handshake, times=2)
    disruption.fail_opening(slack)
    await slack.sockets.lose(disruption.line)
    return opened


@pytest.mark.parametrize("disruption", DISRUPTIONS, ids=lambda disruption: disruption.name)
async def test_the_bot_reconnects_after_losing_an_idle_connection(
    world: World, disruption: Disruption
) -> None:
    opened = await disrupt(world, disruption)
    await wait_for_reconnect(world, opened)

    await world.press(world.ann, "step:1", "choose_account:new")

    assert world.current == 2
    addresses = [call.answer.get("url") for call in world.slack.calls_of(OPEN)]
    assert len(set(filter(None, addresses))) == len(list(filter(None, addresses)))


# How reconnecting fails shouldn't matter to a press, but the long run tries it anyway.
@pytest.mark.parametrize(
    "disruption",
    [
        pytest.param(
            disruption,
            marks=() if index < len(LineTrouble) else pytest.mark.long,
            id=disruption.name,
        )
        for index, disruption in enumerate(DISRUPTIONS)
    ],
)
async def test_the_bot_reconnects_and_finishes_a_press_it_was_handling(
    world: World, disruption: Disruption
) -> None:
    newcomer = world.slack.add_person("Max Member")
    await world.slack.admin.invite(world.channel, newcomer, world.erin)
    step = world.message("step:1")
    async with hold_calls(world.slack, "users.info"):
        pressing = asyncio.create_task(newcomer.press(step, "choose_account:new"))
        await asyncio.sleep(0.05)  # the press is being handled, and the bot asks who Max is
        opened = await disrupt(world, disruption)
    await wait_for_reconnect(world, opened)
    await pressing
    await world.idle()

    assert world.current == 2  # carried out, though the acknowledgment may be lost
    await world.press(world.ann, "step:2", "step_done")
    assert world.current == 3


async def test_the_bot_is_not_ready_in_a_slack_outage_and_reconnects_after(world: World) -> None:
    await world.slack.go_down()
    async with asyncio.timeout(5):
        while world.bot.socket and world.bot.socket.connected:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    status, text = await world.get("/readyz")
    assert status == 503
    assert "Socket Mode is not connected" in text
    assert (await world.get("/healthz"))[0] == 200

    opened = len(world.slack.calls_of(OPEN))
    await world.slack.come_back()

    await wait_for_reconnect(world, opened)


async def test_a_press_arriving_on_the_old_connection_is_handled(world: World) -> None:
    pressing = asyncio.create_task(world.ann.press(world.message("step:1"), "choose_account:new"))
    await asyncio.sleep(0)
    await world.slack.sockets.lose(LineTrouble.WARNING)

    await pressing
    await wait_for_reconnect(world, 0)
    await world.idle()

    assert world.current == 2


async def test_an_unexpected_error_does_not_stop_reconnect_attempts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_once(url: str) -> str:
        monkeypatch.undo()
        raise RuntimeError(url)

    opened = len(world.slack.calls_of(OPEN))
    monkeypatch.setattr(bot.app.socket_mode, "_safe", fail_once)
    await world.slack.sockets.lose(LineTrouble.RESET)

    await wait_for_reconnect(world, opened + 1)


async def test_reconnects_are_limited_when_handshakes_keep_failing(
    world: World,
) -> None:
    before = len(world.slack.calls_of(OPEN))
    world.slack.sockets.fail_next(HandshakeTrouble.DISCONNECT, times=100)
    await world.slack.sockets.lose(LineTrouble.TOO_MANY_WEBSOCKETS)

    await asyncio.sleep(1.5)

    assert len(world.slack.calls_of(OPEN)) - before <= 5


async def test_reconnects_back_off_until_a_connection_has_been_stable(
    world: World,
) -> None:
    slack, loop = world.slack, asyncio.get_running_loop()
    before, began = len(slack.calls_of(OPEN)), loop.time()
    while loop.time() - began < 30:
        await slack.sockets.lose(LineTrouble.RESET)
        await slack.until(lambda: slack.connections, timeout=60, awaited="another connection")
    assert 4 <= len(slack.calls_of(OPEN)) - before <= 10

    await asyncio.sleep(bot.app.socket_mode.STABLE_SECONDS + 1)
    await slack.sockets.lose(LineTrouble.RESET)
    lost = loop.time()
    await slack.until(lambda: slack.connections, timeout=60, awaited="another connection")
    assert loop.time() - lost < 0.5  # it was stable in between
