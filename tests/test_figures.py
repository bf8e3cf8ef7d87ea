"""Figures: exact widths, embedded TrueType letters, the same bytes twice, and words that touch nothing."""

import io
import itertools
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpo_report.core.analysis import analyse
from dpo_report.core.drawing import ticks
from dpo_report.core.drawing.face import face
from dpo_report.core.drawing.labels import spread
from dpo_report.core.drawing.layout import lay_out
from dpo_report.core.drawing.scene import Area, Box, Marks, Stroke, Words
from dpo_report.core.drawing.style import COLOURS, DASH, Style
from dpo_report.core.errors import ReportError
from dpo_report.core.figures import draw, draw_all
from dpo_report.core.loader import load
from dpo_report.core.manager import default_host
from dpo_report.core.plot import Figure, Level, Line, Panel
from dpo_report.core.text import Text

RUNS = Path(__file__).parent / "runs"
NAMES = sorted(path.name for path in RUNS.iterdir() if path.is_dir() and path.name not in ("dpo-seeds", "__pycache__"))
HOSTILE = r"a_b $x^2$ \input{/etc/passwd} % # & ~ 中文 🙂" + "\n\x07"


@cache
def figures_of(name):
    """What the built-in curves draw of one of the project's runs."""
    return analyse(load(RUNS / name, host=default_host()), default_host()).figures


def line(values, label="training", role="train", **more):
    y = np.asarray(values, float)
    return Line(label, np.arange(1.0, len(y) + 1), y, role, **more)


def figure(*lines, levels=(), y_label="Loss", panels=1, **more):
    panel = Panel(y_label, lines or (line([3, 2, 1], marks=True),), tuple(levels), **more)
    return Figure("loss", "Loss over training", Text(("Loss.",)), (panel,) * panels)


def scene(one):
    return lay_out(one, Style(), face("serif"))


def labels(drawn):
    return [item for item in drawn.items if isinstance(item, Words) and item.kind == "label"]


def crosses(box, start, end):
    """Whether a straight line passes through a rectangle (Liang and Barsky's clipping)."""
    enter, leave = 0.0, 1.0
    for low, high, at, by in (
        (box.left, box.right, start[0], end[0] - start[0]),
        (box.bottom, box.top, start[1], end[1] - start[1]),
    ):
        if by == 0:
            if not low < at < high:
                return False
            continue
        first, last = sorted(((low - at) / by, (high - at) / by))
        enter, leave = max(enter, first), min(leave, last)
    return enter < leave


def assert_words_touch_nothing(drawn):
    words = labels(drawn)
    for word in words:
        assert word.box.left >= 0 and word.box.right <= drawn.width, word.text
        assert word.box.bottom >= 0 and word.box.top <= drawn.height, word.text
        for item in drawn.items:
            if isinstance(item, Stroke) and item.data:
                for start, end in itertools.pairwise(item.points):
                    assert not crosses(word.box, start, end), (word.text, item.colour)
            elif isinstance(item, Marks):
                for x, y in item.points:
                    half = item.size / 2
                    assert not word.box.meets(Box(x - half, y - half, x + half, y + half)), word.text
        others = [item for item in drawn.items if isinstance(item, Words) and item is not word]
        touching = [other.text for other in others if word.box.grown(-0.05).meets(other.box.grown(-0.05))]
        assert not touching, (word.text, touching)


# --- the project's own runs ---------------------------------------------------------------------------------------


def test_the_runs_that_logged_curves_have_figures():
    drawn = {name: [one.name for one in figures_of(name)] for name in NAMES}
    assert drawn["dpo-eval"] == ["loss", "rewards", "logps", "optimizer"]
    assert drawn["grpo"] == ["reward", "optimizer"]
    assert drawn["dpo-default-log"] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_word_touches_a_line_a_marker_or_a_word(name):
    for one in figures_of(name):
        assert_words_touch_nothing(scene(one))


@pytest.mark.parametrize("name", ["dpo-eval", "dpo-two-evalsets", "dpo-nan", "grpo", "sft"])
def test_pdf_is_one_vector_page_of_the_exact_width_with_embedded_truetype(name):
    for one in figures_of(name):
        page = pypdf.PdfReader(io.BytesIO(draw(one)), strict=True).pages[0]
        width = 3.25 if len(one.panels) == 1 else 6.75
        assert [float(edge) for edge in page.mediabox] == [0, 0, 72 * width, 72 * 2]
        resources = page["/Resources"]
        fonts = [one.get_object() for one in resources["/Font"].values()]
        assert [(f["/Subtype"], f["/DescendantFonts"][0]["/Subtype"]) for f in fonts] == [("/Type0", "/CIDFontType2")]
        assert "/FontFile2" in fonts[0]["/DescendantFonts"][0]["/FontDescriptor"]
        forms = resources.get("/XObject", {}).values()
        assert all(form.get_object()["/Subtype"] == "/Form" for form in forms), "no images"
        text = page.extract_text()
        assert all(word in text for panel in one.panels for word in panel.y_label.split("(")[0].split())


@pytest.mark.parametrize("name", ["dpo-eval", "grpo"])
def test_poppler_reads_the_pdf_without_complaint_and_it_looks_like_the_png(name, tmp_path):
    from PIL import Image

    for one in figures_of(name):
        (tmp_path / "page.pdf").write_bytes(draw(one))
        command = ["pdftoppm", "-r", "100", "-png", "-singlefile", tmp_path / "page.pdf", tmp_path / "page"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        with Image.open(tmp_path / "page.png") as page, Image.open(io.BytesIO(draw(one, "png", Style(dpi=100)))) as png:
            assert page.size == png.size
            ours, theirs = (np.asarray(image.convert("L").reduce(4), float).ravel() for image in (page, png))
        assert np.corrcoef(ours, theirs)[0, 1] > 0.95


# --- bytes --------------------------------------------------------------------------------------------------------


def test_the_same_bytes_twice_also_in_another_process(tmp_path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import hashlib, test_figures as t;"
        "files = t.draw_all(t.figures_of('dpo-eval'), ('pdf', 'svg', 'png'));"
        "print({name: hashlib.sha256(content).hexdigest() for name, content in files.items()})"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", script, str(Path(__file__).parent)],
            env={"PYTHONHASHSEED": seed, "PATH": "", "HOME": str(tmp_path), "MPLCONFIGDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert told[0].count(".pdf") == 4


def test_a_date_stands_in_the_pdf_only_where_source_date_epoch_tells_one(monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    plain = pypdf.PdfReader(io.BytesIO(draw(figure()))).metadata
    assert (plain.title, plain.creation_date) == ("Loss over training", None)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    dated = pypdf.PdfReader(io.BytesIO(draw(figure()))).metadata
    assert dated.creation_date.isoformat() == "1970-01-02T00:00:00+00:00"


def test_files_are_named_after_figure_and_kind_and_other_kinds_are_refused():
    assert list(draw_all([figure()], ("pdf", "svg"))) == ["loss.pdf", "loss.svg"]
    with pytest.raises(ValueError, match="not as 'gif'"):
        draw(figure(), "gif")


def test_drawing_leaves_pyplot_and_its_state_alone():
    script = "import sys, test_figures as t;"
    script += "[t.draw(t.figure(), k) for k in ('pdf', 'svg', 'png')]; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parent, capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


def test_the_users_matplotlibrc_changes_nothing():
    import matplotlib

    wild = {"savefig.bbox": "tight", "figure.autolayout": True, "pdf.fonttype": 3, "svg.fonttype": "none"}
    before = [draw(figure(), kind) for kind in ("pdf", "svg", "png")]
    with matplotlib.rc_context({**wild, "path.sketch": (1, 100, 2), "text.hinting": "force_autohint"}):
        assert [draw(figure(), kind) for kind in ("pdf", "svg", "png")] == before


# --- what is drawn ------------------------------------------------------------------------------------------------


def test_a_gap_breaks_the_line_and_a_lonely_point_is_marked():
    drawn = scene(figure(line([1, 2, np.nan, 3, np.nan, 4, 5])))
    strokes = [item for item in drawn.items if isinstance(item, Stroke) and item.data]
    assert [len(stroke.points) for stroke in strokes] == [2, 2]
    (lonely,) = [item for item in drawn.items if isinstance(item, Marks)]
    assert len(lonely.points) == 1


def test_a_band_reaches_from_the_lowest_to_the_highest_row():
    low, high = np.array([1.0, 0.5, 1.0]), np.array([2.0, 4.0, 3.0])
    drawn = scene(figure(line([1.5, 2, 2], low=low, high=high), y_from=0.0))
    (band,) = [item for item in drawn.items if isinstance(item, Area)]
    (mean,) = [item for item in drawn.items if isinstance(item, Stroke) and item.data]
    unit = (mean.points[1, 1] - mean.points[0, 1]) / 0.5
    assert np.isclose(np.ptp(band.points[:, 1]), 3.5 * unit)


def test_lines_differ_in_grey_by_dash_or_marker():
    lines = [
        line([4, 3, 2], "chosen", marks=True),
        line([4, 2, 0], "rejected", dashed=True, marks=True),
        line([5, 4, 3], "held-out chosen", "eval", marks=True),
        line([5, 3, 1], "held-out rejected", "eval", dashed=True, marks=True),
        line([6, 4, 3], "far: chosen", "eval", marks=True),
    ]
    items = scene(figure(*lines)).items
    dashes = [item.dash for item in items if isinstance(item, Stroke) and item.data]
    marks = [(item.shape, item.face == item.edge) for item in items if isinstance(item, Marks)]
    assert dashes == [(), DASH, (), DASH, ()]
    assert len(set(zip(dashes, marks, strict=True))) == len(set(marks)) == 5


def test_training_and_held_out_have_their_colours_and_held_out_markers_are_open():
    items = scene(figure(line([2, 1], marks=True), line([3, 2], "held-out", "eval", marks=True))).items
    looks = [(item.edge, item.face, item.shape) for item in items if isinstance(item, Marks)]
    assert looks == [(COLOURS["train"], COLOURS["train"], "circle"), (COLOURS["eval"], "#ffffff", "square")]


def test_the_loss_axis_starts_at_zero_and_thousands_are_grouped():
    one = Line("training", np.array([10.0, 5000.0, 12000.0]), np.array([3.0, 2.5, 2.0]))
    ticks = [
        item.text for item in scene(figure(one, y_from=0.0)).items if isinstance(item, Words) and item.kind == "tick"
    ]
    assert "0.0" in ticks or "0" in ticks
    assert "10,000" in ticks


def test_panels_of_one_figure_reach_from_the_same_step_to_the_same_step():
    whole, part = line([0.7, 0.6, 0.5, 0.4]), Line("training", np.array([2.0, 3.0, 4.0]), np.ones(3), "train")
    one = Figure("both", "Both", Text(("Both.",)), (Panel("Loss", (whole,)), Panel("Accuracy", (part,))))
    ticks = [item.text for item in scene(one).items if isinstance(item, Words) and item.kind == "tick"]
    assert ticks.count("1") == ticks.count("4") == 2


def test_hostile_labels_print_as_themselves_or_as_a_visible_stand_in():
    drawn = scene(figure(line([2, 1], HOSTILE), levels=[Level(1.5, HOSTILE)], y_label=HOSTILE))
    printed = "".join(item.text for item in drawn.items if isinstance(item, Words) and item.kind == "axis")
    assert r"a_b $x" in printed and r"\input{/etc/passwd} % # & ~ □□ □" in printed
    for kind in ("pdf", "svg", "png"):
        assert draw(figure(line([2, 1], HOSTILE), y_label=HOSTILE), kind)
    assert "&amp;" in draw(figure(y_label="<&>"), "svg").decode()


def test_one_point_constant_lines_and_huge_numbers_are_drawn():
    for values in ([1.0], [0.0, 0.0], [1e300, 1e-300], [-5.0, -5.0], [1e-9, 2e-9], [5e8, 7e8], [1e308, -1e308]):
        assert draw(figure(line(values, marks=True)))
    for values in ([1e-3, 1e3], [4.0, 2e-308], [1e299, 1e-299], [1e90, 1e-90], [-1.0, 10.0]):
        assert draw(figure(line(values), y_scale="log"))


values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


@given(values, st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8), st.floats(-10, 10), st.booleans())
def test_words_touch_nothing_whatever_the_numbers(training, held_out, level, marks):
    lines = line(training, marks=marks), line(held_out, "held-out", "eval", marks=True)
    assert_words_touch_nothing(scene(figure(*lines, levels=[Level(level, "ln 2: policy = reference")])))


def test_style_sets_size_and_family():
    wide = lay_out(figure(panels=2), Style(text=5.5, height=1.5), face("sans"))
    assert (wide.width, wide.height) == (72 * 5.5, 72 * 1.5)
    assert draw(figure(), "pdf", Style(family="DejaVu Serif", font=6)).startswith(b"%PDF-1.4")
    with pytest.raises(ReportError, match="no font of the family 'No Such Font'"):
        draw(figure(), "pdf", Style(family="No Such Font"))


# --- parts --------------------------------------------------------------------------------------------------------


def test_widths_are_those_of_the_letters_and_grow_with_the_size():
    serif = face("serif")
    assert serif.width("", 10) == 0
    assert serif.width("wide", 20) == pytest.approx(2 * serif.width("wide", 10))
    assert serif.width("0", 1000) == pytest.approx(500, abs=2)  # STIX gives digits half an em
    assert serif.width("ii", 10) < serif.width("mm", 10) < face("sans").width("mm", 10)


@given(st.floats(-1e5, 1e5), st.floats(1e-7, 1e5), st.integers(2, 8))
def test_ticks_are_round_in_order_and_told_apart(low, span, want):
    high = low + span
    if high - low < 1e-9 * max(abs(low), abs(high)):
        return
    axis = ticks.linear(low, high, want, scaled=True)
    assert len(axis.ticks) <= want + 1
    assert all(low - 1e-6 * span <= tick <= high + 1e-6 * span for tick in axis.ticks)
    if abs(low) < 1e3 * span:
        assert len(set(axis.words)) == len(axis.words)


def test_ticks_read_like_numbers():
    assert ticks.linear(0, 1.9, 4).words == ("0.0", "0.5", "1.0", "1.5")
    assert ticks.linear(-40, 3, 5).words == ("−40", "−30", "−20", "−10", "0")
    rate = ticks.linear(0, 5e-6, 5, scaled=True)
    assert (rate.words, rate.factor) == (("0", "1", "2", "3", "4", "5"), "×10⁻⁶")
    assert ticks.linear(1, 4, 6, whole=True).words == ("1", "2", "3", "4")
    assert ticks.logarithmic(0.005, 120, 5).words == ("0.01", "0.1", "1", "10", "100")


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(1, 12)), min_size=1, max_size=6))
def test_spread_labels_keep_their_order_and_do_not_meet(wanted):
    centres, heights = zip(*wanted, strict=True)
    placed = spread(centres, heights, 0.0, 100.0)
    order = sorted(range(len(wanted)), key=lambda index: placed[index])
    for below, above in itertools.pairwise(order):
        assert centres[below] <= centres[above]
        assert placed[below] + heights[below] / 2 <= placed[above] - heights[above] / 2 + 1e-6
    assert all(h / 2 - 1e-6 <= at <= 100 - h / 2 + 1e-6 for at, h in zip(placed, heights, strict=True))


def test_labels_that_have_room_stay_where_their_lines_end():
    assert spread([10.0, 50.0, 90.0], [8.0, 8.0, 8.0], 0.0, 100.0) == [10.0, 50.0, 90.0]
