"""Small checks from which the Block Kit rules are composed.

A check takes a value and its JSON pointer and yields a message for each problem, worded as Slack
words them in `response_metadata.messages`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Check = Callable[[Any, str], Iterator[str]]


def problem(text: str, pointer: str) -> str:
    """One line of `response_metadata.messages`."""
    return f"[ERROR] {text} [json-pointer:{pointer}]"


def string(maximum: int, minimum: int = 0) -> Check:
    """A string of `minimum` to `maximum` characters."""

    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield problem("must provide a string", pointer)
        elif len(value) > maximum:
            yield problem(f"must be less than {maximum + 1} characters", pointer)
        elif len(value) < minimum:
            yield problem(f"must be more than {minimum - 1} characters", pointer)

    return check


def matching(pattern: str) -> Check:
    """A string that matches a pattern, such as a date."""

    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            yield problem(f"must match {pattern}", pointer)

    return check


def flag(value: Any, pointer: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield problem("must provide a boolean", pointer)


def integer(minimum: int, maximum: int) -> Check:
    """A whole number within bounds."""

    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield problem("must provide an integer", pointer)
        elif not minimum <= value <= maximum:
            yield problem(f"must be between {minimum} and {maximum}", pointer)

    return check


def one_of(*allowed: str) -> Check:

    def check(value: Any, pointer: str) -> Iterator[str]:
        if value not in allowed:
            yield problem(f"must be one of {', '.join(allowed)}", pointer)

    return check


def array(item: Check, maximum: int, minimum: int = 1) -> Check:
    """A list of `minimum` to `maximum` items."""

    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield problem("must provide an array", pointer)
            return
        if len(value) > maximum:
            yield problem(f"no more than {maximum} items allowed", pointer)
        if len(value) < minimum:
            yield problem(f"no fewer than {minimum} items allowed", pointer)
        for position, each in enumerate(value):
            yield from item(each, f"{pointer}/{position}")

    return check


def record(
    required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *rules: Check
) -> Check:
    """An object with these properties and no others; `rules` check the object as a whole."""
    known = {**required, **(optional or {})}

    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield problem("must be an object", pointer)
            return
        for name in required.keys() - value.keys():
            yield problem(f"missing required field: {name}", pointer)
        for name in value.keys() - known.keys():
            yield problem(f"unsupported property: {name}", f"{pointer}/{name}")
        for name in value.keys() & known.keys():
            yield from known[name](value[name], f"{pointer}/{name}")
        for rule in rules:
            yield from rule(value, pointer)

    return check


def tagged(kinds: Mapping[str, Check]) -> Check:
    """An object whose `type` determines the check of everything else in it."""

    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield problem("must be an object", pointer)
        elif not isinstance(kind := value.get("type"), str) or kind not in kinds:
            yield problem(f"unsupported type: {kind}", f"{pointer}/type")
        else:
            rest = {name: each for name, each in value.items() if name != "type"}
            yield from kinds[kind](rest, pointer)

    return check
