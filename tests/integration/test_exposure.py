"""A value posted in the channel: caught, told, and its step opened again."""

from tests.integration.world import World, told
from tests.unit.test_exposure import ORDINARY


async def write(world: World, text: str, *, in_thread: bool = False) -> None:
    thread_ts = world.message("root").ts if in_thread else None
    await world.ann.say(world.channel, text, thread_ts)
    await world.slack.delivered()
    await world.idle()


def secret(world: World) -> str:
    return str(world.servicetitan.credentials["client_secret"])


async def test_a_stored_secret_in_the_channel_is_caught(begun: World) -> None:
    await begun.walk_to(24)

    await write(begun, f"FYI the secret is {secret(begun)}")

    assert "Please delete your message" in told(begun.ann)
    assert "step 19" in told(begun.ann)
    assert "A secret was exposed" in begun.message("exposed:1").text
    assert begun.current == 19
    assert [text for text in begun.announced if "posted the Client Secret" in text]


async def test_the_text_is_told_nowhere(begun: World) -> None:
    await begun.walk_to(24)

    await write(begun, f"FYI the secret is {secret(begun)}")

    ours = [one.text for one in begun.channel.messages if one.user is begun.slack.bot]
    assert not [text for text in [*ours, *begun.announced] if secret(begun) in text]
    assert secret(begun).encode() not in begun.database.read_bytes()


async def test_a_new_value_settles_it(begun: World) -> None:
    await begun.walk_to(24)
    await write(begun, secret(begun))
    new = begun.servicetitan.regenerate_secret()

    view = await begun.open(begun.ann, "exposed:1", "enter_credentials")
    answer = await begun.submit(begun.ann, view, client_secret=new)

    assert answer.ok
    assert "Settled" in begun.message("exposed:1").text
    assert begun.message("verification:2").payload["outcome"] == "passed"


async def test_step_22_waits_for_a_new_secret(begun: World) -> None:
    await begun.walk_to(23)
    await write(begun, secret(begun))

    for number in (19, 20, 21, 22):
        await begun.press(begun.ann, f"step:{number}", "step_done")

    assert begun.current == 22
    assert "Others may know the value of Client Secret" in told(begun.ann)


async def test_a_secret_that_is_not_stored_yet_is_known_by_its_looks(begun: World) -> None:
    await write(begun, f"is this it? {secret(begun)}", in_thread=True)

    assert "Please delete your message" in told(begun.ann)
    assert "exposed:1" in begun.slots()


async def test_an_edit_that_adds_a_secret_is_caught(begun: World) -> None:
    written = await begun.ann.say(begun.channel, "hello")
    await begun.ann.edit(written, f"hello {secret(begun)}")
    await begun.slack.delivered()
    await begun.idle()

    assert "Please delete your message" in told(begun.ann)


async def test_an_id_is_told_of_without_opening_a_step_again(begun: World) -> None:
    await begun.walk_to(24)

    await write(begun, f"our tenant is {begun.servicetitan.credentials['tenant_id']}")

    assert begun.current == 24
    assert "Tenant ID" in told(begun.ann)
    assert "keep values out of the channel" in begun.message("exposed:1").text


async def test_ordinary_talk_raises_no_alarm(begun: World) -> None:
    await begun.walk_to(24)

    for text in ORDINARY:
        await write(begun, text)

    assert begun.events("exposed") == []
    assert begun.ann.ephemerals == []


async def test_another_clients_value_is_not_known_here(begun: World) -> None:
    await begun.walk_to(24)
    other = begun.slack.add_channel("zenith", begun.erin, begun.ann)

    await begun.ann.say(other, begun.servicetitan.credentials["tenant_id"])
    await begun.slack.delivered()
    await begun.idle()

    assert begun.events("exposed") == []


async def test_a_question_with_a_secret_in_it_is_not_taken(begun: World) -> None:
    form = await begun.open(begun.ann, "step:1", "step_help")

    answer = await begun.submit(begun.ann, form, question=f"Is {secret(begun)} right?")

    assert list(answer.errors) == ["question"]
    assert begun.events("help_asked") == []
