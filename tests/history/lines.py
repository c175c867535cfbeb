"""A project with two lines of history, for tests of joining them."""

import json
from pathlib import Path
from typing import Any

from aura_vcs import Repository
from aura_vcs.history.checkout import checkout
from aura_vcs.history.merge import Merged, merge
from aura_vcs.history.names.branches import create_branch
from aura_vcs.index.records import VersionRecord

from tests.helpers.project import save, write


def edit(root: Path, path: str, **changes: Any) -> None:
    """Change fields of a document."""
    document = json.loads((root / path).read_text())
    document.update(changes)
    (root / path).write_text(json.dumps(document))


def field(root: Path, path: str, name: str) -> Any:
    """A field of a document."""
    return json.loads((root / path).read_text())[name]


class Lines:
    """A project with a second branch, `side`, that began where `main` was."""

    def __init__(self, repo: Repository) -> None:
        self.repo = repo
        self.root = Path(repo.root)
        head = repo.head().version
        assert head is not None
        create_branch(repo, "side", head)

    def on(self, name: str, message: str, **files: Any) -> VersionRecord:
        """Commit changed fields (`brief={"tone": …}`) on a branch."""
        checkout(self.repo, name)
        for document, changes in files.items():
            edit(self.root, f"{document}.json", **changes)
        return save(self.repo, message)

    def write(self, name: str, message: str, files: dict[str, str | bytes | None]) -> VersionRecord:
        """Commit written and removed files on a branch."""
        checkout(self.repo, name)
        write(self.root, {path: data for path, data in files.items() if data is not None})
        for path in [path for path, data in files.items() if data is None]:
            (self.root / path).unlink()
        return save(self.repo, message)

    def merge(self, into: str = "main", name: str = "side") -> Merged:
        """Merge one branch into another."""
        checkout(self.repo, into)
        return merge(self.repo, name)
