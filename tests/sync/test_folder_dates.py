"""A tool that mirrors folders gives them the dates of the other side, also those that they had here when we looked."""

import os
from pathlib import Path

import pytest
from aura_vcs.annotations.notes import add_note, notes
from aura_vcs.history.names.tags import create_tag
from aura_vcs.history.versions import edit_version
from aura_vcs.project.summary import facts_stamp
from aura_vcs.sync.push import local_state
from aura_vcs.sync.transfer.push_negotiation import read_own_refs

from tests.helpers.check import versions
from tests.helpers.project import write

from .machines import machine, save
from .test_one_after_the_other import mirror, open_at


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Two machines' folders, alike; each has something in every folder of names and notes."""
    anna, bert = tmp_path / "anna", tmp_path / "bert"
    with machine(anna, "anna") as repo:
        version = save(repo, "plan.json", "{}", "First")
        add_note(repo, "plan.json", "hers")
        create_tag(repo, "first", version.id)
    bert.mkdir()
    mirror(anna, bert)
    open_at(bert).close()
    return anna, bert


def dates_of_folders(root: Path) -> dict[Path, tuple[int, int]]:
    return {
        path: (path.stat().st_atime_ns, path.stat().st_mtime_ns) for path in [root, *root.rglob("*")] if path.is_dir()
    }


def bring(source: Path, target: Path, *, but: tuple[str, ...] = ()) -> None:
    """Bring what is new, and leave every folder the date that it had."""
    dates = dates_of_folders(target)
    mirror(source, target, but=but)
    for folder, date in dates.items():
        os.utime(folder, ns=date)


def test_notes_that_a_tool_brought_are_listed(pair: tuple[Path, Path]) -> None:
    """Each writes one; both have both, whatever the folder's date says."""
    for root in pair:
        with open_at(root) as repo:
            add_note(repo, "plan.json", f"by {root.name}")
    bring(pair[1], pair[0], but=(f".aura/operations/{log_of(pair[0])}",))
    with open_at(pair[0]) as repo:
        assert len(notes(repo)) == 3


def log_of(root: Path) -> str:
    with open_at(root) as repo:
        return f"{repo.replica}.jsonl"


def test_names_and_tags_that_a_tool_brought_ahead_of_the_log_count(pair: tuple[Path, Path]) -> None:
    """The record of a version and a tag arrive, the log that tells of them does not."""
    with open_at(pair[1]) as repo:
        (version,) = versions(repo)
        edit_version(repo, version, name="Renamed")
        create_tag(repo, "second", version.id)
    with open_at(pair[0]) as repo:
        before = local_state(repo, read_own_refs(repo), all_versions=True)
    bring(pair[1], pair[0], but=(f".aura/operations/{log_of(pair[1])}",))
    with open_at(pair[0]) as repo:
        assert [version.name for version in versions(repo)] == ["Renamed"]
        assert local_state(repo, read_own_refs(repo), all_versions=True) != before
        assert set(repo.refs.all_tags()) == {"first", "second"}


def test_a_first_document_that_a_tool_brought_is_seen(pair: tuple[Path, Path]) -> None:
    """The list of projects looks again for what was not there."""
    write(pair[0], {"gone.txt": "so that there are as many files as before"})
    long_ago = 1_600_000_000 * 10**9
    for folder in ("", ".aura", ".aura/local", ".aura/refs"):
        os.utime(pair[0] / folder, ns=(long_ago, long_ago))
    known = facts_stamp(str(pair[0]))
    assert known is not None
    write(pair[1], {"brief.json": '{"topic": "new"}'})
    bring(pair[1], pair[0])
    assert facts_stamp(str(pair[0]), known) != known
