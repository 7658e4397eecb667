"""A notebook's interface: its parameters cell, read without running anything.

papermill only warns about unknown parameters and accepts any type; a report stops instead.
"""

import ast
import difflib
import io
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from csa.errors import ConfigError

COMMON = ("as_of", "start", "end", "segment", "audience")  # given by the run, never by csa.yml
PARAMETERS = "parameters"
_SIMPLE: Mapping[str, tuple[type, ...]] = {
    "str": (str,), "int": (int,), "float": (int, float), "bool": (bool,), "list": (list,)
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One line of a parameters cell: `after_days: int = 90  # age in days`."""

    name: str
    type: str  # as written: "str", "int", "float | None", "list[str]"
    default: Any
    help: str

    def accepts(self, value: object) -> bool:
        """Tell whether `value` has the annotated type; an int is a float, a bool is no int.

        Parameters
        ----------
        value : object
            Value from csa.yml.

        Returns
        -------
        bool
            Whether the notebook may be run with it.
        """
        return _accepts(ast.parse(self.type, mode="eval").body, value)


def _accepts(annotation: ast.expr, value: object) -> bool:
    match annotation:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _accepts(left, value) or _accepts(right, value)
        case ast.Subscript(value=ast.Name(id="list"), slice=of):
            return isinstance(value, list) and all(_accepts(of, item) for item in value)
        case ast.Name(id=name) if name in _SIMPLE:
            of_type = isinstance(value, _SIMPLE[name])
            return of_type and (name == "bool" or not isinstance(value, bool))
    return isinstance(annotation, ast.Constant) and annotation.value is None and value is None


def parameters_of(notebook: NotebookNode, *, name: str) -> dict[str, Parameter]:
    """Read the parameters that a notebook takes.

    Parameters
    ----------
    notebook : NotebookNode
        Notebook with exactly one cell tagged `parameters`.
    name : str
        What to call the notebook in errors.

    Returns
    -------
    dict of Parameter
        By name, in the order of the cell.

    Raises
    ------
    ConfigError
        If there is not exactly one such cell, or a line is no annotated literal.
    """
    cells = [cell for cell in notebook.cells if PARAMETERS in cell.metadata.get("tags", [])]
    if len(cells) != 1:
        raise ConfigError(
            f"{name}: {len(cells)} cells are tagged parameters; tag exactly one, with lines like"
            ' `as_of: str = "2026-10-31"  # last day included`'
        )
    source = cells[0].source
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise ConfigError(f"{name}: parameters cell, line {error.lineno}: {error.msg}") from error
    comments = dict(_comments(source))
    read = [_parameter(statement, comments, name=name) for statement in statements]
    return {parameter.name: parameter for parameter in read}


def _parameter(statement: ast.stmt, comments: Mapping[int, str], *, name: str) -> Parameter:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=key), annotation=kind, value=ast.expr() as value):
            try:
                default = ast.literal_eval(value)
            except ValueError:
                pass
            else:
                text = comments.get(statement.end_lineno or statement.lineno, "")
                return Parameter(name=key, type=ast.unparse(kind), default=default, help=text)
    raise ConfigError(
        f"{name}: parameters cell, line {statement.lineno}: write an annotated literal, like"
        " `after_days: int = 90  # age at which retention is read, days`"
    )


def _comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ").strip()


def parameter_faults(
    known: Mapping[str, Parameter], given: Mapping[str, object], *, at: str, notebook: str
) -> list[str]:
    """Compare what csa.yml gives with what the notebook takes, by name and type.

    Parameters
    ----------
    known : mapping of Parameter
        From `parameters_of`.
    given : mapping
        Values from csa.yml.
    at : str
        Path in csa.yml for the messages, for example `csa.yml: reports.monthly.parameters.churn`.
    notebook : str
        What to call the notebook in the messages.

    Returns
    -------
    list of str
        One line per fault; empty where all is well.
    """
    faults = []
    own = [name for name in known if name not in COMMON]
    if "as_of" not in known:
        faults.append(f'{notebook}: parameters cell lacks `as_of: str = "2026-10-31"`')
    for key, value in given.items():
        if key in COMMON:
            faults.append(f"{at}.{key}: is set by the run; take it out")
        elif key not in known:
            close = difflib.get_close_matches(key, own, n=1)
            way_out = f'did you mean "{close[0]}"?' if close else f"it takes {_listed(own)}"
            faults.append(f"{at}.{key}: {notebook} has no such parameter; {way_out}")
        elif not known[key].accepts(value):
            faults.append(f"{at}.{key}: {value!r} is not {known[key].type} ({known[key].help})")
    return faults


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none of its own"
