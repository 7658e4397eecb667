"""The command line: one line per fault, no traceback without --debug.

Exit codes: 0 done, 1 `csa check` found errors in the data, 2 input or settings cannot be used and
nothing was made, 3 an edition was made but a chapter failed, or it could not be written.
"""

import logging
import os
import signal
import sys
import threading
import traceback
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from csa import settings as csa_settings
from csa.errors import EXIT_CHAPTER, EXIT_INPUT, CsaError, RunError

EXIT_CHECKS = 1
EXIT_BUG = 70  # sysexits.h: internal software error
EXIT_STOPPED = 130
_DEBUG = "CSA_DEBUG"
_AGAIN_SECONDS = 0.05  # long enough to be out of the finalizer that swallowed an interruption

app = typer.Typer(
    help="Customer success analytics: data in, reports that people trust out.",
    epilog="Start with `csa init FOLDER`, then `csa check`, then `csa run monthly`.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _debug(value: bool) -> bool:  # noqa: FBT001 - typer's callback
    if value:
        os.environ[_DEBUG] = "1"
        logging.basicConfig(level=logging.WARNING)
        logging.getLogger("csa").setLevel(logging.DEBUG)
    return value


def _workspace(value: Path | None) -> Path | None:
    if value is not None:  # everything below, kernels included, finds the workspace by this
        os.environ["CSA_WORKSPACE"] = str(value.resolve())
    return value


Debug = Annotated[
    bool, typer.Option("--debug", callback=_debug, help="Show tracebacks and what the kit logs.")
]
Workspace = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        callback=_workspace,
        help="csa.yml or its folder; default: CSA_WORKSPACE, else the nearest csa.yml upwards.",
    ),
]


@app.command(
    epilog="""\b
Examples:
  csa init data                  # looks at data/*.csv and *.parquet, writes csa.yml
  csa init data --to acme        # writes acme/csa.yml
""",
)
def init(
    folder: Annotated[Path, typer.Argument(help="Folder with your CSV or Parquet files.")],
    to: Annotated[Path, typer.Option("--to", help="Folder for csa.yml.")] = Path(),
    debug: Debug = False,  # noqa: FBT002 - read by its callback
) -> None:
    """Propose a csa.yml for your files; guesses are marked as such."""
    from csa.data.propose import propose  # noqa: PLC0415 - other commands start faster

    written = propose(folder, to)
    typer.echo(f"{written}: look at the lines marked guess, then run csa check")


@app.command(
    epilog="""\b
Examples:
  csa check                      # the nearest csa.yml upwards
  csa check --workspace acme     # acme/csa.yml
\b
Exit code: 0 all is well or warnings only, 1 errors in the data, 2 csa.yml or a source is wrong.
""",
)
def check(
    workspace: Workspace = None,
    debug: Debug = False,  # noqa: FBT002 - read by its callback
) -> None:
    """Check csa.yml, the sources and the quality of the data; say what is left to do."""
    settings = csa_settings.load()
    from csa.report import checking, show  # noqa: PLC0415 - a wrong csa.yml is told at once

    found = checking.check(settings)
    console = show.console()
    show.tables(found.tables, console)
    show.checks(found.failing, console)
    for line in found.left:
        console.print(line, markup=False, soft_wrap=True)
    console.print(found.summary, soft_wrap=True)
    raise typer.Exit(EXIT_CHECKS if found.errors else 0)


@app.command(
    epilog="""\b
Examples:
  csa sample --to sample                              # 2,000 accounts, five years
  csa sample --accounts 100000 --seed 11 --to big
""",
)
def sample(
    to: Annotated[Path, typer.Option("--to", help="Folder for the Parquet files.")],
    accounts: Annotated[
        int, typer.Option("--accounts", min=500, max=10_000_000, help="Number of accounts.")
    ] = 2000,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same company.")] = 7,
    debug: Debug = False,  # noqa: FBT002 - read by its callback
) -> None:
    """Write a believable company with known truth, to try the kit and to test it."""
    from csa.data.sample import write_sample  # noqa: PLC0415 - other commands start faster

    write_sample(to, accounts=accounts, seed=seed)
    typer.echo(f"{to}: {accounts:,} accounts, seed {seed}, data to 2026-10-31")


@app.command(
    epilog="""\b
Examples:
  csa run monthly                       # the last month that the data cover
  csa run monthly --period 2026-09
  csa run quarterly --period 2026-Q3 --workspace acme
\b
Exit code: 0 done, 2 input or settings cannot be used and nothing was made, 3 a chapter failed.
""",
)
def run(
    report: Annotated[str, typer.Argument(help="Name of a report in csa.yml.")],
    period: Annotated[
        str | None,
        typer.Option("--period", help="2026-10-31, 2026-W44, 2026-10, 2026-Q3, FY2026-Q3 or 2026."),
    ] = None,
    workspace: Workspace = None,
    debug: Debug = False,  # noqa: FBT002 - read by its callback
) -> None:
    """Make a report for one period: HTML and PDF in reports/REPORT/PERIOD/."""
    settings = csa_settings.load()
    from csa.report import show  # noqa: PLC0415 - a wrong csa.yml is told at once
    from csa.report.run import run_report  # noqa: PLC0415

    try:
        with show.watcher(Console(stderr=True)) as watching:
            made = run_report(
                settings,
                report,
                period=period,
                listener=watching.on_chapter,
                on_stage=watching.on_stage,
            )
    except KeyboardInterrupt:
        typer.echo("stopped; earlier editions are as they were", err=True)
        raise typer.Exit(EXIT_STOPPED) from None
    for note in made.notes:
        typer.echo(note, err=True)
    show.made(made, show.console())
    raise typer.Exit(0 if made.edition.status == "ok" else EXIT_CHAPTER)


@app.command()
def version() -> None:
    """Show the version."""
    typer.echo(f"csa {metadata.version('csa')}")


def main() -> None:
    """Run the command line and exit with its code."""
    os.environ.pop(_DEBUG, None)
    signal.signal(signal.SIGTERM, _stop)
    sys.unraisablehook = _again
    try:
        with _Unforeseen():
            sys.exit(_run())
    except KeyboardInterrupt:  # another one, while the first was being handled
        sys.exit(EXIT_STOPPED)


class _Unforeseen:
    """Says an error that nobody foresaw in one line: a bug, and --debug shows where."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        if error is None or isinstance(error, SystemExit):
            return
        _trace()
        typer.echo(
            f"internal error: {type(error).__name__}: {error}; --debug shows where", err=True
        )
        raise SystemExit(EXIT_BUG) from None


def _run() -> int:
    try:
        app()
    except CsaError as error:
        _trace()
        for fault in error.faults:
            typer.echo(fault, err=True)
        return EXIT_CHAPTER if isinstance(error, RunError) else EXIT_INPUT
    except OSError as error:
        _trace()
        typer.echo(f"{error.filename or 'csa'}: {error.strerror or error}", err=True)
        return EXIT_CHAPTER
    return 0


def _stop(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _again(lost: "sys.UnraisableHookArgs") -> None:
    """Stop once more where a finalizer or a callback was interrupted, and so swallowed it."""
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    main_thread = threading.main_thread().ident
    later = threading.Timer(_AGAIN_SECONDS, signal.pthread_kill, (main_thread, signal.SIGTERM))
    later.daemon = True
    later.start()


def _trace() -> None:
    if os.environ.get(_DEBUG):
        traceback.print_exc()


if __name__ == "__main__":
    main()
