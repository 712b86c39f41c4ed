"""Blocks of which nothing may fail that nobody has foreseen."""

from dataclasses import dataclass


@dataclass
class Watch:
    """A block whose exceptions become problems of the world."""

    problems: list[str]
    what: str

    def __enter__(self) -> None:
        """Watch from here on."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        if not isinstance(error, Exception):
            return False
        self.problems.append(f"{self.what} raised {type(error).__name__}: {error}")
        return True


def is_lock_timeout(error: BaseException) -> bool:
    """Say whether somebody else held the row for too long."""
    return type(error.__cause__).__name__ == "LockNotAvailable"
