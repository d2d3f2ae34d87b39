"""A credential posted in the channel: caught, reported, and its step reopened."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.slack import Channel
from tests.background import wait_for_tasks
from tests.integration.test_client_team import add_outsider
from tests.integration.world import KEY, OTHER_KEY, World, last_reply
from tests.unit.test_secret_scan import ORDINARY, SECRET, WIDE

LOOK_ALIKE = SECRET


async def post(world: World, text: str, *, in_thread: bool = False) -> None:
    thread_ts = world.message("root").ts if in_thread else None
    await world.ann.say(world.channel, text, thread_ts)
    await world.slack.delivered()
    await world.idle()


def secret(world: World) -> str:
    return str(world.servicetitan.credentials["client_secret"])


async def test_a_stored_secret_in_the_channel_is_caught(begun: World) -> None:
    await begun.walk_to(24)

    await post(begun, f"FYI the secret is {secret(begun)}")

    assert "Please delete it now" in last_reply(begun.ann)
    assert "step 19" in last_reply(begun.ann)
    assert "A secret was posted here" in begun.message("exposed:1").text
    assert begun.current == 19
    assert [text for text in begun.announced if "posted the Client Secret" in text]


async def test_a_posted_secret_is_neither_repeated_nor_stored(begun: World) -> None:
    await begun.walk_to(24)

    await post(begun, f"FYI the secret is {secret(begun)}")

    ours = [message.text for message in begun.channel.messages if message.user is begun.slack.bot]
    assert not [text for text in [*ours, *begun.announced] if secret(begun) in text]
    assert secret(begun).encode() not in begun.database.content()


async def test_entering_a_new_secret_resolves_the_exposure(begun: World) -> None:
    await begun.walk_to(24)
    await post(begun, secret(begun))
    new = begun.servicetitan.regenerate_secret()

    view = await begun.open(begun.ann, "exposed:1", "enter_credentials")
    answer = await begun.submit(begun.ann, view, client_secret=new)

    assert answer.ok
    assert "All good" in begun.message("exposed:1").text
    assert begun.message("verification:2").payload["outcome"] == "passed"


async def test_step_22_waits_for_a_new_secret(begun: World) -> None:
    await begun.walk_to(23)
    await post(begun, secret(begun))

    for number in (19, 20, 21, 22):
        await begun.press(begun.ann, f"step:{number}", "step_done")

    assert begun.current == 22
    assert "Client Secret (step 19) was posted in the channel" in last_reply(begun.ann)


async def test_a_secret_not_stored_yet_is_recognized_by_its_format(begun: World) -> None:
    await post(begun, f"is this it? {secret(begun)}", in_thread=True)

    assert "Please delete it now" in last_reply(begun.ann)
    assert "exposed:1" in begun.slots()


async def test_an_edit_that_adds_a_secret_is_caught(begun: World) -> None:
    written = await begun.ann.say(begun.channel, "hello")
    await begun.ann.edit(written, f"hello {secret(begun)}")
    await begun.slack.delivered()
    await begun.idle()

    assert "Please delete it now" in last_reply(begun.ann)


async def test_a_posted_id_is_flagged_without_reopening_its_step(begun: World) -> None:
    await begun.walk_to(24)

    await post(begun, f"our tenant is {begun.servicetitan.credentials['tenant_id']}")

    assert begun.current == 24
    assert "Tenant ID" in last_reply(begun.ann)
    assert "keep IDs out of the channel" in begun.message("exposed:1").text


async def test_ordinary_messages_raise_no_alarm(begun: World) -> None:
    await begun.walk_to(24)

    for text in ORDINARY:
        await post(begun, text)

    assert begun.events("exposed") == []
    assert begun.ann.ephemerals == []


async def test_a_clients_id_is_not_flagged_in_another_channel(begun: World) -> None:
    await begun.walk_to(24)
    other = begun.slack.add_channel("zenith", begun.erin, begun.ann)

    await begun.ann.say(other, begun.servicetitan.credentials["tenant_id"])
    await begun.slack.delivered()
    await begun.idle()

    assert begun.events("exposed") == []


async def test_a_question_containing_a_secret_is_rejected(begun: World) -> None:
    form = await begun.open(begun.ann, "step:1", "step_help")

    answer = await begun.submit(begun.ann, form, question=f"Is {secret(begun)} right?")

    assert list(answer.errors) == ["question"]
    assert begun.events("help_asked") == []


# --- a posted secret can't be entered later as a new one ---


async def test_a_posted_secret_is_rejected_when_entered(begun: World) -> None:
    await begun.walk_to(19)
    await post(begun, f"got it: {secret(begun)}", in_thread=True)

    reused = await begun.enter(begun.ann, 19, client_secret=secret(begun))
    new = await begun.enter(begun.ann, 19, client_secret=begun.servicetitan.regenerate_secret())

    assert "was posted in the channel" in reused.errors["client_secret"]
    assert "create a new one (step 19)" in reused.errors["client_secret"]
    assert new.ok
    assert "All good" in begun.message("exposed:1").text


async def test_a_stored_secret_that_was_posted_cannot_be_reentered(begun: World) -> None:
    await begun.walk_to(24)
    await post(begun, secret(begun))

    view = await begun.open(begun.ann, "exposed:1", "enter_credentials")
    answer = await begun.submit(begun.ann, view, client_secret=secret(begun))

    assert list(answer.errors) == ["client_secret"]
    assert "A secret was posted here" in begun.message("exposed:1").text


async def test_posted_secrets_are_still_recognized_after_key_rotation(begun: World) -> None:
    await begun.walk_to(19)
    await post(begun, secret(begun), in_thread=True)
    keys = begun.settings.model_validate(
        {**begun.settings.model_dump(), "credential_keys": [OTHER_KEY, KEY]}
    ).credential_keys

    async with begun.second_bot(credential_keys=keys) as bot:
        begun.slack.deliver_to(f"http://127.0.0.1:{bot.settings.port}/slack/events")
        await begun.ann.press(begun.message("step:19"), "enter_credentials")
        await wait_for_tasks(bot.tasks)
        form = begun.view_of(begun.ann)
        answer = await begun.ann.submit(form, {"client_secret": secret(begun)})

    assert list(answer.errors) == ["client_secret"]


async def test_only_a_keyed_digest_of_a_posted_secret_is_stored(begun: World) -> None:
    await post(begun, secret(begun), in_thread=True)

    [(detail,)] = begun.rows("SELECT detail FROM event WHERE kind = 'exposed'")
    [mark] = detail["marks"]
    assert len(mark.removeprefix("2:")) == 64
    assert hashlib.sha256(secret(begun).encode()).hexdigest() != mark


async def test_an_id_that_was_posted_can_still_be_entered(begun: World) -> None:
    await begun.walk_to(22)
    values = begun.servicetitan.credentials
    ids = {name: values[name] for name in ("tenant_id", "client_id")}
    assert (await begun.enter(begun.ann, 18, **ids)).ok
    await post(begun, f"our tenant is {ids['tenant_id']}")

    assert (await begun.enter(begun.ann, 18, **ids)).ok


async def test_a_new_secret_next_to_a_stored_value_is_flagged_too(begun: World) -> None:
    await begun.walk_to(24)
    new = begun.servicetitan.regenerate_secret()

    await post(begun, f"tenant {begun.servicetitan.tenant_id}, new secret {new}")

    assert "Client Secret and Tenant ID" in last_reply(begun.ann)
    assert begun.current == 24


# --- text that only looks like a secret ---


async def test_a_secret_look_alike_only_warns_if_a_secret_is_stored(begun: World) -> None:
    await begun.walk_to(24)
    before = begun.slots()

    for person in (begun.ann, begun.erin):
        await person.say(begun.channel, LOOK_ALIKE, begun.message("root").ts)
    await begun.slack.delivered()
    await begun.idle()

    assert begun.current == 24
    assert begun.slots() == before
    assert begun.events("exposed") == []
    assert "Please delete it now" in last_reply(begun.ann)
    assert "Please delete it now" in last_reply(begun.erin)


@pytest.mark.parametrize("step", [1, 19, 24])
async def test_a_secret_look_alike_from_a_stranger_reopens_no_step(begun: World, step: int) -> None:
    await begun.walk_to(step)
    zoe = add_outsider(begun)

    await zoe.say(begun.channel, LOOK_ALIKE, begun.message("root").ts)
    await begun.slack.delivered()
    await begun.idle()

    assert begun.current == step
    assert begun.events("exposed") == []
    assert "Please delete it now" in last_reply(zoe)


async def test_a_second_posted_secret_reopens_no_step_but_is_rejected(
    begun: World,
) -> None:
    await begun.walk_to(23)
    await post(begun, secret(begun))
    for number in (19, 20, 21):
        await begun.press(begun.ann, f"step:{number}", "step_done")
    new = begun.servicetitan.regenerate_secret()

    await post(begun, new)
    view = await begun.open(begun.ann, "exposed:1", "enter_credentials")
    answer = await begun.submit(begun.ann, view, client_secret=new)

    assert begun.current == 22
    assert "was posted in the channel" in answer.errors["client_secret"]


# --- another client's secret ---


async def begin_zenith(world: World) -> Channel:
    """Start an onboarding for Zenith, and return its channel."""
    zenith = world.slack.add_channel("zenith", world.erin, world.ann)
    await world.begin("Zenith", zenith)
    return zenith


async def test_a_secret_in_another_clients_channel_is_traced_to_its_owner(begun: World) -> None:
    await begun.walk_to(24)
    zenith = await begin_zenith(begun)
    before = begun.slots(zenith)

    await begun.ann.say(zenith, f"is it {secret(begun)} ?")
    await begun.slack.delivered()
    await begun.idle()

    steps = begun.rows("SELECT client_name, current_step FROM onboarding ORDER BY client_name")
    assert steps == [("Acme Plumbing", 19), ("Zenith", 1)]
    assert "posted in another channel by mistake" in begun.message("exposed:1").text
    assert begun.slots(zenith) == before
    assert len(begun.events("exposed")) == 1
    [text] = [text for text in begun.announced if "posted the Client Secret" in text]
    assert "Acme Plumbing" in text
    assert zenith.id in text


async def test_the_warning_does_not_reveal_whether_the_secret_is_real(begun: World) -> None:
    await begun.walk_to(24)
    zenith = begun.slack.add_channel("zenith", begun.erin, begun.ann)

    for text in (secret(begun), LOOK_ALIKE):
        await begun.ann.say(zenith, text)
    await begun.slack.delivered()
    await begun.idle()

    known, unknown = [message.text for message in begun.ann.ephemerals]
    assert known == unknown


async def test_a_message_full_of_numbers_is_not_matched_against_ids(begun: World) -> None:
    await begun.walk_to(24)
    numbers = [str(100_000_000 + number) for number in range(50)]

    await post(begun, " ".join([*numbers, begun.servicetitan.credentials["tenant_id"]]))

    assert begun.events("exposed") == []
    assert len(begun.events("refused")) == 1


async def test_a_message_full_of_numbers_cannot_hide_a_secret(begun: World) -> None:
    await begun.walk_to(24)
    numbers = [str(100_000_000 + number) for number in range(50)]

    await post(begun, " ".join([*numbers, secret(begun)]))

    assert begun.current == 19


# --- wherever people can write ---


async def test_a_secret_in_a_file_name_is_caught(begun: World) -> None:
    await post(begun, "see the file")
    event = begun.last_event("message")
    event["event_id"] = "Ev0FILE"
    event["event"] |= {
        "subtype": "file_share",
        "ts": f"{event['event']['ts']}1",
        "files": [{"id": "F1", "name": f"{secret(begun)}.txt"}],
    }

    await begun.slack.post_signed(json.dumps(event).encode(), "application/json")
    await begun.idle()

    assert "Please delete it now" in last_reply(begun.ann)


@pytest.mark.parametrize("field", ["tenant_id", "client_secret"])
async def test_a_question_containing_a_stored_value_is_rejected(begun: World, field: str) -> None:
    await begun.walk_to(23)
    form = await begun.open(begun.ann, "step:23", "step_help")

    value = begun.servicetitan.credentials[field]
    answer = await begun.submit(begun.ann, form, question=f"Is “{value}” right?")

    assert "Please remove the" in answer.errors["question"]
    assert begun.events("help_asked") == []


async def test_a_client_name_that_looks_like_a_secret_is_rejected(begun: World) -> None:
    await begun.walk_to(23)
    value = begun.servicetitan.credentials["application_key"]
    other = begun.slack.add_channel("zenith", begun.erin)

    typed = await begun.type(f"start {value}", channel=other)
    await begun.type("start Zenith", channel=other)
    named = await begun.submit(begun.erin, begun.view_of(begun.erin), client_name=f"Zen {value}")

    assert "everyone can see a client's name" in typed.text
    assert "Nothing was started" in named.errors["client_name"]
    assert len(begun.rows("SELECT id FROM onboarding")) == 1


async def test_client_names_are_not_compared_with_stored_ids(begun: World) -> None:
    await begun.walk_to(23)
    other = begun.slack.add_channel("zenith", begun.erin)

    await begun.begin(f"Zenith {begun.servicetitan.credentials['tenant_id']}", other)

    assert len(begun.rows("SELECT id FROM onboarding")) == 2


async def test_a_cancellation_reason_containing_a_stored_value_is_rejected(begun: World) -> None:
    await begun.walk_to(23)
    await begun.type("cancel")

    reason = f"{begun.servicetitan.tenant_id} left"
    answer = await begun.submit(begun.erin, begun.view_of(begun.erin), reason=reason)

    assert "Please remove the Tenant ID" in answer.errors["reason"]
    assert begun.rows("SELECT status FROM onboarding") == [("active",)]


# --- in attachments, blocks, files, and other spellings ---


async def repost_with(world: World, changes: dict[str, Any]) -> str:
    """Post a message, resend it with `changes`, and return what the writer is told."""
    await world.ann.say(world.channel, "see this")
    event = world.last_event("message")
    event |= {"event_id": f"Ev0{len(world.slack.deliveries)}"}
    event["event"] |= {"ts": f"{event['event']['ts']}1", **changes}
    await world.slack.post_signed(json.dumps(event).encode(), "application/json")
    await world.idle()
    return last_reply(world.ann)


VISIBLE_PARTS: list[dict[str, Any]] = [
    {"attachments": [{"is_share": True, "text": "{}", "ts": "1.1"}], "text": ""},
    {"attachments": [{"fallback": "[no preview]", "fields": [{"title": "x", "value": "{}"}]}]},
    {"attachments": [{"title": "{}"}]},
    {"attachments": [{"pretext": "a", "footer": "{}"}]},
    {"attachments": [{"message_blocks": [{"message": {"blocks": [{"text": {"text": "{}"}}]}}]}]},
    {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "{}"}}]},
    {"files": [{"id": "F1", "preview": "key = {}", "mode": "snippet"}], "subtype": "file_share"},
    {"files": [{"id": "F1", "plain_text": "{}"}], "subtype": "file_share"},
    {"files": [{"id": "F1", "initial_comment": {"comment": "{}"}}], "subtype": "file_share"},
    {"text": "{}", "subtype": "me_message"},
    {"text": "`{}`", "subtype": "thread_broadcast"},
]


@pytest.mark.parametrize(
    "part", VISIBLE_PARTS, ids=[json.dumps(part)[:60] for part in VISIBLE_PARTS]
)
async def test_a_secret_is_caught_in_every_visible_part_of_a_message(
    begun: World, part: dict[str, Any]
) -> None:
    changes = json.loads(json.dumps(part).replace("{}", secret(begun)))

    assert "Please delete it now" in await repost_with(begun, changes)


async def test_a_secret_split_across_rich_text_elements_is_caught(begun: World) -> None:
    value = secret(begun)
    pieces = [{"type": "text", "text": piece} for piece in (value[:9], value[9:])]
    section = {"type": "rich_text_section", "elements": pieces}
    blocks = [{"type": "rich_text", "elements": [section]}]

    assert "Please delete it now" in await repost_with(begun, {"text": "", "blocks": blocks})


@pytest.mark.parametrize("spell", [str.upper, lambda text: text.translate(WIDE)])
async def test_a_stored_secret_is_caught_in_uppercase_and_full_width_letters(
    begun: World, spell: Callable[[str], str]
) -> None:
    await begun.walk_to(24)

    await post(begun, spell(secret(begun)))

    assert "Please delete it now" in last_reply(begun.ann)
    assert begun.current == 19


async def test_a_secret_in_a_forwarded_message_is_caught(begun: World) -> None:
    elsewhere = begun.slack.add_channel("elsewhere", begun.ann)
    written = await begun.ann.say(elsewhere, f"secret {secret(begun)}")

    await begun.ann.say(begun.channel, "", forwarded=written)
    await begun.idle()

    assert "Please delete it now" in last_reply(begun.ann)


async def test_a_secret_in_an_attachment_added_by_an_edit_is_caught(begun: World) -> None:
    written = await begun.ann.say(begun.channel, "hello")
    await begun.ann.edit(written, "hello there")
    event = begun.last_event("message")
    message = event["event"]["message"]
    event["event"]["previous_message"] = dict(message)
    message["attachments"] = [{"text": secret(begun)}]
    event["event_id"] = "Ev0EDIT"

    await begun.slack.post_signed(json.dumps(event).encode(), "application/json")
    await begun.idle()

    assert "Please delete it now" in last_reply(begun.ann)


async def test_a_link_preview_does_not_raise_a_second_alarm(begun: World) -> None:
    await post(begun, f"{secret(begun)} https://acme.example")
    written = begun.last_event("message")
    before = written["event"]
    event = {
        "type": "message",
        "subtype": "message_changed",
        "channel": begun.channel.id,
        "message": {
            **before,
            "attachments": [{"title": "Acme", "from_url": "https://acme.example"}],
        },
        "previous_message": before,
    }

    changed = {**written, "event": event, "event_id": "Ev0PREVIEW"}
    await begun.slack.post_signed(json.dumps(changed).encode(), "application/json")
    await begun.idle()

    assert len(begun.events("exposed")) == 1


@pytest.mark.parametrize("writer", ["Slackbot", "an app", "a webhook"])
async def test_a_stored_secret_posted_by_a_bot_or_webhook_is_caught(
    begun: World, writer: str
) -> None:
    await begun.walk_to(24)
    app = begun.slack.add_person("Mail App", is_bot=True)
    begun.channel.members[app.id] = app.user
    person = begun.slack.slackbot if writer == "Slackbot" else app
    subtype = "bot_message" if writer == "a webhook" else None
    mention = "Someone" if writer == "a webhook" else f"<@{person.id}>"

    await person.say(begun.channel, f"Reminder: it is {secret(begun)}", subtype=subtype)
    await begun.slack.delivered()
    await begun.idle()

    assert begun.current == 19
    notice = begun.message("exposed:1").text
    assert "A secret was posted here" in notice
    assert "<@>" not in notice
    [announcement] = [text for text in begun.announced if "posted the Client Secret" in text]
    assert mention.lower() in announcement.lower()
    assert not begun.slack.calls_of("chat.postEphemeral")


@pytest.mark.parametrize("text", [LOOK_ALIKE, "password: Hunter2!", "new", "help"])
async def test_app_messages_without_a_stored_secret_are_ignored(begun: World, text: str) -> None:
    app = begun.slack.add_person("Mail App", is_bot=True)
    begun.channel.members[app.id] = app.user
    slots = begun.slots()

    await app.say(begun.channel, text, begun.message("root").ts)
    await app.say(begun.channel, text, begun.message("root").ts, subtype="bot_message")
    await begun.slack.delivered()
    await begun.idle()

    assert begun.slots() == slots
    assert begun.current == 1
    assert not begun.slack.calls_of("chat.postEphemeral")


# --- a password ---


@pytest.mark.parametrize("in_thread", [True, False])
async def test_only_the_writer_is_warned_about_a_posted_password(
    begun: World, in_thread: bool
) -> None:
    await post(begun, "login ann@acme.example password Hunter2!", in_thread=in_thread)

    assert "looks like it has a password" in last_reply(begun.ann)
    assert begun.events("exposed") == []
    assert begun.rows("SELECT detail FROM event WHERE kind = 'help_asked'") == []
    assert b"Hunter2!" not in begun.database.content()


# --- the engineering channel ---


async def test_a_stored_secret_in_the_engineering_channel_is_caught(begun: World) -> None:
    await begun.walk_to(24)

    await begun.erin.say(begun.engineering, f"Acme's secret: {secret(begun)}")
    await begun.slack.delivered()
    await begun.idle()

    assert "Please delete it now" in last_reply(begun.erin)
    assert begun.current == 19
    assert "posted in another channel by mistake" in begun.message("exposed:1").text
    assert [text for text in begun.announced if "in this channel" in text]


async def test_a_look_alike_in_the_engineering_channel_warns_only_its_writer(begun: World) -> None:
    for text in (secret(begun), "pw: Hunter2!"):
        await begun.erin.say(begun.engineering, text)
    await begun.slack.delivered()
    await begun.idle()

    assert len(begun.erin.ephemerals) == 2
    assert begun.events("exposed") == []


async def test_ids_can_be_mentioned_in_the_engineering_channel(begun: World) -> None:
    await begun.walk_to(24)

    await begun.erin.say(begun.engineering, f"tenant {begun.servicetitan.tenant_id}")
    await begun.slack.delivered()
    await begun.idle()

    assert begun.erin.ephemerals == []
