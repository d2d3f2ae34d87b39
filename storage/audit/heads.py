"""Where each history ended, noted outside of the database: a line of the log for each change.

Somebody who can write the database, but has no key, can put a client's rows back as they were at an
earlier moment; nothing in the database tells that. The log does, if it is kept where that person
can't write: `onboarding db check --heads FILE` compares the two.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

log = logging.getLogger(__name__)

# As the log has it, in text or in JSON.
LINE = re.compile(
    r"""onboarding"?[=:]\ ?"?(?P<onboarding>[0-9a-f]{16}).*?
    events"?[=:]\ ?(?P<length>[0-9]{1,9}).*?
    head"?[=:]\ ?"?(?P<head>[0-9a-f]{8}(\.[0-9]+)?:[0-9a-f]{16})""",
    re.VERBOSE,
)
Heads = Mapping[str, Mapping[int, str]]


def short(end: str) -> str:
    """Return an end of a history so that a person can compare it: its key, and 64 bits."""
    name, _, digest = end.partition(":")
    return f"{name}:{digest[:16]}"


def log_head(onboarding_id: str, length: int, end: str) -> None:
    """Log where a history ends now."""
    extra = {"onboarding": onboarding_id, "events": length, "head": short(end)}
    log.info("history", extra=extra)


def read(lines: Iterable[str]) -> Heads:
    """Return what a log noted: by onboarding, the head at each length. Other lines don't matter."""
    found: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for line in lines:
        if match := LINE.search(line):
            found[match["onboarding"]][int(match["length"])] = match["head"]
    return found
