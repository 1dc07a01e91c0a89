"""Errors that are written for the person who reads them: what happened, and what to type next."""


class GuideError(Exception):
    """Something a person can put right.

    The command line prints `message` on one line, then `remedy` where there is one, and exits
    with `exit_code`. A task or a plugin may raise it too; no traceback is shown.
    """

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


class UsageError(GuideError):
    """The command was typed in a way that cannot work."""

    exit_code = 2
