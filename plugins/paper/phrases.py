"""Sentences that the run cannot carry: the phrases of the declared claims, and the ladder in other words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dpo_report.core.model import Analysis
from dpo_report.core.model import Verdict as Claimed
from dpo_report.plugins.paper.prose import THIN, Sentence
from dpo_report.plugins.paper.rewrites import rewrite
from dpo_report.plugins.paper.scope import anchored, claims_of_run, denied
from dpo_report.plugins.paper.stems import Index, stems
from dpo_report.plugins.paper.verdicts import Verdict

_THING = r"(?:the |our |its |this )?(?:[\w-]+ ){0,2}?"
RUNGS: dict[int, tuple[str, ...]] = {
    0: (r"\btraining (?:was |has |had )?(?:completed|finished)\b(?! (?:\d|only|\w+ of))", r"\bran to completion\b",
        r"\bcompleted (?:all|every)(?: \w+){0,3} (?:steps|updates|epochs)\b"),
    1: (r"\b(?:loss|objective) (?:(?:has|had|was|then|steadily|clearly|sharply|quickly|also) )*"
        r"(?:fell|decreased|dropped|declined|reduced|went down|improved|halved)\b",
        r"\b(?:reduced|lowered|decreased|minimi[sz]ed) the (?:\w+ ){0,2}(?:loss|objective)\b"),
    2: (r"\btraining (?:pairs|set|data)\b.{0,40}\b(?:ranked|separated|fitted|classified|ordered) (?:correctly|"
        r"perfectly|well)\b",
        r"\b(?:fits?|fitted|separates?|separated|memori[sz]e[sd]?) (?:the |all |every |"
        r"its )(?:\w+ )?training (?:pairs|set|data)\b"),
    3: (r"\b(?:held-out|unseen|test|validation) (?:\w+ )?(?:pairs|prompts|data|set|preferences)\b.{0,60}"
        r"\b(?:above chance|better than chance|correctly|accurately|reliably)\b",
        r"\b(?:transfers?|transferred|carries over|extends?) to (?:unseen|new|held-out|other)\b",
        r"\b(?:unseen|new) (?:prompts|pairs|data|questions|inputs)\b.{0,40}\b(?:well|better|accura\w+|correct\w*)\b"),
    4: (rf"\b(?:outputs?|responses?|generations?|completions?|answers?|policy|model) "
        rf"{_THING}(?:is|are|was|were|became|becomes?) "
        r"(?:now |much |clearly |more |far |also )*(?:preferred|better|improved|helpful|accurate|truthful|"
        r"fluent|reliable|capable|coherent)\b",
        r"(?<!likely to )\b(?:produces?|produced|generates?|generated|gives?|gave|yields?|writes?) (?:\w+ ){0,2}?"
        r"(?:better|higher[- ]quality|improved|preferred|more (?:helpful|accurate|truthful|fluent|coherent|relevant)) "
        r"(?:\w+ )?(?:outputs?|responses?|answers?|text|completions?|generations?)\b",
        r"\b(?:improves?|improved|enhances?|enhanced|boosts?|boosted) (?:the |its |model |our )?(?:[\w’']+ ){0,2}?"
        r"(?:quality|helpfulness|behaviou?r|performance|capabilit\w+|reasoning|truthfulness|outputs?|responses?)\b",
        r"\bbetter than (?:the )?(?:base|untuned|original|starting|reference|initial) (?:model|policy)\b",
        r"\b(?:acquired|internali[sz]ed|captures?|captured|mastered) (?:the )?(?:\w+ )?preferences?\b"),
    5: (r"\b(?:holds?|held|consistent(?:ly)?|replicat\w+|reproduc\w+|stable|similar)\b.{0,30}\b(?:across|over|"
        r"for all|between) "
        r"(?:\w+ ){0,2}(?:seeds|data ?sets|models|runs|hyper-?parameters|settings)\b",),
}  # fmt: skip
"""Phrases that say what a rung of the ladder says."""

_OTHER_SENSE: dict[str, re.Pattern[str]] = {
    "efficien": re.compile(r"(?:[-–]efficien|efficien\w+ (?:attention|fine-?tuning|adapt|implementation|"
        r"kernel))", re.I),
    "fast": re.compile(r"\bfast(?: tokeni[sz]er|-moving|[- ]forward| path)|\bas fast as|\bhow fast\b|"
        r"\bbreakfast", re.I),
    "significan": re.compile(r"significant (?:digits?|figures?|decimal)|\bp ?[<=≤] ?[.\d]|\bsignificance level|"
        r"\bWilson|confidence interval"
                             r"|\b95 ?% (?:CI|interval)|permutation test|bootstrap|McNemar|Mann", re.I),
    "robust": re.compile(r"robust(?:ly)? (?:DPO|loss|standard|regression|estimat|slope|statistic|variant|mean|"
        r"fit)|(?:outlier|noise)-robust", re.I),
    "effective": re.compile(r"effective(?:ly)? (?:batch|learning|sample|number|size|length|rank|degree|rate|"
        r"from|zero|the same|random)"
                            r"|cost[- ]effective", re.I),
    "understand": re.compile(r"\b(?:to|we|I|you|readers?|us|better) understand|understands? (?:why|how|whether|"
        r"what|that)", re.I),
    "success": re.compile(r"success(?:ful|fully)? (?:\w+ )?(?:rate|criteri)|\bsuccessful (?:completion|parse|"
        r"import)", re.I),
    "proof": re.compile(r"proof[- ]of[- ]concept (?:that|showing that|only)", re.I),
    "safe": re.compile(r"safe(?:ly)? (?:to (?:say|assume|ignore|conclude)|ignore|defaults?|settings?|choices?|"
        r"values?)|safety (?:margin|factor|copy|check)|thread[- ]safe|fail[- ]?safe"
                       r"|on the safe side", re.I),
    "converge": re.compile(r"converge[sd]? on (?:a|the|this) (?:design|set)", re.I),
    "deploy": re.compile(r"deploy\w* (?:of|the) (?:scripts?|documentation|website)", re.I),
    "superior": re.compile(r"superior(?:ity)? (?:of|to)? ?(?:hardware)", re.I),
    "perfect": re.compile(r"\bon (?:the |all |its )?(?:\d+|\w+) training pairs|training (?:pairs|accuracy)", re.I),
    "generali": re.compile(r"generali[sz](?:e[sd]?|ation) (?:of|the) (?:DPO|loss|Bradley|objective|method)", re.I),
    "lightweight": re.compile(r"lightweight (?:wrapper|script|format|markup)", re.I),
    "align": re.compile(r"alignment (?:handbook|tax|research|method|literature|technique)", re.I),
}  # fmt: skip
"""Technical terms and uses that make no claim, by the stem of the phrase."""
_GRADED = re.compile(
    r"(?:reasonable|good|typical|acceptable|low|excellent|impressive)\W+(?:(?:training|train|final|mean|average|DPO|preference|"
    r"evaluation|validation|held-out|value|values|of|for|the|a|an|overall|and|very|quite) )*loss\b"
    r"|loss\b.{0,60}\b(?:reasonable|good|typical|acceptable|low|excellent|impressive)\b(?! (?:learning|rate|"
    r"number|practice|precision|rank))"
    r"|reasonable for\b",
    re.IGNORECASE,
)
_COMPLETED = re.compile(r"\b(?:complet(?:ed|es|ing|ion)|finish\w+|ran|runs?|end(?:s|ed)?|execut\w+)\b", re.IGNORECASE)


_OPENS = re.compile(r"(?:This|It|Fast|Thus|Hence|Overall|Because of|Due to|Thanks to|Owing to)\b")


@dataclass(frozen=True, slots=True)
class _Phrase:
    pattern: re.Pattern[str]
    claim: Claimed
    alone: bool
    """Whether the phrase may be held against any sentence: one that names a rung's subject itself."""


Place = tuple[_Phrase, re.Match[str]]
"""A phrase, and where it stands in a sentence."""


class Phrasebook:
    """What the runs forbid, ready to be looked for."""

    def __init__(self, analyses: Sequence[Analysis]) -> None:
        """Args:
        analyses: all runs of the paper; what one of them carries is not forbidden.
        """
        self._analyses = analyses
        self._phrases = list(_phrases(analyses))
        self._index = Index(stems(phrase.pattern.pattern) for phrase in self._phrases)
        self._completed = any(v.allowed and not v.patterns and v.level == 0 for a in analyses for v in a.verdicts)

    def look(self, sentence: Sentence) -> list[Place]:
        """Phrases as they stand in a sentence, whether they are meant or not."""
        text = sentence.text.replace(THIN, " ")
        found = (self._phrases[number] for number in self._index.of(text))
        places = [(phrase, match) for phrase in found for match in phrase.pattern.finditer(text)]
        return places if places and claims_of_run(sentence) else []

    def judge(self, sentence: Sentence, places: Sequence[Place], finals: bool, owned: bool) -> Iterator[Verdict]:
        """Forbidden phrases of a sentence, each told once, and what two patterns see in one place once.

        Args:
            sentence: the sentence.
            places: what :meth:`look` found in it.
            finals: whether it gives a last logged value under that name, which is right.
            owned: whether a number of the run stands in it, which makes it a sentence about the run.
        """
        told: set[int] = set()
        ends: dict[str, int] = {}
        for phrase, match in places:
            again = id(phrase) in told or match.start() < ends.get(phrase.claim.text, 0)
            if not again and self._meant(sentence, phrase, match, finals, owned):
                told.add(id(phrase))
                ends[phrase.claim.text] = match.end()
                yield self._verdict(sentence, phrase, match)

    def _meant(self, sentence: Sentence, phrase: _Phrase, match: re.Match[str], finals: bool, owned: bool) -> bool:
        text = sentence.text
        if not (phrase.alone or owned or anchored(text) or _OPENS.match(text)):
            return False
        if denied(text, match.start(), match.end()):
            return False
        around = text[max(0, match.start() - 25) : match.end() + 60]
        said = match[0].lower()
        if any(stem in said and sense.search(around) for stem, sense in _OTHER_SENSE.items()):
            return False
        if owned and not phrase.claim.patterns and phrase.claim.level <= 3 and "chance" not in match[0]:
            return False  # it gives the run's own numbers, which say no more than they are
        if sentence.kind in ("heading", "row") and phrase.claim.because == "C2":
            return False
        if phrase.claim.because == "C2" and finals:
            return False
        if phrase.claim.because in ("K3", "C9") and not _GRADED.search(text):
            return False
        return not ("success" in said and self._completed and _COMPLETED.search(text))

    def _verdict(self, sentence: Sentence, phrase: _Phrase, match: re.Match[str]) -> Verdict:
        claim = phrase.claim
        what = claim.text if claim.patterns else f"level {claim.level}: {claim.text}"
        return Verdict(
            "forbidden",
            sentence.file,
            sentence.line(match.start()),
            match[0],
            f"the run does not carry this ({what.rstrip('.')})",
            claim.because or "K1",
            rewrite(claim.because or "K1", self._analyses[0], sentence.text),
            claim.licence,
        )


def _phrases(analyses: Sequence[Analysis]) -> Iterator[_Phrase]:
    carried = [v for a in analyses for v in a.verdicts if v.allowed]
    texts, rungs = {v.text for v in carried}, {v.level for v in carried if not v.patterns}
    for claim in analyses[0].verdicts:
        if claim.text in texts if claim.patterns else claim.level in rungs:
            continue
        patterns = claim.patterns or RUNGS.get(claim.level, ())
        for pattern in patterns:
            try:
                compiled = re.compile(pattern, re.IGNORECASE)
            except re.error:
                continue  # a plugin's slip; `dpo-report plugins` is the place to tell it
            yield _Phrase(compiled, claim, not claim.patterns and claim.level <= 1)
