"""What differs between two files that need not be in any project."""

import os

from aura_vcs.history.diff.tree_diff import Comparison, PathChange
from aura_vcs.history.sources.loose_files import LooseFile, find_document


def compare_files(old: str, new: str) -> Comparison:
    """Compare two files, wherever they are; of a folder that is one document for its editor, the timeline in it.

    Raises:
        UnknownName: one of them is not there. FileUnreadable.
    """
    before, after = LooseFile(find_document(old)), LooseFile(find_document(new))
    was, now = before.entry(), after.entry()
    if was.id == now.id:
        return Comparison((), {}, before, after)
    # Which kind of file it is, is seen from the name: a temporary one must not hide that.
    name = max((new, old), key=lambda path: bool(os.path.splitext(path)[1]))
    named = name.rstrip("/").replace(os.sep, "/")
    inside = find_document(name)
    path = f"{named}/{os.path.basename(inside)}" if inside != name else named
    return Comparison((PathChange(path, "modified", was, now),), {}, before, after)
