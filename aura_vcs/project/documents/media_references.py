"""A quick look at whether a change of the project can have left documents without their media.

Reads only the documents that changed and knows nothing of their fields; `checks.missing_media` tells
what is really missing. Kept apart, because most commits have nothing to do with it.
"""

import re
from itertools import islice

from aura_vcs.codec import decode_json
from aura_vcs.errors.integrity import IntegrityError, UnsafePath
from aura_vcs.ids import ObjectId
from aura_vcs.model import EntryKind
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.store import ObjectStore
from aura_vcs.objects.trees import TreeReader

LOOK_BYTES_LIMIT = 1 << 20
DOCUMENTS_LIMIT = 50
"""Changed documents that are read; what was made by the hundred is looked at by `aura project check`."""
PATHS_LIMIT = 2_000
"""A change of more paths is not looked at."""
_FILE_NAME = re.compile(rb'"(?:[^"\\\n]|\\.)*\.[A-Za-z][A-Za-z0-9]{1,4}"')


def may_miss_media(trees: TreeReader, store: ObjectStore, before: ObjectId | None, after: ObjectId) -> bool:
    """Tell whether files went, or a changed document names a file that the tree `after` does not have.

    Content that is not here any more is no reason to look further.
    """
    try:
        changes = list(islice(trees.differences(before or EMPTY_TREE_ID, after), PATHS_LIMIT + 1))
        if len(changes) > PATHS_LIMIT:
            return False
        if any(found.new is None and found.old is not None and found.old.kind is EntryKind.FILE for found in changes):
            return True
        documents = [
            found.new for found in changes if found.path.endswith((".json", ".otio")) and found.new is not None
        ]
        files = [entry for entry in documents if entry.kind is EntryKind.FILE and entry.size <= LOOK_BYTES_LIMIT]
        return any(_names_what_is_not_there(trees, after, store.read(entry.id)) for entry in files[:DOCUMENTS_LIMIT])
    except IntegrityError:
        return False


def _names_what_is_not_there(trees: TreeReader, tree: ObjectId, data: bytes) -> bool:
    return any(not _is_there(trees, tree, text) for text in set(_FILE_NAME.findall(data)))


def _is_there(trees: TreeReader, tree: ObjectId, text: bytes) -> bool:
    try:
        return trees.entry(tree, decode_json(text, str)) is not None
    except (ValueError, UnsafePath):
        return False
