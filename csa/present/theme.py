"""One theme for charts, tables, page, print and mail: colours, type scale, fonts, status marks.

All text colours reach a contrast of 4.5:1 on their ground (a test measures it), all series
colours differ under protanopia, deuteranopia and tritanopia (a test simulates it), and no
meaning is carried by colour alone: a status has a word and a shape, a line its label.
"""

import base64
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib import font_manager

FONTS: Final = Path(__file__).parent / "fonts"
FAMILY: Final = "Csa Sans"  # Source Sans 3, renamed because its licence reserves the name
FALLBACK: Final = ("Source Sans 3", "Segoe UI", "Helvetica Neue", "Arial", "Noto Sans")
FACES: Final = (  # style, CSS weight, file
    ("normal", 400, "CsaSans-Regular"),
    ("normal", 600, "CsaSans-Semibold"),
    ("italic", 400, "CsaSans-Italic"),
)

LIGHT: Final[Mapping[str, str]] = {
    "paper": "#ffffff",
    "wash": "#f5f7f9",  # ground of boxes
    "line": "#d8dee4",  # hairlines
    "rule": "#8a94a0",  # axes
    "ink": "#17202b",
    "soft": "#505b68",  # second voice: captions, intervals
    "brand": "#0f3b66",
    "accent": "#b4540a",
    "good": "#17703f",
    "watch": "#8a5200",
    "bad": "#b3261e",
    "unclear": "#505b68",
    "good_wash": "#e8f4ec",
    "watch_wash": "#fdf1de",
    "bad_wash": "#fcebe9",
    "unclear_wash": "#eef1f4",
    "series1": "#0f3b67",
    "series2": "#b4540b",
    "series3": "#0a7f78",
    "series4": "#c2185b",
    "series5": "#5a4fcf",
    "series6": "#3f2a14",
}
DARK: Final[Mapping[str, str]] = {
    "paper": "#12171d",
    "wash": "#1b222a",
    "line": "#323c47",
    "rule": "#7d8894",
    "ink": "#eef1f4",
    "soft": "#aeb8c3",
    "brand": "#a9cdf3",
    "accent": "#f2a65e",
    "good": "#7bd3a0",
    "watch": "#f3b95f",
    "bad": "#ff9c93",
    "unclear": "#b4bec9",
    "good_wash": "#173024",
    "watch_wash": "#362812",
    "bad_wash": "#3b1c1a",
    "unclear_wash": "#262e37",
    "series1": "#8fbcec",
    "series2": "#f2a65f",
    "series3": "#52c7bb",
    "series4": "#f58cb2",
    "series5": "#b7adff",
    "series6": "#d9c3a5",
}
SERIES: Final = tuple(LIGHT[f"series{i}"] for i in range(1, 7))
STATUS: Final[Mapping[str, Mapping[str, str]]] = {
    "good": {"word": "Good", "shape": "●"},
    "watch": {"word": "Watch", "shape": "▲"},
    "bad": {"word": "Bad", "shape": "◆"},
    "unclear": {"word": "Unclear", "shape": "○"},
}
NO_TARGET: Final = "No target"

BRAND: Final[Mapping[str, Any]] = {
    "light": LIGHT,
    "dark": DARK,
    "status": STATUS,
    "family": FAMILY,
    "fallback": FALLBACK,
    "font": ", ".join(f'"{name}"' for name in (FAMILY, *FALLBACK)) + ", sans-serif",
    "sizes": {"screen": 17, "print": 9.6, "ratio": 1.2},  # px, pt, type scale
}


def font_bytes(name: str, kind: str) -> bytes:
    """Read a font that travels with the package.

    Parameters
    ----------
    name : str
        File name without its end, as in `FACES`.
    kind : str
        woff2 (pages) or ttf (charts, print).

    Returns
    -------
    bytes
        The file.
    """
    return (FONTS / f"{name}.{kind}").read_bytes()


@cache
def font_faces() -> tuple[Mapping[str, Any], ...]:
    """List the faces for a style sheet.

    Returns
    -------
    tuple of mappings
        `style`, `weight`, `data` (woff2 as data URI) and `file` (URI of the TTF on disk).
    """
    return tuple(
        {
            "style": style,
            "weight": weight,
            "data": "data:font/woff2;base64,"
            + base64.b64encode(font_bytes(name, "woff2")).decode(),
            "file": (FONTS / f"{name}.ttf").as_uri(),
        }
        for style, weight, name in FACES
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


@cache
def _register() -> None:
    for _, _, name in FACES:
        font_manager.fontManager.addfont(FONTS / f"{name}.ttf")


def rc(scale: float = 1.0) -> Any:
    """Matplotlib settings of the theme.

    Parameters
    ----------
    scale : float
        Factor on all type and line sizes.

    Returns
    -------
    dict
        For `matplotlib.rc_context`.
    """
    return {
        "font.family": [FAMILY, "DejaVu Sans"],
        "font.size": 9.5 * scale,
        "text.color": LIGHT["ink"],
        "text.parse_math": False,  # a dollar sign in a name is a dollar sign
        "text.usetex": False,
        "axes.edgecolor": LIGHT["rule"],
        "axes.labelcolor": LIGHT["soft"],
        "axes.linewidth": 0.8,
        "axes.spines.left": False,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "axes.facecolor": "none",
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "grid.color": LIGHT["line"],
        "grid.linewidth": 0.7,
        "lines.linewidth": 1.9 * scale,
        "lines.solid_capstyle": "round",
        "xtick.color": LIGHT["rule"],
        "xtick.labelcolor": LIGHT["soft"],
        "xtick.major.size": 3.5,
        "ytick.color": LIGHT["rule"],
        "ytick.labelcolor": LIGHT["soft"],
        "ytick.major.size": 0,
        "svg.fonttype": "none",  # real text: searchable, and half the rendering time
        "svg.hashsalt": "csa",  # same input, same bytes
        "path.simplify": True,
    }


@contextmanager
def drawing(scale: float = 1.0) -> Iterator[None]:
    """Draw with the theme: fonts known, settings on, other settings untouched afterwards.

    Parameters
    ----------
    scale : float
        Factor on all type and line sizes.

    Yields
    ------
    None
        Nothing.
    """
    _register()
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    with mpl.rc_context(rc(scale)), warnings.catch_warnings():
        # Names may be in any script. The drawing carries real text, so the reader's system
        # supplies a letter that our fonts, used here only to measure, do not have.
        warnings.filterwarnings("ignore", message=r"Glyph \d+", category=UserWarning)
        log.setLevel(logging.ERROR)
        try:
            yield
        finally:
            log.setLevel(level)
