"""Whose sentence it is: about this run, about other work, or no statement at all.

A false alarm is worse than a miss, so a sentence counts as one about the run only where something says so.
"""

from __future__ import annotations

import re
from functools import lru_cache

from dpo_report.plugins.paper.loose import Loose
from dpo_report.plugins.paper.prose import CITE, Sentence

_CITED = re.compile(
    rf"{CITE}|\bet al\b|\([A-Z][\w’'-]+(?: (?:and|&) [A-Z][\w’'-]+)?,? (?:19|20)\d\d[a-z]?[;,)]|\[\d+\]"
)
_OTHERS = Loose(
    r"\b(?:prior|previous|earlier|existing|recent|concurrent|related|other|others[’']|several|many|most|some|"
    r"public|open) (?:work|works|studies|study|papers?|methods?|approaches|models?|systems?|results|authors|reports?|"
    r"recipes?|runs?|settings|experiments|benchmarks?|techniques|trainers?|librar(?:y|ies)|practitioners|groups|teams)\b"
    r"|\b(?:published|they|their|the authors|the literature|competitors?|baselines?|practitioners|reviewers?|"
    r"readers?)\b"
    r"|\b(?:thank(?:s|ed|ing|ful)?(?! to\b)|grateful|talks?|slides?|(?:its|their) own|"
    r"handbook|leaderboard|documentation|repository|README|advertis\w+)\b"
    r"|\b(?:has|have) been (?:shown|reported|argued|observed|found|proposed)\b|\bis (?:known|believed|said|often)\b"
    r"|\b(?:typically|usually|commonly|often|in general|generally|widely|in practice|in principle|by definition)\b"
    r"|\b(?:the|an?|its|their) (?:[\w-]+ )?(?:default|library|recipe|documentation|leaderboard|original paper)\b"
    r"|\b(?:e\.g\.|for example|for instance|such as|suppose|imagine|consider)"
)
_SUBJECT = re.compile(
    r"\W*(?:(?i:the|a|an|while|although|like|unlike|since|because|when|with|in|for) )?"
    r"(?:GPT-[345]|ChatGPT|Llama|LLaMA|Zephyr|T[üu]lu|Mistral|Qwen|Gemma|Phi|Claude|Gemini|LoRA|QLoRA|Adam|AdamW|vLLM|"
    r"FlashAttention|DeepSpeed|RLHF|PPO|SFT|KTO|IPO|ORPO|SimPO|GRPO|InstructGPT|BERT|T5|DPO|Direct [Pp]reference"
    r"|[Pp]reference (?:optimi[sz]ation|tuning|learning)|[Rr]einforcement learning|[Ll]anguage models|[Ll]arge language"
    r"|[Gg]radient accumulation|[Mm]ixed precision)\b"
)
_OURS = Loose(
    r"\b(?:we|our|ours|us|I|my)\b"
    r"|\b(?:this|these|the|that|both) (?:[\w-]+ ){0,2}?(?:model|policy|run|runs|training|fine-tuning|loss|"
    r"objective|result|"
    r"results|experiments?|setup|pipeline|scripts?|system|accurac(?:y|ies)|margins?|adapter|checkpoint|study|paper|"
    r"throughput|run ?time|training time|numbers?|settings?|configuration|outputs?|responses?|generations|curve|curves|"
    r"dataset|data|behaviou?r|findings?|effects?|observations?|procedure|method|approach|framework|workflow|recipe|improvement|gains?|speed|value|values)\b"
    r"|\bpairs (?:are|were|provide|suffice|give)\b|\btrain(?:ing|ed)?\b|\bfine-?tun(?:ing|ed)\b|\bthe tuned\b"
)
_FIRST_PERSON = Loose(r"\b(?:we|our|ours|us|I|my)\b|\bthis (?:run|model|work|paper|study)\b")
_OVER_OTHERS = re.compile(
    r"\b(?:we|our (?:[\w-]+ ){1,3}|the (?:tuned|fine-tuned|trained|DPO) (?:model|policy) )\W*(?:\w+ly )?outperform",
    re.IGNORECASE,
)
"""What is said of this work and names others only as what it is better than."""
_BACKGROUND = Loose(
    r"rules applied|what would license|related work|background|preliminar|prior work|literature|acknowledg|"
    r"broader impact|ethic|references|bibliograph"
)
_HYPOTHETICAL = Loose(
    r"\b(?:would|should|could|might|if|unless|suppose|assum\w+|e\.g\.|for example|such as|typical\w*|default\w*|"
    r"recommend\w*|"
    r"usual\w*|common\w*|sweep|grid|ablat\w*|vary|varied|varying|rang\w+|between|instead of|rather than|"
    r"compared|versus|vs|"
    r"than|planned|future|next|ideally|need(?:s|ed)? (?:for|to|more|at least)|requires?|failed|trial|attempts?|"
    r"dry run|expected|hypothetical|chance|baselines?|reference run|other|"
    r"another|earlier|previous|second run|first run|pilot|we also)\b"
)
_REPORTING = Loose(
    r"\b(?:report\w*|us(?:e|es|ed) by|follow\w*|who|whose|they|their|compar\w+|than|unlike|versus|as in|recommend\w*|"
    r"propos\w+|found|show\w*|introduc\w+|argu\w+|observ\w+)\b"
)


def cited(text: str) -> bool:
    """Whether the sentence cites a work."""
    return bool(_CITED.search(text))


def of_others(sentence: Sentence) -> bool:
    """Whether it speaks of other work, or in general."""
    text = sentence.text
    if sentence.kind == "quote" or _SUBJECT.match(text):
        return True
    if _BACKGROUND.search(sentence.section) and not _FIRST_PERSON.search(text):
        return True
    return not _OVER_OTHERS.search(text) and (cited(text) or bool(_OTHERS.search(text)))


def claims_of_run(sentence: Sentence) -> bool:
    """Whether its words may be held against the run."""
    return sentence.kind in ("text", "caption", "row", "heading") and not of_others(sentence)


def anchored(text: str) -> bool:
    """Whether something in it names this work: ``we``, ``the model``, ``training``."""
    return bool(_OURS.search(text))


def numbers_of_run(sentence: Sentence, clause: str) -> bool:
    """Whether a number in it that differs from the run may be told as a fault.

    A sentence with a citation counts only where it tells what was done here: ``We trained GPT-2 with DPO [3] on ...``
    """
    text = sentence.text
    if sentence.kind == "quote" or _HYPOTHETICAL.search(clause) or _SUBJECT.match(text):
        return False
    if _BACKGROUND.search(sentence.section) and not _FIRST_PERSON.search(text):
        return False
    if cited(text):
        return bool(re.match(r"(?:We|Our|I)\b", text)) and not _REPORTING.search(text)
    return not _OTHERS.search(text)


_CLAUSE = re.compile(
    r"[;—–]\s|\.\s|\s\|\s|, (?:but|and|while|whereas|although|though|which|so|yet|because|since|where|with|who)\b"
    r"|\b(?:but|while|whereas|although|because)\b"
)


_PART = Loose(rf"{_CLAUSE.pattern}|, (?:we|our|the|this|it|that)\b")


def clause(text: str, start: int, end: int, parts: re.Pattern[str] | Loose = _CLAUSE) -> tuple[int, int]:
    """Where the clause around a place of the sentence begins and ends."""
    first, last = 0, len(text)
    for cut in _cuts(text, parts):
        if cut[1] <= start:
            first = cut[1]
        elif cut[0] >= end:
            last = cut[0]
            break
    return first, last


@lru_cache(maxsize=16)
def _cuts(text: str, parts: re.Pattern[str] | Loose) -> tuple[tuple[int, int], ...]:
    """Where one clause of a sentence ends and where the next one begins."""
    return tuple(match.span() for match in parts.finditer(text))


_DENIED = Loose(
    r"\b(?:not|no|n[o’']t|\w+n[’']t|never|cannot|neither|nor|nothing|none|hardly|unknown|whether|if|would|could|might|may|"
    r"should|must|future|evidence (?:of|for|that)|measures? of|tests? (?:of|for)|which|who|what|how|decid\w+|"
    r"needs?|needed|requires?|required|lacks?|"
    r"too (?:few|small|short|little)|insufficient|unclear|question\w*|hypothes\w+|aims?|goals?|hop(?:e|ed|ing)|"
    r"intend\w*|"
    r"rather than|instead of|avoid\w*|say (?:nothing|little)|far from|fails?|failed|without|before|until|"
    r"order to|claim\w*|"
    r"assess\w*|investigat\w*|ask\w*|study|stud(?:ied|ies)|examin\w*|evaluat\w* (?:the|for)|promot\w+|encourag\w+|"
    r"limits?|limited|limitations?|caution\w*|beware|conclud\w+ nothing|seek\w*|want\w*|towards?|less|least)\b"
)
_DENIED_AFTER = Loose(
    r"\W+(?:\w+\W+){0,4}?(?:(?:is|was|are|were|has|have|had|does|did|do|can|could|should|would|will)(?:n[’']t|"
    r" not|not\b| never)"
    r"|cannot|remains? (?:open|unknown|unclear|to be)|(?:is|was|are|were) (?:unknown|untested|unclear|elsewhere|"
    r"out of scope|left)"
    r"|not (?:measured|tested|shown|evaluated|claimed|studied|assessed|examined)|unknown|untested|\?)"
)


_THAT = re.compile(r"That (?:the|it|this|our|its|these|they)\b|(?:Nothing|None|Neither)\b")
"""A clause that says nothing by itself, as in the answer to ``What would one like to conclude?``, or denies it all."""
_UNTESTED = re.compile(
    r"(?:(?!\b(?:is|are|was|were|has|have|had|can|will|does|did|shows?|showed)\b).)*"
    r"\b(?:is|are|was|were|has been|have been)"
    r" (?:not|never) (?:measured|tested|shown|evaluated|claimed|studied|assessed|examined|compared)\b.*"
)
"""A sentence of which the only statement is that its subjects were not tested."""


def denied(text: str, start: int, end: int) -> bool:
    """Whether the words at that place are denied, doubted, asked for or only mentioned."""
    first, last = clause(text, start, end, _PART)
    if _DENIED.search(text, first, end) or _DENIED_AFTER.match(text, end, min(last, end + 60)):
        return True
    if text.rstrip().endswith("?") or _THAT.match(text) or _UNTESTED.fullmatch(text[:start] + text[end:]):
        return True
    quoted = re.findall('[“‘"]', text[:start]), re.findall('[”’"]', text[end:])
    return bool(quoted[0] and quoted[1] and _within_quotes(text, start, end))


def _within_quotes(text: str, start: int, end: int) -> bool:
    return any(m.start() < start and m.end() > end for m in re.finditer('“[^“”]*”|‘[^‘’]*’(?!\\w)|"[^"]*"', text))
