"""What people do in Slack, as values: Hypothesis draws them, `stage` carries them out."""

from dataclasses import dataclass

from hypothesis import strategies as st

CLIENTS = ("ann", "ben")
ENGINEERS = ("erin", "eve")
# Gus is a guest of HeavySet's workspace, Otto of an organisation that has nothing to do with it.
OTHERS = ("gus", "otto")

# Buttons, by what the press is called here; what people say in the thread, type and fill in.
PRESSED = {
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
SAID = {
    "say done": "done",
    "say undo": "undo",
    "say new": "new",
    "say existing": "existing",
    "say status": "status",
    "say help": "help Which portal is meant here?",
}
TYPED = {
    "/skip": "skip {step}",
    "/reopen": "reopen {step}",
    "/pause": "pause",
    "/resume": "resume",
    "/verify": "verify",
    "/remind": "remind",
    "/status": "status",
}
FILLED = {
    "enter right": "enter_credentials",
    "enter wrong": "enter_credentials",
    "ask": "step_help",
    "/cancel": "",
}
ABOUT_A_STEP = {*PRESSED, "enter right", "enter wrong", "ask", "/skip", "/reopen"}


@dataclass(frozen=True)
class Deed:
    """One thing that somebody does, about the step that is `away` from the current one."""

    who: str
    what: str
    away: int = 0


@dataclass(frozen=True, order=True)
class Act:
    """A deed about a step that is known by now; `fields` are those of the form that is open."""

    who: str
    what: str
    step: int
    fields: tuple[str, ...] = ()


_near = st.sampled_from([0, 0, 0, 0, -1, -1, 1, -3, -9])
_insiders = (*CLIENTS, *ENGINEERS)


def _deeds(people: tuple[str, ...], whats: tuple[str, ...]) -> st.SearchStrategy[Deed]:
    return st.builds(Deed, st.sampled_from(people), st.sampled_from(whats), _near)


deeds = st.one_of(
    _deeds(_insiders, ("done", "done", *PRESSED)),
    _deeds(_insiders, ("enter right", "enter right", "enter wrong", "ask")),
    _deeds((*_insiders, "gus"), tuple(SAID)),
    _deeds((*ENGINEERS, *ENGINEERS, "gus"), ("/resume", "/resume", "/reopen", *TYPED, "/cancel")),
    _deeds(OTHERS, tuple(PRESSED)),
)
