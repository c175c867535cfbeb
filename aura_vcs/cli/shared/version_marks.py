"""What stands behind a version in lists: what it is called, and what is special about it."""

from typing import TYPE_CHECKING

from aura_vcs.cli.output.console import Part, cyan, faint, strong

if TYPE_CHECKING:
    from aura_vcs.index.records import VersionRecord
    from aura_vcs.repository.repository import Repository

TYPES = ("manual", "autosave", "restore_point")
"""Types of versions, as options name them."""


def names_of_versions(repo: "Repository") -> dict[str, list[Part]]:
    """Map versions to HEAD, branches and tags that stand on them."""
    from aura_vcs.history.names.branches import branches

    names: dict[str, list[Part]] = {}
    head = repo.head()
    if head.version is not None:
        names.setdefault(head.version, []).append(strong("HEAD"))
    for found in branches(repo):
        for version in found.diverged or (found.version,):
            names.setdefault(version, []).append(cyan(found.name))
    for name, tag in repo.refs.tags().items():
        names.setdefault(str(tag.version), []).append(cyan(f"tag {name}"))
    return names


def marks(record: "VersionRecord", *, offloaded: bool = False) -> list[Part]:
    """Describe what is special about a version, in words after its name."""
    words = ["offloaded in part"] if offloaded else []
    if record.type != "manual":
        words.append("autosave" if record.type == "autosave" else "restore point")
    if record.important:
        words.append("important")
    if record.purged_at is not None:
        words.append("purged")
    elif record.deleted_at is not None:
        words.append("deleted")
    return [faint(f"  ({', '.join(words)})")] if words else []
