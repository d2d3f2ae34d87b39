"""A small model of the bot: what an action does to an onboarding, and which orders explain it.

Concurrent actions may happen in any order, but the result must be that of some order: no action
half done, none done twice, none lost silently.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from bot.onboarding.throttling import QUESTIONS
from tests.builders import ALL_FIELDS, GUIDE
from tests.machine.actions import CLIENTS, ENGINEERS, FORMS, Action

LAST = len(GUIDE.steps)
LAST_CLIENT_STEP = GUIDE.last_credential_step
RIGHT, WRONG, NONE = "r", "w", "-"
# An event as the model knows it: kind, person, and step.
EventKey = tuple[str, str, int | None]


@dataclass(frozen=True)
class Model:
    """The state of an onboarding: a letter for each step and each value."""

    steps: str
    values: str = NONE * len(ALL_FIELDS)
    status: str = "active"
    account: str | None = None
    handed_over: frozenset[int] = frozenset()
    checking: bool = False
    asked: tuple[str, ...] = ()  # who asked each of the questions

    @property
    def current(self) -> int | None:
        """The number of the current step."""
        return self.steps.index("c") + 1 if "c" in self.steps else None

    def letter(self, number: int) -> str:
        """The state of a step."""
        return self.steps[number - 1]


class Result(NamedTuple):
    """The outcome of an action: its events, the replies to the person, and any follow-up."""

    model: Model
    events: tuple[EventKey, ...] = ()
    replies: int = 0
    then: Action | None = None


class Observed(NamedTuple):
    """What is observed after concurrent actions."""

    model: Model
    events: Mapping[EventKey, int]
    replies: Mapping[str, int]


# --- one action ---


def results(at: Model, action: Action) -> Iterator[Result]:
    """Yield the possible outcomes of an action; nearly all actions have just one."""
    refused = Result(at, replies=1)
    if action.what.startswith("say "):
        yield _thread_message(at, action)
    elif action.what == "/status":
        yield Result(at, replies=int(action.who not in ENGINEERS))
    elif action.what == "/remind" and action.who in ENGINEERS and at.status == "active":
        yield Result(at, (("reminded", action.who, at.current),))
        yield refused  # there is one already
    elif action.what.startswith("ask") and at.asked.count(action.who) >= QUESTIONS.most:
        if result := _accepted(at, action):
            yield result  # an hour may have passed since the first ones
        yield refused
    elif action.what == "verify":
        if result := _accepted(at, action):
            yield result
        yield refused  # clients may ask once a minute, and everybody ten times an hour
    elif action.what == "done" and action.step == LAST_CLIENT_STEP and _may_need_a_fix(at):
        if result := _accepted(at, action):
            yield result
        yield refused  # once a check has failed, until another one passes
    else:
        done = _accepted(at, action)
        yield refused if done is None else done


def _thread_message(at: Model, action: Action) -> Result:
    """A word means what it meant when it was read, even if somebody else is faster."""
    word = action.what.removeprefix("say ")
    last = at.steps.rfind("d") + 1
    if word == "done" and at.current:
        return Result(at, then=Action(action.who, "done", at.current))
    if word == "undo" and last:
        return Result(at, then=Action(action.who, "undo", last))
    if word in ("new", "existing"):
        if at.current == 1:
            return Result(at, then=Action(action.who, word, 1))
        return Result(at, replies=int(action.who in ENGINEERS))  # who mentions the bot is answered
    if word == "help" and action.who in ENGINEERS:  # engineers are the ones who answer
        return Result(at, replies=1)
    if word == "help":
        return Result(at, then=Action(action.who, "ask aloud", at.current or LAST))
    return Result(at, replies=1)


def _accepted(at: Model, action: Action) -> Result | None:
    """The outcome of an action that changes something; None if it is refused."""
    n, key = action.step, (action.who, action.step)
    heavyset = action.what[0] == "/" or action.what == "reveal" or n > LAST_CLIENT_STEP
    if action.what.startswith(("ask", "enter", "verify")):
        heavyset = False
    if action.who not in (ENGINEERS if heavyset else (*CLIENTS, *ENGINEERS)):
        return None
    for rules in (_step_rules, _handover_rules, _value_rules, _management_rules):
        if result := rules(at, action, key):
            return result
    return None


def _step_rules(at: Model, action: Action, key: tuple[str, int]) -> Result | None:
    n, active = action.step, at.status == "active"
    is_current = active and at.current == n
    match action.what:
        case "done" if is_current and n not in (1, LAST):
            if n < LAST_CLIENT_STEP or NONE not in at.values:
                return Result(_ended(at, {n: "d"}), (("step_done", *key),))
        case "new" | "existing" if is_current and n == 1:
            needless = {2: "s"} if action.what == "existing" else {}
            after = _ended(replace(at, account=action.what), {1: "d", **needless})
            skipped: tuple[EventKey, ...] = tuple(
                ("step_skipped", action.who, two) for two in needless
            )
            return Result(after, (("account_chosen", *key), *skipped))
        case "undo" | "/reopen" if active and at.letter(n) in "ds":
            may_undo = at.letter(n) == "d" or action.who in ENGINEERS
            if may_undo and not _is_needless(at, n):
                return Result(_undone(at, n), (("step_undone", *key),))
        case "/skip" if active and at.letter(n) in "cw" and n not in (1, LAST):
            return Result(_ended(at, {n: "s"}), (("step_skipped", *key),))
    return None


def _handover_rules(at: Model, action: Action, _key: tuple[str, int]) -> Result | None:
    n = action.step
    if at.status != "active" or at.current != n or n > LAST_CLIENT_STEP:
        return None
    rest = set(range(n, _phase(n)[-1] + 1))
    if action.what.startswith("hand over"):
        wanted = (rest if action.what == "hand over the phase" else {n}) - at.handed_over
        kind, handed_over = "steps_handed_over", at.handed_over | wanted
    elif action.what == "give back":
        wanted = rest & at.handed_over
        kind, handed_over = "steps_given_back", at.handed_over - wanted
    else:
        return None
    return (
        Result(replace(at, handed_over=handed_over), ((kind, action.who, min(wanted)),))
        if wanted
        else None
    )


def _value_rules(at: Model, action: Action, key: tuple[str, int]) -> Result | None:
    active = at.status == "active"
    match action.what:
        case "enter right" | "enter wrong" if active:
            return _entered(at, action)
        case "verify" | "/verify" if at.status in ("active", "completed"):
            if NONE in at.values or at.checking:
                return None
            requested = ("verification_requested", action.who, None)
            return Result(replace(at, checking=True), (requested,))
        case "reveal" if at.status != "cancelled":
            names = GUIDE.step(action.step).reveals
            if names and set(at.values) != {NONE}:
                return Result(at)  # a list: nothing is shown yet
        case "ask" | "ask aloud":
            asked = tuple(sorted((*at.asked, action.who)))
            return Result(replace(at, asked=asked), (("help_asked", *key),), replies=1)
    return None


def _management_rules(at: Model, action: Action, _key: tuple[str, int]) -> Result | None:
    match action.what:
        case "/pause" if at.status == "active":
            return Result(replace(at, status="paused"), (("paused", action.who, None),))
        case "/resume" if at.status == "paused":
            return Result(replace(at, status="active"), (("resumed", action.who, None),))
        case "/cancel" if at.status in ("active", "paused"):
            after = replace(at, status="cancelled", values=NONE * len(ALL_FIELDS))
            return Result(after, (("cancelled", action.who, None),))
    return None


def _entered(at: Model, action: Action) -> Result:
    values, events = list(at.values), list[EventKey]()
    for position in map(ALL_FIELDS.index, action.fields):
        kind = "credential_entered" if values[position] == NONE else "credential_replaced"
        events.append((kind, action.who, action.step))
        values[position] = RIGHT if action.what == "enter right" else WRONG
    after = replace(at, values="".join(values))
    if NONE in after.values:
        return Result(after, tuple(events))
    requested = ("verification_requested", action.who, None)
    return Result(replace(after, checking=True), (*events, requested))


def _ended(at: Model, ends: Mapping[int, str]) -> Model:
    """End steps; if the current one is among them, the next waiting one becomes current."""
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


def _may_need_a_fix(at: Model) -> bool:
    return WRONG in at.values or at.checking


def _phase(number: int) -> list[int]:
    return [step.number for step in GUIDE.phase_of(number).steps]


def _checked(at: Model) -> Iterator[Result]:
    """Yield the outcomes of the running verification."""
    after, finished = replace(at, checking=False), ("verification_finished", "", None)
    if set(at.values) == {RIGHT} and at.current == LAST:
        after = replace(after, steps=at.steps.replace("c", "d"), status="completed")
    yield Result(after, (finished,))
    if WRONG in at.values and at.current == LAST_CLIENT_STEP + 1:
        # The client's last step was finished while the check ran, so it is reopened.
        undone = ("step_undone", "", LAST_CLIENT_STEP)
        yield Result(_undone(after, LAST_CLIENT_STEP), (finished, undone))


# --- concurrent actions ---


class _Node(NamedTuple):
    """A point within an order: who has yet to act, and what should have been observed so far."""

    left: tuple[tuple[Action, ...], ...]  # the current wave, then later ones
    model: Model
    events: tuple[EventKey, ...] = ()
    replies: tuple[str, ...] = ()
    taken: frozenset[Action] = frozenset()  # forms: the same one, resent, is one request


def explains(
    before: Model,
    waves: Sequence[Sequence[Action]],
    observed: Observed,
    *,
    outage: bool,
    compare_replies: bool,
) -> bool:
    """Whether some order of the actions gives exactly what was observed.

    The actions of a wave come in any order, but before those of the next. During an `outage`, any
    of them may have been given up. Replies may be lost too: then `compare_replies` is False.
    """
    stack = [_Node(tuple(tuple(sorted(wave)) for wave in waves if wave), before)]
    known = set(stack)
    while stack:
        node = stack.pop()
        if _is_end(node, observed, compare_replies=compare_replies):
            return True
        for after in _next(node, outage=outage):
            if after not in known and _fits(after, observed, compare_replies=compare_replies):
                known.add(after)
                stack.append(after)
    return False


def _is_end(node: _Node, observed: Observed, *, compare_replies: bool) -> bool:
    return (
        (node.left, node.model) == ((), observed.model)
        and Counter(node.events) == observed.events
        and (not compare_replies or Counter(node.replies) == observed.replies)
    )


def _fits(node: _Node, observed: Observed, *, compare_replies: bool) -> bool:
    """Whether this may still lead to what was observed."""
    return Counter(node.events) <= Counter(observed.events) and (
        not compare_replies or Counter(node.replies) <= Counter(observed.replies)
    )


def _next(node: _Node, *, outage: bool) -> Iterator[_Node]:
    if node.model.checking and node.model.status in ("active", "completed"):
        for result in _checked(node.model):
            yield _after(node, node.left, result)
    now, *later = node.left or ((),)
    for position, action in enumerate(now):
        if action in now[:position]:
            continue  # identical actions: their order makes no difference
        others = now[:position] + now[position + 1 :]
        if action in node.taken or outage:
            yield node._replace(left=_waves(others, later))
        if action not in node.taken:
            for result in results(node.model, action):
                left = tuple(sorted((*others, result.then))) if result.then else others
                yield _after(node, _waves(left, later), result, action)


def _waves(
    now: tuple[Action, ...], later: Sequence[tuple[Action, ...]]
) -> tuple[tuple[Action, ...], ...]:
    return (now, *later) if now else tuple(later)


def _after(
    node: _Node, left: tuple[tuple[Action, ...], ...], result: Result, action: Action | None = None
) -> _Node:
    return _Node(
        left,
        result.model,
        tuple(sorted((*node.events, *result.events), key=repr)),
        tuple(sorted((*node.replies, *[action.who] * result.replies))) if action else node.replies,
        node.taken | {action} if action and action.what in FORMS and result.events else node.taken,
    )
