"""`doctor --blocks` sends everything that the bot can show."""

import importlib
import inspect
import pkgutil
import sys
from types import CodeType, FrameType
from typing import get_args

from bot import guide, views
from bot.cli.doctor.specimens import specimens

SHOWN = {"Message", "View", "EphemeralReply"}


def view_functions() -> dict[CodeType, str]:
    """Every public function of `bot.views` that returns a message or a window."""
    found = {}
    for info in pkgutil.iter_modules(views.__path__):
        module = importlib.import_module(f"{views.__name__}.{info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            returned = inspect.signature(function).return_annotation
            kinds = {getattr(kind, "__name__", "") for kind in get_args(returned) or [returned]}
            if (
                kinds & SHOWN
                and function.__module__ == module.__name__
                and not name.startswith("_")
            ):
                found[function.__code__] = f"{info.name}.{name}"
    return found


def test_every_message_and_window_is_among_the_specimens() -> None:
    called: set[CodeType] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            called.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        names = [one.name for one in specimens(guide.load())]
    finally:
        sys.setprofile(before)

    assert [name for code, name in view_functions().items() if code not in called] == []
    assert len(names) > 300
