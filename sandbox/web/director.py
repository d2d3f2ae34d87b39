"""What the director does: the clock, the bot's process, faults, people, scenes."""

from collections.abc import Awaitable, Callable, Mapping

from sandbox.slack import NotOfferedError
from sandbox.web.faults import flip
from sandbox.web.scenes import SCENES, until_morning
from sandbox.web.session import Session

HOUR, DAY = 3600.0, 86_400.0

Direct = Callable[[Session, str], Awaitable[None]]


async def scene(session: Session, name: str) -> None:
    label, play = SCENES[name]
    await session.start_over(label, play)


async def jump(session: Session, name: str) -> None:
    clock = session.now.clock
    clock.advance(until_morning(clock()) if name == "morning" else JUMPS[name])


async def switch(session: Session, name: str) -> None:
    """Turn something that can be wrong at ServiceTitan or Slack on or off."""
    flip(session.now.scene, session.now.switched_on, name)


async def new_secret(session: Session, _: str) -> None:
    """Generate a new Client Secret, as step 19 does: the old one no longer works."""
    session.now.scene.servicetitan.regenerate_secret()


async def add_person(session: Session, kind: str) -> None:
    """Bring somebody else into the client's channel."""
    scenery = session.now.scene
    stage = scenery.slack
    name = PEOPLE[kind]
    if any(person.name == name for person in stage.people):
        raise NotOfferedError(f"{name} is here already")
    match kind:
        case "sales":
            person = stage.add_person(name)
        case "guest":
            person = stage.add_person(name, is_restricted=True)
        case "colleague":
            person = stage.add_person(name, scenery.admin.team, tz="America/Los_Angeles")
        case _:
            person = stage.add_person(name, stage.add_team("Third Party Inc"))
    await stage.admin.invite(scenery.client_channel, person, scenery.engineer)


JUMPS = {"hour": HOUR, "3-days": 3 * DAY, "30-days": 30 * DAY}
PEOPLE = {
    "colleague": "Cal Colleague",
    "sales": "Sam Sales",
    "guest": "Gus Guest",
    "third": "Tess Third",
}
DIRECTIONS: Mapping[str, Direct] = {
    "kill_bot": lambda session, _: session.kill_bot(),
    "start_bot": lambda session, _: session.start_bot(),
    "reload_guide": lambda session, _: session.reload_guide(),
    **{each.__name__: each for each in (scene, jump, switch, new_secret, add_person)},
}
