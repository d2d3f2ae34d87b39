"""One whole onboarding, played by scripted people against the real bot."""

import time
from dataclasses import dataclass, field

from sandbox.bot_process import BotFailedError
from sandbox.run import Stage, staged
from sandbox.scripted_people import (
    LAST_CLIENT_STEP,
    SHOWN_AT,
    ScriptFailedError,
    next_step,
    opened,
    outcome,
    press_until_gone,
    start,
    steps,
    submit,
)
from sandbox.slack import Message, NotOfferedError, View, offers, visible_text
from sandbox.summary import CallCount, Check, checks, print_summary

ASKS_FOR_HELP_AT = 4
CHANGES_THEIR_MIND_AT = 7


@dataclass
class Play:
    """The scenes; each press is of a button that a message offers at that moment."""

    stage: Stage
    counts: CallCount
    seen: set[str] = field(default_factory=set)
    verifies_with: str = "run_verification"  # the button of the last step
    last_verification: int = 2

    async def run(self) -> None:
        """From `/servicetitan start` to the verified integration."""
        await self.engineer_starts()
        await self.client_walks()
        await self.verification_passes(1)
        await self.engineer_finishes()
        await self.engineer_looks_back()

    async def engineer_starts(self) -> None:
        self.stage.heading("The engineer starts the onboarding")
        self.counts.begin("start")
        await start(self.stage)

    async def client_walks(self) -> None:
        """The client's admin does every step until it's HeavySet's turn."""
        self.stage.heading("The client's admin takes over")
        async for number, message in steps(self.stage, before=LAST_CLIENT_STEP + 1):
            self.counts.begin(f"step {number}")
            await self.client_takes(number, message)

    async def client_takes(self, number: int, message: Message) -> None:
        stage = self.stage
        if number == ASKS_FOR_HELP_AT:
            await self.client_asks_for_help(message)
        await self.client_enters_what_is_shown(number, message)
        for action in ("choose_account:new", "step_done"):
            if offers(message, action):
                await press_until_gone(stage, stage.admin, message, action)
        if number == CHANGES_THEIR_MIND_AT:
            await press_until_gone(stage, stage.admin, message, "step_undo")
            await next_step(stage, after=number - 1)
            await press_until_gone(stage, stage.admin, message, "step_done")

    async def client_asks_for_help(self, message: Message) -> None:
        stage = self.stage
        await stage.admin.press(message, "step_help")
        form = await opened(stage, stage.admin, "ask_for_help")
        question = {"question": "I see two menus called My Apps. Which one is it?"}
        answer = await stage.admin.submit(form, question)
        if not answer.ok:
            raise ScriptFailedError(f"the question was not taken: {answer}")

    async def client_enters_what_is_shown(self, number: int, message: Message) -> None:
        """Enter what the screen shows; at the secret, paste the Client ID first by mistake."""
        values = self.stage.servicetitan.credentials
        shown = {name: values[name] for name in SHOWN_AT.get(number, [])}
        if not shown:
            return
        await self.stage.admin.press(message, "enter_credentials")
        form = await opened(self.stage, self.stage.admin, "enter_credentials")
        if "client_secret" in shown:
            mistake = {**shown, "client_secret": values["client_id"]}
            refused = await submit(self.stage.admin, form, mistake)
            if "client_secret" not in refused.errors:
                raise ScriptFailedError("the Client ID was taken for the Client Secret")
        answer = await submit(self.stage.admin, form, shown)
        if not answer.ok:
            raise ScriptFailedError(f"right values were refused: {answer.errors}")

    async def verification_passes(self, number: int) -> None:
        """Wait for the result of a verification, which must have passed."""
        found = await outcome(self.stage, f"verification:{number}")
        if found != "passed":
            raise ScriptFailedError(f"verification {number} has the outcome {found}")

    async def engineer_finishes(self) -> None:
        """HeavySet's own steps: look at the values, enter them in the platform, verify."""
        stage = self.stage
        stage.heading("HeavySet's engineer takes over")
        async for number, message in steps(stage, after=LAST_CLIENT_STEP):
            self.counts.begin(f"step {number}")
            if offers(message, "reveal_credentials"):
                await self.engineer_looks_at_the_values(message)
            if offers(message, self.verifies_with):
                await press_until_gone(stage, stage.engineer, message, self.verifies_with)
                break
            await press_until_gone(stage, stage.engineer, message, "step_done")
        await self.verification_passes(self.last_verification)
        if unseen := self.stage.servicetitan.credentials.keys() - self.seen:
            raise ScriptFailedError(f"the engineer was not shown {', '.join(unseen)}")

    async def engineer_looks_at_the_values(self, message: Message) -> None:
        """Show each stored credential, one after another."""
        stage = self.stage
        await stage.engineer.press(message, "reveal_credentials")
        window = await opened(stage, stage.engineer, "reveal_credentials")
        if early := self.shown_in(window):
            raise ScriptFailedError(f"shown without being asked for: {', '.join(early)}")
        for name in [each for each in stage.servicetitan.credentials if each not in self.seen]:
            await stage.engineer.press(window, f"reveal_credentials:{name}")
            await stage.slack.until(
                lambda: self.shown_in(window) - self.seen or None,
                stage.patience,
                f"{name} in the engineer's window",
            )
            if self.shown_in(window) != {name}:
                raise ScriptFailedError(f"shown beside {name}: {self.shown_in(window)}")
            self.seen.add(name)
        await stage.engineer.close(window)

    def shown_in(self, window: View) -> set[str]:
        """The credentials that are readable in a window."""
        text = visible_text(window)
        values = self.stage.servicetitan.credentials
        return {name for name, value in values.items() if value in text}

    async def engineer_looks_back(self) -> None:
        stage = self.stage
        stage.heading("The engineer looks back")
        self.counts.begin("status")
        reply = await stage.engineer.command(stage.client_channel, "/servicetitan", "status")
        if not reply.text and not reply.blocks:
            raise ScriptFailedError(f"`status` was not answered: {reply}")


async def play(*, real_limits: bool = False) -> int:
    """Play the onboarding and check the result: returns 0 if everything is as expected, else 1.

    With `real_limits`, Slack limits calls as the real one does, so the people, who press buttons
    as fast as they can, have to wait.
    """
    started = time.monotonic()
    try:
        async with staged(real_limits=real_limits) as stage:
            counts = CallCount(stage.slack)
            results = [await _performed(Play(stage, counts))]
            results += checks(stage, exit_status=await stage.bot.stop())
            stage.heading("Summary")
            print_summary(results, counts, time.monotonic() - started)
            if not results[0].passed:
                print(f"The bot's last log lines:\n{stage.bot.log_tail()}")
    except BotFailedError as error:
        print(f"The bot did not start: {error}")
        return 1
    return 0 if all(result.passed for result in results) else 1


async def _performed(scenes: Play) -> Check:
    """Whether the script ran to its end, or else where it got stuck."""
    try:
        await scenes.run()
    except (TimeoutError, ScriptFailedError, NotOfferedError) as error:
        told = [message.text for message in scenes.stage.admin.ephemerals[-1:]]
        return Check("played to the end", False, " | ".join([str(error), *told]))
    return Check("played to the end", True, "yes")
