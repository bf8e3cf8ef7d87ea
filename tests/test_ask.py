"""`ask`: one question at a time, nothing taken silently, every answer kept at once and nothing else touched."""

import io
import os
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from dpo_report.core.cli import main
from dpo_report.core.loader import load
from dpo_report.plugins.asking import guesses
from dpo_report.plugins.asking.store import Answers

RUN = Path(__file__).parent / "runs" / "dpo-log1"


@pytest.fixture
def run(tmp_path):
    return Path(shutil.copytree(RUN, tmp_path / "run"))


@pytest.fixture
def ask(monkeypatch, capsys):
    """Asks with these lines as input; gives the exit status and what was said."""

    def answering(*words, lines=()):
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        status = main(["ask", *map(str, words)])
        out, err = capsys.readouterr()
        return status, out, err

    return answering


def answers(path):
    return tomllib.loads(path.read_text())["answers"]


def test_an_end_of_input_changes_nothing(ask, run):
    before = sorted(run.rglob("*"))
    status, out, err = ask(run)
    assert (status, err) == (0, "")
    assert "Nothing was changed." in out
    assert sorted(run.rglob("*")) == before


def test_a_checklist_s_items_are_asked_after_the_questions(ask, run):
    status, out, _ = ask(run, "--checklist", "acl", lines=[""] * 12 + ["no: nobody was asked"])
    assert status == 0
    assert "A2 Risks: Does the paper discuss the risks of the work?" in out
    assert "A1 Limitations" not in out  # the run settles it
    kept = [name for name in answers(run / "dpo-report.toml") if name.startswith("acl-")]
    assert len(kept) == 1
    again = ask(run, "--checklist", "acl")[1]
    assert kept[0].removeprefix("acl-").upper() + " " not in again


def test_answers_are_kept_and_not_asked_again(ask, run):
    status, _, _ = ask(run, lines=["", "distilgpt2 at 38cc92e"])
    assert status == 0
    assert answers(run / "dpo-report.toml") == {"base-model": "distilgpt2 at 38cc92e"}
    assert load(run).answers["base-model"] == "distilgpt2 at 38cc92e"
    again = ask(run)[1]
    assert "Which device" in again
    assert "starting point" not in again
    assert "[now] distilgpt2 at 38cc92e" in ask(run, "--again", lines=[""] * 20)[1]


def test_a_guess_is_taken_only_when_told(ask, run, monkeypatch):
    monkeypatch.setitem(guesses.GUESSES, "hardware", lambda: "a laptop")
    assert "[guess] a laptop" in ask(run, lines=[""] * 20)[1]
    assert not (run / "dpo-report.toml").exists()
    ask(run, lines=["="])
    assert answers(run / "dpo-report.toml") == {"hardware": "a laptop"}


def test_a_question_mark_skips_and_q_ends(ask, run):
    status, out, _ = ask(run, lines=["?", "distilgpt2", "Q", "a human"])
    assert status == 0
    assert answers(run / "dpo-report.toml") == {"base-model": "distilgpt2"}
    assert "1 answer saved" in out


def test_what_else_stands_in_the_file_stays(ask, run):
    file = run / "dpo-report.toml"
    file.write_text('# by hand\n[facts]\nnode = "n1"  # where\n\n[answers]\nuse = "none"\n')
    ask(run, lines=["one A100"])
    text = file.read_text()
    assert text.startswith('# by hand\n[facts]\nnode = "n1"  # where\n')
    assert answers(file) == {"use": "none", "hardware": "one A100"}


def test_an_interrupt_keeps_what_was_answered(ask, run, monkeypatch):
    class Interrupted(io.StringIO):
        def readline(self, size=-1):
            line = super().readline(size)
            if not line:
                raise KeyboardInterrupt
            return line

    monkeypatch.setattr(io, "StringIO", Interrupted)
    status, out, _ = ask(run, lines=["one A100"])
    assert status == 0
    assert "1 answer saved" in out
    assert answers(run / "dpo-report.toml") == {"hardware": "one A100"}


def test_answers_may_be_kept_elsewhere(ask, run, tmp_path):
    ask(run, "--answers", tmp_path / "mine.toml", lines=["one A100"])
    assert answers(tmp_path / "mine.toml") == {"hardware": "one A100"}
    assert not (run / "dpo-report.toml").exists()
    assert "Which device" not in ask(run, "--answers", tmp_path / "mine.toml")[1]


def test_a_broken_file_is_refused_and_stays(ask, run):
    (run / "dpo-report.toml").write_text("[answers\n")
    status, _, err = ask(run, lines=["one A100"])
    assert status == 1
    assert "is not valid TOML" in err
    assert (run / "dpo-report.toml").read_text() == "[answers\n"


def test_a_link_and_a_log_file_are_refused(ask, run, tmp_path):
    (run / "dpo-report.toml").symlink_to(tmp_path / "elsewhere.toml")
    assert "is a link" in ask(run, lines=["x"])[2]
    assert not (tmp_path / "elsewhere.toml").exists()
    assert "give --answers FILE" in ask(run / "trainer_state.json", lines=["x"])[2]


def test_a_full_disk_leaves_the_old_file(run, monkeypatch):
    file = run / "dpo-report.toml"
    file.write_text('[answers]\nuse = "none"\n')
    kept = Answers(file)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Exception, match="No space left"):
        kept.keep("hardware", "one A100")
    assert answers(file) == {"use": "none"}
    assert not list(run.glob(".dpo-report-*"))


def test_this_machine_has_a_guess():
    told = guesses.guess("hardware")
    assert told is not None
    assert "Python" in told
    assert guesses.guess("data-source") is None


def test_help_has_examples(capsys):
    assert main(["ask", "--help"]) == 0
    assert "  dpo-report ask outputs/dpo" in capsys.readouterr().out
