"""Thresholds of rules: every one acts, is declared, can be set in the working folder, and stands in the report."""

from __future__ import annotations

import ast
import contextlib
import json
import math
import pickle
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import made
from dpo_report.core.analysis import analyse
from dpo_report.core.build import build_runs
from dpo_report.core.cli import main
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.hookspecs import hookimpl
from dpo_report.core.loader import load
from dpo_report.core.manager import Host
from dpo_report.core.model import Finding, Run
from dpo_report.core.thresholds import declared
from rules import BASE, FALL, big, evaluated, noise
from rules_basic import CASES, rewards
from rules_more import CASES as MORE
from rules_more import TIMED

ROOT = Path(__file__).parents[1]
RUN = ROOT / "examples" / "runs" / "kg-heldout"
HOST = Host(discover=False, modules=("dpo_report.plugins.metrics", "dpo_report.plugins.checks"))
RULES = [provided.item for provided in HOST.checks]
KNOWN = declared(RULES)
PAIRS = [(name, rule.code) for name, one in KNOWN.items() for rule in RULES if one in rule.thresholds]


def outrun() -> Run:
    """A run whose held-out margin grew at each of five evaluations, and whose accuracy on 200 pairs did not."""
    run = evaluated([0.6] * 5, [0.8] * 5)
    margins = made.series("rewards/margins", [1, 2, 3, 4, 5], "eval", every=10)
    return replace(run, series={**run.series, ("rewards/margins", "eval"): margins})


DOUBTFUL: dict[str, Callable[[], Run]] = {
    "D2.train": lambda: big(rewards__accuracies=[0.675] * 60, loss=FALL, every=10),
    "D5": lambda: evaluated([0.1] * 2, [0.85] * 2, loss=[0.69] + [0.01] * 59, rewards__accuracies=[0.0] + [0.995] * 59),
    "E1": lambda: rewards(1, -1, evaluations={"rewards/chosen": ([60], [-0.2]), "rewards/margins": ([60], [0.5])}),
    "F2": lambda: evaluated([0.6] * 4, [0.7] * 4, rewards__accuracies=[0.0] + [0.85] * 59),
    "F2.rise": lambda: evaluated([0.6, 0.62, 0.64, 0.66]),
    "F9": outrun,
    "H4": lambda: big(method="kto", settings=BASE | {"per_device_train_batch_size": 2}),
    "I2": lambda: big(summary=TIMED),
    "L7": lambda: big(method="grpo", entropy=[1.0, 0.4]),
}
"""Runs near the line of rules whose other cases lie far from it."""


def runs_of(code: str) -> Iterator[Run]:
    yield from (run() for name, run in DOUBTFUL.items() if name in (code, f"{code}.rise"))
    for case in CASES + MORE:
        if case.code == code:
            yield case.speaks()
            yield case.silent()


def limited(run: Run, **limits: float) -> Run:
    return replace(run, limits=limits, siblings=tuple(replace(one, limits=limits) for one in run.siblings))


def outcome(run: Run, code: str) -> tuple[object, ...]:
    """What a rule says of a run; of a text that is found, all but the digits, which may be the threshold's own."""
    finding = next(finding for finding in analyse(run, HOST).findings if finding.code == code)
    said = str(finding.text) if finding.status == "found" else ""
    return finding.status, finding.severity, finding.grants, re.sub(r"\d", "", said)


def others(threshold: Threshold) -> Iterator[float]:
    """Values that it may have in place of its default, the extreme ones first."""
    most = threshold.high if math.isfinite(threshold.high) else 1000 * max(threshold.value, 1)
    for value in (threshold.low, most, threshold.value / 2, threshold.value * 2):
        if threshold.low <= value <= most and value != threshold.value:
            yield int(value) if isinstance(threshold.value, int) else value


OF_NUMBERS = {"C4.ends"}
"""They choose rows, so that numbers change and no word does."""


@pytest.mark.parametrize(("name", "code"), [pair for pair in PAIRS if pair[0] not in OF_NUMBERS])
def test_a_changed_threshold_changes_what_its_rule_says(name: str, code: str) -> None:
    if name == "C12.share":  # C12 says that there are such rows; with many of them, other rules fall silent
        spotted = big(loss=[*FALL[:4], math.nan, *FALL[5:]])
        assert outcome(spotted, "C4") != outcome(limited(spotted, **{name: 0.0}), "C4")
        return
    assert any(
        outcome(run, code) != outcome(limited(run, **{name: value}), code)
        for run in runs_of(code)
        for value in others(KNOWN[name])
    )


def test_the_windows_are_those_that_were_asked_for() -> None:
    run = big(loss=list(0.69 - 0.005 * noise(60).cumsum()))
    for rule in ("C4", "D1"):
        run = run if rule == "C4" else rewards(1, -1)
        assert made.says(run, rule) != made.says(limited(run, **{"C4.ends": 0.4}), rule)


def test_the_same_values_change_nothing() -> None:
    for case in CASES[::10]:
        run = case.speaks()
        assert outcome(run, case.code) == outcome(limited(run, **{n: t.value for n, t in KNOWN.items()}), case.code)


CONVENTIONS = {
    "C4": 3, "C7": 2, "C13": 1, "D8": 1, "E4": 1, "E6": 1, "F2": 1, "G1": 2, "G3": 1, "G8": 2, "H3": 3, "K2": 2,
    "L5": 1, "L6": 1, "L7": 1,
}  # fmt: skip
"""Rules whose thresholds the rulebook marks as conventions, and how many of them at the least."""


@pytest.mark.parametrize("code", CONVENTIONS)
def test_a_convention_is_a_setting(code: str) -> None:
    rule = next(rule for rule in RULES if rule.code == code)
    assert len(rule.thresholds) >= CONVENTIONS[code]


def test_no_rule_hides_a_number() -> None:
    """Comparisons and constants of rules hold signs, chance, pairs, columns, words that are listed, digits of a share
    and the range of the exponential; whatever else draws a line is a threshold."""
    plain = {0, 1, -1, 2, 0.5, 3, 5, 30, 100, 0.001}
    hidden: list[tuple[str, object]] = []
    for path in sorted((ROOT / "plugins" / "checks").glob("*.py")):
        tree = ast.parse(path.read_text())
        parts = [
            part for node in ast.walk(tree) if isinstance(node, ast.Compare) for part in ast.iter_child_nodes(node)
        ]
        told = [node.value for node in tree.body if isinstance(node, ast.Assign)]
        parts += told + [part for node in told if isinstance(node, ast.Tuple) for part in node.elts]
        values = [part.value for part in parts if isinstance(part, ast.Constant)]
        hidden += [(path.name, value) for value in values if type(value) in (int, float) and value not in plain]
    assert hidden == [("margins.py", 0.1)]  # the usual β, by which D8 is scaled


def test_every_name_is_that_of_a_rule() -> None:
    codes = {rule.code for rule in RULES}
    for name, one in KNOWN.items():
        assert name.rpartition(".")[0] in codes
        assert one.meaning and not one.meaning.endswith(".") and len(one.meaning) < 100


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a working folder whose settings are these lines."""

    def made_folder(lines: str) -> None:
        (tmp_path / "dpo-report.toml").write_text(lines)
        monkeypatch.chdir(tmp_path)

    return made_folder


@pytest.mark.parametrize(
    ("lines", "said", "hint"),
    [
        ("[thresholds]\nC7.flatt = 1", "no rule has a threshold C7.flatt", "did you mean C7.flat"),
        ("[thresholds]\nzebra = 1", "no rule has a threshold zebra", "`dpo-report explain --all` lists them"),
        ("[thresholds]\nX1.long = 1", "no rule has a threshold X1.long", "(a plugin's needs its --plugin)"),
        ("[thresholds]\nK2.steps = 2.5", "K2.steps = 2.5 is not a whole number from 1 on", "by default 20"),
        ("[thresholds]\nK2.steps = true", "K2.steps = True is not a whole number", ""),
        ("[thresholds]\nD5.accuracy = 2", "D5.accuracy = 2 is not a number from 0 to 1", "by default 0.99"),
        ('[thresholds]\nC7.flat = "small"', "C7.flat = 'small' is not a number from 0 on", ""),
        ("[thresholds]\nC7.flat = nan", "C7.flat = nan is not a number", ""),
        ("[thresholds]\nC7.flat = [1]", "C7.flat = [1] is not a number", ""),
        ("thresholds = 3", "thresholds is no table", "write [thresholds]"),
    ],
)
@pytest.mark.parametrize("command", ["build", "inspect", "explain"])
def test_a_slip_is_told_in_one_line(
    folder: Callable[[str], None], capsys: pytest.CaptureFixture[str], command: str, lines: str, said: str, hint: str
) -> None:
    folder(lines)
    words = {"build": ["build", str(RUN), "-o", "out"], "inspect": ["inspect", str(RUN)], "explain": ["explain", "C7"]}
    assert main(words[command]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    first, *rest = told.err.splitlines()
    assert said in first
    assert len(rest) == 1 and hint in rest[0]
    assert not Path("out").exists()


def test_a_slip_is_told_once_where_many_runs_are_reported(
    folder: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    folder("[thresholds]\nC7.flatt = 1")
    parent = str(ROOT / "tests" / "runs" / "dpo-seeds")
    assert main(["build", parent, "--all", "-o", "out"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert not Path("out").exists()
    assert main(["inspect", parent]) == 0  # a list applies no rule


def test_what_is_set_counts_and_is_shown(folder: Callable[[str], None], capsys: pytest.CaptureFixture[str]) -> None:
    folder('[thresholds]\nG8.steps = 25\n"K2.steps" = 15\nC7.flat = 0.5\n')
    assert main(["explain", "G8", str(RUN)]) == 0
    told = capsys.readouterr().out
    assert "threshold: G8.steps = 25 (set in dpo-report.toml; default 100)" in told
    assert "passed: 30 steps" in told
    assert main(["explain", "g8.STEPS"]) == 0
    assert "Threshold G8.steps = 25" in capsys.readouterr().out
    assert main(["explain", "--all"]) == 0
    assert "  G8.steps = 25 (set in dpo-report.toml; default 100): optimizer steps below" in capsys.readouterr().out
    (report,) = build_runs(RUN, ["latex", "markdown", "html", "typst"], "out", Host())
    for name in ("rules.tex", "report.md", "report.html", "report.typ"):
        text = next(file for file in report.files if file.name == name).read_text()
        assert re.search(r"G8\.steps[^\n]{1,30}25[^\n]{1,6}\(set by the author; default[^\n]{1,9}100", text), name
        assert re.search(r"G8\.steps[^\n]*Optimizer steps below which their number is a caution", text), name
    limits = {
        one["name"]: one for one in json.loads((report.directory / "report.json").read_text())["runs"][0]["thresholds"]
    }
    assert (limits["G8.steps"]["value"], limits["G8.steps"]["default"]) == (25, 100)
    assert limits["G8.steps"]["rules"] == ["G8"]
    assert "L5.share" not in limits  # of a rule that cannot speak about a run of this method
    text = (report.directory / "report.md").read_text()
    assert "The author of this report set thresholds of its rules: `G8.steps` = 25, `K2.steps` = 15" in text


def test_a_runs_own_file_changes_no_rule(
    folder: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder("[thresholds]\nG8.steps = 1\n")
    (tmp_path / "trainer_state.json").write_text('{"log_history": [{"loss": 0.6, "step": 1}], "global_step": 1}')
    monkeypatch.chdir(ROOT)
    run = load(tmp_path)
    assert analyse(run, Host()).run.limits == {}
    (told,) = [problem for problem in run.problems if problem.where == "dpo-report.toml"]
    assert "does not count in a run's own file" in told.message
    monkeypatch.chdir(tmp_path)  # called from there it is the user's own
    assert load(tmp_path).problems == ()
    assert analyse(load(tmp_path), Host()).run.limits == {"G8.steps": 1}


def test_workers_get_what_is_set(
    folder: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder("[thresholds]\nG8.steps = 25\n")
    packed = pickle.dumps(Host())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert pickle.loads(packed).limits == {"G8.steps": 25}
    assert Host().limits == {}


def test_a_default_that_is_set_changes_nothing(folder: Callable[[str], None]) -> None:
    folder("[thresholds]\nG8.steps = 100\nC7.flat = 0.01\nD8.nats = 60\n")
    assert Host().limits == {"D8.nats": 60.0}
    assert "set thresholds of its rules: D8.nats = 60." in str(
        next(f for f in analyse(big(), Host()).findings if f.code == "K8").text
    )


def test_thresholds_of_rules_that_are_not_at_work_are_passed_over(folder: Callable[[str], None]) -> None:
    folder('[plugins]\ndisable = ["checks"]\n[thresholds]\nG8.steps = 25\n')
    assert Host().limits == {}


FAR = Threshold("X1.far", 3, "steps above which a run is long", low=1)


class Third:
    """A plugin with a rule that has a threshold."""

    @hookimpl
    def register_checks(self) -> list[Check]:
        def explain(run: Run, values: Values) -> Finding:
            return found("long") if (run.global_step or 0) > FAR.of(run) else passed("short")

        return [Check("X1", "Long", explain, thresholds=(FAR,))]


def test_a_plugins_rule_has_thresholds_too(folder: Callable[[str], None]) -> None:
    assert made.says(made.run(loss=[0.6] * 5), "X1", Third()) == "long"
    folder("[thresholds]\nX1.far = 7\n")
    host = Host(extra=[Third()])
    assert next(f for f in analyse(made.run(loss=[0.6] * 5), host).findings if f.code == "X1").status == "passed"


@pytest.mark.parametrize(
    ("thresholds", "told"),
    [
        ((0.5,), "thresholds: gave a float where a Threshold belongs"),
        (FAR, "thresholds must be tuple"),
        ((Threshold("X1 far", 3, "steps"),), "a name is letters, digits"),
        ((Threshold("X1.far", "3", "steps"),), "value must be float, not '3'"),
        ((Threshold("X1.far", 3, "steps", high=2),), "3 does not lie in 0 to 2"),
    ],
)
def test_an_ill_made_threshold_is_named(thresholds: tuple[Threshold, ...], told: str) -> None:
    class Wrong:
        @hookimpl
        def register_checks(self) -> list[Check]:
            return [Check("X1", "Long", lambda run, values: passed(), thresholds=thresholds)]

    (problem,) = Host(discover=False, extra=[Wrong()]).problems
    assert told in problem.message


def test_two_thresholds_of_one_name_are_told() -> None:
    class Other:
        @hookimpl
        def register_checks(self) -> list[Check]:
            return [Check("X2", "Flat", lambda run, values: passed(), thresholds=(Threshold("C7.flat", 9.0, "all"),))]

    problems = analyse(big(), Host(discover=False, extra=[Other()])).problems
    assert [p for p in problems if "threshold C7.flat is declared otherwise by checks" in p.message]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_declares_every_threshold_that_it_reads(rule: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[str] = set()
    ours = Threshold.of

    def recorded(threshold: Threshold, run: Run) -> float:
        read.add(threshold.name)
        return ours(threshold, run)

    for run in runs_of(rule.code):
        values = analyse(run, HOST).values
        with monkeypatch.context() as patch, contextlib.suppress(NotApplicable, KeyError):
            patch.setattr(Threshold, "of", recorded)
            rule.explain(run, values)
    everywhere = {"C12.drop", "C12.share"}  # they tell which runs say nothing at all; C12 declares them for every rule
    assert read - everywhere <= {one.name for one in rule.thresholds}
