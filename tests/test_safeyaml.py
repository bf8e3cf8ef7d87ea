"""YAML of strangers: values are read, no object is built, nothing explodes."""

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpo_report.plugins.readers.safeyaml import Unreadable, plain, scalar
from dpo_report.plugins.readers.settings import flatten, from_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1e-5\nb: .5\nc: 010", {"a": 1e-5, "b": 0.5, "c": 10}),
        ("a: yes\nb: 12:30\nc: 2026-01-01", {"a": "yes", "b": "12:30", "c": "2026-01-01"}),
        ("a: 'true'\nb: true\nc: ~\nd:", {"a": "true", "b": True, "c": None, "d": None}),
        ("a: &x [1, 2]\nb: *x", {"a": [1, 2], "b": [1, 2]}),
        ("base: &b {lr: 1}\nrun: {<<: *b, n: 2}", {"base": {"lr": 1}, "run": {"lr": 1, "n": 2}}),
        ("!!python/object/apply:os.system ['echo x']", ["echo x"]),
        ("a: !!python/name:torch.nn.ReLU ''", {"a": "torch.nn.ReLU"}),
        ("a: !!python/tuple [1, 2]\nb: !!set {x}", {"a": [1, 2], "b": {"x": None}}),
        ("a: !!binary aGk=", {"a": "<binary>"}),
        ("a: &a [*a]", {"a": [None]}),
        ("", None),
        ("first: 1\n---\nsecond: 2", {"first": 1}),
        ("? [1, 2]\n: x", {"<key>": "x"}),
    ],
)
def test_values(text: str, value: object) -> None:
    assert plain(text) == value


def test_not_finite() -> None:
    read = plain("[.nan, .inf, -.inf]")
    assert math.isnan(read[0]) and read[1:] == [math.inf, -math.inf]


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    start = time.perf_counter()
    with pytest.raises(Unreadable, match="more than"):
        plain(bomb)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("text", ["a: [1, 2", "a: b: c", "\tx", "a: !<", "{" * 5000, "- " * 500 + "x"])
def test_what_is_no_yaml_says_so(text: str) -> None:
    with pytest.raises(Unreadable):
        plain(text)


@given(st.text(max_size=200) | st.text("ab:-[]{}&*!?|>'\"%@#, \n\t1.e", max_size=200))
def test_nothing_else_is_raised(text: str) -> None:
    try:
        plain(text)
    except Unreadable as error:
        assert str(error)


@given(st.text(max_size=30))
def test_any_scalar_has_a_value(text: str) -> None:
    assert scalar(text) is None or isinstance(scalar(text), bool | int | float | str)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda inner: st.dictionaries(st.text(max_size=5), inner)
    )
)
def test_settings_are_flat_and_bounded(value: object) -> None:
    found = flatten(value, "x.yaml") if isinstance(value, dict) else {}
    assert len(found) <= 1000
    assert all(not setting.value or not isinstance(setting.value, dict) for setting in found.values())


def test_secrets_are_hidden_and_long_values_cut() -> None:
    found = flatten(
        {"hub_token": "abc", "api_key": "", "num_tokens": 5, "text": "x" * 5000, "list": [*range(500)]}, "a.yaml"
    )
    assert (found["hub_token"].value, found["api_key"].value, found["num_tokens"].value) == (
        "<secret, not shown>",
        "",
        5,
    )
    assert len(found["text"].value) < 1100 and len(found["list"].value) == 100


@pytest.mark.parametrize("text", ["[" * 3000, "{'a': [1,", "__import__('os')", "(1, 2)"])
def test_texts_of_trackers_never_run(text: str) -> None:
    assert from_text(text) in (text, [1, 2])
