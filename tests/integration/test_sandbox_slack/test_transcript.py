"""The conversation as the terminal shows it: readable, and with secrets masked."""

import io
from typing import Any

import pytest

from sandbox.slack import Channel, Person, SlackSandbox
from sandbox.transcript import Transcript
from tests.stub_bot import StubBot

SECRET = "cs1.canary-of-the-transcript-1234"


@pytest.fixture
def terminal(slack: SlackSandbox) -> io.StringIO:
    out = io.StringIO()
    slack.observers.append(Transcript(slack, out))
    return out


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


async def post(bot: StubBot, channel: Channel, slot: str, *blocks: dict[str, Any]) -> str:
    payload = {"onboarding_id": "1", "slot": slot}
    answer = await bot.call(
        "chat.postMessage",
        channel=channel.id,
        text="fallback",
        blocks=list(blocks),
        metadata={"event_type": "onboarding_message", "event_payload": payload},
    )
    ts: str = answer["ts"]
    return ts


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def actions(label: str) -> dict[str, Any]:
    return {
        "type": "actions",
        "elements": [{"type": "button", "action_id": "go", "text": plain(label)}],
    }


async def test_mrkdwn_is_rendered_as_readable_text(
    terminal: io.StringIO, bot: StubBot, channel: Channel, ann: Person
) -> None:
    text = f"*Hi* <@{ann.id}> &amp; all, <!date^1^{{date_num}}|then>: <https://example.com|here>"

    await post(bot, channel, "root", section(text))

    assert "Hi @Ann & all, 1969-12-31: here (https://example.com)" in terminal.getvalue()


class ColorTerminal(io.StringIO):
    """An interactive terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_color", "shown"), [(None, "\x1b[1mHi\x1b[22m"), ("1", "    Hi\n")])
async def test_a_terminal_gets_colors_unless_no_color_is_set(
    slack: SlackSandbox,
    bot: StubBot,
    channel: Channel,
    monkeypatch: pytest.MonkeyPatch,
    no_color: str | None,
    shown: str,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)
    out = ColorTerminal()
    slack.observers.append(Transcript(slack, out))

    await post(bot, channel, "root", section("*Hi*"))

    assert shown in out.getvalue()


async def test_a_step_shows_its_progress_and_its_buttons(
    terminal: io.StringIO, bot: StubBot, channel: Channel
) -> None:
    await post(bot, channel, "step:7", section("Press it"), actions("Done"))

    assert "step 7/25" in terminal.getvalue()
    assert "[ Done ]" in terminal.getvalue()


async def test_an_edit_shows_only_what_changed(
    terminal: io.StringIO, bot: StubBot, channel: Channel
) -> None:
    ts = await post(bot, channel, "root", section("Acme"), section("1 of 25"))

    blocks = [section("Acme"), section("2 of 25")]
    await bot.call("chat.update", channel=channel.id, ts=ts, text="fallback", blocks=blocks)

    assert "✎ edited root: 2 of 25\n" in terminal.getvalue()


async def test_a_private_answer_is_marked_private(
    terminal: io.StringIO, bot: StubBot, channel: Channel, ann: Person
) -> None:
    await bot.call("chat.postEphemeral", channel=channel.id, user=ann.id, text="psst")

    assert "(private, only Ann sees this)\n    psst" in terminal.getvalue()


async def test_modal_input_is_masked_there_and_wherever_it_appears_later(
    slack: SlackSandbox, terminal: io.StringIO, bot: StubBot, channel: Channel, ann: Person
) -> None:
    await post(bot, channel, "step:19", actions("Enter"))
    await ann.press(channel.messages[0], "go")
    element = {"type": "plain_text_input", "action_id": "client_secret"}
    block = {"type": "input", "block_id": "client_secret", "label": plain("Secret")}
    view = {"type": "modal", "title": plain("Enter"), "submit": plain("Save")}
    await bot.call(
        "views.open",
        trigger_id=bot.received[-1]["trigger_id"],
        view={**view, "blocks": [{**block, "element": element}]},
    )
    form = await slack.until(lambda: ann.view)
    await ann.submit(form, {"client_secret": SECRET})

    await post(bot, channel, "leak", section(SECRET))

    assert "Secret: ••••••1234" in terminal.getvalue()
    assert SECRET not in terminal.getvalue()


async def test_a_home_is_shown_on_one_line_and_a_press_there_names_it(
    terminal: io.StringIO, bot: StubBot, erin: Person
) -> None:
    blocks = [section("Acme is stuck at 7"), actions("Remind")]
    await bot.call("views.publish", user_id=erin.id, view={"type": "home", "blocks": blocks})
    assert erin.home is not None

    await erin.press(erin.home, "go")

    shown = terminal.getvalue()
    assert "⌂ Home of Erin: Acme is stuck at 7 · [ Remind ]" in shown
    assert "presses [ Remind ] in the app's Home" in shown
