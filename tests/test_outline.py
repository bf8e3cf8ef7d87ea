"""What stands in a report: nothing that was found is left out, and long lists stay readable."""

from dataclasses import replace

import made
from dpo_report.core.model import Finding, RunFile, Setting, Source, Value
from dpo_report.core.outline import Outline
from dpo_report.core.portable import printed
from dpo_report.core.tables import grid
from dpo_report.core.text import say


def value(name, number, **more):
    return Value(name, number, (Source("f", "w"),), **{"label": name, **more})


def outline(**changes):
    analysis = made.analysis(made.first_user())
    titles = {"results": "Results"}
    return Outline(replace(analysis, **changes), titles=titles)


def finding(order, text, **more):
    return Finding("found", text=say(text), **{"section": "results", "order": order, "code": f"X{order}", **more})


def test_sentences_stand_in_their_order_and_break_at_tens():
    told = outline(findings=(finding(12, "Second."), finding(10, "First."), finding(31, "Third.", severity="warning")))
    assert list(map(str, told.paragraphs("results"))) == ["First. Second.", "Third."]
    assert told.paragraphs("discussion") == []


def test_every_rule_has_an_outcome():
    told = outline(
        findings=(
            finding(1, "Here.", severity="caution"),
            finding(2, "Homeless.", section="elsewhere", severity="warning"),
            Finding("passed", text="nothing to say"),
            Finding("not_applicable", text="no rows were logged"),
            Finding("failed", text="ValueError"),
        )
    )
    assert [str(told.outcome(one)) for one in told.analysis.findings] == [
        "Caution; see Results.",
        "Warning: Homeless.",
        "Passed: nothing to say.",
        "Not applicable: no rows were logged.",
        "Failed: ValueError.",
    ]


def test_training_and_held_out_stand_side_by_side():
    table = grid(
        [
            value("loss.eval.last", 0.64, label="held-out loss, last evaluation", note="step 30", kind="loss"),
            value("loss.train.last", 0.5517, label="training loss, last logged window", note="step 30", kind="loss"),
            value("margin.train.last", 12.5, label="training margin", low=11.0, high=14.0, unit="nats"),
            value("steps.done", 30),
        ],
        split=True,
    )
    assert table.heads == ("Training", "Held-out")
    assert [line.label for line in table.lines] == ["loss, last", "margin"]
    assert [cell.text for line in table.lines for cell in line.cells] == ["0.5517", "0.6400", "12.50", "—"]
    assert [cell.before + cell.text for cell in (line.cells[0] for line in table.lines)] == ["10.5517", "12.50"]
    assert (table.intervals, table.notes) == ((True, False), (("a", "step 30"),))


def test_powers_do_not_widen_a_column():
    table = grid([value("a", 1.5), value("b", 2.5e-9)], split=False)
    assert [line.cells[0].power for line in table.lines] == ["", " × 10⁻⁹"]
    assert [line.cells[0].text + line.cells[0].after for line in table.lines] == ["1.500", "2.500"]


def test_many_notes_get_letters_of_their_own():
    table = grid([value(f"v{n}", n, note=f"note {n}") for n in range(60)], split=False)
    marks = [mark for mark, _ in table.notes]
    assert marks[:2] + marks[25:28] == ["a", "b", "z", "aa", "ab"]
    assert len(set(marks)) == 60


def test_files_of_checkpoints_and_of_trackers_are_gathered():
    paths = [f"checkpoint-{n}/optimizer.pt" for n in (4, 8, 12)] + [f"mlruns/1/metrics/m{c}" for c in "abcdefghij"]
    paths += ["config.json", "runs/Nov_host/events.out.tfevents.1763.host.1.0"]
    run = replace(made.first_user(), files=tuple(RunFile(path, 10) for path in paths))
    groups = {group.path: (group.count, group.bytes) for group in outline(run=run).files}
    assert groups == {
        "checkpoint-*/optimizer.pt": (3, 30),
        "config.json": (1, 10),
        "mlruns/*/metrics/*": (10, 100),
        "runs/Nov_host/events.out.tfevents.1763.host.1.0": (1, 10),
    }


def test_settings_stand_by_who_chose_them():
    def setting(name, value, default):
        return Setting(name, value, Source("args", name), default)

    settings = [setting("b", 0.1, True), setting("a", None, True), setting("z", 5e-6, False), setting("m", "x", None)]
    run = replace(made.first_user(), settings={one.name: one for one in [*settings, setting("n", None, False)]})
    told = outline(run=run)
    assert [name for name, _, _ in told.settings] == ["n", "z", "m", "b"]
    assert told.unset == ["a"]
    assert told.chosen == [("n", "none"), ("z", "5 × 10⁻⁶")]


def test_a_long_setting_is_cut_and_says_so():
    assert printed("x" * 500) == "x" * 160 + "… (500 characters)"


def test_the_ladder_is_told_with_the_next_rung():
    told = outline()
    assert told.rung is not None and told.rung.level == told.analysis.level == 1
    assert told.next_rung is not None and told.next_rung.level == 2 and told.next_rung.licence
    stopped = Outline(made.analysis(made.run(loss=[0.5, 0.6, 0.7], status="incomplete", max_steps=9)))
    assert (stopped.rung, stopped.analysis.level) == (None, -1)


def test_the_glossary_has_the_first_users_headings():
    from dpo_report.core.manager import default_host

    told = Outline(made.analysis(made.first_user()), tuple(provided.item for provided in default_host().metrics))
    mean = next(entry for entry in told.glossary if entry.name == "loss.train.mean")
    assert [heading for heading, _ in mean.texts] == ["Meaning", "For your paper", "Context", "Compare with"]
    assert "0.460" in str(dict(mean.texts)["For your paper"])
    assert "{" not in "".join(str(text) for entry in told.glossary for _, text in entry.texts)


def test_of_a_value_that_is_not_finite_no_sentence_gives_a_number():
    from dpo_report.core.manager import default_host

    metrics = tuple(provided.item for provided in default_host().metrics)
    for bad in (float("nan"), float("inf"), -float("inf")):
        run = made.first_user(summary=made.FIRST_SUMMARY | {"train_loss": bad})
        texts = {entry.name: dict(entry.texts) for entry in Outline(made.analysis(run), metrics).glossary}
        written = str(texts["loss.train.mean"]["For your paper"])
        assert written == "The mean training loss over the run was not finite; say so, and give no number."
        assert "19.6" in str(texts["runtime.train"]["For your paper"])
