"""The onboarding cache returns only the requested revision and evicts the least recently used."""

from dataclasses import replace

from storage.cache import MAX_ENTRIES, OnboardingCache
from tests.builders import an_onboarding

ACME = replace(an_onboarding(), id="acme", revision=3)


def test_only_the_requested_revision_counts() -> None:
    cache = OnboardingCache()
    cache.put(ACME)

    assert cache.get("acme", 3) is ACME
    assert cache.get("acme", 4) is None
    assert cache.get("beta", 3) is None


def test_the_least_recently_used_one_is_evicted() -> None:
    cache = OnboardingCache()
    cache.put(ACME)
    cache.put(replace(ACME, id="unused"))
    assert cache.get("acme", 3)

    for number in range(MAX_ENTRIES - 1):
        cache.put(replace(ACME, id=str(number)))

    assert cache.get("acme", 3)
    assert cache.get("unused", 3) is None
