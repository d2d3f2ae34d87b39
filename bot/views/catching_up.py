"""The window in which a client says which steps are done already."""

from bot.core.english import listed
from bot.guide import Step
from bot.onboarding import Onboarding
from bot.onboarding.catching_up import may_be_done, still_asked
from bot.views import ids
from bot.views.blocks import Block, button, section
from bot.views.forms import View, entry, form, menu

LONGEST_OPTION = 75


def offer(onboarding: Onboarding, step: Step) -> Block | None:
    """Return the button that opens the window, if steps after `step` may be done already."""
    ahead = [one for one in may_be_done(onboarding) if one.number > step.number]
    if step is not onboarding.current or not ahead:
        return None
    text = "Started with the written guide before? Skip ahead to where you are."
    ref = ids.StepRef(onboarding.id, step.number)
    return section(text, button("I've already done more steps", ids.ALREADY_DONE, ref))


def catch_up_modal(onboarding: Onboarding, ref: ids.FormRef) -> View:
    asking = [str(step.number) for step in still_asked(onboarding)]
    blocks: list[Block] = []
    if asking:
        still = f"{'Step' if len(asking) == 1 else 'Steps'} {listed(asking)}"
        blocks.append(section(f"{still} will still come up, because we need what they ask for."))
    options = {str(step.number): _name(step) for step in may_be_done(onboarding)}
    hint = "Everything up to this step will be marked as done, in your name."
    blocks.append(entry("Last step you've finished", menu(ids.LAST_STEP, options), hint=hint))
    return form("Already done", ids.CATCH_UP, ref, blocks, submit="Mark as done")


def _name(step: Step) -> str:
    name = f"Step {step.number}: {step.title}"
    return name if len(name) <= LONGEST_OPTION else f"{name[: LONGEST_OPTION - 1]}…"
