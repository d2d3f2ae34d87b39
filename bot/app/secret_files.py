"""Reads secrets from files: `SLACK_BOT_TOKEN_FILE=/run/secrets/token` instead of the token.

Docker and Kubernetes mount secrets as files, and systemd puts credentials into a directory
(systemd.exec(5), LoadCredential=). A trailing line break is removed. No message contains a file's
content, or its path, which may be a secret set under the wrong name.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

SUFFIX = "_FILE"
MAX_BYTES = 64 * 1024


def read(given: Mapping[str, str], names: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Read the file of each setting in `names` that `given` names a file for.

    Return the files' contents by setting, and a line for each setting with an unusable file.
    """
    contents, problems = {}, {}
    for name in names:
        path = given.get(name + SUFFIX)
        if not path:
            continue
        if given.get(name):
            problems[name] = f"{name} and {name}{SUFFIX}: both are set; keep one of the two"
            continue
        try:
            contents[name] = _content(Path(path))
        except _Unusable as error:
            problems[name] = f"{name}{SUFFIX}: {error}"
    return contents, problems


class _Unusable(Exception):
    """A file that contains no secret; the text says why."""


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _Unusable("there is no such file; give the path of the secret's file") from None
    except IsADirectoryError:
        raise _Unusable("is the path of a folder; give that of the secret's file") from None
    except (OSError, ValueError) as error:  # a path with a NUL in it
        reason = getattr(error, "strerror", None) or "not a path"
        raise _Unusable(f"the file can't be read ({reason}); is it this user's?") from None
    if len(content) > MAX_BYTES:
        raise _Unusable("the file is far too large for a secret; is it the right one?")
    try:
        text = content.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise _Unusable("the file isn't UTF-8 text; save it as UTF-8") from None
    if not text.strip():
        raise _Unusable("the file is empty; write the secret into it")
    return text
