"""Finds problems in a guide that types can't catch. Pure."""

from collections.abc import Iterator

from bot.guide.checks import GAPS, ServiceTitanChecks
from bot.guide.model import Guide, Step
from bot.guide.remedies import GAP, STEP, Remedy, Where

Problem = tuple[Where, str]

ONE_SECTION = 2600
# ServiceTitan's own; the Application Key may be HeavySet's.
NEEDED = {"tenant_id", "client_id", "client_secret", "booking_provider_id"}
OURS_PERHAPS = "application_key"


def problems(guide: Guide, folder: str = "") -> Iterator[Problem]:
    """Yield each problem in the guide's files, which are in `folder`: where it is, and what."""
    if folder and guide.id != folder:
        yield ("id",), f"must be “{folder}”, like the guide's folder"
    if folder and "checks" not in guide.model_fields_set:
        yield ("checks",), "are missing: checks.toml says by whom the credentials are checked"
    yield from _numbers(guide)
    yield from _references(guide)
    yield from _checks(guide)
    yield from _asked(guide)
    yield from _slack_limits(guide)


def _numbers(guide: Guide) -> Iterator[Problem]:
    expected = 1
    for at, phase in enumerate(guide.phases):
        if phase.number != at + 1:
            yield ("phases", at, "number"), f"phase {at + 1} is missing before this one"
        for position, step in enumerate(phase.steps):
            where = ("phases", at, "steps", position)
            if step.number != expected:
                message = f"step {expected} should be here, not {step.number}"
                yield (*where, "number"), message
            if step.key and guide.numbers[step.key] != step.number:
                yield (*where, "key"), f"another step has the key “{step.key}”, too"
            expected = step.number + 1


def _references(guide: Guide) -> Iterator[Problem]:
    numbers = {step.number for step in guide.steps}
    yield from _step_references(guide, numbers)
    for at, field in enumerate(guide.credentials):
        if guide.field(field.id) is not field:
            yield ("credentials", at, "id"), f"there is a credential “{field.id}” already"
        if field.step not in numbers or field.id not in guide.step(field.step).credentials:
            message = f"step {field.step} does not ask for “{field.label}”"
            yield ("credentials", at, "step"), message
    for at, trouble in enumerate(guide.troubleshooting):
        if not numbers.issuperset(trouble.steps):
            yield ("troubleshooting", at, "steps"), "one of these steps does not exist"


def _step_references(guide: Guide, numbers: set[int]) -> Iterator[Problem]:
    for where, step in _steps(guide):
        for key in ("credentials", "reveals"):
            for name in getattr(step, key):
                if name not in guide.field_ids:
                    yield (*where, key), f"there is no credential “{name}”"
        for option in step.options:
            if not numbers.issuperset(option.skips):
                here = (*where, "choice", "options")
                yield here, "a step that would be skipped does not exist"


def _checks(guide: Guide) -> Iterator[Problem]:
    is_checked = guide.is_checked or "checks" not in guide.model_fields_set
    verifying = [where for where, step in _steps(guide) if step.verifies]
    if is_checked and not verifying:
        yield ("phases",), "one step must have “verifies = true”"
    for where in verifying[1 if is_checked else 0 :]:
        most = "only one step" if is_checked else "nothing is checked: no step"
        yield (*where, "verifies"), f"{most} may have “verifies = true”"
    for where, name in guide.checks.placed_fields():
        if name not in guide.field_ids:
            yield ("checks", *where), f"there is no credential “{name}”"
    if isinstance(guide.checks, ServiceTitanChecks):
        yield from _servicetitan(guide)
    for where, cause, remedy in guide.checks.placed_remedies():
        yield from _remedy(guide, ("checks", *where), cause, remedy)


def _servicetitan(guide: Guide) -> Iterator[Problem]:
    for name in sorted(NEEDED.difference(guide.field_ids)):
        yield ("checks", "by"), f"a check with ServiceTitan needs the credential “{name}”"
    for at, field in enumerate(guide.credentials):
        if field.id not in NEEDED | {OURS_PERHAPS}:
            yield ("credentials", at, "id"), f"ServiceTitan knows no “{field.id}”"


def _remedy(guide: Guide, where: Where, cause: str, remedy: Remedy) -> Iterator[Problem]:
    for key in dict.fromkeys((*remedy.steps, *STEP.findall(remedy.text))):
        if key not in guide.numbers:
            part = "steps" if key in remedy.steps else "text"
            yield (*where, part), f"no step has the key “{key}”"
    for name in remedy.fields:
        if name not in guide.field_ids:
            yield (*where, "fields"), f"there is no credential “{name}”"
    gaps = {gap for gap in GAP.findall(remedy.text) if not gap.startswith("step.")}
    for gap in sorted(gaps - GAPS.get(cause, set())):
        yield (*where, "text"), f"nothing fills in “{{{gap}}}”"


def _asked(guide: Guide) -> Iterator[Problem]:
    from bot.guide.answers.passages import passages  # it imports the guide's parts itself

    known = {passage.id for passage in passages(guide)}
    for name in guide.asked:
        if name not in known:
            yield ("asked", name), "the guide has no such passage"


def _slack_limits(guide: Guide) -> Iterator[Problem]:
    if sum(map(len, guide.prerequisites)) > ONE_SECTION:
        yield ("prerequisites",), "all of them together are too long for one message"
    if sum(len(trouble.text) for trouble in guide.troubleshooting) > ONE_SECTION:
        yield ("troubleshooting",), "all of it together is too long for one window"
    for where, step in _steps(guide):
        # A message's plain text is refused over 4,000 characters (chat.update, msg_too_long).
        if len(step.model_dump_json(exclude={"key"})) > 4500:
            yield (*where, "body"), "the step is too long for one message: shorten or split it"


def _steps(guide: Guide) -> Iterator[tuple[Where, Step]]:
    for at, phase in enumerate(guide.phases):
        for position, step in enumerate(phase.steps):
            yield ("phases", at, "steps", position), step
