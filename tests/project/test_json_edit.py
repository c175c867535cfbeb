"""An edit of one value changes only that value's bytes."""

import json
import string
from typing import Any

import pytest
from aura_vcs.errors.documents import DocumentMalformed, InvalidValue, UnknownField
from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.formats.jsondoc.edit import get, insert, move_item, remove, set_value, set_values
from aura_vcs.formats.jsondoc.spans import parse
from aura_vcs.formats.jsondoc.style import write_like
from aura_vcs.formats.jsondoc.values import MAX_DOCUMENT_BYTES
from hypothesis import given, strategies as st

from tests.project.conftest import RELAXED

KEYS = st.text(alphabet=string.ascii_letters + "/~é \U0001f30d", max_size=4)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
CONTAINERS = st.dictionaries(KEYS, VALUES, max_size=4) | st.lists(VALUES, max_size=4)
LAYOUTS = st.sampled_from(
    [
        {"indent": 2},
        {"indent": 4},
        {"indent": "\t"},
        {"indent": None},
        {"indent": None, "separators": (",", ":")},
        {"indent": 2, "ensure_ascii": False},
        {"indent": 3, "separators": (",", " : ")},
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[Any, bytes]:
    """A value and one of the many ways to write it."""
    value = draw(CONTAINERS)
    text = json.dumps(value, **draw(LAYOUTS)) + draw(st.sampled_from(["", "\n", "\n\n"]))
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return value, draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()


def _pointers(value: Any, above: str = "") -> list[str]:
    """Every pointer into `value` except the root's."""
    children: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        children = [(key.replace("~", "~0").replace("/", "~1"), item) for key, item in value.items()]
    elif isinstance(value, list):
        children = [(str(index), item) for index, item in enumerate(value)]
    return [p for key, item in children for p in (f"{above}/{key}", *_pointers(item, f"{above}/{key}"))]


def _expected(value: Any, pointer: str, new: Any) -> Any:
    copy = json.loads(json.dumps(value))
    *above, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    at = copy
    for part in above:
        at = at[int(part)] if isinstance(at, list) else at[part]
    at[int(last) if isinstance(at, list) else last] = new
    return copy


def _loads(data: bytes) -> Any:
    return json.loads(data.decode("utf-8-sig"))


@RELAXED
@given(documents(), VALUES, st.data())
def test_set_changes_one_value_and_only_its_bytes(document: tuple[Any, bytes], new: Any, data: st.DataObject) -> None:
    """The result means the old document with one value changed, and begins and ends with the old bytes."""
    value, text = document
    pointers = _pointers(value)
    if not pointers:
        return
    pointer = data.draw(st.sampled_from(pointers))
    changed = set_value(text, pointer, new)
    assert _loads(changed) == _expected(value, pointer, new)
    raw = json.dumps(get(text, pointer))
    prefix, suffix = _around(text, pointer)
    assert changed.startswith(prefix), raw
    assert changed.endswith(suffix), raw


def _around(text: bytes, pointer: str) -> tuple[bytes, bytes]:
    """What stands before and after the value at `pointer`, found independently of the editor's search."""
    node = parse(text, "x").root
    for key in [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]:
        if node.kind == "array":
            node = node.items[int(key)]
        else:
            node = next(member.value for member in node.members if member.key == key)
    return text[: node.start], text[node.end :]


@RELAXED
@given(documents(), VALUES, st.data())
def test_insert_then_remove_gives_the_same_bytes(document: tuple[Any, bytes], new: Any, data: st.DataObject) -> None:
    """Adding an element to a container that has some, and taking it out again, leaves no trace."""
    value, text = document
    homes = [p for p in ["", *_pointers(value)] if get(text, p) and isinstance(get(text, p), (dict, list))]
    if not homes:
        return
    home = data.draw(st.sampled_from(homes))
    inside = get(text, home)
    key = "a new key" if isinstance(inside, dict) else data.draw(st.integers(0, len(inside)))
    pointer = f"{home}/{key}"
    added = insert(text, pointer, new)
    assert get(added, pointer) == new
    assert remove(added, pointer) == text


@RELAXED
@given(documents(), st.data())
def test_remove_keeps_the_rest(document: tuple[Any, bytes], data: st.DataObject) -> None:
    """What is left after a removal is what a dictionary or list would have left."""
    value, text = document
    pointers = _pointers(value)
    if not pointers:
        return
    pointer = data.draw(st.sampled_from(pointers))
    home, _, key = pointer.rpartition("/")
    inside = get(text, home)
    if isinstance(inside, dict):
        inside.pop(key.replace("~1", "/").replace("~0", "~"))
    else:
        inside.pop(int(key))
    assert get(remove(text, pointer), home) == inside


@RELAXED
@given(documents())
def test_the_reader_agrees_with_the_standard_library(document: tuple[Any, bytes]) -> None:
    """Values read through spans are the values `json` reads."""
    value, text = document
    assert parse(text, "x").value() == value


@RELAXED
@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:0123456789.eE+-truefalsn\\u \n', max_size=60))
def test_the_reader_accepts_exactly_what_is_json(text: bytes | str) -> None:
    """Noise is refused with a place, never with another exception; what is accepted means the same."""
    data = text.encode() if isinstance(text, str) else text
    try:
        standard: Any = json.loads(data.decode("utf-8-sig"))
    except ValueError:
        with pytest.raises(DocumentMalformed, match=r"line \d+, column \d+"):
            parse(data, "noise.json")
        return
    assert repr(parse(data, "noise.json").value()) == repr(standard)


def test_a_number_keeps_its_spelling_when_it_is_the_same_number() -> None:
    """Setting 1 where 1.0 stands, or 1e2 where 100 is meant, changes no byte; 1 and true differ."""
    text = b'{"a": 1.0, "b": 1E2, "c": 123456789012345678901234567890, "d": 1}'
    assert set_value(text, "/a", 1) == text
    assert set_value(text, "/b", 100) == text
    assert set_value(text, "/c", 123456789012345678901234567890) == text
    assert set_value(text, "/d", True) == text.replace(b'"d": 1', b'"d": true')


def test_a_new_key_looks_like_its_neighbours() -> None:
    """Indentation by tabs, CRLF, blanks around the colon and the last line's comma are kept."""
    text = b'{\r\n\t"a" : 1,\r\n\t"b" : {}\r\n}\r\n'
    added = b'\t"c" : [\r\n\t\t1,\r\n\t\t{\r\n\t\t\t"x": 2\r\n\t\t}\r\n\t]\r\n'
    assert set_value(text, "/c", [1, {"x": 2}]) == text[:-5] + b",\r\n" + added + b"}\r\n"
    assert set_value(text, "/b/z", 1) == b'{\r\n\t"a" : 1,\r\n\t"b" : {\r\n\t\t"z": 1\r\n\t}\r\n}\r\n'


def test_a_list_on_one_line_stays_on_one_line() -> None:
    """Tags written side by side do not fall apart into lines when one is added or all are replaced."""
    text = b'{\n  "tags": ["a"],\n  "n": 1\n}\n'
    assert set_value(text, "/tags/-", "b") == b'{\n  "tags": ["a", "b"],\n  "n": 1\n}\n'
    assert set_value(text, "/tags", ["x", "y"]) == b'{\n  "tags": ["x", "y"],\n  "n": 1\n}\n'


def test_letters_are_escaped_only_where_the_document_does_it() -> None:
    """A document in plain ASCII with \\u escapes gets escapes; others get the letters."""
    assert set_value(b'{"a": "\\u00e9"}', "/a", "ö") == b'{"a": "\\u00f6"}'
    assert set_value(b'{"a": "e"}', "/a", "ö") == '{"a": "ö"}'.encode()


def test_of_a_double_key_the_last_one_counts() -> None:
    """Setting changes the one that readers see; removing leaves none of them."""
    text = b'{"a": 1, "b": 2, "a": 3}'
    assert set_value(text, "/a", 4) == b'{"a": 1, "b": 2, "a": 4}'
    assert remove(text, "/a") == b'{"b": 2}'
    assert remove(b'{"a": 1, "a": 2, "a": 3}', "/a") == b"{}"


def test_what_cannot_be_written_is_refused() -> None:
    """NaN, half characters, foreign objects and endless integers never reach a document."""
    for value in (float("nan"), float("inf"), "\ud800", {"x": object()}, b"bytes", [float("nan")], 10**5000):
        with pytest.raises(InvalidValue):
            set_value(b'{"a": 1}', "/a", value)


def test_a_pointer_to_nothing_says_what_there_is() -> None:
    """The message names the document and the place, the hint the keys at hand."""
    with pytest.raises(UnknownField, match=r"voice\.json has nothing at /pich") as caught:
        get(b'{"pitch": 1, "rate": 2}', "/pich", name="voice.json")
    assert caught.value.hint == "There is: pitch, rate"
    for pointer in ("/a/b/c", "/l/5", "/l/-1", "/l/01", "/a/x"):
        with pytest.raises(UnknownField):
            set_value(b'{"a": 1, "l": [1]}', pointer, 2)
    with pytest.raises(InvalidValue, match="begins with '/'"):
        get(b"{}", "title")


def test_a_syntax_error_names_line_and_column() -> None:
    """Columns count characters, also after letters of several bytes and after a byte order mark."""
    with pytest.raises(DocumentMalformed, match=r"plan\.json is not valid JSON: .*line 2, column 8"):
        parse('{\n  "é": ,\n}'.encode(), "plan.json")
    with pytest.raises(DocumentMalformed, match=r"line 1, column 2"):
        parse(b"\xef\xbb\xbf{,}", "plan.json")
    with pytest.raises(DocumentMalformed, match=r"not UTF-8 \(line 1, column 3\)"):
        parse(b'{"\xff": 1}', "plan.json")


def test_depth_and_length_have_limits() -> None:
    """Hostile nesting and size end in an error, not in a crash."""
    assert parse(b"[" * 100 + b"]" * 100, "x").value()
    for bomb in (b"[" * 100_000, b'{"a":' * 100_000):
        with pytest.raises(LimitExceeded):
            parse(bomb, "x")
    with pytest.raises(LimitExceeded):
        parse(b" " * (MAX_DOCUMENT_BYTES + 1), "x")


def test_a_bomb_of_empty_lists_is_refused() -> None:
    """Two million values in six megabytes end in an error before they fill the memory."""
    with pytest.raises(LimitExceeded, match="number of values in x"):
        parse(b"[" + b"[]," * 2_000_000 + b"[]]", "x")


def test_huge_numbers_and_strings_take_no_time() -> None:
    """A megabyte of digits or of escapes is read in one pass."""
    assert parse(b"9" * 1_000_000, "x").value() == float("inf")
    assert len(parse(b'"' + b"\\n" * 500_000 + b'"', "x").value()) == 500_000
    with pytest.raises(DocumentMalformed):
        parse(b'"' + b"\\n" * 500_000, "x")


def test_odd_but_readable_things_are_reported() -> None:
    """A double key, NaN and half a surrogate pair are read, and named with their places."""
    document = parse(b'{"a": NaN, "b": {"x/y": 1, "x/y": 2}, "c": ["\\ud800"]}', "x")
    assert [oddity.pointer for oddity in document.oddities()] == ["/a", "/b/x~1y", "/c/0"]
    assert parse(b'{"c": "\\ud83c\\udf0d"}', "x").oddities() == []


@RELAXED
@given(documents(), st.data())
def test_setting_many_writes_what_setting_each_writes(document: tuple[Any, bytes], data: st.DataObject) -> None:
    """Several values in one pass: each is spelled as if it were set alone, the rest stays."""
    value, text = document
    leaves = [p for p in _pointers(value) if not isinstance(get(text, p), (dict, list))]
    if not leaves:
        return
    values = data.draw(st.dictionaries(st.sampled_from(leaves), SCALARS, min_size=1, max_size=4))
    expected = text
    for pointer in sorted(values, key=lambda p: len(_around(text, p)[0]), reverse=True):
        before, after = _around(text, pointer)
        alone = set_value(text, pointer, values[pointer])
        spelled = alone[len(before) : len(alone) - len(after)]
        expected = expected[: len(before)] + spelled + expected[len(text) - len(after) :]
    assert set_values(text, values) == expected


@RELAXED
@given(st.lists(SCALARS, min_size=1, max_size=6), LAYOUTS, st.data())
def test_a_moved_item_keeps_its_bytes(items: list[Any], layout: dict[str, Any], data: st.DataObject) -> None:
    """The list means what `list.insert` makes of it, and moving back restores every byte."""
    text = json.dumps({"list": items}, **layout).encode()
    start = data.draw(st.integers(0, len(items) - 1))
    to = data.draw(st.integers(0, len(items) - 1))
    moved = move_item(text, "/list", start, to)
    items.insert(to, items.pop(start))
    assert get(moved, "/list") == items
    assert move_item(moved, "/list", to, start) == text


@pytest.mark.parametrize(
    "data",
    [
        b'{\n  "a": {\n    "x": 1\n  }\n}\n', b'{\n\t"a": {\n\t\t"x": 1\n\t}\n}', b'{\r\n    "a": 1\r\n}\r\n',
        b'{"a": {"x": 1}}', b'{"a":{"x":1}}\n', b'{\n  "a": "\\u00e4"\n}', b'[{\n    "a": 1\n}]',
    ],
)  # fmt: skip
def test_an_edit_and_a_merge_write_alike(data: bytes) -> None:
    """What is added looks the same, whoever adds it: there is one answer to how a document is laid out."""
    added = {"c": 1, "d": {"e": "ü"}}
    before = json.loads(data)
    after = [{**before[0], "b": added}] if isinstance(before, list) else {**before, "b": added}
    edited = set_value(data, "/0/b" if isinstance(before, list) else "/b", added)
    merged = write_like(after, data, before)
    assert json.loads(edited) == json.loads(merged) == after
    if isinstance(before, dict):
        assert edited == merged
