"""pydantic's findings in the words of csa.yml: path, what is wrong, what would do."""

from collections.abc import Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError

from csa.settings_rules import did_you_mean, shown

_KINDS = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a day as 2026-10-31",
    "dict": "a mapping (key: value)",
    "tuple": "a list",
    "model": "a mapping (key: value)",
}


def describe(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Turn validation errors into one line each.

    Parameters
    ----------
    error : ValidationError
        All errors of one validation.
    model : type of BaseModel
        The model that was validated.

    Returns
    -------
    list of str
        As `reports.monthly.at: "25:00" is not HH:MM`, in the order of the file's model.
    """
    lines: dict[str, None] = {}  # a set that keeps order: union members repeat themselves
    for fault in error.errors(include_url=False):
        place, known = _walk(model, fault["loc"])
        path = ".".join(place)
        text = _words(dict(fault), place[-1] if place else "", known)
        lines[f"{path}: {text}" if path else text] = None
    return list(lines)


def _words(fault: dict[str, Any], key: str, known: Sequence[str]) -> str:
    kind, given, context = fault["type"], shown(fault["input"]), fault.get("ctx", {})
    family = kind.split("_")[0]
    words = {
        "extra_forbidden": f"unknown key{did_you_mean(key, known) or _list(known)}",
        "missing": f"missing; add {key}: ...",
        "value_error": str(context.get("error")),
        "literal_error": f"{given} is not one of {_options(context)}",
        "too_short": "is empty; it needs at least one entry",
    }
    if kind in words:
        return words[kind]
    if kind.endswith(("_type", "_parsing", "_from_float")) and family in _KINDS:
        return f"{given} is not {_KINDS[family]}"
    if family == "date":
        return f"{given} is not {_KINDS['date']}"
    return f"{given}: {fault['msg'][0].lower()}{fault['msg'][1:]}"


def _list(known: Sequence[str]) -> str:
    return f"; known are {', '.join(known)}"


def _options(context: dict[str, Any]) -> str:
    return str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")


def _walk(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[list[str], list[str]]:
    """Path as in the file, and the keys known where it ends."""
    place: list[str] = []
    at: Any = model
    known: list[str] = []
    for step in loc:
        if step == "[key]":
            continue
        at = _bare(at)
        if (member := _tagged(at, step)) is not None:
            at = member
            continue
        if isinstance(at, type) and issubclass(at, BaseModel):
            fields = {f.alias or n: f.annotation for n, f in at.model_fields.items()}
            known = list(fields)
            at = fields.get(str(step))
        elif get_origin(at) in (dict, tuple):
            at = get_args(at)[1] if get_origin(at) is dict else get_args(at)[0]
        else:
            break  # the name of a union member: not in the file
        if isinstance(step, int):
            place[-1] += f"[{step + 1}]"
        else:
            place.append(str(step))
    return place, known


def _tagged(union: Any, step: int | str) -> Any:
    """Member of a union that pydantic chose by a tag, which is not in the file."""
    for member in get_args(union):
        if any(isinstance(m, Tag) and m.tag == step for m in getattr(member, "__metadata__", ())):
            return member
    return None


def _bare(annotation: Any) -> Any:
    """Annotation without Optional and Annotated."""
    while True:
        args = [a for a in get_args(annotation) if a is not type(None)]
        if hasattr(annotation, "__metadata__") or (
            args and get_origin(annotation) not in (dict, tuple) and len(args) == 1
        ):
            annotation = args[0]
        else:
            return annotation
