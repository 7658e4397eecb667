"""Contrast, colour-blindness and fonts, measured."""

from itertools import combinations

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from matplotlib import font_manager

from csa.present import theme

TEXTS = ("ink", "soft", "brand", "accent", "good", "watch", "bad", "unclear")
# Machado, Oliveira, Fernandes (2009), IEEE Trans. Vis. Comput. Graph. 15(6), severity 1.0
BLINDNESS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "none": np.eye(3),
}


def linear(colour):
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    """Contrast ratio of WCAG 2.2."""
    lights = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def lab(rgb):
    matrix = [[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]]
    xyz = np.array(matrix) @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.0888]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", [*TEXTS, *(f"series{i}" for i in range(1, 7))])
def test_text_has_contrast_on_its_grounds(colours, name):
    grounds = ["paper"] if name.startswith("series") else ["paper", "wash"]
    assert min(contrast(colours[name], colours[ground]) for ground in grounds) >= 4.5


@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("status", theme.STATUS)
def test_status_has_contrast_on_its_wash(colours, status):
    ground = colours[f"{status}_wash"]
    assert contrast(colours[status], ground) >= 4.5
    assert contrast(colours["ink"], ground) >= 4.5


@pytest.mark.parametrize("eye", BLINDNESS)
def test_series_differ_for_every_eye(eye):
    seen = [lab(np.array(BLINDNESS[eye]) @ linear(colour)) for colour in theme.SERIES]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 15


def test_a_status_is_a_word_and_a_shape_besides_a_colour():
    assert len({s["shape"] for s in theme.STATUS.values()}) == 4
    assert len({s["word"] for s in theme.STATUS.values()}) == 4


def test_drawn_colours_map_to_one_token_each():
    names = ["ink", "soft", "rule", "line", "paper", "accent"]
    drawn = [theme.LIGHT[name] for name in names] + list(theme.SERIES)
    assert len(set(drawn)) == len(drawn)
    assert set(theme.DARK) == set(theme.LIGHT)


@pytest.mark.parametrize("face", [name for _, _, name in theme.FACES])
def test_fonts_carry_latin_shapes_and_their_own_name(face):
    font = TTFont(theme.FONTS / f"{face}.ttf")
    letters = set(font.getBestCmap())
    wanted = "".join(s["shape"] for s in theme.STATUS.values()) + "ÄßñčőşŁ€£≥≤±−–…“”·"
    assert {ord(letter) for letter in wanted} <= letters
    assert font["name"].getDebugName(16) in {None, theme.FAMILY}
    assert "Source" not in font["name"].getDebugName(1)  # reserved by the licence
    digits = {font.getGlyphSet()[font.getBestCmap()[ord(d)]].width for d in "0123456789"}
    assert len(digits) == 1  # figures stand under one another


def test_fonts_travel_light_with_their_licence():
    files = list(theme.FONTS.iterdir())
    assert sum(file.stat().st_size for file in files) < 400_000
    licence = (theme.FONTS / "OFL.txt").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE" in licence


def test_drawing_uses_our_fonts_and_leaves_settings_alone():
    import matplotlib as mpl  # noqa: PLC0415

    before = dict(mpl.rcParams)
    with theme.drawing():
        assert mpl.rcParams["font.family"][0] == theme.FAMILY
        assert mpl.rcParams["svg.fonttype"] == "none"
        path = font_manager.findfont(theme.FAMILY, fallback_to_default=False)
    assert path.endswith("CsaSans-Regular.ttf")
    assert dict(mpl.rcParams) == before


def test_faces_are_data_for_pages_and_files_for_print():
    for face in theme.font_faces():
        assert face["data"].startswith("data:font/woff2;base64,")
        assert face["file"].startswith("file://")
