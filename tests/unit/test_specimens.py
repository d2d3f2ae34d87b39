"""`doctor --blocks` sends everything that the bot can show."""

import importlib
import inspect
import pkgutil
from cProfile import Profile
from types import CodeType
from typing import get_args

from bot import guide, views
from bot.cli.doctor.specimens import specimens

SHOWN = {"Message", "View", "EphemeralReply"}


def view_functions() -> dict[CodeType, str]:
    """Every public function of `bot.views` that returns a message or a view."""
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


def test_every_message_and_view_is_among_the_specimens() -> None:
    profile = Profile()
    names = profile.runcall(lambda: [specimen.name for specimen in specimens(guide.load())])
    called = {entry.code for entry in profile.getstats()}

    assert [name for code, name in view_functions().items() if code not in called] == []
    assert len(names) > 300
