"""HTML: one file that is looked at in a real browser, asks for nothing, and keeps what a run says inert."""

import io
import json
import re
import shutil
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

import made
from browser import browser as started
from dpo_report.core import html
from dpo_report.core.build import build
from dpo_report.core.dialect import DIALECTS
from dpo_report.core.manager import default_host
from dpo_report.core.render import Kit
from dpo_report.plugins.formats.html import FORMAT
from dpo_report.plugins.formats.html.charts import BINS, charts, thinned
from dpo_report.plugins.formats.html.trace import Trace
from typeset import HOSTILE, hostile_run

RUNS = Path(__file__).parent / "runs"
LIMIT = 1_500_000


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with started(tmp_path_factory.mktemp("profile") / "chromium") as one:
        yield one


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return build(RUNS / "dpo-eval", ["html"], tmp_path_factory.mktemp("page") / "out").directory / "report.html"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    run = hostile_run(folder)
    run = run.rename(run.with_name("<script>window.pwned = 1<\u2215script><img src=x onerror=alert(1)>"))
    return build(run, ["html"], folder / "out").directory / "report.html"


@given(st.text(max_size=60) | st.sampled_from(HOSTILE))
def test_any_string_is_only_text(text):
    for written in (html.escape(text), html.code(text)):
        assert not re.search(r"<(?!/?code>|wbr>)", written)
        assert '"' not in written and "'" not in written
    assert "<wbr>" not in html.escape(text)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_it_opens_from_the_disk_and_asks_for_nothing(browser, page, width, dark):
    assert page.stat().st_size < LIMIT
    browser.open(page, width=width, dark=dark)
    assert browser.log == []
    assert [url for url in browser.requests if not url.startswith("data:")] == [page.resolve().as_uri()]
    assert browser.run("document.documentElement.scrollWidth <= window.innerWidth")
    panels = sum(len(one["panels"]) for one in json.loads(browser.run("document.getElementById('data').textContent")))
    assert browser.run("document.querySelectorAll('.chart canvas').length") == panels > 0
    inked = "[...document.querySelectorAll('canvas')].every(c => c.getContext('2d')" \
        ".getImageData(0, 0, c.width, c.height).data.some(x => x))"  # fmt: skip
    assert browser.run(inked)
    ground = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is not dark


def test_a_value_below_what_is_printed_is_escaped_once():
    noise = np.random.default_rng(0).normal(0, 0.05, 200)
    analysis = made.analysis(made.run(loss=0.7 - np.arange(200) / 500 + noise))
    sections = tuple(provided.item for provided in default_host().sections)
    kit = Kit(analysis, "1", DIALECTS["html"], sections, draw=lambda kinds: {})
    page = kit.render("results.html", section=sections[1], plain=False, trace=Trace(kit), pictures=defaultdict(str))
    assert re.search(r">&lt; 0\.001<", page)
    assert "&amp;" not in page


def test_no_word_of_a_run_is_wider_than_a_narrow_window(browser, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(RUNS / "dpo-eval", run)
    (run / "dpo-report.toml").write_text(
        f'[facts]\ndata.sha256 = "{"0123456789abcdef" * 8}"\n{"a_long_name_" * 9} = 1\n'
    )
    browser.open(build(run, ["html"], tmp_path / "out").directory / "report.html", width=320)
    browser.run("for (const fold of document.querySelectorAll('details')) fold.open = true")
    assert browser.run("document.documentElement.scrollWidth <= window.innerWidth")


def test_charts_zoom_and_name_the_row_under_the_cursor(browser, page):
    browser.open(page)
    browser.run("document.querySelector('.plot').scrollIntoView({block: 'center', behavior: 'instant'})")
    box = browser.run("JSON.stringify(document.querySelector('.u-over').getBoundingClientRect())")
    at = json.loads(box)
    middle, height = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    browser.mouse("mouseMoved", middle, height)
    told = browser.run("document.querySelector('.readout').textContent")
    assert re.search(r"trainer_state\.json: log_history\[\d+\]\.loss", told)
    before = browser.run("document.querySelector('canvas').toDataURL()")
    browser.mouse("mousePressed", at["x"] + 0.3 * at["width"], height, button="left", clickCount=1)
    browser.mouse("mouseMoved", middle, height, button="left")
    browser.mouse("mouseReleased", middle, height, button="left", clickCount=1)
    browser.run("new Promise(done => setTimeout(done, 200))")
    zoomed = browser.run("document.querySelector('canvas').toDataURL()")
    assert zoomed != before
    browser.run("document.querySelector('[aria-label=\"Show all\"]').click()")
    browser.run("new Promise(done => setTimeout(done, 200))")
    assert browser.run("document.querySelector('canvas').toDataURL()") == before
    browser.run("document.querySelector('.plot').focus()")
    browser.key("ArrowRight")
    assert "log_history" in browser.run("document.querySelector('.readout').textContent")
    assert browser.log == []


def test_a_number_tells_its_file_and_row_to_mouse_and_keyboard(browser, page):
    browser.open(page)
    number = "document.querySelector('#results table .n')"
    browser.run(f"{number}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    at = json.loads(browser.run(f"JSON.stringify({number}.getBoundingClientRect())"))
    browser.run("new Promise(done => setTimeout(done, 100))")
    browser.mouse("mouseMoved", at["x"] + 3, at["y"] + 3)
    tip = "document.getElementById('tip')"
    assert browser.run(f"!{tip}.hidden && {tip}.textContent.includes('trainer_state.json: log_history[')")
    browser.key("Escape")
    assert browser.run(f"{tip}.hidden")
    browser.run("document.querySelector('#results .n').focus()")
    assert browser.run(f"!{tip}.hidden && document.activeElement.getAttribute('aria-describedby') === 'tip'")
    browser.key("ArrowRight")
    assert browser.run("document.activeElement === [...document.querySelectorAll('#results .n')][1]")
    assert browser.run(f"!{tip}.hidden")


def test_theme_folds_and_print(browser, page):
    browser.open(page)
    browser.run("document.getElementById('theme').click()")
    assert browser.run("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert browser.run("[...document.querySelectorAll('#rules details')].every(one => !one.open)")
    browser.run("document.getElementById('unfold').click()")
    assert browser.run("[...document.querySelectorAll('details')].every(one => one.open)")
    browser.run("document.getElementById('unfold').click(), document.getElementById('theme').click()")
    text = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(browser.printed())).pages)
    assert "learning_rate" in text and "Unfold all" not in text


def test_without_scripts_pictures_stand_for_the_charts(browser, page):
    browser.open(page, scripts=False)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run("document.querySelectorAll('canvas').length") == 0
    assert browser.run("[...document.querySelectorAll('.still')].every(i => i.checkVisibility() && i.naturalWidth > 0)")
    assert browser.run("document.querySelector('.n').title.length") > 0


def test_what_a_screen_reader_needs(browser, page):
    browser.open(page)
    assert browser.run("document.documentElement.lang") == "en"
    assert browser.run("document.querySelectorAll('h1').length") == 1
    levels = browser.run("[...document.querySelectorAll('h1, h2, h3')].map(h => +h.tagName[1])")
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert browser.run("document.querySelectorAll('main, nav[aria-label]').length") == 2
    assert browser.run("[...document.images].every(i => i.alt.length > 20)")
    assert browser.run("[...document.querySelectorAll('table')].every(t => t.querySelector('th[scope]'))")
    ids = browser.run("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    links = set(
        browser.run("[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))")
    )
    assert links <= set(ids)


CONTRAST = """(() => {
  const channel = (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = (colour) => colour.match(/[0-9.]+/g).slice(0, 3).map((v) => channel(v / 255))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (colour !== 'rgba(0, 0, 0, 0)') return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  let least = 99;
  const words = 'p, li, td, th, a, .badge, .n, summary, figcaption, mark, code, small, button';
  for (const e of document.querySelectorAll(words)) {
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))];
    least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return least;
})()"""


@pytest.mark.parametrize("dark", [False, True])
def test_every_word_has_contrast(browser, page, dark):
    browser.open(page, dark=dark)
    assert browser.run(CONTRAST) >= 4.5


def test_a_hostile_run_stays_text(browser, hostile):
    browser.open(hostile)
    assert browser.log == []
    assert browser.run("window.pwned === undefined")
    assert "<script>window.pwned" in browser.run("document.querySelector('h1').textContent")
    assert browser.run("document.querySelectorAll('script').length") == 2
    assert browser.run("[...document.images].every(i => i.className.startsWith('still'))")
    assert not browser.run(
        "[...document.querySelectorAll('*')].some(e => [...e.attributes].some(a => /^on/.test(a.name)))"
    )


def test_the_policy_stops_a_script_that_got_in_anyway(browser, page, tmp_path):
    bad = tmp_path / "report.html"
    text = page.read_text(encoding="utf-8")
    bad.write_text(text.replace("<h1>", "<script>window.pwned = 1</script><h1>"), encoding="utf-8")
    browser.open(bad)
    assert browser.run("window.pwned === undefined")
    assert any("Content Security Policy" in line for line in browser.log)


def long_page(rows):
    noise = np.random.default_rng(0).normal(size=(8, rows))
    noise[0, rows // 3] = 77.0
    names = "loss rewards__margins rewards__accuracies rewards__chosen rewards__rejected logps__chosen logps__rejected"
    analysis = made.analysis(made.run(**dict(zip([*names.split(), "grad_norm"], noise, strict=True))))
    blank = {f"{figure.name}.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>" for figure in analysis.figures}
    return analysis, FORMAT.convert(Kit(analysis, "1", DIALECTS["html"], draw=lambda kinds: blank))


def test_a_long_history_is_thinned_and_loses_no_spike():
    analysis, files = long_page(100_000)
    assert len(files["report.html"]) < LIMIT
    told = charts(analysis.figures)
    bands = [line["band"] for one in told for panel in one["panels"] for line in panel["lines"]]
    assert all(len(band[0]) <= BINS for band in bands)
    assert max(bands[0][2]) == 77.0
    loss = analysis.run.get("loss")
    _, _, low, high = thinned(loss, 100)
    assert (low[0], high[0]) == (loss.values[:2000].min(), loss.values[:2000].max())
    gaps = replace(loss, values=np.where(np.arange(len(loss)) < 5000, np.nan, loss.values))
    assert np.isnan(thinned(gaps, 100)[2][:2]).all()


def test_a_long_history_opens_fast(browser, tmp_path):
    _, files = long_page(100_000)
    (tmp_path / "report.html").write_bytes(files["report.html"])
    browser.open(tmp_path / "report.html")
    assert browser.log == []
    assert browser.run("performance.timing.loadEventEnd - performance.timing.navigationStart") < 2000
