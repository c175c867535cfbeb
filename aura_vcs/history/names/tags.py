"""Tags: names that stay on a version."""

from aura_vcs.errors.input import NameTaken, UnknownName
from aura_vcs.history.names.branches import branch, check_not_deleted
from aura_vcs.history.recording.version_builder import check_note
from aura_vcs.ids import VersionId
from aura_vcs.layout import check_name
from aura_vcs.model import Inverse, Operation, Tag
from aura_vcs.operation_log import tag_change
from aura_vcs.refs.merge import next_stamp
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft
from aura_vcs.suggestions import suggest


def create_tag(repo: Repository, name: str, version: VersionId, message: str = "") -> Operation:
    """Give a version a name that stays.

    Raises:
        InvalidName: not a name for a tag.
        NameTaken: a tag or branch is called that; tags do not move.
        InputError: the version is deleted.
    """
    check_name("tag", name)
    with repo.transaction() as transaction:
        check_not_deleted(repo, version)
        before = repo.refs.tag(name)
        if before is not None and before.version is not None:
            raise NameTaken("tag", name, hint=f"Remove it first with `aura tag -d {name}`.")
        if branch(repo, name) is not None:
            raise NameTaken("branch", name, hint="Choose another name for the tag.")
        stamp, seen = next_stamp(before, transaction.replica)
        tag = Tag(version, check_note(message), transaction.at, repo.author, stamp, seen)
        ref, change = tag_change(name, before, tag)
        return transaction.record(
            Draft("tag.create", f"Created tag {name}", {ref: change}, inverse=Inverse("tag.delete"))
        )


def delete_tag(repo: Repository, name: str) -> Operation:
    """Remove a tag; its version stays.

    Raises:
        UnknownName: there is none; suggests near ones.
    """
    with repo.transaction() as transaction:
        tags = repo.refs.tags()
        before = tags.get(name)
        if before is None:
            raise UnknownName("tag", name, suggest(name, tags), hint="`aura tag` lists the tags.")
        stamp, seen = next_stamp(before, transaction.replica)
        after = Tag(None, "", transaction.at, repo.author, stamp, seen)
        ref, change = tag_change(name, before, after)
        return transaction.record(
            Draft("tag.delete", f"Deleted tag {name}", {ref: change}, inverse=Inverse("tag.create"))
        )
