"""Plugins that were written for another API are refused by name; what hangs is named, and can be interrupted."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dpo_report.core.contract import API
from dpo_report.core.host import watchdog
from dpo_report.core.manager import Host

PLUGINS = Path(__file__).parent / "plugins"
RUN = Path(__file__).parents[1] / "examples" / "runs" / "kg-8pairs-log1"


def test_a_plugin_for_another_api_is_refused_by_name():
    host = Host(files=[PLUGINS / "other_api.py", PLUGINS / "good.py"], discover=False, modules=())
    (problem,) = host.problems
    assert problem.where == "plugin other_api 3.1"
    assert "it was written for plugin API 2; dpo-report " in problem.message
    assert f"has API {API}" in problem.message
    assert problem.hint == "install a newer dpo-report"
    assert [plugin.status for plugin in host.plugins] == ["failed", "ok"]
    assert [one.plugin for one in host.questions] == ["good 1.2"]


@pytest.mark.parametrize("wanted", [1, 0, "1", 2])
def test_an_object_is_judged_by_itself_or_its_module(wanted):
    from dpo_report.core.hookspecs import hookimpl

    class Mine:
        DPO_REPORT_API = wanted

        @hookimpl
        def register_templates(self):
            return [PLUGINS]

    for item in (Mine, Mine()):
        host = Host(extra=[item], discover=False, modules=())
        assert bool(host.templates) == (wanted == API)
        assert len(host.problems) == (wanted != API)


def test_an_object_of_a_module_for_another_api_is_refused(monkeypatch):
    module = sys.modules[__name__]

    class Mine:
        pass

    monkeypatch.setattr(module, "DPO_REPORT_API", API + 1, raising=False)
    (problem,) = Host(extra=[Mine()], discover=False, modules=()).problems
    assert f"written for plugin API {API + 1}" in problem.message


class TestWatchdog:
    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch):
        monkeypatch.setattr(watchdog, "PATIENCE", 0.5)

    def test_a_long_call_is_named_once_and_the_innermost_of_nested_ones(self, capsys):
        with watchdog.watched("plugin outer: format x"), watchdog.watched("plugin kg 1.0: metric kg.edges"):
            time.sleep(1.2)
        said = capsys.readouterr().err
        assert said.count("plugin kg 1.0: metric kg.edges is still running after 0.5 s") == 1
        assert f"({Path(__file__)}, line " in said
        assert "outer" not in said

    def test_short_calls_are_not_named_whatever_their_number(self, capsys):
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            with watchdog.watched("plugin kg 1.0: metric kg.edges"):
                time.sleep(0.001)
        assert capsys.readouterr().err == ""

    def test_a_template_that_hangs_is_named_with_its_line(self, capsys):
        import jinja2

        env = jinja2.Environment(
            loader=jinja2.DictLoader({"slow.md": "one\ntwo\n{% for i in wait() %}{{ i }}{% endfor %}\n"})
        )

        def wait():
            for number in range(24):
                time.sleep(0.05)
                yield number

        with watchdog.watched("template slow.md"):
            env.get_template("slow.md").render(wait=wait)
        said = capsys.readouterr().err
        assert "template slow.md is still running" in said
        assert "line 3)" in said


def test_a_plugin_that_hangs_is_interrupted_with_status_130(tmp_path):
    program = "import sys; from dpo_report.core.host import watchdog; watchdog.PATIENCE = 0.3\n"
    program += "from dpo_report.core.cli import main; sys.exit(main())"
    words = ["build", str(RUN), "-f", "json", "-o", str(tmp_path / "out"), "--plugin", str(PLUGINS / "hangs.py")]
    with subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HANG_SECONDS": "60"},
    ) as process:
        told = next((line for line in process.stderr if "kg.slow" in line), "")
        assert "plugin hangs: metric kg.slow is still running after 0.3 s" in told
        assert "hangs.py, line " in told
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert "interrupted" in rest
    assert not (tmp_path / "out").exists()
