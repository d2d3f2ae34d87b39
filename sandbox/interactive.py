"""An interactive run: someone at the terminal plays the engineer and the client's admin."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from sandbox.bot_process import BotFailedError
from sandbox.run import Stage, staged
from sandbox.slack import NotOfferedError, Person, View, buttons
from sandbox.slack.forms import REQUIRED, inputs

MESSAGES_ON_SCREEN = 3
A_MOMENT = 0.8  # lets the bot's answer appear before the next prompt

# One thing that the person at the terminal can do now: its label, and how.
Choice = tuple[str, Callable[[], Awaitable[object]]]


async def walk() -> int:
    """Let a person at the terminal act until they quit."""
    try:
        async with staged() as stage:
            _greet(stage)
            while (act := await _choose(_choices(stage))) is not None:
                try:
                    await act()
                except NotOfferedError as error:
                    print(f"Slack does not offer that: {error}")
                await asyncio.sleep(A_MOMENT)
    except BotFailedError as error:
        print(f"The bot did not start: {error}")
        return 1
    return 0


def _greet(stage: Stage) -> None:
    print("You are Erin, HeavySet's engineer, and Ann, the client's admin. Begin with the command:")
    print("  /servicetitan start Acme Plumbing\nThe values that ServiceTitan's screens would show:")
    for name, value in stage.servicetitan.credentials.items():
        print(f"  {name}: {value}")


def _choices(stage: Stage) -> list[Choice]:
    people = (stage.engineer, stage.admin)
    opened = [(person, person.view) for person in people if person.view]
    return [
        *(
            (f"{person.name}: fill in “{view.title}”", partial(_fill_in, person, view))
            for person, view in opened
            if "submit" in view.content
        ),
        *(
            (f"{person.name}: close “{view.title}”", partial(person.close, view))
            for person, view in opened
        ),
        *(choice for person in people if not person.view for choice in _presses(person)),
        (f"{stage.engineer.name}: type a command", partial(_command, stage)),
        *((f"{person.name}: say something", partial(_say, stage, person)) for person in people),
    ]


def _presses(person: Person) -> list[Choice]:
    posted = (message for channel in person.channels for message in channel.messages)
    shown = [message for message in posted if buttons(message)]
    shown.sort(key=lambda message: message.edited_ts or message.ts)
    return [
        (
            f"{person.name}: press [ {button['text']['text']} ] in {message.slot}",
            partial(person.press, message, button["action_id"]),
        )
        for message in shown[-MESSAGES_ON_SCREEN:]
        for button in buttons(message)
    ]


async def _fill_in(person: Person, view: View) -> None:
    for block, element in inputs(view):
        label = block["label"]["text"]
        options = [option["value"] for option in element.get("options", [])]
        hint = f" ({', '.join(options)})" if options else ""
        answer = await _ask(f"  {label}{hint} [empty: leave as it is]: ")
        if answer:
            person.fill(view, {block["block_id"]: answer})
    submission = await person.submit(view)
    if REQUIRED in submission.errors.values():
        print("  (nothing was sent: an input that is required is empty)")


async def _command(stage: Stage) -> None:
    typed = await _ask("  /servicetitan ") or ""
    text = typed.removeprefix("/servicetitan").strip()
    await stage.engineer.command(stage.client_channel, "/servicetitan", text)


async def _say(stage: Stage, person: Person) -> None:
    root = stage.slack.message(stage.client_channel, "root")
    text = await _ask("  > ")
    if text:
        await person.say(stage.client_channel, text, root.ts if root else None)


async def _choose(choices: list[Choice]) -> Callable[[], Awaitable[object]] | None:
    print()
    for number, (label, _) in enumerate(choices, start=1):
        print(f"  {number:2} {label}")
    while (answer := await _ask("What now? (number, or q to quit) ")) not in (None, "q"):
        if answer and answer.isdecimal() and 1 <= int(answer) <= len(choices):
            return choices[int(answer) - 1][1]
    return None


async def _ask(prompt: str) -> str | None:
    """A line from the terminal; None at the end of its input."""
    try:
        return (await asyncio.to_thread(input, prompt)).strip()
    except EOFError:
        return None
