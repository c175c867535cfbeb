"""What a push or sync asks of a remote, counted at the store's wrapper, in a process of its own.

`python -m bench.counting push|sync PROJECT REMOTE` carries to a folder and prints as JSON how many
requests there were, and bytes of content. Requests are the same for every kind of remote.
"""

import json
import sys

from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.testing.faulty_remote import RecordingRemote
from aura_vcs.sync.pull import sync
from aura_vcs.sync.push import push
from aura_vcs.sync.state.cache import RemoteCache


def main() -> None:
    """Carry, count, print."""
    what, project, place = sys.argv[1:]
    remote = RecordingRemote(FolderRemote(place))
    with Repository.open(project, author="bench") as repo:
        known = RemoteCache(repo, "origin")
        if what == "push":
            push(repo, remote, known)
        else:
            sync(repo, remote, known)
    print(json.dumps({"requests": remote.count(), "sent": remote.sent(), "received": remote.received()}))


if __name__ == "__main__":
    main()
