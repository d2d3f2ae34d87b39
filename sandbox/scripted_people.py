"""What scripted people do over and over: look for the next step, press, fill in."""

import re
from collections.abc import AsyncIterator, Mapping

from sandbox.run import Stage
from sandbox.slack import Message, Person, Submission, View, offers
from sandbox.slack.forms import inputs

STEPS, LAST_CLIENT_STEP = 25, 22
# What ServiceTitan's screens have shown by each step, by the names of the bot's inputs.
SHOWN_AT = {
    11: ["booking_provider_id"],
    18: ["tenant_id", "client_id"],
    19: ["client_secret"],
    22: ["application_key"],
}
ADVANCING = ("choose_account:new", "step_done", "run_verification")


class ScriptFailedError(Exception):
    """The bot did something other than what the script expects."""


async def start(stage: Stage, client: str = "Acme Plumbing") -> None:
    """`/servicetitan start`, and the modal that it opens."""
    await stage.engineer.command(stage.client_channel, "/servicetitan", f"start {client}")
    form = await opened(stage, stage.engineer, "start_onboarding")
    answer = await stage.engineer.submit(form)
    if not answer.ok:
        raise ScriptFailedError(f"the onboarding could not be started: {answer}")
    await next_step(stage, after=0)


async def outcome(stage: Stage, slot: str = "verification:1") -> str:
    """The result of a check; waits until there is one."""

    def look() -> str | None:
        message = stage.slack.message(stage.client_channel, slot)
        return message.payload.get("outcome") if message else None

    return await stage.slack.until(look, stage.patience, f"the outcome of {slot}")


async def next_step(stage: Stage, after: int) -> tuple[int, Message]:
    """The first step after `after` whose message has a button to continue; waits for it."""

    def look() -> tuple[int, Message] | None:
        found = []
        for message in stage.client_channel.messages:
            step = re.fullmatch(r"step:(\d+)", message.slot or "")
            if step and int(step[1]) > after and any(offers(message, each) for each in ADVANCING):
                found.append((int(step[1]), message))
        return min(found, key=lambda each: each[0], default=None)

    return await stage.slack.until(
        look, stage.patience, f"a step after {after} with a button to go on"
    )


async def steps(
    stage: Stage, after: int = 0, before: int = STEPS + 1
) -> AsyncIterator[tuple[int, Message]]:
    """Each step after `after` that can be continued, until one from `before` on can."""
    while True:
        number, message = await next_step(stage, after)
        if number >= before:
            return
        yield number, message
        after = number


async def press_until_gone(stage: Stage, person: Person, message: Message, action_id: str) -> None:
    """Press a button, and wait until the message no longer offers it."""
    press = await person.press(message, action_id)
    if press.notice:
        raise ScriptFailedError(f"{action_id} was not acknowledged: {press.ack}")
    awaited = f"{action_id} to go away from {message.slot}"
    await stage.slack.until(lambda: not offers(message, action_id), stage.patience, awaited)


async def opened(stage: Stage, person: Person, callback_id: str) -> View:
    """The modal that a command or a press opens; waits until the person sees it."""

    def look() -> View | None:
        view = person.view
        return view if view is not None and view.callback_id == callback_id else None

    return await stage.slack.until(look, stage.patience, f"the modal {callback_id}")


async def submit(person: Person, form: View, values: Mapping[str, str]) -> Submission:
    """Fill in those `values` that the form asks for; confirm them if it warns."""
    asked = {block["block_id"] for block, _ in inputs(form)}
    answer = await person.submit(form, {name: values[name] for name in asked & values.keys()})
    if answer.notice:
        raise ScriptFailedError(f"the modal was not taken: {answer.notice} {answer.reason}")
    if answer.ok and person.view is form:
        ticks = [
            (block["block_id"], [option["value"] for option in element["options"]])
            for block, element in inputs(form)
            if element["type"] == "checkboxes"
        ]
        answer = await person.submit(form, dict(ticks))
    return answer
