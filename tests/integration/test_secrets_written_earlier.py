"""A secret posted before it could be recognized is found once it is entered."""

import pytest

from sandbox.slack import Submission, visible_text
from tests.databases import ON_BOTH
from tests.integration.test_export import export
from tests.integration.world import World

# Matches no pattern for a Client Secret, so a question can contain it unnoticed.
UNUSUAL_SECRET = "q7w5e3r1t9y8u6i4o2p0a5s7d9f3"


async def history_of(world: World) -> str:
    await world.type("history")
    return visible_text(world.view_of(world.erin))


async def enter_unusual(world: World, value: str) -> Submission:
    answer = await world.enter(world.ann, 19, client_secret=value)
    if answer.ok and world.ann.view:
        answer = await world.submit(
            world.ann, world.view_of(world.ann), client_secret=value, confirm_unusual="confirmed"
        )
    return answer


@ON_BOTH
@pytest.mark.parametrize(
    "question", [UNUSUAL_SECRET, f"secret={UNUSUAL_SECRET.upper()}.", f"«{UNUSUAL_SECRET}»"]
)
async def test_a_secret_in_an_earlier_question_is_found_when_it_is_entered(
    begun: World, question: str
) -> None:
    await begun.walk_to(19)
    view = await begun.open(begun.ann, "step:19", "step_help")
    assert (await begun.submit(begun.ann, view, question=f"Is this right: {question} ?")).ok

    for _ in range(2):
        answer = await enter_unusual(begun, UNUSUAL_SECRET)
        assert "was posted in the channel" in answer.errors["client_secret"]

    assert begun.rows("SELECT count(*) FROM credential") == [(0,)]
    assert begun.events("exposed") == [(begun.ann.id, None)]
    history = await history_of(begun)
    assert "(hidden: looks like a credential)" in history
    assert UNUSUAL_SECRET not in history.lower()
    exported = await export(begun, begun.onboarding, "--format", "json")
    assert exported.status == 0
    assert UNUSUAL_SECRET not in exported.out.lower()
    await begun.assert_consistent()


async def test_a_secret_in_the_clients_name_is_found_when_it_is_entered(world: World) -> None:
    await world.begin(f"Acme {UNUSUAL_SECRET}")
    await world.walk_to(19)

    answer = await enter_unusual(world, UNUSUAL_SECRET)

    assert "was posted in the channel" in answer.errors["client_secret"]
    assert "A secret was posted here: the Client Secret" in world.message("exposed:1").text
    [announcement] = [text for text in world.announced if "posted the Client Secret" in text]
    assert "someone" in announcement
    assert "<@>" not in announcement


async def test_an_earlier_question_without_the_secret_stays_visible(begun: World) -> None:
    await begun.walk_to(19)
    view = await begun.open(begun.ann, "step:19", "step_help")
    await begun.submit(begun.ann, view, question="Where is the Client Secret generated?")

    await enter_unusual(begun, UNUSUAL_SECRET)

    assert begun.events("exposed") == []
    assert "Where is the Client Secret generated?" in await history_of(begun)


async def test_a_value_too_short_for_a_secret_is_not_searched_for(begun: World) -> None:
    await begun.walk_to(19)
    view = await begun.open(begun.ann, "step:19", "step_help")
    await begun.submit(begun.ann, view, question="Where is the secret?")

    await begun.enter(begun.ann, 19, client_secret="secret")

    assert begun.events("exposed") == []
