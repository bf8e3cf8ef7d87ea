"""Write the preference pairs of the example runs: short questions about a small knowledge graph.

    python make_pairs.py            # writes data/pairs-8.jsonl, data/train.jsonl, data/heldout.jsonl

Every pair has a prompt (facts, then a question that asks to follow two or three named edges), a chosen
answer (the chain of edges that the question asks for) and a rejected answer (the same number of edges, but
the chain is broken).  The ways in which it is broken:

  no-edge          one edge leads to an entity that the facts do not connect to it
  wrong-direction  one edge is followed against its direction
  wrong-hop        every edge exists, but one of them is not the relation that was asked for
  skipped-hop      one hop is left out by an invented short cut, and the chain runs one hop too far
  lucky            the answer is right, but the chain goes through an entity it does not pass

The script is deterministic (no clock, no hash order) and checks each pair against its own facts before it
writes it.  Training and held-out pairs draw their names from two halves of the lists, so they share no entity
(the relations and the wordings of the questions are the same in both).
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path as File
from typing import Any

Edge = tuple[str, str, str]  # head, relation, tail

# relation -> how it reads in a sentence
VERB = {
    "works_at": "works at",
    "based_in": "is based in",
    "located_in": "is located in",
    "founded_by": "was founded by",
    "reports_to": "reports to",
    "manages": "manages",
    "sits_in": "sits in",
    "mentors": "mentors",
    "depends_on": "depends on",
    "maintained_by": "is maintained by",
    "member_of": "is a member of",
    "tested_by": "is tested by",
    "encodes": "encodes",
    "activates": "activates",
    "binds": "binds",
    "inhibits": "inhibits",
    "flows_into": "flows into",
    "drains_into": "drains into",
    "lies_in": "lies in",
    "crossed_by": "is crossed by",
    "painted_by": "was painted by",
    "studied_under": "studied under",
    "born_in": "was born in",
    "married_to": "was married to",
    "cites": "cites",
    "written_by": "was written by",
    "teaches_at": "teaches at",
    "edited_by": "was edited by",
    "capital_of": "is the capital of",
    "currency": "has the currency",
    "borders": "borders",
    "discovered_by": "was discovered by",
    "orbits": "orbits",
    "author_of": "is the author of",
    "set_in": "is set in",
    "mouth_in": "ends in",
    "parent_of": "is a parent of",
    "located_on": "is on",
}


SYSTEM = "Give the chain of facts, then the answer."


# ------------------------------------------------------------------ one question and its two answers


def read(name: str) -> list[dict[str, Any]]:
    """The rows of a file in ``data/``."""
    return json.loads((File(__file__).parent / "data" / name).read_text(encoding="utf-8"))


def frozen(row: dict[str, Any]) -> dict[str, Any]:
    """Lists as tuples, at every depth."""

    def tuples(value: Any) -> Any:
        return tuple(map(tuples, value)) if isinstance(value, list) else value

    return {key: tuples(value) for key, value in row.items()}


@dataclass(frozen=True)
class Pair:
    name: str
    facts: tuple[Edge, ...]
    question: str
    path: tuple[str, ...]  # the relations asked for, in order
    good: tuple[Edge, ...]
    bad: tuple[Edge, ...]
    broken: str
    bad_answer: str
    fact_style: str  # "triple" or "text"
    answer_style: str

    @property
    def answer(self) -> str:
        return self.good[-1][2]


def show(edge: Edge, style: str) -> str:
    head, relation, tail = edge
    return f"({head}, {VERB[relation]}, {tail})" if style == "triple" else f"{head} {VERB[relation]} {tail}"


def prompt(pair: Pair) -> str:
    if pair.fact_style == "triple":
        facts = " ".join(show(edge, "triple") for edge in pair.facts)
    else:
        facts = " ".join(show(edge, "text") + "." for edge in pair.facts)
    return f"{facts}\n{pair.question}"


def completion(pair: Pair, chain: tuple[Edge, ...], answer: str) -> str:
    if pair.answer_style == "triple":
        return " ".join(show(edge, "triple") for edge in chain) + f" Answer: {answer}"
    return " ".join(show(edge, "text") + "." for edge in chain) + f" So the answer is {answer}."


def holds(pair: Pair, chain: tuple[Edge, ...], answer: str) -> bool:
    """Is this the chain that the question asks for, made of given facts and ending in the answer?"""
    return (
        all(edge in pair.facts for edge in chain)
        and all(left[2] == right[0] for left, right in pairwise(chain))
        and tuple(edge[1] for edge in chain) == pair.path
        and chain[-1][2] == answer
        and chain[0][0] == pair.good[0][0]
    )


def check(pair: Pair) -> None:
    assert holds(pair, pair.good, pair.answer), pair
    assert not holds(pair, pair.bad, pair.bad_answer), pair
    assert len(pair.good) == len(pair.bad), pair
    assert len(set(pair.facts)) == len(pair.facts), pair
    # exactly one walk answers the question
    ends = {pair.good[0][0]}
    for relation in pair.path:
        ends = {t for h, r, t in pair.facts if h in ends and r == relation}
    assert ends == {pair.answer}, (pair, ends)


def record(pair: Pair) -> dict[str, object]:
    check(pair)
    return {
        "id": pair.name,
        "prompt": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": prompt(pair)}],
        "chosen": [{"role": "assistant", "content": completion(pair, pair.good, pair.answer)}],
        "rejected": [{"role": "assistant", "content": completion(pair, pair.bad, pair.bad_answer)}],
        "hops": len(pair.path),
        "broken": pair.broken,
    }


# ------------------------------------------------------------------ eight pairs written by hand


def by_hand() -> list[Pair]:
    """The eight pairs of the first user's setting, written by hand."""
    return [Pair(**frozen(row)) for row in read("by-hand.json")]


@dataclass(frozen=True)
class Path:
    kinds: tuple[str, ...]  # kinds of the entities along the path
    relations: tuple[str, ...]
    side: tuple[int, str, str]  # an edge that leaves node i by another relation to an entity of a kind
    questions: tuple[str, ...]


PATHS = [Path(**frozen(row)) for row in read("paths.json")]

BROKEN = ("no-edge", "wrong-direction", "wrong-hop", "skipped-hop", "lucky")


def words(text: str) -> list[str]:
    return text.split()


# Names, all short.  The training pairs draw from the first half of each list, the held-out pairs from the second.
STEMS = words(
    "Amber Arden Aster Atlas Birch Blake Brook Cedar Clay Cobalt Coral Delta Drake Echo Ember Fern Flint Garnet "
    "Hazel Heron Iris Ivory Jade Juniper Kestrel Lark Laurel Linden Maple Marlow Meadow Mercer Nova Oak Olive Onyx "
    "Opal Orion Pearl Pine Quartz Raven Reed Robin Rowan Ruby Sable Sage Slate Sparrow Sterling Stone Swift Thorn "
    "Tiger Topaz Vale Violet Willow Wren"
)
GENES = words("ABC DEF GHL KLM MNP PRS STV TRX VEX BRC CDK EGF FOX HOX JAK LIN MAP NOT PAX RAS")
POOLS: dict[str, list[str]] = {
    "person": words(
        "Ada Alice Amir Anna Ben Bruno Carla Chen Clara Daniel David Diana Elena Emil Emma Eric Eva Felix Grace Hans "
        "Hugo Ida Igor Ines Ivan Jack James Jane Jonas Julia Karl Kate Laura Leo Lily Linda Lucas Maria Mark Martin "
        "Max Maya Mia Nina Noah Nora Oliver Omar Oscar Paul Peter Rosa Ruth Sam Sara Simon Sofia Theo Tom Vera"
    ),
    "city": words(
        "Oslo Lima Cairo Paris Rome Milan Porto Madrid Berlin Prague Vienna Dublin London Athens Delhi Tokyo Kyoto "
        "Seoul Hanoi Quito Havana Boston Denver Dallas Austin Chicago Toronto Sydney Perth Lagos"
    ),
    "company": [f"{stem} {end}" for stem, end in zip(STEMS[::2], ["Labs", "Works", "Foods"] * 10, strict=True)],
    "country": words(
        "Norway Peru Egypt France Italy Portugal Spain Germany Austria Ireland England Greece India Japan Korea "
        "Vietnam Ecuador Cuba Canada Australia Nigeria Kenya Chile Brazil Poland Sweden Denmark Finland Turkey Iran"
    ),
    "package": [f"{stem.lower()}{end}" for stem, end in zip(STEMS, ["lib", "core", "io", "db"] * 15, strict=True)],
    "team": [f"{stem} team" for stem in STEMS[1::2]],
    "gene": [f"{letters}{n}" for n, letters in enumerate(GENES, 1)],
    "protein": [f"p{n}" for n in range(11, 71)],
    "river": [f"River {stem}" for stem in STEMS],
    "region": [f"{stem} {end}" for stem, end in zip(STEMS[1::2], ["Valley", "Plain", "Hills"] * 10, strict=True)],
    "road": [f"{stem} Road" for stem in STEMS[::2]],
    "painting": [f"{end} {stem}" for stem, end in zip(STEMS[::2], ["Blue", "Night", "Old"] * 10, strict=True)],
    "book": [
        f"{end} {stem}" for stem, end in zip(STEMS, ["On", "About", "Letters from", "Songs of"] * 15, strict=True)
    ],
    "school": [f"{stem} {end}" for stem, end in zip(STEMS[::2], ["College", "School", "Academy"] * 10, strict=True)],
}


class Names:
    """Hands out names of one half of the lists; no name twice within a pair."""

    def __init__(self, half: int, rng: random.Random) -> None:
        self.half, self.rng = half, rng
        self.used: set[str] = set()

    def new(self, kind: str) -> str:
        pool = POOLS[kind]
        middle = len(pool) // 2
        pool = pool[:middle] if self.half == 0 else pool[middle:]
        name = self.rng.choice([name for name in pool if name not in self.used])
        self.used.add(name)
        return name


def draw(name: str, path: Path, broken: str, names: Names, rng: random.Random) -> Pair | None:
    """One pair, or None where this kind of break does not fit this path."""
    kinds, relations = path.kinds, path.relations
    nodes = [names.new(kind) for kind in kinds]
    other = [names.new(kind) for kind in kinds]
    good = [(nodes[i], relations[i], nodes[i + 1]) for i in range(len(relations))]
    rival = [(other[i], relations[i], other[i + 1]) for i in range(len(relations))]
    at, side_relation, side_kind = path.side
    side = (nodes[at], side_relation, names.new(side_kind))
    extra = [side] if rng.random() < 0.5 else []
    facts = [*good, *rival[-2:], *extra]

    bad = list(good)
    last = len(good) - 1
    answer: str | None = None
    if broken == "no-edge":
        hop = rng.randrange(len(good))  # from this hop on, the chain walks in the rival chain
        bad[hop] = (good[hop][0], relations[hop], other[hop + 1])
        bad[hop + 1 :] = rival[hop + 1 :]
        facts = [*good, *rival[max(0, min(hop, last - 1)) :], *extra]
    elif broken == "wrong-direction":
        same = [i for i in range(len(good)) if kinds[i] == kinds[i + 1]]
        if same:
            hop = rng.choice(same)  # who points to me, in the place of whom I point to
            back = names.new(kinds[hop])
            facts = [*good, *extra, (back, relations[hop], nodes[hop])]
            bad[hop] = (nodes[hop], relations[hop], back)
            if hop < last:
                tail = names.new(kinds[hop + 2])
                facts.append((back, relations[hop + 1], tail))
                if relations[hop + 1] == relations[hop]:
                    facts.pop()
                    tail = names.new(kinds[hop])
                    facts.append((tail, relations[hop], back))
                bad[hop + 1] = (back, relations[hop + 1], tail)
                if hop + 1 < last:
                    end = names.new(kinds[-1])
                    facts.append((tail, relations[-1], end))
                    bad[hop + 2] = (tail, relations[-1], end)
        else:
            hop = rng.randrange(len(good))  # the edge is stated the wrong way round
            bad[hop] = (good[hop][2], relations[hop], good[hop][0])
            answer = nodes[-1]
    elif broken == "wrong-hop":
        if at != last:
            return None
        facts = [*good, rival[-1], side]
        bad[at] = side
    elif broken == "skipped-hop":
        if len(good) < 3:
            return None
        far = names.new("country" if kinds[-1] == "city" else "city")
        relation = "located_in"
        facts = [*good, rival[-1], (nodes[-1], relation, far)]
        bad = [(nodes[0], relations[1], nodes[2]), good[2], (nodes[-1], relation, far)]
    elif broken == "lucky":
        hop = rng.randrange(last)  # through an entity of the rival chain, and back
        bad[hop] = (good[hop][0], relations[hop], other[hop + 1])
        bad[hop + 1] = (other[hop + 1], relations[hop + 1], good[hop + 1][2])
    if answer is None:
        answer = bad[-1][2]

    facts = list(dict.fromkeys(facts))
    rng.shuffle(facts)
    fact_style = rng.choice(["text", "text", "triple"])
    answer_style = rng.choice(["text", "text", "triple"])
    return Pair(
        name=name,
        facts=tuple(facts),
        question=rng.choice(path.questions).format(x=nodes[0]),
        path=relations,
        good=tuple(good),
        bad=tuple(bad),
        broken=broken,
        bad_answer=answer,
        fact_style=fact_style,
        answer_style=answer_style,
    )


def made(prefix: str, count: int, half: int, seed: int) -> list[Pair]:
    """`count` pairs over all paths and breaks, such that length does not tell chosen from rejected."""
    rng = random.Random(seed)
    seen: set[str] = set()
    pairs: list[Pair] = []
    longer = 0  # chosen longer: +1, rejected longer: -1
    surplus = 0  # characters that all chosen answers have more than all rejected ones
    tries = 0
    while len(pairs) < count:
        tries += 1
        path = PATHS[(len(pairs) + tries // 50) % len(PATHS)]
        broken = BROKEN[(len(pairs) // len(PATHS) + len(pairs) + tries // 10) % len(BROKEN)]
        pair = draw(f"{prefix}-{len(pairs) + 1}", path, broken, Names(half, rng), rng)
        if pair is None or prompt(pair) in seen:
            continue
        gap = len(completion(pair, pair.good, pair.answer)) - len(completion(pair, pair.bad, pair.bad_answer))
        sign = (gap > 0) - (gap < 0)
        if abs(gap) > 8 or abs(longer + sign) > 1 or abs(surplus + gap) > 12:
            continue
        check(pair)
        seen.add(prompt(pair))
        pairs.append(pair)
        longer += sign
        surplus += gap
    return pairs


def entities(pairs: list[Pair]) -> set[str]:
    return {name for pair in pairs for head, _, tail in pair.facts for name in (head, tail)}


def write(path: File, pairs: list[Pair]) -> None:
    path.write_text("".join(json.dumps(record(pair), ensure_ascii=False) + "\n" for pair in pairs), encoding="utf-8")


def main() -> None:
    here = File(__file__).resolve().parent / "data"
    here.mkdir(exist_ok=True)
    sets = {
        "pairs-8.jsonl": by_hand(),
        "train.jsonl": made("train", 120, 0, 11),
        "heldout.jsonl": made("heldout", 48, 1, 23),
    }
    assert not entities(sets["train.jsonl"]) & entities(sets["heldout.jsonl"])
    assert not {prompt(p) for p in sets["train.jsonl"]} & {prompt(p) for p in sets["heldout.jsonl"]}
    for name, pairs in sets.items():
        write(here / name, pairs)
        good = [len(completion(p, p.good, p.answer)) for p in pairs]
        bad = [len(completion(p, p.bad, p.bad_answer)) for p in pairs]
        kinds = {kind: sum(p.broken == kind for p in pairs) for kind in BROKEN}
        hops = {n: sum(len(p.path) == n for p in pairs) for n in (2, 3)}
        longer = sum(g > b for g, b in zip(good, bad, strict=True))
        shorter = sum(g < b for g, b in zip(good, bad, strict=True))
        print(
            f"{name}: {len(pairs)} pairs, hops {hops}, {kinds}, mean characters {sum(good) / len(good):.1f} chosen, "
            f"{sum(bad) / len(bad):.1f} rejected; chosen longer in {longer}, shorter in {shorter}"
        )


if __name__ == "__main__":
    main()
