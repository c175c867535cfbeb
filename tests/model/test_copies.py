"""Random work on a real folder, against plain copies of it.

The model keeps, for every version, what the folder looked like when it was made. Whatever the
library is asked to do, the folder must then look as the model says, and every live version must
still give back its copy, byte for byte. What is unsaved stays in the folder, but for what differs
between where one was and where one goes.
"""

import os
import shutil
import tempfile
from pathlib import Path

import msgspec
import pytest
from aura_vcs import Repository
from aura_vcs.errors.input import NothingToUndo, OperationExpired, VersionInUse
from aura_vcs.errors.integrity import ObjectPurged
from aura_vcs.history.checkout import CheckoutResult, checkout, restore
from aura_vcs.history.commit import commit
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.undo import redo, undo
from aura_vcs.history.versions import delete_version, purge_version, undelete_version
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import VersionRecord
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.model import EntryKind
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.helpers.check import assert_whole, versions
from tests.helpers.project import look, noise
from tests.helpers.random_steps import long, short

from .steps import Copy, is_lost, stepped

PATHS = ["brief.json", "plan.json", "d/x.txt", "d/y.bin", "d/e/z", "d", "f", "f/g", "odd name…", "D/x.txt"]
CONTENTS = {
    "none": b"",
    "{}": b"{}",
    "one": b"one",
    "two": b"two\n",
    "media": noise(5000, seed=1),
    "text": b"text " * 500,
}


Place = tuple[str | None, int | None]
"""The branch and the version that HEAD is on."""


class Deed(msgspec.Struct):
    """Something that undo takes back: the copies before and after if it was about files, and HEAD."""

    before: Copy | None
    after: Copy | None
    head_before: Place
    head_after: Place
    made: int | None = None
    flags: tuple[int, bool, bool] | None = None
    """Number of a version, whether it was live before, and after."""
    action: str = ""
    """The id of what was done, as the library lists it."""


class Copies(RuleBasedStateMachine):
    """Every rule does the same to the project and to the model."""

    def __init__(self) -> None:
        super().__init__()
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.root = Path(tempfile.mkdtemp(prefix="aura-model-", dir=base))
        self.repo = Repository.init(self.root, author="Ada", host="studio")
        self.copies: dict[int, Copy] = {}
        self.live: dict[int, bool] = {}
        self.freed: set[int] = set()
        self.collected = False
        self.done: list[Deed] = []
        self.undone: list[Deed] = []

    def teardown(self) -> None:
        """Look at everything once more, then clean up."""
        try:
            assert fsck(self.repo).problems == ()
            self._check_versions()
            self.repo.rebuild_index()
            assert_whole(self.repo)
            self._check_versions()
        finally:
            self.repo.close()
            shutil.rmtree(self.root)

    # Edits

    @initialize()
    def begin(self) -> None:
        """Start with a file and a first version."""
        (self.root / "brief.json").write_bytes(b"{}")
        self.save()

    @rule(path=st.sampled_from(PATHS), content=st.sampled_from(sorted(CONTENTS)))
    def write(self, path: str, content: str) -> None:
        """Write a file, whatever is in its way."""
        target = self._make_way(path)
        target.write_bytes(CONTENTS[content])

    @rule(path=st.sampled_from(PATHS), to=st.sampled_from(["f", "../outside", "d", "nowhere"]))
    def link(self, path: str, to: str) -> None:
        """Put a link there."""
        self._make_way(path).symlink_to(to)

    @rule(path=st.sampled_from(["empty", "d/none", "f"]))
    def folder(self, path: str) -> None:
        """Make an empty folder."""
        self._make_way(path).mkdir()

    @rule(path=st.sampled_from(PATHS))
    def remove(self, path: str) -> None:
        """Remove what is there."""
        _remove(self.root / path)

    @rule(path=st.sampled_from(PATHS))
    def turn(self, path: str) -> None:
        """Turn a file's executable bit."""
        target = self.root / path
        if target.is_file() and not target.is_symlink():
            target.chmod(target.stat().st_mode ^ 0o111)

    @rule(path=st.sampled_from(PATHS))
    def rewrite_in_place(self, path: str) -> None:
        """Change a file but neither its size nor its date of change."""
        target = self.root / path
        if target.is_file() and not target.is_symlink() and target.stat().st_size:
            found = target.stat()
            content = target.read_bytes()
            target.write_bytes(bytes([content[0] ^ 1]) + content[1:])
            os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))

    # Commands

    @rule()
    def save(self) -> None:
        """Commit: a version if something changed."""
        head, now = self._head(), look(self.root)
        done = commit(self.repo, "a version")
        if head[1] is not None and now == self.copies[head[1]]:
            assert done.version is None
            return
        assert done.version is not None
        self._made(done.version, now)
        self._did(Deed(None, None, head, self._head(), made=done.version.number))

    @rule(data=st.data())
    def go(self, data: st.DataObject) -> None:
        """Check a version out."""
        number = self._choose(data)
        head, before = self._head(), look(self.root)
        if not self._has_content(number):
            with pytest.raises(ObjectPurged):
                checkout(self.repo, f"v{number}")
            return
        self._go(number, head, before, clean=False)

    @rule(data=st.data())
    def go_clean(self, data: st.DataObject) -> None:
        """Check a version out with nothing else in the folder."""
        number = self._choose(data)
        if self._has_content(number):
            self._go(number, self._head(), look(self.root), clean=True)

    def _go(self, number: int, head: Place, before: Copy, *, clean: bool) -> None:
        base, wanted = self._copy(head), self.copies[number]
        moved = checkout(self.repo, f"v{number}", clean=clean)
        after = wanted if clean else stepped(before, base, wanted)
        assert look(self.root) == after
        assert (moved.restore_point is not None) == is_lost(before, after, base)
        assert moved.is_idle == (before == after and self._head() == head)
        self._saved_before(moved.restore_point, before)
        if not moved.is_idle:
            self._did(Deed(before, after, head, self._head()))

    @rule(data=st.data())
    def bring_back(self, data: st.DataObject) -> None:
        """Restore a version's content; what was there is saved, if anything changes."""
        number = self._choose(data)
        head, before = self._head(), look(self.root)
        if not self._has_content(number):
            return
        base, wanted = self._copy(head), self.copies[number]
        self._brought(stepped(before, {} if base == wanted else base, wanted), restore(self.repo, f"v{number}"), before)

    @rule(data=st.data())
    def bring_some_back(self, data: st.DataObject) -> None:
        """Restore one path of a version, or take away what it has not."""
        number, before = self._choose(data), look(self.root)
        paths = sorted(path for path in before.keys() | self.copies[number].keys())
        if not paths or not self._has_content(number):
            return
        path = data.draw(st.sampled_from(paths))
        inside = {p: seen for p, seen in self.copies[number].items() if p == path or p.startswith(path + b"/")}
        others = {p: seen for p, seen in before.items() if p != path and not p.startswith(path + b"/")}
        after = stepped(others, {}, inside)
        self._brought(after, restore(self.repo, f"v{number}", [os.fsdecode(path)]), before)

    def _brought(self, after: Copy, moved: CheckoutResult, before: Copy) -> None:
        assert look(self.root) == after
        assert (moved.restore_point is None) == moved.is_idle == (before == after)
        self._saved_before(moved.restore_point, before)
        if not moved.is_idle:
            self._did(Deed(before, after, self._head(), self._head()))

    @rule()
    def take_back(self) -> None:
        """Undo."""
        self._turn(self.done, self.undone, back=True)

    @rule()
    def do_again(self) -> None:
        """Redo."""
        self._turn(self.undone, self.done, back=False)

    @rule(data=st.data(), purge=st.booleans())
    def delete(self, data: st.DataObject, purge: bool) -> None:
        """Delete or purge a version, if nothing stands on it."""
        number = self._choose(data)
        record = resolve(self.repo, f"v{number}")
        was_live = record.is_live
        try:
            after = purge_version(self.repo, record) if purge else delete_version(self.repo, record)
        except VersionInUse:
            return
        self.live[number] = False
        if after != record:
            head = self._head()
            self._did(Deed(None, None, head, head, flags=(number, was_live, False)))

    @precondition(lambda self: not all(self.live.values()))
    @rule(data=st.data())
    def bring_back_version(self, data: st.DataObject) -> None:
        """Undelete, while its content is there."""
        number = data.draw(st.sampled_from(sorted(n for n, live in self.live.items() if not live)))
        try:
            record = undelete_version(self.repo, resolve(self.repo, f"v{number}"))
        except (ObjectPurged, OperationExpired):
            assert number in self.freed
            return
        assert record.is_live
        self.live[number] = True
        head = self._head()
        self._did(Deed(None, None, head, head, flags=(number, False, True)))

    @rule(grace=st.sampled_from([0, 0, 3600]))
    def collect(self, grace: int) -> None:
        """Collect garbage. With a grace of an hour nothing can go yet."""
        collected = execute_gc(self.repo, plan_gc(self.repo, grace_seconds=grace, dead_share=0.0))
        if grace:
            assert collected.removed_objects == 0
        else:
            self.freed |= {number for number, live in self.live.items() if not live}
            self.collected = True

    @rule(how=st.sampled_from(["delete", "zero", "garbage", "cache", "reopen"]))
    def lose_what_is_derived(self, how: str) -> None:
        """Delete or spoil the index or the scan cache; open again."""
        self.repo.close()
        local = self.root / ".aura" / "local"
        if how == "delete":
            for path in local.glob("index.sqlite*"):
                path.unlink()
        elif how in {"zero", "garbage"}:
            content = b"\0" if how == "zero" else noise(4096, seed=9)
            (local / "index.sqlite").write_bytes(content * 4)
        elif how == "cache":
            (local / "scan-cache").unlink(missing_ok=True)
        self.repo = Repository.open(self.root, author="Ada", host="studio")

    # What must hold

    @invariant()
    def numbers_agree(self) -> None:
        """The library lists the versions that the model knows, live ones as live."""
        found = {record.number: record.is_live for record in versions(self.repo)}
        assert found == self.live

    def _check_versions(self) -> None:
        for record in versions(self.repo):
            if record.is_live:
                assert _content(self.repo, record.tree) == self.copies[record.number]

    # Helpers

    def _choose(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.copies)))

    def _has_content(self, number: int) -> bool:
        return resolve(self.repo, f"v{number}").purged_at is None

    def _head(self) -> Place:
        head = self.repo.head()
        return head.branch, resolve(self.repo, "HEAD").number if head.version is not None else None

    def _made(self, record: VersionRecord, copy: Copy) -> None:
        assert record.number == max(self.copies, default=0) + 1
        self.copies[record.number], self.live[record.number] = copy, True

    def _saved_before(self, point: VersionRecord | None, before: Copy) -> None:
        if point is not None:
            self._made(point, before)

    def _did(self, deed: Deed) -> None:
        deed.action = Queries(self.repo.index).actions(limit=1)[0].id
        self.done.append(deed)
        self.undone.clear()

    def _turn(self, source: list[Deed], target: list[Deed], *, back: bool) -> None:
        now, head = look(self.root), self._head()
        try:
            done = undo(self.repo) if back else redo(self.repo)
        except NothingToUndo:
            assert not source
            return
        except OperationExpired:
            assert self.collected
            assert look(self.root) == now
            return
        turned = done.operation.undoes if back else done.operation.redoes
        place = next(number for number, deed in enumerate(source) if deed.action == turned)
        if place < len(source) - 1:  # what was done later cannot be taken back any more
            assert back
            assert self.collected
            assert done.passed_over
        deed = source.pop(place)
        target.append(deed)
        self._saved_before(done.restore_point, now)
        assert look(self.root) == self._turned(deed, head, now, done.restore_point is not None, back=back)
        if deed.head_before != deed.head_after:
            head = deed.head_before if back else deed.head_after
        assert self._head() == head
        if deed.made is not None:
            self.live[deed.made] = not back
        if deed.flags is not None:
            number, was, became = deed.flags
            self.live[number] = was if back else became

    def _turned(self, deed: Deed, head: Place, now: Copy, has_point: bool, *, back: bool) -> Copy:
        """The folder after a deed was taken back, or done again."""
        if deed.before is None or deed.after is None:
            return now
        old, new = (deed.after, deed.before) if back else (deed.before, deed.after)
        wanted = stepped(now, old, new)
        assert has_point == is_lost(now, wanted, old, self._copy(head))
        return wanted

    def _copy(self, head: Place) -> Copy:
        return self.copies[head[1]] if head[1] is not None else {}

    def _make_way(self, path: str) -> Path:
        target = self.root / path
        for parent in list(target.relative_to(self.root).parents)[-2::-1]:
            if not (self.root / parent).is_dir() or (self.root / parent).is_symlink():
                _remove(self.root / parent)
                (self.root / parent).mkdir()
        _remove(target)
        return target


def _remove(path: Path) -> None:
    parents = path.parents
    if any(parent.is_symlink() for parent in parents):
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.is_symlink() or path.exists():
        path.unlink()


def _content(repo: Repository, tree: ObjectId) -> Copy:
    copy: Copy = {}
    for path, entry in repo.trees.walk(tree):
        data = b"" if entry.kind is EntryKind.DIR else repo.store.read(entry.id)
        kind = {EntryKind.DIR: "dir", EntryKind.FILE: "file", EntryKind.SYMLINK: "link"}[entry.kind]
        copy[os.fsencode(path)] = (kind, data, entry.executable)
    return copy


TestCopies = Copies.TestCase
TestCopies.settings = short(15, 25)


@pytest.mark.slow
@pytest.mark.timeout(3600)
class TestManyCopies(Copies.TestCase):  # type: ignore[misc, valid-type]
    """The same, for long."""

    settings = long(150, 50)
