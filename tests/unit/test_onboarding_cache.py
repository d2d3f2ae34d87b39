"""What is remembered of onboardings: the newest revision alone, and of those in use."""

from dataclasses import replace

from storage.cache import MOST, Known
from tests.builders import an_onboarding

ACME = replace(an_onboarding(), id="acme", revision=3)


def test_only_the_revision_that_is_asked_for_counts() -> None:
    known = Known()
    known.learn(ACME)

    assert known.at("acme", 3) is ACME
    assert known.at("acme", 4) is None
    assert known.at("beta", 3) is None


def test_the_one_not_used_for_longest_is_forgotten() -> None:
    known = Known()
    known.learn(ACME)
    known.learn(replace(ACME, id="unused"))
    assert known.at("acme", 3)

    for number in range(MOST - 1):
        known.learn(replace(ACME, id=str(number)))

    assert known.at("acme", 3)
    assert known.at("unused", 3) is None
