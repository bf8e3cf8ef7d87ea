"""Numbers as people write them: how large, how precisely, in which unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_WORDS = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
        ]
    )
} | {"twenty": 20, "thirty": 30, "once": 1, "twice": 2}
_SCALES = {"thousand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6, "billion": 1e9, "b": 1e9}
_FIRST = "".join({word[0] + word[0].upper() for word in _WORDS})
_NUMBER = re.compile(
    r"""(?=[\\\d.−–\-FIRST])(?<![\w.^_/\\])
    (?:
        (?P<macro>\\Dpo[A-Za-z]+)
      | (?P<sign>[−–-](?=\.?\d))?
        (?P<mantissa>\d{1,3}(?:(?:,|\u202f)\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)
        (?:\s?[×·]\s?10\s?\^?\s?(?P<power>[−–-]?\d+|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)|[eE](?P<exponent>[−+-]?\d+)(?!\w))?
        (?:/(?P<of>\d{1,3}(?:,\d{3})+|\d+)(?![\w/]|\.\d))?
        (?P<scale>[ \u202f-]?(?:thousand|million|billion)\b|[kKMB](?![\w]))?
      | (?P<spelled>(?i:\b(?:WORDS)\b))
    )
    (?P<percent>[ \u202f]?(?:%|per\ ?cent\b|percent\b))?""".replace("WORDS", "|".join(_WORDS)).replace("FIRST", _FIRST),
    re.VERBOSE,
)
_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_YEAR = re.compile(r"(?:19[5-9]|20[0-4])\d")
_NAMED_NUMBER = re.compile(
    r"(?:\b(?:sections?|sec\.?|figures?|fig\.?|tables?|tab\.?|equations?|eq\.?|chapters?|appendix|theorem|lemma|step|line"
    r"|lines|pages?|p\.|version|v|item|rule|level|python|cuda|ubuntu|gpt|llama|qwen|phi|gemma|mistral|checkpoint"
    r"|(?:lowest|best|highest|smallest|largest|out) of|algorithm|question|issue|footnote|part|phase|stage|"
    r"top|ln|log)[ \u202f~-]?|[A-Za-z]-|#|[A-Za-z]_)$",
    re.IGNORECASE,
)
_BOUND = re.compile(
    r"(?:[<>≤≥≪≫]|\b(?:at (?:least|most)|(?:more|less|fewer|greater|lower|higher|smaller|larger) than|below|above|under"
    r"|over|up to|exceed\w*|within|beyond|no (?:more|less) than|between|beneath))[ \u202f]?$",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"(?:[~≈]|\b(?:about|around|roughly|approximately|some|nearly|almost|circa|ca\.))[ \u202f]?$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Amount:
    """One number of a sentence."""

    text: str
    """As it stands: ``5 × 10^−6``."""
    start: int
    """Where it begins in the sentence."""
    end: int
    """Where it ends, its per-cent sign included."""
    value: float
    """NaN for a macro."""
    ulp: float
    """The unit of its last printed digit."""
    percent: bool = False
    """Whether it is in per cent (``value`` is as printed)."""
    of: int | None = None
    """The denominator of ``7/8``."""
    bound: bool = False
    """``at least``, ``below``, ``>``: no number of the run itself."""
    about: bool = False
    """``roughly``, ``≈``."""
    macro: str = ""
    """``\\DpoLossTrainMean``"""
    spelled: bool = False
    """``eight``"""

    def is_rounded(self, exact: float, scale: float = 1.0) -> bool:
        """Whether it is ``exact`` (times ``scale``) with the digits printed; either way of rounding a tie is right."""
        target = exact * scale
        if self.value == 0 and abs(target) >= self.ulp / 2:
            return False
        return abs(self.value - target) <= self._slack(target)

    def is_near(self, exact: float, scale: float = 1.0) -> bool:
        """Whether it is about one unit of its last digit away: rounded, but wrongly."""
        target = exact * scale
        return self.value != 0 and abs(self.value - target) <= min(1.5 * self.ulp, 0.1 * abs(target)) * (1 + 1e-9)

    def _slack(self, target: float) -> float:
        half = self.ulp / 2
        if self.about:
            half = max(half, 0.05 * abs(target))
        return half * (1 + 1e-6) + 1e-12 * abs(target)


@lru_cache(maxsize=16)
def amounts(text: str) -> tuple[Amount, ...]:
    """Every number of a sentence that may be a quantity; years, versions and numbers of figures are none.

    >>> [(a.text, a.value) for a in amounts("In 2023, 8 pairs gave 0.46 (Section 3) at 5 × 10^−6 in two epochs.")]
    [('8', 8.0), ('0.46', 0.46), ('5 × 10^−6', 5e-06), ('two', 2.0)]
    """
    made = (_amount(text, match) for match in _NUMBER.finditer(text))
    return tuple(amount for amount in made if amount is not None)


def _amount(text: str, match: re.Match[str]) -> Amount | None:
    start, end = match.span()
    after = text[end : end + 3]
    if match["macro"]:
        return Amount(match["macro"], start, match.end("macro"), float("nan"), 0.0, macro=match["macro"])
    if match["spelled"]:
        return Amount(match[0], start, end, float(_WORDS[match["spelled"].lower()]), 1.0, spelled=True)
    mantissa = match["mantissa"]
    named, bounded, about = _led_by(_before(text, start))
    if named or (_STUCK.match(after) and not _UNIT_FOLLOWS.match(after)):
        return None
    if not match["percent"] and not match["scale"] and _YEAR.fullmatch(mantissa) and not _counted(text[end:]):
        return None
    digits = mantissa.replace(",", "").replace("\u202f", "")
    decimals = len(digits.partition(".")[2])
    power = 0
    if match["power"]:
        power = int(re.sub("[−–]", "-", match["power"].translate(_SUPERSCRIPTS)))
    elif match["exponent"]:
        power = int(match["exponent"].replace("−", "-"))
    scale = match["scale"].strip(" -\u202f").lower() if match["scale"] else ""
    if abs(power) > 300:
        return None
    times = _SCALES.get(scale, 1.0)
    value = float(f"{digits}e{power}") * times
    ulp = 10.0 ** (power - decimals) * times
    if decimals == 0 and not power and not scale and re.fullmatch(r"[1-9]\d*?0{2,}", digits) and value >= 10_000:
        ulp = 10.0 ** (len(digits) - len(digits.rstrip("0")))  # 62,000 is told to the thousand
    negative = bool(match["sign"]) and not re.search(r"[\d%]\s?$", text[:start])
    return Amount(
        match[0].strip(),
        start,
        end,
        -value if negative else value,
        ulp,
        percent=bool(match["percent"]),
        of=int(match["of"].replace(",", "")) if match["of"] else None,
        bound=bounded or _in_range(text, start, end) or (after[:1] in "+" and bool(after)),
        about=about,
    )


_RANGE_AFTER = re.compile(r"[ \u202f]?(?:–|-|to|through)[ \u202f]?[−]?\d")
_TOLD_FROM = re.compile(r"\b(?:from|fell|rose|went|dropped)[ \u202f]$")
_LINKS = ("–", "-", "to", "through")
_RANGE_BEFORE = re.compile(
    r"(?P<from>\b(?:from|between)[ \u202f])?\d[\d.,]*[ \u202f]?(?P<link>–|-|to|through)[ \u202f]?$"
)


def _in_range(text: str, start: int, end: int) -> bool:
    """Whether it is one end of ``1 to 3`` or ``0.1–0.5``; ``from 0.69 to 0.46`` tells two numbers."""
    linked = text[max(0, start - 9) : start].rstrip(" \u202f").endswith(_LINKS)
    before = _RANGE_BEFORE.search(text, max(0, start - 30), start) if linked else None
    if before:
        return before["link"] in "–-" or not before["from"]
    return _RANGE_AFTER.match(text, end) is not None and not _TOLD_FROM.search(text, max(0, start - 9), start)


_STUCK = re.compile(r"\.\d|[A-Za-z_^(]|-[A-Za-z]{2}")
"""What makes a number a part of a name: ``2.1.3``, ``8B-Instruct``, ``k(2)``."""
_UNIT_FOLLOWS = re.compile(r"(?:s|h|ms|min|x|GB|MB)(?![A-Za-z])")
"""``19.6s``, ``12h``, ``8x``."""


@lru_cache(maxsize=4096)
def _led_by(words: str) -> tuple[bool, bool, bool]:
    """Whether the words before a number make it a name's, a bound, a rough one: ``Section ``, ``at least ``, ``~``."""
    return bool(_NAMED_NUMBER.search(words)), bool(_BOUND.search(words)), bool(_ABOUT.search(words))


def _before(text: str, start: int) -> str:
    """The last two words before a number, which is as far as anything looks that they can make of it."""
    end = start - 1 if text[start - 1 : start] in (" ", "\u202f") else start
    first = text.rfind(" ", 0, end)
    return text[max(0, start - 24, text.rfind(" ", 0, max(0, first)) + 1) : start]


def _counted(after: str) -> bool:
    """Whether a noun that is counted follows: ``2000 steps``."""
    return bool(
        re.match(r"[ \u202f](?:\w+[ -]){0,2}(?:pairs?|steps?|updates?|examples?|samples?|tokens?|s\b|seconds)", after)
    )
