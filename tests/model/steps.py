"""What a command that goes from one copy to another makes of a folder, told in plain dictionaries."""

from collections.abc import Mapping

from tests.helpers.project import Seen

Copy = dict[bytes, Seen]
_FOLDER: Seen = ("dir", b"", False)


def stepped(here: Mapping[bytes, Seen], old: Mapping[bytes, Seen], new: Mapping[bytes, Seen]) -> Copy:
    """The folder after a step from `old` to `new`: only what differs between those two is touched.

    What stands in the way of something that comes gives way as a whole; a folder goes when it is empty.
    """
    result = dict(here)
    changed = {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
    for path in sorted(changed & new.keys()):
        for above in folders_of(path):
            if result.get(above, _FOLDER) != _FOLDER:
                result.update({inner: seen for inner, seen in new.items() if inner.startswith(above + b"/")})
            result[above] = _FOLDER
        if new[path] == _FOLDER:
            result[path] = _FOLDER
        else:
            result = {inner: seen for inner, seen in result.items() if not inner.startswith(path + b"/")}
            result[path] = new[path]
    for path in sorted(changed - new.keys(), reverse=True):
        is_folder = result.get(path) == _FOLDER
        if old[path] == _FOLDER:
            if is_folder and not any(inner.startswith(path + b"/") for inner in result):
                del result[path]
        elif path in result and not is_folder:
            del result[path]
    return result


def is_lost(here: Mapping[bytes, Seen], after: Mapping[bytes, Seen], *saved: Mapping[bytes, Seen]) -> bool:
    """Whether something that the folder had, or that was deleted there, is not so any more, and in no saved copy."""
    return any(
        here.get(path) != after.get(path)
        and here.get(path) != _FOLDER
        and all(here.get(path) != copy.get(path) for copy in saved)
        for path in here.keys() | after.keys()
    )


def folders_of(path: bytes) -> list[bytes]:
    """The folders that a path is in, the outermost first."""
    parts = path.split(b"/")
    return [b"/".join(parts[:n]) for n in range(1, len(parts))]
