"""Exporting to git: a repository that git itself finds whole, the same each time, and the one that came."""

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs.errors.integrity import StorageFull
from aura_vcs.errors.interchange import TargetExists
from aura_vcs.history.autosave import autosave
from aura_vcs.history.commit import CommitRequest, commit as commit_version
from aura_vcs.history.names.branches import branches, create_branch
from aura_vcs.history.names.tags import create_tag
from aura_vcs.ids import VersionId
from aura_vcs.index.queries import VersionFilter
from aura_vcs.interchange import git_export
from aura_vcs.interchange.git_export import GitExported, export_git
from aura_vcs.interchange.git_import import import_git
from aura_vcs.interchange.git_objects import FILE, GitEntry
from aura_vcs.interchange.git_remainders import SAME_TREES, RemainderExport
from aura_vcs.interchange.git_tags import name_in_git, tag_objects
from aura_vcs.model import Version, VersionType
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.repository.repository import Repository

from tests.interchange.repositories import ENVIRONMENT, commit, film, git, raw_commit, raw_tree, start

SIGNATURE = b"-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n"
WORDS = f"tagger A <a@x> 1 +0000\n\nOut\n{SIGNATURE.decode()}"


def write(repo: Repository, target: Path, **options: object) -> GitExported:
    """Export with the environment of the tests."""
    return export_git(repo, str(target), environment=ENVIRONMENT, **options)  # type: ignore[arg-type]


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    """An empty project."""
    (tmp_path / "project").mkdir()
    with Repository.init(str(tmp_path / "project"), author="Tess <t@x>") as repo:
        yield repo


def refs(folder: Path) -> str:
    """All refs of a repository with what they name."""
    return git(folder, "for-each-ref", "--format=%(refname) %(objectname) %(*objectname)")


def test_an_imported_repository_comes_out_as_it_was(tmp_path: Path, repo: Repository) -> None:
    """Every commit has its id again, also a signed one with words in Latin-1; git finds nothing wrong."""
    source = film(tmp_path / "film")
    words = (
        b"author J\xf6rg <j@x> 1600000000 +0130\ncommitter A <a@x> 1600000000 -0700\nencoding ISO-8859-1\n"
        b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\n\n\xdcbung\n\n\n"
    )
    tree = git(source, "rev-parse", "HEAD^{tree}")
    git(source, "update-ref", "refs/heads/main", raw_commit(source, tree, [git(source, "rev-parse", "HEAD")], words))
    import_git(repo, str(source), environment=ENVIRONMENT)
    done = write(repo, tmp_path / "out")
    assert (done.commits, done.original, done.left) == (10, 10, ())
    assert git(tmp_path / "out", "fsck", "--strict", "--full") == ""
    for name in ("main", "sound", "light", "titles", "v1.0^{}", "rough"):
        assert git(tmp_path / "out", "rev-parse", name) == git(source, "rev-parse", name)
    assert git(tmp_path / "out", "status", "--porcelain") == ""
    assert os.readlink(tmp_path / "out/latest") == "scenes/one.md"
    assert os.access(tmp_path / "out/run.sh", os.X_OK)


def test_tags_come_out_as_they_were(tmp_path: Path, repo: Repository) -> None:
    """Tagger, message, signature and tags of tags byte for byte; on another commit, the words without the signature."""
    source = film(tmp_path / "film")
    commit = git(source, "rev-parse", "HEAD")
    words = {
        "signed": b"tagger J\xf6rg <j@x> 1600000000 +0130\n\nOut\n\nof doors \n" + SIGNATURE,
        "quiet": b"tagger Jon <j@x> 1600000000 -0700\n\n",
    }
    for name, rest in words.items():
        data = f"object {commit}\ntype commit\ntag {name}\n".encode() + rest
        git(source, "tag", name, git(source, "hash-object", "-t", "tag", "-w", "--stdin", data=data))
    git(source, "tag", "-a", "-m", "A tag of a tag", "double", "signed")
    import_git(repo, str(source), environment=ENVIRONMENT)
    write(repo, tmp_path / "out")
    assert refs(tmp_path / "out").count("refs/tags/") == 5
    for name in ("v1.0", "rough", "double", *words):
        assert git(tmp_path / "out", "rev-parse", name) == git(source, "rev-parse", name)
    assert git(tmp_path / "out", "fsck", "--strict", "--full") == ""
    extra = repo.refs.tags()["double"].extra | {"git": f"object {commit}\ntype tag\ntag double\n{WORDS}"}
    assert tag_objects(extra, commit) == [
        f"object {commit}\ntype commit\ntag double\n{WORDS[: -len(SIGNATURE)]}".encode()
    ]
    assert tag_objects({"git": "object none"}, commit) == []


def test_round_trip_gives_the_same_trees_and_commits(tmp_path: Path, repo: Repository) -> None:
    """Versions made here, exported twice and imported elsewhere: same commits, same trees, same names."""
    root = Path(repo.root)
    (root / "a").mkdir()
    (root / "a/b.txt").write_text("b\n")
    (root / "a.txt").write_text("a\n")
    first = commit_version(repo, CommitRequest("First <cut>", description="Longer\n\nwords")).version
    assert first is not None
    create_branch(repo, "side", first.id)
    create_tag(repo, "sent", first.id, "To the client")
    (root / "large.mov").write_bytes(os.urandom(2 << 20))
    commit_version(repo, "Second")
    write(repo, tmp_path / "one")
    write(repo, tmp_path / "two")
    assert refs(tmp_path / "one") == refs(tmp_path / "two")
    assert git(tmp_path / "one", "fsck", "--strict", "--full") == ""
    assert (
        git(tmp_path / "one", "log", "-1", "--format=%an <%ae>%n%B", "side")
        == "Tess <t@x>\nFirst <cut>\n\nLonger\n\nwords"
    )
    (tmp_path / "back").mkdir()
    with Repository.init(str(tmp_path / "back")) as back:
        import_git(back, str(tmp_path / "one"), environment=ENVIRONMENT)
        own = {found.name: repo.queries.version(found.version) for found in branches(repo)}
        came = {found.name: back.queries.version(found.version) for found in branches(back)}
        assert {name: v and v.tree for name, v in own.items()} == {name: v and v.tree for name, v in came.items()}
        assert back.refs.tags()["sent"].message == "To the client"


def test_large_files_go_to_lfs(tmp_path: Path, repo: Repository) -> None:
    """Pointers in the commits, the content beside them; an import takes it back from there."""
    data = os.urandom(1 << 20)
    (Path(repo.root) / "clip.mov").write_bytes(data)
    head = commit_version(repo, "Clip").version
    done = write(repo, tmp_path / "out", lfs_over=1000)
    oid = hashlib.sha256(data).hexdigest()
    assert done.lfs_files == 1
    assert (tmp_path / "out/.git/lfs/objects" / oid[:2] / oid[2:4] / oid).read_bytes() == data
    assert (tmp_path / "out/clip.mov").read_text().splitlines()[1] == f"oid sha256:{oid}"
    assert git(tmp_path / "out", "fsck", "--strict") == ""
    (tmp_path / "back").mkdir()
    with Repository.init(str(tmp_path / "back")) as back:
        came = import_git(back, str(tmp_path / "out"), environment=ENVIRONMENT)
        assert came.head is not None
        assert came.head.version is not None
        record = back.queries.version(came.head.version)
        assert record is not None
        assert head is not None
        assert record.tree == head.tree


def test_autosaves_on_request_and_what_git_cannot_have(tmp_path: Path, repo: Repository) -> None:
    """Autosaves come as tags where asked for; a branch in the way of others gets another name."""
    (Path(repo.root) / "a.txt").write_text("a\n")
    head = commit_version(repo, "First").version
    assert head is not None
    create_branch(repo, "main/side", head.id)
    (Path(repo.root) / "a.txt").write_text("b\n")
    autosave(repo)
    done = write(repo, tmp_path / "out", all_versions=True)
    assert any("refs/heads/main is called refs/heads/main_" in line for line in done.left)
    assert "refs/tags/aura/v2" in refs(tmp_path / "out")
    assert git(tmp_path / "out", "fsck", "--strict") == ""
    with pytest.raises(TargetExists):
        write(repo, tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["out", "project"]


def test_a_full_disk_is_told_with_its_place(repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for every other export; and nothing is left."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "project/a.txt").write_text("a")
    commit_version(repo, "One")
    monkeypatch.setattr(git_export._Export, "_write_repository", full)
    with pytest.raises(StorageFull, match="out"):
        write(repo, tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))


def module_film(folder: Path) -> tuple[Path, list[str]]:
    """A repository with submodules, an old mode, a padded mode and a folder of nothing, on two lines that merge."""
    start(folder)
    blob = git(folder, "hash-object", "-w", "--stdin", data=b"Words\n")
    nothing = git(folder, "hash-object", "-t", "tree", "-w", "--stdin")
    theme = "1" * 40
    inner = raw_tree(folder, [("100664", b"old.txt", blob), ("160000", b"theme", theme)])
    entries = [("100644", b".gitmodules", blob), ("040000", b"docs", inner), ("40000", b"empty", nothing)]
    first = raw_commit(folder, raw_tree(folder, [*entries, ("100644", b"one", blob)]))
    second = raw_commit(folder, raw_tree(folder, [*entries, ("100755", b"two", blob)]), [first])
    plain = raw_commit(folder, raw_tree(folder, [("100644", b"one", blob)]), [first])
    newer = raw_tree(folder, [("160000", b"only\nlines\xff", "2" * 40), ("160000", b"theme", theme)])
    merged = raw_commit(folder, raw_tree(folder, [*entries[:1], ("40000", b"docs", newer)]), [plain, second])
    git(folder, "update-ref", "refs/heads/main", merged)
    return folder, [first, second, plain, merged]


def test_submodules_and_modes_of_git_come_out_as_they_were(tmp_path: Path, repo: Repository) -> None:
    """They are named and left, and every commit has its id again; also of a second import, which learns them."""
    source, ids = module_film(tmp_path / "film")
    git(source, "update-ref", "refs/heads/main", ids[0])
    came = import_git(repo, str(source), environment=ENVIRONMENT)
    assert [(left.what, left.reason) for left in came.left] == [
        ("docs/theme", f"it is a submodule, at commit {'1' * 12}")
    ]
    git(source, "update-ref", "refs/heads/main", ids[-1])
    import_git(repo, str(source), environment=ENVIRONMENT)
    extras = [repo.trees.version(record.id).extra for record in repo.queries.all_versions(VersionFilter())]
    assert [SAME_TREES in extra for extra in extras].count(True) == 1
    assert not (Path(repo.root) / "docs/theme").exists()
    done = write(repo, tmp_path / "out")
    assert (done.commits, done.original) == (4, 4)
    assert git(tmp_path / "out", "rev-list", "main").split() == git(source, "rev-list", ids[-1]).split()
    assert git(tmp_path / "out", "fsck", "--full") == ""


def test_submodules_stay_in_what_is_made_here_on_top(tmp_path: Path, repo: Repository) -> None:
    """A commit on top does not take them out for those who stay with git, as long as .gitmodules is there."""
    source, ids = module_film(tmp_path / "film")
    git(source, "update-ref", "refs/heads/main", ids[1])
    import_git(repo, str(source), environment=ENVIRONMENT)
    (Path(repo.root) / "three").write_text("3")
    commit_version(repo, "On top")
    write(repo, tmp_path / "out")
    assert git(tmp_path / "out", "ls-tree", "main", "docs/theme").startswith("160000 commit")
    (Path(repo.root) / ".gitmodules").unlink()
    commit_version(repo, "Without them")
    write(repo, tmp_path / "less")
    assert git(tmp_path / "less", "ls-tree", "main", "docs/theme") == ""


def test_hostile_trees_make_no_long_lists(tmp_path: Path, repo: Repository) -> None:
    """Trees that hold each other many times would be lists without end; they are not kept, and that is said."""
    source = start(tmp_path / "film")
    tree = raw_tree(source, [("160000", b"theme", "1" * 40)])
    for _ in range(12):
        tree = raw_tree(source, [("40000", b"a", tree), ("40000", b"b", tree)])
    git(source, "update-ref", "refs/heads/main", raw_commit(source, tree))
    came = import_git(repo, str(source), environment=ENVIRONMENT)
    assert came.versions == 1
    assert any("more submodules" in note for note in came.notes)


@pytest.mark.parametrize(
    "line",
    [
        "160000 1111111111111111111111111111111111111111 .git",
        "160000 1111111111111111111111111111111111111111 a/../b",
        "160000 1111111111111111111111111111111111111111 .GIT. /b",
        "160000 1111111111111111111111111111111111111111 one",
        "160000 - none",
        "120000 - one",
        "100644 1111111111111111111111111111111111111111 two",
        "40000 - one",
        "nonsense",
    ],
)
def test_what_others_wrote_into_versions_makes_no_harmful_tree(line: str) -> None:
    """Names that lead elsewhere, a second meaning of a name, another kind: none of it is obeyed."""
    version = Version(
        number=1, parents=(), tree=EMPTY_TREE_ID, type=VersionType.MANUAL, name="", description="", author="",
        created_at="", project="", documents={}, size=0, extra={"origin": f"git {'1' * 40}", "git.trees": f"{line}\0"},
    )  # fmt: skip
    kept = RemainderExport().of(VersionId(EMPTY_TREE_ID), version, has_modules=True)
    assert kept is not None
    entries = [GitEntry(FILE, b"one", "3" * 40)]
    assert kept.completed(entries) == entries
    assert not kept.folders


def test_tags_have_their_names_again(tmp_path: Path, repo: Repository) -> None:
    """Names that a tag here cannot have are kept with it; two that would be alike stay two."""
    source = start(tmp_path / "film")
    commit(source, "One", {"a.txt": "a"})
    names = ["cut-\N{CLAPPER BOARD}", "cut-\N{FILM PROJECTOR}", "cut--", "v1.0", "a+b"]
    for name in names:
        git(source, "tag", name)
    import_git(repo, str(source), environment=ENVIRONMENT)
    assert write(repo, tmp_path / "out").tags == tuple(sorted(names))
    assert refs(tmp_path / "out") == refs(source)
    for there in ("a b", "../x", "x\ny", "x.lock", "/x", "x//y", ".x", "-x", "@", "a@{b", ""):
        assert name_in_git("git/v1.0", {"git.name": there}) == "v1.0"
