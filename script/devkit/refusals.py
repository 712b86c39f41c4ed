"""The one error that a command ends with: what is missing, and the exact command that mends it."""


class Refusal(Exception):
    """A command cannot do its job. `what` says why, `mend` is a command line to paste."""

    def __init__(self, what: str, *, mend: str = "", code: int = 1) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend
        self.code = code

    def text(self, command: str) -> str:
        """The refusal as a person reads it on a terminal."""
        lines = [f"\nscript/{command}: {self.what}"]
        if self.mend:
            lines += ["  Mend it with:", *(f"    {line}" for line in self.mend.splitlines())]
        return "\n".join(lines)
