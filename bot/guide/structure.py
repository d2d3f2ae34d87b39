"""Compares the structure of two guides: what running onboardings rely on, apart from wording."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

# What rows of an onboarding refer to, by its name in messages, and its properties in the guide.
Structure = dict[str, Mapping[str, Any]]


def changes(before: str, after: str) -> list[str]:
    """Return what changed in the structure from one TOML text to another, one phrase each.

    The old text may be from another release, so it is read without the model. Nothing is returned
    if it is not a guide.
    """
    try:
        old, new = _structure(before), _structure(after)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError):
        return []
    return [*_differences(old, new)]


def _differences(old: Structure, new: Structure) -> Iterator[str]:
    for name in sorted(old.keys() - new.keys(), key=_order):
        yield f"{name} is gone"
    for name in sorted(new.keys() - old.keys(), key=_order):
        yield f"{name} is new"
    for name in sorted(old.keys() & new.keys(), key=_order):
        for what in new[name]:
            if old[name][what] != new[name][what]:
                yield f"{name} has {what}"


def _order(name: str) -> tuple[str, int, str]:
    kind, _, which = name.partition(" ")
    return kind, int(which) if which.isdecimal() else 0, which


def _structure(source: str) -> Structure:
    guide = tomllib.loads(source)
    found: Structure = {}
    for phase in guide["phases"]:
        for step in phase["steps"]:
            options = step.get("choice", {}).get("options", [])
            found[f"step {step['number']}"] = {
                "another phase": phase["number"],
                "another owner": phase.get("owner", "client"),
                "other credentials": sorted(step.get("credentials", [])),
                "other credentials to reveal": sorted(step.get("reveals", [])),
                "another choice": {one["id"]: sorted(one.get("skips", [])) for one in options},
                "another part in the verification": step.get("verifies", False),
            }
    for field in guide["credentials"]:
        found[f"credential {field['id']}"] = {"another step": field["step"]}
    return found
