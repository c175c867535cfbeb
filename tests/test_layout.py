"""Names: what may lie in a tree, what branches and tags may be called, and their file names."""

import pytest
from aura_vcs import layout
from aura_vcs.errors.input import InvalidName
from aura_vcs.errors.integrity import RecordCorrupt, UnsafePath
from hypothesis import given, strategies as st

HOSTILE = [
    "",
    ".",
    "..",
    "a/b",
    "/etc",
    "../x",
    "a\0b",
    ".aura",
    ".AURA",
    ".Aura",
    ".aura.",
    ".aura ",
    ".aura. .",
    ".aura::$DATA",
    ".aura:stream",
    ".au\u200cra",
    "\u200d.aura",
    ".a\ufeffura",
    "\u206a.aura",
    ".\u202eaura",
    "AURA~1",
    "aura~1",
    ".aura~1",
    "aura123~2",
    "AU12AF~1",
    "\ufeff.AURA. ",
]
WINDOWS = [
    "C:",
    "C:\\x",
    "\\\\server\\share",
    "..\\x",
    "a\\b",
    "CON",
    "con.txt",
    "nul",
    "NUL .txt",
    "aux:",
    "COM1",
    "lpt9.log",
    "COM¹",
    "conin$",
    "x.",
    "x ",
    ".. ",
    "a:b",
    "a*b",
    "a?b",
    "a\nb",
    "<x>",
    "|",
]
PLAIN = [
    ".aurora",
    "aura",
    "auras",
    ".auraignore",
    "a~1",
    "~$x",
    "…",
    "cafe\u0301",
    "\udcff.bin",
    "-rf",
    "con",
    "a\\b",
    "C:",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_tree_refuses_names_that_escape_or_are_taken_for_aura(name: str) -> None:
    """H1, H2: parts that leave the folder, and every spelling of `.aura` on any file system."""
    with pytest.raises(UnsafePath):
        layout.check_entry_name(name)


@pytest.mark.parametrize("name", HOSTILE + WINDOWS)
def test_windows_refuses_paths_devices_and_streams(name: str) -> None:
    """H1: what Windows reads as a path, a drive, a device, a stream or another name."""
    with pytest.raises(UnsafePath):
        layout.check_windows_name(name)


@pytest.mark.parametrize("name", PLAIN)
def test_ordinary_names_are_taken(name: str) -> None:
    """Odd names that are legal on the person's own disk are versioned."""
    assert layout.check_entry_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-x",
        "--help",
        "../x",
        "a/../b",
        "a//b",
        "a/",
        "a\nb",
        "a b",
        "a\x1b[31m",
        "a\u202eb",
        "x.lock",
        "HEAD",
        "v3",
        "v3.ab",
        "a~1",
        "a^",
        "a:b",
        "a*",
        "@{1}",
        "a\\b",
        "\udcff",
        ".x",
        "abcdef1",
        "x" * 101,
        "A" * 90,
        "e\u0301",
        "con\0",
        "a..b",
    ],
)
def test_names_of_branches_that_could_be_options_paths_or_versions(name: str) -> None:
    """H6: one grammar refuses whatever a shell, a path or a revision could read another way."""
    with pytest.raises(InvalidName) as caught:
        layout.check_name("branch", name)
    assert "branch" in caught.value.message


@pytest.mark.parametrize(
    "name", ["main", "from-v3", "Ada/idea_2", "été", "CON", "con.txt", "aux", "a.", "日本", "x.y-z", "7th"]
)
def test_names_become_file_names_that_every_disk_can_hold(name: str) -> None:
    """An encoded name is plain ASCII, no device, and is decoded to what it was."""
    file = layout.encode_name(layout.check_name("branch", name))
    assert layout.decode_name(file) == name
    assert set(file) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-%ABCDEF")
    layout.check_windows_name(file)


@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60))
def test_two_names_never_share_a_file_name(one: str, other: str) -> None:
    """Names that differ, if only in case, have file names that differ on disks that ignore case."""
    names = []
    for name in (one, other, one.upper(), one.lower()):
        try:
            names.append(layout.check_name("tag", name))
        except InvalidName:
            continue
    files = {layout.encode_name(name).casefold() for name in names}
    assert len(files) == len(set(names))


@given(st.text())
def test_decoding_any_file_name_gives_a_name_or_says_so(text: str) -> None:
    """No file name that somebody drops into refs/ brings a reader down."""
    try:
        layout.decode_name(text)
    except RecordCorrupt:
        return


@given(st.text(max_size=20))
def test_a_safe_name_is_one_part(name: str) -> None:
    """Whatever passes is one part of a path, and not `.aura` when case is ignored."""
    try:
        layout.check_entry_name(name)
    except UnsafePath:
        return
    assert "/" not in name
    assert name not in {"", ".", ".."}
    assert name.casefold() != ".aura"
