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
    yield from (f"{name} is gone" for name in old if name not in new)
    yield from (f"{name} is new" for name in new if name not in old)
    for name in new:
        for what in new[name]:
            if name in old and old[name][what] != new[name][what]:
                yield f"{name} has {what}"


def _structure(source: str) -> Structure:
    guide = tomllib.loads(source)
    fields = sorted(guide["credentials"], key=lambda field: field["id"])
    found: Structure = {
        f"credential {field['id']}": {"another step": field["step"]} for field in fields
    }
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
    return found
