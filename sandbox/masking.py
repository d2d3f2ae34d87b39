"""Masks what people typed into modals, in the terminal."""

# Inputs that hold no secret; anything else that is typed is shown masked.
OPEN_INPUTS = frozenset({"client_name", "question"})
SHORTEST_SECRET = 5


def masked(value: str) -> str:
    """The last characters of `value` at most, like `••••••1234`."""
    shown = 4 if len(value) > 8 else 2 if len(value) > 5 else 0
    return "••••••" + value[len(value) - shown :]


class Masker:
    """Remembers the secrets that were typed, and hides them wherever they turn up."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def typed(self, block_id: str, value: str) -> str:
        """How to show a value that was typed into the input `block_id`."""
        if block_id in OPEN_INPUTS:
            return value
        if len(value) >= SHORTEST_SECRET:
            self._secrets.add(value)
        return masked(value)

    def hide(self, text: str) -> str:
        """The text with every remembered value masked, longest first."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, masked(secret))
        return text
