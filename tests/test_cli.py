"""The command line: exit statuses, what is said where, commands of plugins, and the list of plugins."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpo_report import __version__
from dpo_report.core import arguments, build
from dpo_report.core.cli import main
from dpo_report.core.errors import ReportError
from dpo_report.core.host import guard
from dpo_report.core.model import Report
from dpo_report.core.terminal import columns, printable

PLUGINS = Path(__file__).parent / "plugins"


def local(*names):
    """The options that load these plugin files."""
    return [word for name in names for word in ("--plugin", str(PLUGINS / f"{name}.py"))]


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("DPO_REPORT_DISABLE_PLUGINS", "all")
    monkeypatch.delenv(guard.TRACE, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(tmp_path):
    """The smallest run that can be told of."""
    folder = tmp_path / "run"
    folder.mkdir()
    rows = [{"loss": 0.7, "step": 1, "epoch": 0.5}, {"loss": 0.5, "step": 2, "epoch": 1.0}]
    (folder / "trainer_state.json").write_text(json.dumps({"log_history": rows, "global_step": 2, "max_steps": 2}))
    return folder


def test_help_names_every_command_with_its_help(capsys):
    assert main(["--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for name, about in arguments.COMMANDS.items():
        assert f"    {name}" in out
        assert about in out


@pytest.mark.parametrize("command", arguments.COMMANDS)
def test_every_command_has_help_with_an_example(command, capsys):
    assert main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"usage: dpo-report {command}" in out
    assert f"  dpo-report {command} " in out.partition("examples:")[2]


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"dpo-report {__version__}\n"


def test_no_word_at_all_shows_the_help_as_an_error(capsys):
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "COMMAND" in err


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"],
        ["--no-such-option"],
        ["build"],
        ["build", "x", "--forma", "latex"],  # no abbreviations: a later option would change their meaning
        ["build", "x", "--format", " , "],
        ["plugins", "too-many"],
        ["plugins", "--plugin"],
    ],
)
def test_a_wrong_word_gives_2_and_where_help_is(words, capsys):
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("dpo-report")
    assert "--help` " in err


def test_a_known_problem_gives_1_and_two_plain_lines(capsys, monkeypatch):
    def refuse(*args, **named):
        raise ReportError("no run in \x1b[2Jhere\n\u202e", "give a \x07folder")

    monkeypatch.setattr(build, "build_runs", refuse)
    assert main(["build", "x"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "dpo-report: no run in ␛[2Jhere␊<U+202E>\n  give a ␇folder\n"


def test_a_missing_folder_is_a_known_problem(capsys):
    assert main(["build", "absent"]) == 1
    assert capsys.readouterr().err.startswith("dpo-report: no such file or folder: absent\n")


def test_a_bug_gives_3_and_a_report_to_paste(capsys, monkeypatch):
    def fail(*args, **named):
        raise RuntimeError("a \x1b[31mbug")

    monkeypatch.setattr(build, "build_runs", fail)
    assert main(["build", "a folder"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert f"dpo-report {__version__}, Python {sys.version.split()[0]}, " in err
    assert "command: dpo-report build 'a folder'" in err
    assert "Traceback (most recent call last):" in err
    assert err.endswith("RuntimeError: a ␛[31mbug\n")


def test_an_interrupt_gives_130(capsys, monkeypatch):
    def stop(*args, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "build_runs", stop)
    assert main(["build", "x"]) == 130
    assert capsys.readouterr().err == "dpo-report: interrupted\n"


def program(*words, **options):
    """Start the real program, as a shell would."""
    code = "import sys; from dpo_report.core.cli import main; sys.exit(main())"
    return subprocess.Popen([sys.executable, "-c", code, *words], stderr=subprocess.PIPE, **options)


def test_garbage_is_looked_for_where_a_command_may_take_hours(tmp_path):
    plugin = tmp_path / "asked.py"
    plugin.write_text(
        "import gc\n"
        "from dpo_report import hookimpl\n"
        "from dpo_report.core.contract import Command\n"
        "def told(*_):\n"
        "    print('looking' if gc.isenabled() else 'resting')\n"
        "@hookimpl\n"
        "def register_commands():\n"
        "    told()\n"
        "    return [Command('asked', 'ask', told, told)]\n"
    )
    with program("asked", "--plugin", plugin, stdout=subprocess.PIPE) as process:
        out, err = process.communicate()
    assert (err.split(), out.split()) == ([b"resting", b"resting"], [b"looking"])


def test_a_reader_that_hangs_up_is_no_error():
    readable, writable = os.pipe()
    os.close(readable)
    with program("plugins", "--all", stdout=writable) as process:
        os.close(writable)
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_full_disk_under_the_output_is_a_known_problem():
    with Path("/dev/full").open("wb") as full, program("plugins", stdout=full) as process:
        assert process.stderr.read() == b"dpo-report: cannot write: No space left on device\n"
    assert process.returncode == 1


def test_letters_that_the_terminal_lacks_do_not_stop_it(tmp_path):
    plugin = tmp_path / "β.py"
    plugin.write_text("raise RuntimeError('μ')")
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    with program("plugins", "--plugin", plugin, stdout=subprocess.PIPE, env=environment) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert b"RuntimeError: \\u03bc" in out


class TestBuild:
    def test_says_where_the_report_stands(self, run, capsys):
        assert main(["build", str(run), "--format", "json"]) == 0
        out = capsys.readouterr().out
        said, _, left = out.partition("; ")
        assert said == f"{run / 'report' / 'report.json'} ({len(list((run / 'report').rglob('*')))} files)"
        (told,) = json.loads((run / "report" / "report.json").read_text())["runs"]
        count = sum(question["answer"] is None for question in told["questions"])
        assert left == (f"{count} questions open: dpo-report ask {run}\n")
        assert json.loads((run / "report" / "report.json").read_text())["schema"] == 1

    def test_names_the_main_file_of_every_format(self, run, capsys):
        assert main(["build", str(run), "--format", "markdown,html,json"]) == 0
        assert capsys.readouterr().out.startswith(f"{run / 'report'}/report.md, report.html, report.json (")

    def test_quiet(self, run, tmp_path, capsys):
        assert main(["build", str(run), "-f", "json", "-q", "-o", str(tmp_path / "out")]) == 0
        assert capsys.readouterr().out == ""
        assert (tmp_path / "out" / "report.json").is_file()
        assert not (run / "report").exists()

    def test_every_word_arrives(self, monkeypatch, tmp_path):
        seen = {}

        def record(paths, **named):
            seen.update(named, paths=paths)
            return (Report((), tmp_path, ()),)

        monkeypatch.setattr(build, "build_runs", record)
        words = ["a", "-f", "latex, markdown,latex", "-o", "out", "--template-dir", "t", "--template-dir", "u"]
        words += ["--with", "run.yaml", "--style", "icml", "--in-place"]
        assert main(["build", *words, *local("good")]) == 0
        assert [plugin.name for plugin in seen.pop("host").plugins][-1] == "good"
        assert seen == {
            "paths": [Path("a")],
            "formats": ("latex", "markdown"),
            "out": Path("out"),
            "strict": False,
            "template_dirs": [Path("t"), Path("u")],
            "with_files": [Path("run.yaml")],
            "style": "icml",
            "options": {},
            "in_place": True,
            "seen": None,
        }
        assert main(["build", "a", "b", "--with", "run.yaml"]) == 1

    def test_an_unknown_format_is_refused_before_anything_is_written(self, run, capsys):
        assert main(["build", str(run), "-f", "latx"]) == 1
        assert capsys.readouterr().err == "dpo-report: unknown format 'latx'\n  did you mean latex?\n"
        assert not (run / "report").exists()

    def test_a_plugin_problem_is_told_on_stderr_and_fatal_only_when_strict(self, run, capsys):
        words = ["build", str(run), "-f", "json", *local("misspelt_hook")]
        assert main(words) == 0
        told = "dpo-report: plugin misspelt_hook: there is no hook register_metric\n  did you mean register_metrics?\n"
        assert told in capsys.readouterr().err
        (run / "report" / "report.json").unlink()
        (run / "report").rmdir()
        assert main([*words, "--strict"]) == 1
        assert capsys.readouterr().err == told
        assert not (run / "report").exists()


def test_objects_that_fail_cost_only_themselves(run, capsys):
    assert main(["inspect", "--json", str(run)]) == 0
    without = json.loads(capsys.readouterr().out)["runs"][0]
    assert main(["inspect", "--json", str(run), *local("bad_objects")]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)["runs"][0]
    assert "loud\n" in err
    problems = [problem["message"] for problem in told["problems"] if problem not in without["problems"]]
    assert [message.partition(" failed: ")[0] for message in problems] == [
        "metric kg.late",
        "metric kg.exit",
        "metric kg.junk",
        "check KG9",
        "curve kg",
        "question kg",
    ]
    assert [value for value in told["values"] if value["name"] != "kg.loud"] == without["values"]
    assert [finding for finding in told["findings"] if finding["code"] != "KG9"] == without["findings"]


class TestCommandsOfPlugins:
    def test_are_listed(self, capsys):
        assert main([*local("good"), "--help"]) == 0
        out = capsys.readouterr().out
        assert "count-edges" in out
        assert "count 100% of the edges" in out

    @pytest.mark.parametrize("before", [True, False])
    def test_run_with_the_switches_before_or_after_them(self, before, capsys):
        words = ["count-edges", "g.tsv"]
        assert main([*local("good"), *words] if before else [*words, *local("good")]) == 0
        assert capsys.readouterr().out == "edges of g.tsv\n"

    def test_their_options_win_over_the_hosts_where_they_have_the_same_name(self, capsys):
        assert main([*local("good"), "count-edges", "--help"]) == 0
        assert "{no,very}" in capsys.readouterr().out

    def test_their_words_are_checked(self, capsys):
        assert main([*local("good"), "count-edges"]) == 2
        assert "required: graph" in capsys.readouterr().err

    def test_their_status_is_ours(self):
        assert main([*local("broken_commands"), "five"]) == 5
        assert main([*local("broken_commands"), "interrupted"]) == 130

    def test_a_known_problem_of_theirs(self, capsys):
        assert main([*local("broken_commands"), "refuses"]) == 1
        assert capsys.readouterr().err == "dpo-report: the graph is empty\n  give one with edges\n"

    def test_a_bug_of_theirs_names_them(self, capsys):
        assert main([*local("broken_commands"), "bug"]) == 3
        assert "The command bug comes from the plugin broken_commands 3.1." in capsys.readouterr().err

    def test_one_that_cannot_be_configured_costs_only_itself(self, capsys):
        assert main([*local("broken_commands"), "bad-configure"]) == 1
        err = capsys.readouterr().err
        assert "plugin broken_commands 3.1: command bad-configure failed: TypeError" in err
        assert main([*local("broken_commands"), "--help"]) == 0

    def test_none_may_take_the_place_of_ours(self, run, capsys):
        assert main([*local("clash"), "build", str(run), "-f", "json"]) == 0
        assert "command build is declared by dpo-report 0.1.0 itself and by clash 0.9" in capsys.readouterr().err

    def test_a_broken_plugin_is_named_beside_the_help(self, capsys):
        assert main([*local("raises_on_import"), "--help"]) == 0
        out, err = capsys.readouterr()
        assert "COMMAND" in out
        assert err == "dpo-report: plugins with problems: raises_on_import\n  `dpo-report plugins` tells them\n"

    def test_strict_stops_before_they_run(self, capsys):
        assert main(["five", *local("broken_commands", "no_hook"), "--strict"]) == 1
        assert "plugin no_hook: declares no hook" in capsys.readouterr().err


class TestPlugins:
    def test_the_table_tells_name_version_status_source_and_objects(self, capsys):
        words = [*local("good", "raises_on_import", "misspelt_hook"), "--no-plugin", "claims"]
        assert main(["plugins", *words]) == 0
        out = capsys.readouterr().out
        rows = {line.split()[0]: line.split(maxsplit=4) for line in out.partition("\n\n")[0].splitlines()}
        assert rows["NAME"] == ["NAME", "VERSION", "STATUS", "SOURCE", "DECLARES"]
        assert rows["metrics"][:4] == ["metrics", __version__, "ok", "built-in"]
        assert rows["claims"][2:] == ["disabled", "built-in", "-"]
        assert rows["good"][1:4] == ["1.2", "ok", str(PLUGINS / "good.py")]
        assert rows["good"][4].startswith("1 reader, 1 metric, 1 check")
        assert rows["good"][4].endswith("choose_reader, prepare_environment, report_built")
        assert rows["raises_on_import"][2] == "failed"
        assert rows["misspelt_hook"][2] == "partial"
        assert "2 problems:" in out
        assert "  plugin misspelt_hook: there is no hook register_metric\n    did you mean register_metrics?" in out

    def test_all_names_every_object(self, capsys):
        assert main(["plugins", "--all", *local("good")]) == 0
        out = capsys.readouterr().out
        assert "\ngood 1.2\n  hooks: choose_reader, prepare_environment, register_checks" in out
        assert "  metrics:\n    kg.hits\n" in out

    def test_json_stays_json_when_a_plugin_talks(self, capsys):
        assert main(["plugins", "--json", *local("prints", "misspelt_hook")]) == 0
        out, err = capsys.readouterr()
        told = json.loads(out)
        assert told["generator"] == {"name": "dpo-report", "version": __version__}
        assert told["plugins"][-2] == {
            "name": "prints",
            "version": None,
            "status": "ok",
            "source": str(PLUGINS / "prints.py"),
            "package": None,
            "hooks": ["register_questions"],
            "objects": {"questions": ["chatty"]},
            "problems": [],
        }
        assert told["problems"] == told["plugins"][-1]["problems"]
        assert told["problems"][0]["message"] == "there is no hook register_metric"
        assert err == "hello from the import\nhello from the hook\n"

    def test_strict_lists_and_fails(self, capsys):
        assert main(["plugins", "--strict"]) == 0
        assert main(["plugins", "--strict", *local("no_hook")]) == 1
        assert "declares no hook" in capsys.readouterr().out

    def test_a_missing_file_is_refused(self, capsys):
        assert main(["plugins", "--plugin", "absent.py"]) == 1
        assert capsys.readouterr().err.startswith("dpo-report: no such plugin file: absent.py\n")

    def test_a_name_that_acts_on_the_terminal_is_shown(self, tmp_path, capsys):
        plugin = tmp_path / "e\x1b[31mvil.py"
        plugin.write_text((PLUGINS / "no_hook.py").read_text())
        assert main(["plugins", "--all", "--plugin", str(plugin)]) == 0
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "e␛[31mvil" in out


@given(st.text())
def test_a_printable_text_is_one_line_and_acts_on_nothing(text):
    shown = printable(text)
    shown.encode()  # no lone surrogate is left
    assert len(f"{shown}|".splitlines()) == 1
    assert not any(letter < " " or "\x7f" <= letter <= "\x9f" or "\u202a" <= letter <= "\u202e" for letter in shown)
    assert printable(shown) == shown


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_letters_numbers_and_signs_are_printable_as_they_are(text):
    assert printable(text) == text


def test_joiners_stay_inside_words_and_emoji():
    assert printable("👩‍🔬 می‌خواهم") == "👩‍🔬 می‌خواهم"


def test_columns_are_aligned_and_the_last_is_not_padded():
    assert columns([("A", "LONGER", "C"), ("much", "x", "y")]) == "A     LONGER  C\nmuch  x       y"


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["buld", "x"], "did you mean build?"),
        (["help"], "`dpo-report --help` lists the commands"),
        (["s3://bucket/run"], "for a run: dpo-report inspect s3://bucket/run, or dpo-report build s3://bucket/run"),
        (["my run"], "for a run: dpo-report inspect 'my run', or dpo-report build 'my run'"),
        (["build"], "RUN may be . (the folder that you are in); `dpo-report build --help` has examples"),
        (["inspect", "x", "--alll"], "it does not take --alll; did you mean --all?"),
        (["build", "x", "--out=y"], "it does not take --out=y; did you mean --output?"),
        (["build", "x", "-f", "html", "pdf"], "names are joined by commas: -f html,pdf"),
        (["templates", "base.tex"], "dpo-report templates: it does not take base.tex"),
    ],
)
def test_a_word_that_is_not_known_is_answered_with_what_may_be_meant(words, advice, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my run").mkdir()
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert advice in err
    assert err.startswith("dpo-report")
    assert len(err.splitlines()) == 2
