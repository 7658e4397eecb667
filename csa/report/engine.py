"""Chapters run: papermill in parallel, each chapter in its own kernel.

papermill changes the folder of the whole process and gives a kernel everything in the
environment; `ChapterEngine` starts the kernel in its folder with a stated environment instead,
limits time, and keeps the notebook of a chapter that died or hung.
"""

import asyncio
import functools
import itertools
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import nbformat
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill import execute_notebook
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from csa.report.notebooks import (
    Status,
    clean,
    error_output,
    judge,
    read_notebook,
    write_notebook,
)

ENGINE = "csa"
START_SECONDS = 120  # a kernel on a loaded machine needs long to say hello
CELL_SECONDS = 600
CHAPTER_SECONDS = 1800

Event = Literal["started", "cell", "finished"]
Listener = Callable[[Event, str, float], None]  # event, chapter, share of cells done


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A chapter to run with `parameters`, in its own folder as in JupyterLab, kept at `output`.

    `environment`: what its kernel alone gets, besides that of all.
    """

    name: str
    notebook: Path
    parameters: Mapping[str, Any]
    output: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A chapter that ran. `problem` says what is missing or failed, one line each."""

    name: str
    status: Status
    seconds: float
    notebook: NotebookNode
    problem: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Longest times, seconds, and how many chapters run at once."""

    cell: float = CELL_SECONDS
    chapter: float = CHAPTER_SECONDS
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)


class _Kernels:
    """The kernels that are alive, so that all of them go when the run is stopped."""

    def __init__(self) -> None:
        self._clients: list[PapermillNotebookClient] = []

    def add(self, client: PapermillNotebookClient) -> None:
        self._clients.append(client)

    def stop(self) -> None:
        for client in self._clients:
            provisioner = getattr(client.km, "provisioner", None)
            process = getattr(provisioner, "process", None)
            if process is not None and process.poll() is None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)  # a kernel leads its own group


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """What one chapter's kernel is started with; reaches the engine through papermill."""

    notebook: Path
    folder: Path
    environment: Mapping[str, str]
    limits: Limits
    connection: Path  # private; the kernel's sockets stand beside it
    kernels: _Kernels
    on_cell: Callable[[float], None]  # share of cells done


class ChapterEngine(NBClientEngine):  # type: ignore[misc]  # papermill is not typed
    """papermill engine: own folder, own environment, time limits, nothing lost."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, context: _Context | None = None, **kwargs: Any
    ) -> None:
        """Run the cells of `nb_man.nb`; called by papermill.

        Parameters
        ----------
        nb_man : NotebookExecutionManager
            papermill's wrapper around the notebook.
        kernel_name : str
            Name of the kernel.
        context : _Context
            Folder, environment and limits.
        **kwargs : Any
            papermill's own, not needed here.
        """
        if context is None:
            raise TypeError("the csa engine needs its context")
        client = _client(nb_man, kernel_name, context)
        try:
            # what a kernel says outside of its cells, as when it is told to stop, concerns nobody
            with context.connection.with_suffix(".log").open("wb") as said:
                client.execute(env=dict(context.environment), cwd=str(context.folder), stderr=said)
        except CellTimeoutError:
            _record(nb_man.nb, "TimeLimit", _time_limit_text(context.limits))
        except DeadKernelError:
            _record(nb_man.nb, "KernelDied", _DIED)
        except RuntimeError as error:  # nbclient and jupyter-client: the kernel did not start
            _record(nb_man.nb, "KernelDied", f"the kernel did not start: {error}")


_DIED = (
    "the kernel died; most often the machine ran out of memory or the process was stopped."
    " Run it again; if it dies again, give the machine more memory or the chapter fewer rows"
)


def _time_limit_text(limits: Limits) -> str:
    return (
        f"stopped at its time limit ({limits.cell:g} s per cell, {limits.chapter:g} s per chapter)"
    )


def _record(notebook: NotebookNode, name: str, text: str) -> None:
    """Leave the fault in the first unfinished cell, where papermill and readers look for it."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    open_cells = [c for c in code if c.metadata.papermill["status"] != "completed"]
    running = [c for c in open_cells if c.metadata.papermill["status"] != "pending"]
    cell = [*running, *open_cells, *code][0]
    cell.outputs = [*cell.outputs, error_output(name, text)]


def _client(nb_man: Any, kernel_name: str, context: _Context) -> PapermillNotebookClient:
    deadline = time.monotonic() + context.limits.chapter

    def seconds_left(_cell: NotebookNode) -> float:
        # nbclient reads 0 as "no limit"
        return max(0.05, min(context.limits.cell, deadline - time.monotonic()))

    done = itertools.count(1)
    cells = len(nb_man.nb.cells)
    # sockets are files beside the connection file; without one, parallel kernels share their names
    own = {"transport": "ipc", "connection_file": str(context.connection)}
    client = PapermillNotebookClient(
        nb_man,
        kernel_name=kernel_name,
        config=Config(KernelManager=own, AsyncKernelManager=own),
        timeout_func=seconds_left,
        startup_timeout=START_SECONDS,
        log=_log,
        on_cell_executed=lambda **_: context.on_cell(next(done) / cells),
    )
    context.kernels.add(client)
    return client


def run_chapters(
    tasks: Sequence[Task],
    *,
    environment: Mapping[str, str],
    limits: Limits | None = None,
    listener: Listener | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> tuple[Run, ...]:
    """Run chapters side by side; a chapter that fails is a result, not an exception.

    Parameters
    ----------
    tasks : sequence of Task
        Chapters with checked parameters.
    environment : mapping
        The kernels' whole environment, see `csa.report.environment`.
    limits : Limits, optional
        Longest times and number of chapters at once.
    listener : callable, optional
        Told of every start, cell and end, from several threads.
    meanwhile : callable, optional
        Called once while the chapters run.

    Returns
    -------
    tuple of Run
        In the order of `tasks`.
    """
    limits = limits or Limits()
    tell = listener or _silent
    kernels = _Kernels()
    with _private_folder() as private, ThreadPoolExecutor(limits.workers) as pool:
        shared = ({**environment, "IPYTHONDIR": str(private / "ipython")}, limits)
        futures = [
            pool.submit(_run, task, _context(task, private / f"k{n}", shared, kernels, tell), tell)
            for n, task in enumerate(tasks)
        ]
        try:
            if meanwhile:
                meanwhile()
            for future in as_completed(futures):
                future.result()
        except BaseException:  # stopped from outside: no kernel is left behind
            pool.shutdown(wait=False, cancel_futures=True)
            kernels.stop()
            raise
        return tuple(future.result() for future in futures)


def _context(
    task: Task,
    stem: Path,
    shared: tuple[Mapping[str, str], Limits],
    kernels: _Kernels,
    tell: Listener,
) -> _Context:
    # papermill reads the notebook again, from a thread: repaired here, it has nothing to warn of
    prepared = stem.with_suffix(".ipynb")
    write_notebook(read_notebook(task.notebook), prepared)
    return _Context(
        notebook=prepared,
        folder=task.notebook.parent,
        environment={**shared[0], **task.environment},
        limits=shared[1],
        connection=stem.with_suffix(".json"),
        kernels=kernels,
        on_cell=functools.partial(tell, "cell", task.name),
    )


def _silent(_event: Event, _chapter: str, _share: float) -> None:
    """Listen to nothing."""


@contextmanager
def _private_folder() -> Iterator[Path]:
    """Make a folder that only we can read, with a path short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="csa-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(task: Task, context: _Context, tell: Listener) -> Run:
    begun = time.monotonic()
    tell("started", task.name, 0.0)
    task.output.parent.mkdir(parents=True, exist_ok=True)
    with _own_loop(), suppress(PapermillExecutionError):  # the notebook tells, see below
        execute_notebook(
            _no_fields(context.notebook),
            _no_fields(task.output),
            dict(task.parameters),
            engine_name=ENGINE,
            kernel_name="python3",  # the environment that csa is in, whatever the notebook says
            language="python",
            request_save_on_cell_execute=False,  # papermill writes the notebook twice per cell
            autosave_cell_every=0,
            progress_bar=False,
            context=context,
        )
    notebook = nbformat.read(task.output, as_version=4)  # type: ignore[no-untyped-call]
    status, problem = judge(notebook)
    clean(notebook, hide=(context.folder.parent, Path(sys.prefix), Path.home()))
    write_notebook(notebook, task.output)
    tell("finished", task.name, 1.0)
    seconds = time.monotonic() - begun
    return Run(name=task.name, status=status, seconds=seconds, notebook=notebook, problem=problem)


@contextmanager
def _own_loop() -> Iterator[None]:
    """Close the event loop that jupyter-client makes for a thread and forgets."""
    try:
        yield
    finally:
        ensure_event_loop().close()
        asyncio.set_event_loop(None)


def _no_fields(path: Path) -> str:
    """Spell a path so that papermill, which formats it, leaves braces alone."""
    return str(path).replace("{", "{{").replace("}", "}}")


papermill_engines.register(ENGINE, ChapterEngine)
_log = logging.getLogger("csa.kernels")
for _name in ("csa.kernels", "papermill"):  # what they have to say stands in the chapter's problem
    logging.getLogger(_name).addHandler(logging.NullHandler())
