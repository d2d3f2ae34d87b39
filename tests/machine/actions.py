"""What people do in Slack, as values: Hypothesis draws them, and `Stage` performs them."""

from dataclasses import dataclass

from hypothesis import strategies as st

CLIENTS = ("ann", "ben")
ENGINEERS = ("erin", "eve")
# Gus is a guest in HeavySet's workspace; Otto belongs to an unrelated organization.
OTHERS = ("gus", "otto")

# Buttons by the name of the action, then messages in the thread, slash commands, and forms.
BUTTONS = {
    "done": "step_done",
    "undo": "step_undo",
    "new": "choose_account:new",
    "existing": "choose_account:existing",
    "hand over": "hand_over",
    "hand over the phase": "hand_over:phase",
    "give back": "give_back",
    "verify": "run_verification",
    "reveal": "reveal_credentials",
}
THREAD_MESSAGES = {
    "say done": "done",
    "say undo": "undo",
    "say new": "new",
    "say existing": "existing",
    "say status": "status",
    "say help": "help Which portal is meant here?",
}
COMMANDS = {
    "/skip": "skip {step}",
    "/reopen": "reopen {step}",
    "/pause": "pause",
    "/resume": "resume",
    "/verify": "verify",
    "/remind": "remind",
    "/status": "status",
}
FORMS = {
    "enter right": "enter_credentials",
    "enter wrong": "enter_credentials",
    "ask": "step_help",
    "/cancel": "",
}
ABOUT_A_STEP = {*BUTTONS, "enter right", "enter wrong", "ask", "/skip", "/reopen"}


@dataclass(frozen=True)
class RelativeAction:
    """Something a person does about a step, given as an `offset` from the current one."""

    who: str
    what: str
    offset: int = 0


@dataclass(frozen=True, order=True)
class Action:
    """A `RelativeAction` with its step resolved; `fields` are those of the open form."""

    who: str
    what: str
    step: int
    fields: tuple[str, ...] = ()


_near = st.sampled_from([0, 0, 0, 0, -1, -1, 1, -3, -9])
_insiders = (*CLIENTS, *ENGINEERS)


def _actions(people: tuple[str, ...], kinds: tuple[str, ...]) -> st.SearchStrategy[RelativeAction]:
    return st.builds(RelativeAction, st.sampled_from(people), st.sampled_from(kinds), _near)


any_action = st.one_of(
    _actions(_insiders, ("done", "done", *BUTTONS)),
    _actions(_insiders, ("enter right", "enter right", "enter wrong", "ask")),
    _actions((*_insiders, "gus"), tuple(THREAD_MESSAGES)),
    _actions(
        (*ENGINEERS, *ENGINEERS, "gus"), ("/resume", "/resume", "/reopen", *COMMANDS, "/cancel")
    ),
    _actions(OTHERS, tuple(BUTTONS)),
)
