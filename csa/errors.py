"""What can go wrong, each with a way out.

The command line prints one line per fault; `--debug` adds the traceback.
"""

EXIT_INPUT = 2  # input cannot be read or mapped, settings are wrong, period in the future
EXIT_CHAPTER = 3  # an edition was made, but a chapter failed


class CsaError(Exception):
    """An error with one line per fault, each naming the place, the fault and the way out."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class ConfigError(CsaError):
    """csa.yml is wrong; each fault starts with its path in the file."""


class InputError(CsaError):
    """A table cannot be read, mapped or used; each fault names table, column and count."""


class NotAvailable(InputError):
    """A chapter cannot be computed from what there is; the page says what to add.

    Raised where a table is absent, refused (survival without `observed_from`) or blocked by a
    failing check. In a report it becomes a designed section, not a failure.
    """


class RunError(CsaError):
    """A report could not be made."""
