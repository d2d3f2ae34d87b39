"""Logs where each history ends, outside of the database: one line per change.

Someone who can write to the database but has no key can restore a client's rows to an earlier
state, and nothing in the database shows it. A log that this person cannot write to does:
`onboarding db check --heads FILE` compares the two.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

log = logging.getLogger(__name__)

# Matches our line in a text log and in a JSON log.
LINE = re.compile(
    r"""onboarding"?[=:]\ ?"?(?P<onboarding>[0-9a-f]{16}).*?
    events"?[=:]\ ?(?P<length>[0-9]{1,9}).*?
    head"?[=:]\ ?"?(?P<head>[0-9a-f]{8}(\.[0-9]+)?:[0-9a-f]{16})""",
    re.VERBOSE,
)
Heads = Mapping[str, Mapping[int, str]]


def log_head(onboarding_id: str, length: int, end: str) -> None:
    """Log where a history ends now: the key's name and 64 bits, so a person can compare it."""
    name, _, digest = end.partition(":")
    extra = {"onboarding": onboarding_id, "events": length, "head": f"{name}:{digest[:16]}"}
    log.info("history", extra=extra)


def read_heads(lines: Iterable[str]) -> Heads:
    """Return the heads in a log, by onboarding and length; other lines are ignored."""
    found: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for line in lines:
        if match := LINE.search(line):
            found[match["onboarding"]][int(match["length"])] = match["head"]
    return found
