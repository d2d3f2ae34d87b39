"""Limits on what one person can demand of the bot, the engineers, and ServiceTitan."""

import secrets

import pytest

from bot.onboarding.throttling import CHECKS, HANDOVERS, QUESTIONS, REPLACEMENTS
from sandbox.slack import offers
from storage.cache import OnboardingCache
from tests.databases import ON_BOTH
from tests.integration.world import World


async def ask(world: World, question: str, slot: str = "step:1") -> str:
    """Ask through the form, and return its field's error; empty if it was accepted."""
    form = await world.open(world.ann, slot, "step_help")
    return str((await world.submit(world.ann, form, question=question)).errors.get("question", ""))


# --- guessing values ---


@pytest.mark.parametrize("field", ["tenant_id", "client_id"])
async def test_a_question_does_not_confirm_another_clients_values(begun: World, field: str) -> None:
    await begun.walk_to(23)
    zenith = begun.slack.add_channel("zenith", begun.erin, begun.ann)
    await begun.begin("Zenith", zenith)
    form_message = begun.message("step:1", zenith)
    value = begun.servicetitan.credentials[field]

    await begun.ann.press(form_message, "step_help")
    await begun.idle()
    answer = await begun.submit(begun.ann, begun.view_of(begun.ann), question=f"Is {value} right?")

    assert answer.ok


async def test_a_question_with_too_many_candidate_values_is_not_checked(begun: World) -> None:
    await begun.walk_to(23)
    tenant = begun.servicetitan.credentials["tenant_id"]

    text = " ".join([*(str(100_000_000 + number) for number in range(100)), str(tenant)])
    replies = [await ask(begun, text, "step:23") for _ in range(3)]

    assert all("numbers and codes" in answer for answer in replies)
    [(detail,)] = begun.rows("SELECT detail FROM event WHERE kind = 'refused'")
    assert detail["deed"] == "guess"


@ON_BOTH
async def test_repeated_questions_with_candidate_values_are_rate_limited(begun: World) -> None:
    await begun.walk_to(23)
    tenant = begun.servicetitan.credentials["tenant_id"]

    def text(start: int) -> str:
        return " ".join([*(str(start + number) for number in range(18)), str(tenant)])

    replies = [
        await ask(begun, text(100_000_000 + 100 * number), "step:23") for number in range(12)
    ]

    assert "Tenant ID" in replies[0]
    assert "numbers and codes" in replies[-1]
    assert len(begun.events("refused")) == 1


# --- ServiceTitan, engineers, the thread ---


@ON_BOTH
async def test_guessing_secrets_against_servicetitan_is_rate_limited(begun: World) -> None:
    await begun.walk_to(23)

    answers = []
    for _ in range(12):
        guess = f"cs1.{secrets.token_hex(25)}"
        answers.append(await begun.enter(begun.ann, 19, client_secret=guess))

    accepted = [answer for answer in answers if answer.ok]
    assert len(accepted) == CHECKS.most - 1  # entering the five values was the first check
    assert "changed 10 times in the last hour" in answers[-1].errors["client_secret"]
    assert "in 60 minutes" in answers[-1].errors["client_secret"]
    [(version,)] = begun.rows("SELECT version FROM credential WHERE field = 'client_secret'")
    assert version == len(accepted) + 1


async def test_values_are_accepted_again_after_an_hour(begun: World) -> None:
    await begun.walk_to(23)
    for _ in range(10):
        await begun.enter(begun.ann, 19, client_secret=f"cs1.{secrets.token_hex(25)}")
    begun.write("UPDATE event SET at = '2020-01-01 00:00:00.000000' WHERE id > 1")

    right = begun.servicetitan.credentials["client_secret"]

    assert (await begun.enter(begun.ann, 19, client_secret=right)).ok


async def test_the_engineer_is_pinged_for_at_most_ten_questions_an_hour(begun: World) -> None:
    replies = [await ask(begun, f"What about the roof, part {number}?") for number in range(12)]

    assert len([text for text in begun.announced if "needs help" in text]) == QUESTIONS.most
    assert "Please collect the rest" in replies[-1]


@ON_BOTH
async def test_a_repeated_refusal_is_recorded_once_an_hour(begun: World) -> None:
    for _ in range(5):
        await begun.ann.press_raw(begun.message("root"), "step_done", f"{begun.onboarding}:23")
    await begun.idle()

    assert len(begun.events("refused")) == 1


async def test_reposting_a_secret_within_the_hour_adds_no_second_notice(begun: World) -> None:
    await begun.walk_to(24)
    secret = begun.servicetitan.credentials["client_secret"]

    for _ in range(5):
        await begun.ann.say(begun.channel, f"it is {secret}")
        await begun.slack.delivered()
        await begun.idle()

    assert begun.current == 19
    assert len(begun.events("exposed")) == 1
    assert [slot for slot in begun.slots() if slot.startswith("exposed")] == ["exposed:1"]
    assert len([text for text in begun.announced if "posted the Client Secret" in text]) == 1
    assert len(begun.ann.ephemerals) == 5


@ON_BOTH
async def test_every_secret_posted_in_the_channel_is_refused_in_the_form(begun: World) -> None:
    await begun.walk_to(19)
    posted = [f"cs1.{secrets.token_hex(25)}" for _ in range(3)]

    for secret in posted:
        await begun.ann.say(begun.channel, secret)
        await begun.slack.delivered()
        await begun.idle()

    assert len(begun.events("exposed")) == 1
    begun.bot.database.cache = OnboardingCache()
    for secret in posted:
        answer = await begun.enter(begun.ann, 19, client_secret=secret)
        assert "was posted in the channel" in answer.errors["client_secret"]


async def test_a_new_secret_posted_within_the_hour_is_reported(begun: World) -> None:
    await begun.walk_to(24)
    for _ in range(2):
        secret = begun.servicetitan.credentials["client_secret"]
        await begun.ann.say(begun.channel, secret)
        await begun.slack.delivered()
        await begun.idle()
        new = begun.servicetitan.regenerate_secret()
        await begun.enter(begun.ann, 19, client_secret=new)

    assert len(begun.events("exposed")) == 2


async def test_the_engineer_is_pinged_for_at_most_thirty_handovers_an_hour(begun: World) -> None:
    await begun.walk_to(4)
    for _ in range(HANDOVERS.most + 1):
        await begun.press(begun.ann, "step:4", "hand_over")
        if offers(begun.message("step:4"), "give_back"):
            await begun.press(begun.ann, "step:4", "give_back")

    announcements = [text for text in begun.announced if "would like you to do" in text]
    assert len(announcements) == HANDOVERS.most
    assert "times in the last hour" in "".join(message.text for message in begun.ann.ephemerals)


@ON_BOTH
async def test_replacements_of_one_credential_are_limited(begun: World) -> None:
    await begun.walk_to(22)

    guesses = [f"cs1.{secrets.token_hex(25)}" for _ in range(33)]
    replies = [await begun.enter(begun.ann, 19, client_secret=guess) for guess in guesses]

    assert [answer.ok for answer in replies] == [True] * (1 + REPLACEMENTS.most) + [False] * 2
