"""One finding of `doctor`."""

from dataclasses import dataclass

TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """What was checked and the result; `fix` says how to repair what is broken.

    If it wasn't `tested`, it is neither good nor broken.
    """

    title: str
    text: str
    fix: str = ""
    tested: bool = True

    @property
    def ok(self) -> bool:
        return not self.fix

    @property
    def line(self) -> str:
        if self.fix:
            return f"✗ {self.title}: {self.text}. Fix: {self.fix}"
        return f"{'✓' if self.tested else '–'} {self.title}: {self.text}"


def not_tested(title: str, *wrong: str) -> Finding:
    """Return the finding about a part that needs settings that are `wrong`."""
    return Finding(title, f"not tested, as {' and '.join(sorted(wrong))} is wrong", tested=False)
