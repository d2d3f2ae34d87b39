"""`doctor --blocks` sends everything that the bot can show."""

import ast
import importlib
import inspect
import pkgutil
import re
from cProfile import Profile
from types import CodeType

from bot import guide, views
from bot.cli.doctor.specimens import specimens

# As the annotations spell them: at runtime, a View is just a dict.
SHOWN = re.compile(r"\b(?:Message|View|EphemeralReply)\b")


def view_functions() -> dict[CodeType, str]:
    """Every public function of `bot.views` that returns a message, a view, or a private reply."""
    found = {}
    for info in pkgutil.iter_modules(views.__path__):
        module = importlib.import_module(f"{views.__name__}.{info.name}")
        for node in ast.parse(inspect.getsource(module)).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            if node.returns and SHOWN.search(ast.unparse(node.returns)):
                found[getattr(module, node.name).__code__] = f"{info.name}.{node.name}"
    return found


def test_every_message_and_view_is_among_the_specimens() -> None:
    profile = Profile()
    names = profile.runcall(lambda: [specimen.name for specimen in specimens(guide.load())])
    called = {entry.code for entry in profile.getstats()}

    assert [name for code, name in view_functions().items() if code not in called] == []
    assert len(names) > 300
