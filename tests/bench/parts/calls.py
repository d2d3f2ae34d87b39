"""The calls to Slack that an onboarding costs at a human pace; in simulated time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from statistics import mean

from sandbox.scripted_people import LAST_CLIENT_STEP, SHOWN_AT, submit
from sandbox.slack import Call, Person, View, offers
from tests.bench.bench import Bench
from tests.bench.figures import Figure
from tests.bench.simulated import TIMEOUT_SECONDS, simulate
from tests.integration.world import World

STEP_SECONDS = 31.0  # not 30, after which the server closes a connection that is about to be used
LAST_STEP = 25
HEALTH_CHECK = "auth.test"  # once a minute, whatever happens
PLAIN_AIM, WHOLE_AIM = 2.5, 95
LOOKED_UP = ("users.", "usergroups.", "conversations.", "auth.", "team.")


async def measure(_bench: Bench) -> AsyncIterator[Figure]:
    """Play one onboarding without a mistake."""
    plain, purposes = await simulate(_onboarding)
    yield Figure(what="a plain *Done*", where="calls", rounds=(mean(plain),), aim=PLAIN_AIM)
    yield Figure(
        what="a whole onboarding", where="calls", rounds=(purposes.total(),), aim=WHOLE_AIM
    )
    for purpose, count in purposes.most_common():
        yield Figure(what=f"of these: {purpose}", where="calls", rounds=(count,))


async def _onboarding(world: World) -> tuple[list[int], Counter[str]]:
    """Return the calls of each plain *Done*, and all calls by their purpose."""
    slack, plain, has_revealed = world.slack, list[int](), False
    await asyncio.sleep(STEP_SECONDS)  # lookups at startup are not part of an onboarding
    first_call = len(slack.calls)

    def calls_since(since: int) -> list[Call]:
        return [call for call in slack.calls[since:] if call.method != HEALTH_CHECK]

    await world.erin.command(world.channel, "/servicetitan", "start Acme Plumbing")
    assert (await world.erin.submit(await _window(world, world.erin))).ok
    await asyncio.sleep(STEP_SECONDS)
    for number in range(1, LAST_STEP + 1):
        person = world.ann if number <= LAST_CLIENT_STEP else world.erin
        message, slot = world.message(f"step:{number}"), f"step:{number}"
        if number in SHOWN_AT:
            await _enter(world, number)
        if offers(message, "reveal_credentials") and not has_revealed:
            await _reveal(world, slot)
            has_revealed = True
        before = len(slack.calls)
        buttons = ("choose_account:new", "run_verification", "step_done")
        action = next(button for button in buttons if offers(message, button))
        assert (await person.press(message, action)).ack.ok
        await asyncio.sleep(STEP_SECONDS)
        if action == "step_done" and number <= LAST_CLIENT_STEP and number not in SHOWN_AT:
            plain.append(len(calls_since(before)))
    [state] = world.rows("SELECT status, revision - published_revision FROM onboarding")
    assert state == ("completed", 0), state  # nothing is put off any longer
    return plain, Counter(_purpose(world, call) for call in calls_since(first_call))


async def _enter(world: World, number: int) -> None:
    ann, values = world.ann, world.servicetitan.credentials
    await ann.press(world.message(f"step:{number}"), "enter_credentials")
    form = await _window(world, ann)
    assert (await submit(ann, form, {name: values[name] for name in SHOWN_AT[number]})).ok
    await asyncio.sleep(STEP_SECONDS)


async def _reveal(world: World, slot: str) -> None:
    erin = world.erin
    await erin.press(world.message(slot), "reveal_credentials")
    window = await _window(world, erin)
    for name in world.servicetitan.credentials:
        await erin.press(window, f"reveal_credentials:{name}")
        await asyncio.sleep(STEP_SECONDS / 10)
    await erin.close(window)
    await asyncio.sleep(STEP_SECONDS)


async def _window(world: World, person: Person) -> View:
    return await world.slack.until(lambda: person.view, TIMEOUT_SECONDS)


def _purpose(world: World, call: Call) -> str:
    method, channel = call.method, call.arguments.get("channel")
    if method.startswith("chat."):
        return "the engineering channel" if channel == world.engineering.id else "the thread"
    if method.startswith("views."):
        return "windows and Home"
    return "looking people up" if method.startswith(LOOKED_UP) else "pin and bookmark"
