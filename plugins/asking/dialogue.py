"""The conversation: one question at a time, each answer saved before the next is asked."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from dpo_report.core.analysis import analyse
from dpo_report.core.errors import ReportError
from dpo_report.core.facts import FILE
from dpo_report.core.loader import load
from dpo_report.core.manager import Host
from dpo_report.core.model import OpenQuestion
from dpo_report.core.numbers import plural
from dpo_report.core.terminal import printable
from dpo_report.plugins.asking.guesses import guess
from dpo_report.plugins.asking.store import Answers
from dpo_report.plugins.checklists import of_author

_TAKE = "="
_SKIP = frozenset({"?", "-"})
"""What people type for "I do not know"; no answer that a paper could print."""
_END = frozenset({"q", "quit", "exit", ":q"})
_WIDTH = 88


def ask(args: argparse.Namespace) -> int:
    """Ask what is open; 0 also where questions remain, since skipping is no error."""
    host = Host(files=args.plugin, disabled=args.no_plugin)
    run = load(args.run, host=host)
    if args.answers is None and not args.run.is_dir():
        raise ReportError(f"{args.run} is a file; answers are kept in a run folder", "give --answers FILE")
    answers = Answers(args.answers or Path(run.directory) / FILE)
    analysis = analyse(run, host)
    known = (*analysis.questions, *(of_author(analysis, args.checklist) if args.checklist else ()))
    questions = [q for q in known if args.again or (q.answer is None and answers.get(q.id) is None)]
    given = _asked(questions, answers)
    remain = sum(q.answer is None and answers.get(q.id) is None for q in known)
    _say(f"{plural(given, 'answer')} saved in {answers.path}." if given else "Nothing was changed.")
    if remain:
        _say(f"{plural(remain, 'question')} open; the report marks {'it' if remain == 1 else 'them'}.")
    return 0


def _asked(questions: Sequence[OpenQuestion], answers: Answers) -> int:
    """How many were answered; the end of the input or an interrupt ends the conversation, not the answers."""
    given = 0
    if questions:
        _say("Enter skips a question, q or Ctrl-D ends. Every answer is saved at once.")
    try:
        for number, question in enumerate(questions, 1):
            answer = _answer(question, f"{number}/{len(questions)}", answers.get(question.id) or question.answer)
            if answer:
                answers.keep(question.id, answer)
                given += 1
    except (EOFError, KeyboardInterrupt):
        sys.stdout.write("\n")
    return given


def _answer(question: OpenQuestion, place: str, present: str | None) -> str:
    """One question on the terminal; empty where it was skipped.

    Raises:
        EOFError: the input has ended, or the author wants to.
    """
    suggestion = guess(question.id)
    _say(f"\n{place}  {question.text}")
    _say(f"     {question.why}" + (f" ({', '.join(question.standards)})" if question.standards else ""))
    if present:
        _say(f"     [now] {present}")
    if suggestion:
        _say(f"     [guess] {suggestion}")
        _say(f"     Type {_TAKE} to take the guess, if the run was made on this machine.")
    sys.stdout.write("> ")
    sys.stdout.flush()
    line = sys.stdin.readline()
    told = " ".join(line.split())
    if not line or told.lower() in _END:
        raise EOFError
    if told in _SKIP:
        return ""
    return suggestion if told == _TAKE and suggestion else "" if told == _TAKE else told


def _say(text: str) -> None:
    for part in text.split("\n"):
        indent = part[: len(part) - len(part.lstrip())]
        lines = textwrap.wrap(printable(part), _WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]
        sys.stdout.write("\n".join(lines) + "\n")
