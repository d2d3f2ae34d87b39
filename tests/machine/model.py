"""A small model beside the bot: what a deed does to an onboarding, and which orders explain it.

People who act at once may come in any order, but the result must be that of some order: no deed
half done, none twice, none lost without a word.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from bot.onboarding.throttling import QUESTIONS
from tests.builders import ALL_FIELDS, GUIDE
from tests.machine.actions import CLIENTS, ENGINEERS, FILLED, Act

LAST = len(GUIDE.steps)
LAST_OF_CLIENT = GUIDE.last_credential_step
RIGHT, WRONG, NONE = "r", "w", "-"
# An event as the model knows it: what, who, and at which step.
Key = tuple[str, str, int | None]


@dataclass(frozen=True)
class Model:
    """Where an onboarding stands: a letter for each step and each value."""

    steps: str
    values: str = NONE * len(ALL_FIELDS)
    status: str = "active"
    account: str | None = None
    handed: frozenset[int] = frozenset()
    checking: bool = False
    asked: tuple[str, ...] = ()  # who asked the engineer something, once for each question

    @property
    def current(self) -> int | None:
        """The number of the current step."""
        return self.steps.index("c") + 1 if "c" in self.steps else None

    def letter(self, number: int) -> str:
        """The state of a step."""
        return self.steps[number - 1]


class Result(NamedTuple):
    """What comes of a deed: the events, how often the person is told something, what is left."""

    model: Model
    events: tuple[Key, ...] = ()
    told: int = 0
    then: Act | None = None


class Seen(NamedTuple):
    """What is seen after people have acted at once."""

    model: Model
    events: Mapping[Key, int]
    told: Mapping[str, int]


# --- one deed ---


def results(at: Model, act: Act) -> Iterator[Result]:
    """Yield what may come of a deed; for almost all of them that is one thing."""
    refused = Result(at, told=1)
    if act.what.startswith("say "):
        yield _said(at, act)
    elif act.what == "/status":
        yield Result(at, told=int(act.who not in ENGINEERS))
    elif act.what == "/remind" and act.who in ENGINEERS and at.status == "active":
        yield Result(at, (("reminded", act.who, at.current),))
        yield refused  # one stands there already
    elif act.what.startswith("ask") and at.asked.count(act.who) >= QUESTIONS.most:
        if result := _done(at, act):
            yield result  # an hour may have passed since the first ones
        yield refused
    elif act.what == "verify":
        if result := _done(at, act):
            yield result
        yield refused  # clients may ask once a minute, and everybody ten times an hour
    else:
        done = _done(at, act)
        yield refused if done is None else done


def _said(at: Model, act: Act) -> Result:
    """A word means what it meant when it was read: others may be faster to do it."""
    word = act.what.removeprefix("say ")
    last = at.steps.rfind("d") + 1
    if word == "done" and at.current:
        return Result(at, then=Act(act.who, "done", at.current))
    if word == "undo" and last:
        return Result(at, then=Act(act.who, "undo", last))
    if word in ("new", "existing"):
        if at.current == 1:
            return Result(at, then=Act(act.who, word, 1))
        return Result(at, told=int(act.who in ENGINEERS))  # who mentions the bot is answered
    if word == "help" and act.who in ENGINEERS:  # they are whom others ask
        return Result(at, told=1)
    if word == "help":
        return Result(at, then=Act(act.who, "ask aloud", at.current or LAST))
    return Result(at, told=1)


def _done(at: Model, act: Act) -> Result | None:
    """What comes of a deed that changes something; None if it is refused."""
    n, key = act.step, (act.who, act.step)
    heavyset = act.what[0] == "/" or act.what == "reveal" or n > LAST_OF_CLIENT
    if act.what.startswith(("ask", "enter", "verify")):
        heavyset = False
    if act.who not in (ENGINEERS if heavyset else (*CLIENTS, *ENGINEERS)):
        return None
    for rules in (_stepped, _handed, _of_values, _managed):
        if result := rules(at, act, key):
            return result
    return None


def _stepped(at: Model, act: Act, key: tuple[str, int]) -> Result | None:
    n, active = act.step, at.status == "active"
    is_current = active and at.current == n
    match act.what:
        case "done" if is_current and n not in (1, LAST):
            if n < LAST_OF_CLIENT or NONE not in at.values:
                return Result(_ended(at, {n: "d"}), (("step_done", *key),))
        case "new" | "existing" if is_current and n == 1:
            needless = {2: "s"} if act.what == "existing" else {}
            after = _ended(replace(at, account=act.what), {1: "d", **needless})
            skipped: tuple[Key, ...] = tuple(("step_skipped", act.who, two) for two in needless)
            return Result(after, (("account_chosen", *key), *skipped))
        case "undo" | "/reopen" if active and at.letter(n) in "ds":
            hers = at.letter(n) == "d" or act.who in ENGINEERS
            if hers and not _is_needless(at, n):
                return Result(_undone(at, n), (("step_undone", *key),))
        case "/skip" if active and at.letter(n) in "cw" and n not in (1, LAST):
            return Result(_ended(at, {n: "s"}), (("step_skipped", *key),))
    return None


def _handed(at: Model, act: Act, _key: tuple[str, int]) -> Result | None:
    n = act.step
    if at.status != "active" or at.current != n or n > LAST_OF_CLIENT:
        return None
    rest = set(range(n, _phase(n)[-1] + 1))
    if act.what.startswith("hand over"):
        wanted = (rest if act.what == "hand over the phase" else {n}) - at.handed
        kind, handed = "steps_handed_over", at.handed | wanted
    elif act.what == "give back":
        wanted = rest & at.handed
        kind, handed = "steps_given_back", at.handed - wanted
    else:
        return None
    return Result(replace(at, handed=handed), ((kind, act.who, min(wanted)),)) if wanted else None


def _of_values(at: Model, act: Act, key: tuple[str, int]) -> Result | None:
    active = at.status == "active"
    match act.what:
        case "enter right" | "enter wrong" if active:
            return _entered(at, act)
        case "verify" | "/verify" if at.status in ("active", "completed"):
            if NONE in at.values or at.checking:
                return None
            requested = ("verification_requested", act.who, None)
            return Result(replace(at, checking=True), (requested,))
        case "reveal" if at.status != "cancelled":
            names = GUIDE.step(act.step).reveals
            if names and set(at.values) != {NONE}:
                return Result(at)  # a list: nothing is shown yet
        case "ask" | "ask aloud":
            asked = tuple(sorted((*at.asked, act.who)))
            return Result(replace(at, asked=asked), (("help_asked", *key),), told=1)
    return None


def _managed(at: Model, act: Act, _key: tuple[str, int]) -> Result | None:
    match act.what:
        case "/pause" if at.status == "active":
            return Result(replace(at, status="paused"), (("paused", act.who, None),))
        case "/resume" if at.status == "paused":
            return Result(replace(at, status="active"), (("resumed", act.who, None),))
        case "/cancel" if at.status in ("active", "paused"):
            after = replace(at, status="cancelled", values=NONE * len(ALL_FIELDS))
            return Result(after, (("cancelled", act.who, None),))
    return None


def _entered(at: Model, act: Act) -> Result:
    values, events = list(at.values), list[Key]()
    for position in map(ALL_FIELDS.index, act.fields):
        kind = "credential_entered" if values[position] == NONE else "credential_replaced"
        events.append((kind, act.who, act.step))
        values[position] = RIGHT if act.what == "enter right" else WRONG
    after = replace(at, values="".join(values))
    if NONE in after.values:
        return Result(after, tuple(events))
    requested = ("verification_requested", act.who, None)
    return Result(replace(after, checking=True), (*events, requested))


def _ended(at: Model, ends: Mapping[int, str]) -> Model:
    """End steps; where that was the current one, the next that waits becomes it."""
    letters = "".join(ends.get(n, letter) for n, letter in enumerate(at.steps, start=1))
    return replace(at, steps=letters if "c" in letters else letters.replace("w", "c", 1))


def _undone(at: Model, number: int) -> Model:
    if at.current and number > at.current:  # skipped before its turn came
        return replace(at, steps=f"{at.steps[: number - 1]}w{at.steps[number:]}")
    later = "".join(
        "s" if at.letter(n) == "s" and not _is_needless(at, n) else "w"
        for n in range(number + 1, LAST + 1)
    )
    account = None if number == 1 else at.account
    return replace(at, steps=f"{at.steps[: number - 1]}c{later}", account=account)


def _is_needless(at: Model, number: int) -> bool:
    return number == 2 and at.account == "existing"


def _phase(number: int) -> list[int]:
    return [step.number for step in GUIDE.phase_of(number).steps]


def _checked(at: Model) -> Iterator[Result]:
    """The verification that runs comes to its end."""
    after, finished = replace(at, checking=False), ("verification_finished", "", None)
    if set(at.values) == {RIGHT} and at.current == LAST:
        after = replace(after, steps=at.steps.replace("c", "d"), status="completed")
    yield Result(after, (finished,))
    if WRONG in at.values and at.current == LAST_OF_CLIENT + 1:
        # The client's last step was done while the check ran, so it comes again.
        undone = ("step_undone", "", LAST_OF_CLIENT)
        yield Result(_undone(after, LAST_OF_CLIENT), (finished, undone))


# --- many at once ---


class _Node(NamedTuple):
    """A moment within an order: who has still to act, and what was to be seen until then."""

    left: tuple[tuple[Act, ...], ...]  # those who act now, then those who act after them
    model: Model
    events: tuple[Key, ...] = ()
    told: tuple[str, ...] = ()
    taken: frozenset[Act] = frozenset()  # forms: the same one, sent again, is the same request


def explains(
    before: Model, waves: Sequence[Sequence[Act]], seen: Seen, *, weather: bool, told: bool
) -> bool:
    """Whether some order of acts, one after the other, gives just what was seen.

    Those of one of the `waves` come in any order, but before those of the next. In bad `weather`
    any of them may have been given up. What people are `told` may not count: private answers are
    lost as well.
    """
    stack = [_Node(tuple(tuple(sorted(wave)) for wave in waves if wave), before)]
    known = set(stack)
    while stack:
        node = stack.pop()
        if _is_end(node, seen, told=told):
            return True
        for after in _next(node, weather=weather):
            if after not in known and _fits(after, seen, told=told):
                known.add(after)
                stack.append(after)
    return False


def _is_end(node: _Node, seen: Seen, *, told: bool) -> bool:
    return (
        (node.left, node.model) == ((), seen.model)
        and Counter(node.events) == seen.events
        and (not told or Counter(node.told) == seen.told)
    )


def _fits(node: _Node, seen: Seen, *, told: bool) -> bool:
    """Whether what was seen may still come of this."""
    return Counter(node.events) <= Counter(seen.events) and (
        not told or Counter(node.told) <= Counter(seen.told)
    )


def _next(node: _Node, *, weather: bool) -> Iterator[_Node]:
    if node.model.checking and node.model.status in ("active", "completed"):
        for result in _checked(node.model):
            yield _after(node, node.left, result)
    now, *later = node.left or ((),)
    for position, act in enumerate(now):
        if act in now[:position]:
            continue  # whoever does the same: which of them comes first is all one
        others = now[:position] + now[position + 1 :]
        if act in node.taken or weather:
            yield node._replace(left=_waves(others, later))
        if act not in node.taken:
            for result in results(node.model, act):
                left = tuple(sorted((*others, result.then))) if result.then else others
                yield _after(node, _waves(left, later), result, act)


def _waves(now: tuple[Act, ...], later: Sequence[tuple[Act, ...]]) -> tuple[tuple[Act, ...], ...]:
    return (now, *later) if now else tuple(later)


def _after(
    node: _Node, left: tuple[tuple[Act, ...], ...], result: Result, act: Act | None = None
) -> _Node:
    return _Node(
        left,
        result.model,
        tuple(sorted((*node.events, *result.events), key=repr)),
        tuple(sorted((*node.told, *[act.who] * result.told))) if act else node.told,
        node.taken | {act} if act and act.what in FILLED and result.events else node.taken,
    )
