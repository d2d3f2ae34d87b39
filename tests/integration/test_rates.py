"""Bounds on what one person may ask of the bot, of the engineers and of ServiceTitan."""

import pytest

from tests.integration.world import World


async def ask(world: World, question: str, slot: str = "step:1") -> str:
    """Ask by the form, and return what its field says; empty if it was taken."""
    form = await world.open(world.ann, slot, "step_help")
    return str((await world.submit(world.ann, form, question=question)).errors.get("question", ""))


# --- trying out values ---


@pytest.mark.parametrize("field", ["tenant_id", "client_id"])
async def test_another_clients_value_is_not_known_to_who_asks(begun: World, field: str) -> None:
    await begun.walk_to(23)
    zenith = begun.slack.add_channel("zenith", begun.erin, begun.ann)
    await begun.begin("Zenith", zenith)
    form_message = begun.message("step:1", zenith)
    value = begun.servicetitan.credentials[field]

    await begun.ann.press(form_message, "step_help")
    await begun.idle()
    answer = await begun.submit(begun.ann, begun.view_of(begun.ann), question=f"Is {value} right?")

    assert answer.ok


async def test_many_candidates_in_one_question_are_compared_with_nothing(begun: World) -> None:
    await begun.walk_to(23)
    tenant = begun.servicetitan.credentials["tenant_id"]

    text = " ".join([*(str(100_000_000 + number) for number in range(100)), str(tenant)])
    said = [await ask(begun, text, "step:23") for _ in range(3)]

    assert all("numbers and codes" in one for one in said)
    [(detail,)] = begun.rows("SELECT detail FROM event WHERE kind = 'refused'")
    assert detail["deed"] == "guess"


async def test_many_questions_with_candidates_are_slowed(begun: World) -> None:
    await begun.walk_to(23)
    tenant = begun.servicetitan.credentials["tenant_id"]

    def text(start: int) -> str:
        return " ".join([*(str(start + number) for number in range(18)), str(tenant)])

    said = [await ask(begun, text(100_000_000 + 100 * number), "step:23") for number in range(12)]

    assert "Tenant ID" in said[0]
    assert "numbers and codes" in said[-1]
    assert len(begun.events("refused")) == 1
