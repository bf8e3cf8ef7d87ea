"""The plugin host: what it finds, what a broken plugin costs, and how that is told."""

import doctest
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from dpo_report.core import hookspecs, settings
from dpo_report.core.contract import Check, Command, Curve, Match, Metric, NotApplicable, Question, Reader
from dpo_report.core.errors import ReportError
from dpo_report.core.host import candidates, declared, discovery, guard, registry
from dpo_report.core.manager import Host, builtin
from dpo_report.core.model import Finding, Problem, Value

PLUGINS = Path(__file__).parent / "plugins"


def host(*names, **options):
    """A host with these plugin files and nothing else."""
    options = {"discover": False, "modules": ()} | options
    return Host(files=[PLUGINS / f"{name}.py" for name in names], **options)


def only(problems):
    assert len(problems) == 1, problems
    return problems[0]


def names(provided):
    return [declared.key(one.item) for one in provided]


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch):
    monkeypatch.delenv("DPO_REPORT_DISABLE_PLUGINS", raising=False)
    monkeypatch.delenv(guard.TRACE, raising=False)


def test_every_built_in_plugin_loads_and_declares_something():
    built_in = Host(discover=False)
    assert built_in.problems == ()
    assert [plugin.status for plugin in built_in.plugins] == ["ok"] * len(builtin())
    assert all(any(plugin.objects.values()) for plugin in built_in.plugins)
    assert set(builtin("COMMANDS")) <= set(builtin())


@pytest.mark.parametrize("hook", sorted(registry.SPECS))
def test_the_example_of_every_hook_runs(hook):
    function = getattr(hookspecs, hook)
    example = only(doctest.DocTestFinder().find(function, hook, module=hookspecs))
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0


def test_a_good_plugin_is_collected_whole():
    good = host("good")
    assert good.problems == ()
    plugin = only(good.plugins)
    assert (plugin.name, plugin.version, plugin.status) == ("good", "1.2", "ok")
    assert plugin.source == str(PLUGINS / "good.py")
    absent = {"register_curves", "register_sections", "register_formats"}
    assert plugin.hooks == tuple(sorted(set(registry.SPECS) - absent))
    assert plugin.objects == {
        "readers": ["kg_log"],
        "metrics": ["kg.hits"],
        "checks": ["KG1"],
        "claims": ["names more valid edges"],
        "questions": ["graph"],
        "works": ["doe2025edges"],
        "templates": [str(PLUGINS)],
        "commands": ["count-edges"],
    }
    assert only(good.metrics).plugin == "good 1.2"
    assert only(good.templates).item == PLUGINS
    assert good.curves == ()


def test_nothing_is_imported_before_something_is_asked(monkeypatch):
    calls = []
    monkeypatch.setattr(candidates, "import_module", lambda name: calls.append(name) or sys)
    lazy = host(modules=("somewhere.readers",))
    assert calls == []
    assert [plugin.name for plugin in lazy.plugins] == ["readers"]
    assert calls == ["somewhere.readers"]
    assert lazy.plugins == lazy.plugins
    assert calls == ["somewhere.readers"]


def test_a_plugin_file_leaves_nothing_behind(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text((PLUGINS / "good.py").read_text())
    assert Host(files=[file], discover=False, modules=()).metrics
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("raises_on_import", "RuntimeError: the graph server is down (second line) (raises_on_import.py, line 3)"),
        ("exits_on_import", "SystemExit: no licence (exits_on_import.py, line 5)"),
    ],
)
def test_a_plugin_that_cannot_be_imported_costs_only_itself(name, cause):
    mixed = host(name, "good")
    problem = only(mixed.problems)
    assert problem.where == f"plugin {name}"
    assert problem.message == f"loading it failed: {cause}"
    assert f"--no-plugin {name}" in problem.hint
    assert [plugin.status for plugin in mixed.plugins] == ["failed", "ok"]
    assert names(mixed.metrics) == ["kg.hits"]
    assert f"dpo_report_local_{name}" not in sys.modules


def test_a_file_that_is_no_python(tmp_path):
    bad = tmp_path / "bad.py"
    bad.write_text("def (:\n")
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    first, second = Host(files=[bad, text], discover=False, modules=()).problems
    assert "SyntaxError" in first.message
    assert "bad.py, line 1" in first.message
    assert "notes.txt is not a Python file" in second.message


def test_a_missing_plugin_file_is_refused_by_name():
    with pytest.raises(ReportError, match=r"no such plugin file: .*absent\.py"):
        host("absent")


def test_a_missing_built_in_is_told():
    problem = only(host(modules=("dpo_report.plugins.no_such_module",)).problems)
    assert problem.where == "plugin no_such_module 0.1.0"
    assert "No module named 'dpo_report.plugins.no_such_module'" in problem.message


def test_a_misspelt_hook_is_told_and_costs_only_itself():
    wrong = host("misspelt_hook")
    problem = only(wrong.problems)
    assert problem.message == "there is no hook register_metric"
    assert problem.hint == "did you mean register_metrics?"
    assert only(wrong.plugins).status == "partial"
    assert names(wrong.questions) == ["kept"]


def test_a_wrong_argument_and_a_wrapper_are_told_and_cost_only_themselves():
    wrong = host("wrong_argument")
    wrapper, argument = wrong.problems
    assert wrapper.message == "register_checks is a wrapper"
    assert argument.message == "register_metrics has no argument run"
    assert argument.hint == "register_metrics takes no argument"
    assert names(wrong.questions) == ["kept"]


def test_a_plugin_without_a_hook_is_told():
    assert only(host("no_hook").problems).message == "declares no hook"


def test_a_clash_names_both_providers_with_their_versions_and_keeps_the_first():
    clash = host("good", "clash", modules=("dpo_report.plugins.formats",), reserved=["build"])
    told = [problem.message for problem in clash.problems]
    assert told == [
        "metric kg.hits is declared by good 1.2 and by clash 0.9; the first stays",
        "format latex is declared by formats 0.1.0 and by clash 0.9; the first stays",
        "command build is declared by dpo-report 0.1.0 itself and by clash 0.9; the first stays",
    ]
    assert {problem.where for problem in clash.problems} == {"plugin clash 0.9"}
    assert [one.plugin for one in clash.metrics] == ["good 1.2", "clash 0.9"]
    assert names(clash.metrics) == ["kg.hits", "kg.other"]
    assert clash.format("latex").plugin == "formats 0.1.0"
    assert names(clash.commands) == ["count-edges"]
    assert names(clash.works) == ["doe2025edges"]  # the same entry twice is no clash


def test_a_hook_that_raises_costs_only_its_own_objects():
    raising = host("raising_hook", "good")
    told = {problem.message for problem in raising.problems}
    assert told == {
        "register_metrics failed: LookupError: no graph (raising_hook.py, line 15)",
        "register_checks failed: ZeroDivisionError: division by zero (raising_hook.py, line 9)",
    }
    assert names(raising.questions) == ["kept", "graph"]
    assert names(raising.metrics) == ["kg.hits"]
    assert names(raising.checks) == ["KG1"]


def test_what_does_not_belong_is_left_out_and_named():
    wrong = host("wrong_types")
    told = "\n".join(problem.message for problem in wrong.problems)
    assert told.splitlines() == [
        "register_readers gave Metric",
        "register_metrics: gave a Question where a Metric belongs",
        "register_metrics: metric 'loss.train.needs': needs must be a tuple of strings, (\"loss\",), not 'loss'",
        "register_metrics: metric 'not.called': compute must be a function, not a float",
        "register_metrics: metric 'with space': a name is letters, digits and . : + - _ only",
        "register_curves: curve '../../escape': a name is letters, digits and . : + - _ only",
        "register_checks gave NoneType",
        "register_templates: names a template folder that does not exist: /no/such/folder",
    ]
    assert names(wrong.metrics) == ["fine"]
    assert all(problem.hint for problem in wrong.problems)


def test_what_a_plugin_prints_goes_to_stderr(capsys):
    assert names(host("prints").questions) == ["chatty"]
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "hello from the import\nhello from the hook\n"


def test_hooks_that_are_told_of_something_are_called_each_on_its_own():
    both = host("raising_hook", "good")
    env = type("Environment", (), {})()
    env.filters = {}
    problem = only(both.prepare_environment(env, "latex"))
    assert problem.message.startswith("prepare_environment failed: KeyError: 'latex'")
    assert env.filters == {"edge": str.upper}
    report = object()
    assert "mail server refuses" in only(both.report_built(report)).message
    assert sys.modules["dpo_report_local_good"].TOLD[-1] is report


def test_the_last_plugin_with_an_opinion_chooses_the_reader():
    readers = [(Reader(name, lambda folder: None, lambda folder: []), Match(0.5, "")) for name in ("other", "kg_log")]
    assert host("good").choose_reader(None, readers) == ("kg_log", ())
    assert host("good").choose_reader(None, readers[:1]) == (None, ())
    name, problems = host("good", "raising_hook").choose_reader(None, readers)
    assert name == "kg_log"
    assert only(problems).message == "choose_reader gave 'nobody', which is not among the candidates"


class TestGuard:
    VALUE = Value("kg.hits", 3, ())

    def guarded(self, function, *args):
        provided = declared.Provided(Metric("kg.hits", "hits", function), "good 1.2")
        return host().guard(provided, function, *args)

    def test_the_result_comes_back_several_as_a_tuple(self):
        assert self.guarded(lambda run: run, self.VALUE) == (self.VALUE,)
        assert self.guarded(lambda run: [run, run], self.VALUE) == (self.VALUE, self.VALUE)
        assert self.guarded(lambda run: iter([run]), self.VALUE) == (self.VALUE,)

    def test_an_exception_becomes_a_problem_that_names_object_and_plugin(self):
        outcome = self.guarded(lambda run: {}[run], "edges")
        assert isinstance(outcome, Problem)
        assert outcome.where == "plugin good 1.2"
        assert outcome.message.startswith("metric kg.hits failed: KeyError: 'edges' (test_manager.py, line ")

    def test_what_raises_late_raises_inside(self):
        def late(run):
            yield run
            raise ValueError("late")

        assert "ValueError: late" in self.guarded(late, self.VALUE).message

    def test_not_applicable_is_an_answer(self):
        def silent(run):
            raise NotApplicable("no edges")

        with pytest.raises(NotApplicable, match="no edges"):
            self.guarded(silent, None)
        reader = declared.Provided(Reader("kg", silent, lambda folder: []), "good 1.2")
        assert "no edges" in host().guard(reader, silent, None).message  # not from a reader

    def test_a_known_problem_keeps_its_hint(self):
        def known(run):
            raise ReportError("no graph", "give one")

        assert self.guarded(known, None) == Problem("plugin good 1.2", "metric kg.hits failed: no graph", "give one")

    def test_leaving_the_process_is_not_possible_but_interrupting_it_is(self):
        def stop(error):
            raise error

        assert "SystemExit" in self.guarded(stop, SystemExit(3)).message
        with pytest.raises(KeyboardInterrupt):
            self.guarded(stop, KeyboardInterrupt())

    def test_recursion_without_end_is_caught(self):
        def deep(run):
            return deep(run)

        assert "RecursionError" in self.guarded(deep, None).message

    def test_other_functions_give_what_they_like(self):
        provided = declared.Provided(Command("count", "counts", lambda parser: None, lambda args: 0), "good 1.2")
        assert host().guard(provided, provided.item.configure, None) is None
        assert host().guard(provided, lambda: 3.5) == 3.5

    @pytest.mark.parametrize(
        ("result", "said"),
        [
            (None, "it gave a NoneType where a Value belongs"),
            (3.5, "it gave a float where a Value belongs"),
            ("kg.hits", "it gave a str where a Value belongs"),
            ([VALUE, 1], "it gave an int where a Value belongs"),
            (
                Value("kg.hits", np.int64(3), ()),
                "it gave a Value whose value must be float or int or str, not an int64",
            ),
            (Value("kg.hits", 3, (), low="2"), "it gave a Value whose low must be float or None, not '2'"),
            (
                Value("kg.hits", 3, (), better="up"),
                "it gave a Value whose better must be higher or lower or none, not 'up'",
            ),
        ],
    )
    def test_a_metric_that_gives_something_else_is_told(self, result, said):
        assert self.guarded(lambda run: result, None).message == f"metric kg.hits failed: {said}"

    @pytest.mark.parametrize(
        ("item", "field", "said"),
        [
            (Check("KG1", "t", lambda run, values: None), "explain", "a NoneType where a Finding belongs"),
            (Check("KG1", "t", lambda run, values: Finding("fine")), "explain", "not 'fine'"),
            (Curve("kg", "t", lambda run, values: []), "build", "a list where a Figure belongs"),
            (Reader("kg", lambda folder: 0.5, lambda folder: []), "detect", "a float where a Match belongs"),
            (Reader("kg", lambda folder: None, lambda folder: [{}]), "read", "a dict where a Witness belongs"),
            (Question("kg", "?", "!", known=lambda run: 3), "known", "an int where a str belongs"),
        ],
    )
    def test_every_kind_is_held_to_the_contract(self, item, field, said):
        function = getattr(item, field)
        arguments = [None] * (2 if field in ("explain", "build") else 1)
        outcome = host().guard(declared.Provided(item, "good 1.2"), function, *arguments)
        assert isinstance(outcome, Problem)
        assert outcome.message.endswith(said)

    def test_silence_is_an_answer_where_the_contract_says_so(self):
        reader = Reader("kg", lambda folder: None, lambda folder: [])
        question = Question("kg", "?", "!")
        assert host().guard(declared.Provided(reader, "good 1.2"), reader.detect, None) is None
        assert host().guard(declared.Provided(reader, "good 1.2"), reader.read, None) == ()
        assert host().guard(declared.Provided(question, "good 1.2"), question.known, None) is None


class TestSwitchingOff:
    def test_by_name(self):
        off = host("good", "clash", disabled=["GOOD"])
        assert [plugin.status for plugin in off.plugins] == ["disabled", "ok"]
        assert names(off.metrics) == ["kg.hits", "kg.other"]

    def test_a_disabled_plugin_is_not_imported(self):
        assert host("raises_on_import", disabled=["raises_on_import"]).problems == ()

    def test_a_built_in_one(self):
        assert Host(discover=False, disabled=["metrics"]).metrics == ()

    def test_a_name_that_nothing_has_is_told(self):
        problem = only(Host(files=[PLUGINS / "good.py"], discover=False, disabled=["goood"]).problems)
        assert problem.message == "cannot be left out: there is none of that name"
        assert problem.hint == "did you mean good?"

    @pytest.mark.parametrize("word", ["all", "*"])
    def test_all_means_the_installed_ones(self, installed_point, monkeypatch, word):
        monkeypatch.setenv("DPO_REPORT_DISABLE_PLUGINS", word)
        status = {p.name: p.status for p in host("good", discover=True, modules=("dpo_report.plugins.claims",)).plugins}
        assert status == {"claims": "ok", "kg": "disabled", "good": "ok"}

    def test_by_environment_with_name_or_package(self, installed_point, monkeypatch):
        for name in ("kg", "good , Kg.Tools"):
            monkeypatch.setenv("DPO_REPORT_DISABLE_PLUGINS", name)
            assert {p.name: p.status for p in host("good", discover=True).plugins}["kg"] == "disabled"

    def test_by_the_settings_of_the_working_folder(self, installed_point, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "dpo-report.toml").write_text('[plugins]\ndisable = ["kg"]\n')
        assert [plugin.status for plugin in host(discover=True).plugins] == ["disabled"]
        (tmp_path / "dpo-report.toml").write_text("[plugins\n")
        broken = host(discover=True)
        assert [plugin.status for plugin in broken.plugins] == ["ok"]
        assert only(broken.problems).where == "dpo-report.toml"

    def test_a_host_without_discovery_sees_none_of_it(self, installed_point, monkeypatch):
        monkeypatch.setenv("DPO_REPORT_DISABLE_PLUGINS", "good")
        assert [(p.name, p.status) for p in host("good").plugins] == [("good", "ok")]


@pytest.fixture
def installed_point(monkeypatch):
    """One installed plugin, as if by an entry point."""
    monkeypatch.syspath_prepend(PLUGINS / "installable")
    point = discovery.EntryPoint("kg", "kg_tools", "Kg.Tools", "2.5")
    monkeypatch.setattr("dpo_report.core.manager.entry_points", lambda group: [point])
    return point


def test_an_object_in_place_of_a_module():
    class Plugin:
        @hookspecs.hookimpl
        def register_checks(self):
            return [Check("O1", "Of an object", lambda run, values: None)]

    assert names(host(extra=[Plugin()]).checks) == ["O1"]
    assert names(host(extra=[Plugin]).checks) == ["O1"]  # a class is made into an object
    plugin = Plugin()
    twice = host(extra=[plugin, plugin])
    assert "already registered" in only(twice.problems).message


def test_plugins_of_one_name_are_told_apart(tmp_path):
    other = tmp_path / "good.py"
    other.write_text((PLUGINS / "misspelt_hook.py").read_text())
    good = PLUGINS / "good.py"
    both = Host(files=[good, other, good], discover=False, modules=())
    assert [plugin.name for plugin in both.plugins] == ["good", f"{other}:good"]
    assert names(both.questions) == ["graph", "kept"]


def test_an_unknown_format_is_refused_with_the_nearest_name():
    formats = host(modules=("dpo_report.plugins.formats",))
    with pytest.raises(ReportError) as refused:
        formats.format("latx")
    assert (refused.value.message, refused.value.hint) == ("unknown format 'latx'", "did you mean latex?")
    with pytest.raises(ReportError, match="unknown format 'md'") as refused:
        formats.format("md")
    assert refused.value.hint == "did you mean markdown?"
    with pytest.raises(ReportError) as refused:
        formats.format("quark")
    assert "latex" in refused.value.hint


def test_tracing_tells_every_call_with_plugin_hook_count_and_time(monkeypatch, capsys):
    monkeypatch.setenv(guard.TRACE, "1")
    traced = host("good", "raising_hook")
    assert traced.metrics
    err = capsys.readouterr().err
    assert "dpo-report trace: good 1.2: register_metrics gave 1 objects in " in err
    assert " ms\n" in err
    assert "Traceback" in err  # of the hook that raises
    monkeypatch.setenv(guard.TRACE, "0")
    assert host("good").metrics
    assert capsys.readouterr().err == ""


def test_discovery_finds_what_importlib_metadata_finds():
    for group in ("console_scripts", "pytest11", "dpo_report"):
        wanted = {
            (point.name, point.value, point.dist.name, point.dist.version)
            for point in metadata.entry_points(group=group)
        }
        found = {(p.name, p.value, p.distribution, p.version) for p in discovery.entry_points(group)}
        assert found == wanted


def test_discovery_in_odd_folders(tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    for info, meta, name, version in [
        (first / "Kg_Tools-1.0.dist-info", "METADATA", "Kg_Tools", "1.0"),
        (second / "kg.tools-0.5.dist-info", "METADATA", "kg.tools", "0.5"),
        (second / "other.egg-info", "PKG-INFO", "other", "3.0"),
    ]:
        info.mkdir(parents=True)
        (info / meta).write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: not\n")
        (info / "entry_points.txt").write_text(
            "# a comment\n[other]\nx = y\n\n"
            "[dpo_report]\n# a comment = no\n  kg = kg_tools : Plugin [extra] \nplain=pack.mod\n"
        )
    (first / "half.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path / "absent"), str(first), str(second)])
    found = [(p.name, p.distribution, p.version) for p in discovery.entry_points("dpo_report")]
    assert found == [
        ("kg", "Kg_Tools", "1.0"),
        ("plain", "Kg_Tools", "1.0"),
        ("kg", "other", "3.0"),
        ("plain", "other", "3.0"),
    ]
    seen = {(p.name, p.dist.name, p.dist.version) for p in metadata.entry_points(group="dpo_report")}
    assert seen == set(found)


def test_packages_outside_plain_folders_are_left_to_importlib_metadata(tmp_path, monkeypatch):
    import zipfile

    wheel = tmp_path / "kg_tools-2.5-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("kg_tools-2.5.dist-info/METADATA", "Metadata-Version: 2.1\nName: kg-tools\nVersion: 2.5\n")
        archive.writestr("kg_tools-2.5.dist-info/entry_points.txt", "[dpo_report]\nkg = kg_tools\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(wheel)])
    assert discovery.EntryPoint("kg", "kg_tools", "kg-tools", "2.5") in discovery.entry_points("dpo_report")


@pytest.mark.parametrize("value", ["", "a b", "json:", "json:no_such", "no_such_module_at_all"])
def test_an_entry_point_that_points_nowhere_raises(value):
    with pytest.raises((ImportError, AttributeError, ValueError)):
        discovery.EntryPoint("x", value, "", "").load()


def test_an_entry_point_reaches_into_a_module():
    assert discovery.EntryPoint("x", "json:decoder.JSONDecoder [speed]", "", "").load() is json.JSONDecoder


def test_an_installed_package_is_found_through_its_entry_points(tmp_path):
    """Nothing is faked here: a package is built, installed into a fresh environment and listed there."""
    python = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    where = subprocess.check_output([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True)
    ours = [f"import site; site.addsitedir({path!r})\n" for path in sys.path if path.endswith("-packages")]
    (Path(where.strip()) / "ours.pth").write_text("".join(ours))
    package = tmp_path / "package"
    package.mkdir()
    for name in ("pyproject.toml", "kg_tools.py"):
        (package / name).write_bytes((PLUGINS / "installable" / name).read_bytes())
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", "install", *options, package], check=True, capture_output=True, timeout=120)

    def run(*words):
        program = "import sys; from dpo_report.core.cli import main; sys.exit(main())"
        return subprocess.check_output([python, "-c", program, *words], text=True, cwd=tmp_path)

    listed = {p["name"]: p for p in json.loads(run("plugins", "--json"))["plugins"]}
    kg, metrics, gone = listed["kg"], listed["Kg.Tools:metrics"], listed["gone"]
    assert (kg["version"], kg["status"], kg["source"]) == ("2.5", "ok", "Kg.Tools (entry point)")
    assert kg["objects"] == {"commands": ["kg-count"]}
    assert metrics["objects"] == {"metrics": ["kg.edges"]}  # beside the built-in plugin of that name
    assert gone["status"] == "failed"
    assert "nothing_of_that_name" in gone["problems"][0]["message"]
    assert "kg-count" in run("--help")


class TestSettings:
    def test_absent(self, tmp_path):
        assert settings.load(tmp_path) == settings.Settings()

    def test_the_tables_of_a_run_are_no_business_of_ours(self, tmp_path):
        (tmp_path / settings.FILE).write_text("[facts]\nhardware = 'one GPU'\n[answers]\nx = 'y'\n")
        assert settings.load(tmp_path) == settings.Settings()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (b"[plugin]\n", "unknown table [plugin]"),
            (b"[plugins]\ndisable = 'all'\n", "[plugins] disable is not a list of names"),
            (b"plugins = 3\n", "[plugins] disable is not a list of names"),
            (b"a = [\n", "cannot be read"),
            (b"\xff\xfe", "cannot be read"),
            (b"x = " + b"[" * 100_000, "cannot be read"),
        ],
    )
    def test_what_cannot_be_understood_is_told_and_harms_nothing(self, tmp_path, text, message):
        (tmp_path / settings.FILE).write_bytes(text)
        found = settings.load(tmp_path)
        assert found.disabled == ()
        assert message in only(found.problems).message
