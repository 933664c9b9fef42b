"""Rule files are read strictly: nothing is guessed, and every fault has its line."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from yyassess.rulebook.yaml_reader import MAX_BYTES, MAX_DEPTH, YamlProblem, read_yaml


def data(text: str) -> Any:
    """The data of a text without a fault."""
    found, _, problems = read_yaml(text.encode())
    assert problems == []
    return found


def fatal(text: str | bytes) -> YamlProblem:
    """The fault that stops the reading."""
    with pytest.raises(YamlProblem) as caught:
        read_yaml(text if isinstance(text, bytes) else text.encode())
    return caught.value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("+3", 3),
        ("0", 0),
        ("1.50", Decimal("1.50")),
        ("-0.5", Decimal("-0.5")),
        ("2026-01-31", dt.date(2026, 1, 31)),
        ("2024-02-29", dt.date(2024, 2, 29)),
        ("老人", "老人"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("'2026-01-31'", "2026-01-31"),
    ],
)
def test_a_value_is_what_it_looks_like(written: str, meant: Any) -> None:
    found = data(f"key: {written}\n")["key"]
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "Yes", "NO", "y", "n", "True", "FALSE", "Null"])
def test_only_true_and_false_are_booleans(word: str) -> None:
    assert data(f"key: {word}\n") == {"key": word}


@pytest.mark.parametrize(
    "word", ["012", "0x1F", "0o17", "1_000", "1e3", ".5", "5.", "1:30", "٣", ".inf", ".nan", "2026-1-1"]
)
def test_what_looks_like_a_number_only_to_a_machine_stays_text(word: str) -> None:
    assert data(f"key: {word}\n") == {"key": word}


def test_decimals_are_exact() -> None:
    assert data("key: 0.1\n")["key"] + data("key: 0.2\n")["key"] == Decimal("0.3")


def test_a_key_that_looks_like_a_boolean_is_text_and_a_whole_number_stays_one() -> None:
    assert data("{true: 1, null: 2, 3: 4, 1.5: 5, 2026-01-01: 6}") == {
        "true": 1,
        "null": 2,
        3: 4,
        "1.5": 5,
        "2026-01-01": 6,
    }


def test_each_part_knows_its_line() -> None:
    text = "a: 1\nb:\n  - x\n  - c: 2\n    d: [3,\n        4]\n"
    _, lines, _ = read_yaml(text.encode())
    assert lines == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 1): 4,
        ("b", 1, "c"): 4,
        ("b", 1, "d"): 5,
        ("b", 1, "d", 0): 5,
        ("b", 1, "d", 1): 6,
    }


def test_line_ends_of_other_systems_and_a_byte_order_mark_change_nothing() -> None:
    found, lines, _ = read_yaml(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert found == {"a": 1, "b": 2}
    assert lines[("b",)] == 2


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a"),
        ("x:\n  a: {b: 1,\n      b: 2}\n", 3, "b"),
        ("- a: 1\n  c: 1\n  a: 1\n", 3, "a"),
        ("7: 1\n8: 1\n7: 1\n", 3, "7"),
    ],
)
def test_a_key_written_twice_is_a_fault_on_the_second_line(text: str, line: int, key: str) -> None:
    _, _, [problem] = read_yaml(text.encode())
    assert problem.line == line
    assert "twice" in problem.message
    assert key in problem.message


def test_every_key_written_twice_is_reported() -> None:
    _, _, problems = read_yaml(b"a: 1\na: 2\nb: {c: 1, c: 2}\n")
    assert [p.line for p in problems] == [2, 3]


def test_a_day_that_does_not_exist_is_a_fault() -> None:
    _, _, [problem] = read_yaml(b"a: 1\nb: 2026-02-30\n")
    assert (problem.line, problem.message) == (2, "2026-02-30 is not a day that exists")


def test_a_number_nobody_can_mean_is_a_fault() -> None:
    _, _, [problem] = read_yaml(b"a: 1\nb: " + b"9" * 5000)
    assert problem.line == 2
    assert "5000 digits" in problem.message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: &x 2\n", 2),
        ("a: *x\n", 1),
        ("a: 1\n&k b: 2\n", 2),
        ("a: 1\nb: &x [1]\n", 2),
        ("a: &x {b: 1}\nc: *x\n", 1),
    ],
)
def test_anchors_and_aliases_are_refused(text: str, line: int) -> None:
    problem = fatal(text)
    assert problem.line == line
    assert "anchors and aliases" in problem.message


def test_an_alias_bomb_is_refused_at_its_first_anchor_in_no_time() -> None:
    rows = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'lol'}]" for n in range(12)]
    started = time.perf_counter()
    assert fatal("\n".join(rows)).line == 1
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "written", ['!!int "5"', "!!python/object/apply:os.system [id]", "!own 5", "! 5", "!!str 5", "!!set {a}"]
)
def test_tags_are_refused(written: str) -> None:
    problem = fatal(f"a: 1\nb: {written}\n")
    assert problem.line == 2
    assert "tag" in problem.message


def test_a_merge_key_is_a_key_like_any_other() -> None:
    assert data("<<: {a: 1}\n") == {"<<": {"a": 1}}


def test_a_key_is_a_word_or_a_number() -> None:
    assert "a key must be" in fatal("? [a, b]\n: 1\n").message


def test_nesting_is_limited_and_what_is_allowed_is_read() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert data(f"a: {deep}")["a"] is not None
    assert fatal(f"a: [{deep}]").message == f"nested deeper than {MAX_DEPTH} levels"
    assert "nested deeper" in fatal("a: " + "[" * 200_000).message
    assert "nested deeper" in fatal("a: " + "{b: " * 200_000).message


def test_a_file_that_is_not_utf8_is_refused_with_the_line() -> None:
    problem = fatal("a: 1\nb: 老".encode("gb18030"))
    assert (problem.line, problem.message) == (2, "the file is not UTF-8 text")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1, 2", 1),
        ('a: 1\nb: "x', 2),
        ("a: b: c", 1),
        ("\ta: 1", 1),
        ("a:\n  - b\n c: 1", 3),
        ("a: }", 1),
        ("a: 1\n@b: 2", 2),
        ("%X", 1),
    ],
)
def test_what_is_no_yaml_is_refused_with_the_line(text: str, line: int) -> None:
    problem = fatal(text)
    assert problem.message.startswith("not YAML: ")
    assert problem.line >= line


def test_control_characters_are_refused() -> None:
    assert fatal("a: \x00").message.startswith("not YAML: ")


def test_one_document_a_file() -> None:
    assert (fatal("a: 1\n---\nb: 2\n").line, data("---\na: 1\n...\n")) == (2, {"a": 1})


def test_a_file_far_too_large_is_refused_unread() -> None:
    problem = fatal(b"#" * (MAX_BYTES + 1))
    assert str(MAX_BYTES) in problem.message


@pytest.mark.parametrize("text", ["", "# only a comment\n", "\n\n"])
def test_an_empty_file_holds_nothing(text: str) -> None:
    assert data(text) is None


SCALARS = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.dates() | st.text(max_size=12)
THINGS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(THINGS)
@example({"=": "=", "<<": "<<", "1e3": "12", "null": ["~", "yes"]})
def test_what_a_yaml_writer_writes_is_read_as_it_was(thing: Any) -> None:
    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, _: Any) -> bool:
            return True

    assert data(yaml.dump(thing, Dumper=Plain)) == thing


@given(st.text(alphabet="ab:-{}[],&*!?|>'\"#%@` \n\t0.~é老", max_size=40) | st.binary(max_size=40))
def test_any_text_is_read_or_refused_with_a_line_of_it(text: str | bytes) -> None:
    raw = text if isinstance(text, bytes) else text.encode()
    lines = raw.count(b"\n") + raw.count(b"\r") + raw.count(b"\xc2\x85") + raw.count(b"\xe2\x80") + 2
    try:
        _, places, problems = read_yaml(raw)
    except YamlProblem as problem:
        assert 1 <= problem.line <= lines
        assert problem.message
    else:
        assert all(1 <= line <= lines for line in places.values())
        assert all(1 <= p.line <= lines for p in problems)
