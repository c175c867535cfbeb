"""Which server has the content of Git LFS: what a repository says of that is only a proposal."""

from contextlib import suppress

from aura_vcs.errors.interchange import GitDamaged
from aura_vcs.interchange.git_objects import COMMIT_BYTES_LIMIT, TREE_BYTES_LIMIT, parse_commit, parse_tree
from aura_vcs.interchange.git_repository import CONFIG_LIMIT, GitRepository
from aura_vcs.interchange.lfs_server import AgreeTo, LfsServer, checked_endpoint, endpoint_of

CONFIG_NAME = b".lfsconfig"


def find_lfs_server(git: GitRepository, agree: AgreeTo) -> LfsServer | None:
    """Return the server that `.lfsconfig` of the repository's main branch names, or the one of its origin.

    `agree` is asked before anything is sent there. None where neither names an address of the web.
    """
    named = git.configured(_config(git), "lfs.url")
    origin = git.origin() if named is None else None
    endpoint = checked_endpoint(named) if named is not None else endpoint_of(origin) if origin is not None else None
    return None if endpoint is None else LfsServer(endpoint, agree, git.given_environment)


def _config(git: GitRepository) -> bytes:
    tip = git.branches.get(git.head or b"") or next(iter(git.branches.values()), None)
    with suppress(GitDamaged):
        if tip is not None:
            tree = parse_commit(git.objects.read(tip, "commit", COMMIT_BYTES_LIMIT), tip).tree
            for entry in parse_tree(git.objects.read(tree, "tree", TREE_BYTES_LIMIT), git.digest, tree):
                if entry.name == CONFIG_NAME:
                    return git.objects.read(entry.id, "blob", CONFIG_LIMIT)
    return b""
