"""Tags that two machines gave to two versions: both are kept, and it is said."""

from collections.abc import Mapping

from aura_vcs.index.queries import PREFIX_LENGTH
from aura_vcs.model import Tag
from aura_vcs.refs.merge import add_tag, tags_apart
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.state.snapshot import RemoteSnapshot


def report_diverged_tags(repo: Repository, own: Mapping[str, Tag], there: RemoteSnapshot) -> None:
    """Say which tags a remote has on another version than this project, and what each of the two is called.

    `own` are this project's tags, before those of the remote are merged with them.
    """
    merged = dict(own)
    before = set(tags_apart(merged))
    for name, tag in there.manifest.tags.items():
        add_tag(merged, name, tag)
    for name, apart in tags_apart(merged):
        if (name, apart) not in before:
            repo.progress.note(
                f"The tag {name} was given to two versions: {_which_is_whose(repo, own, merged, there, name, apart)}. "
                f"`aura tag` shows both; remove the wrong one with `aura tag -d`"
            )


def _which_is_whose(
    repo: Repository, own: Mapping[str, Tag], merged: Mapping[str, Tag], there: RemoteSnapshot, name: str, apart: str
) -> str:
    first, second = _titled(repo, there, merged[name]), _titled(repo, there, merged[apart])
    mine = own[name].version if name in own else None
    if mine is not None and mine == merged[name].version:
        return f"{name} stays on yours, {first}; {second} is {apart} now"
    if mine is not None and mine == merged[apart].version:
        return f"{name} is {first} now; yours, {second}, is {apart}"
    return f"{name} is {first}; {second} is {apart}"


def _titled(repo: Repository, there: RemoteSnapshot, tag: Tag) -> str:
    """Name a tag's version and who gave the tag: `v2.029d (tagged by Anna)`; two may have the number."""
    assert tag.version is not None
    record, label = repo.queries.version(tag.version), there.labels().get(tag.version)
    number = record.number if record is not None else label.number if label is not None else None
    named = tag.version[:12] if number is None else f"v{number}.{tag.version[:PREFIX_LENGTH]}"
    return f"{named} (tagged by {tag.created_by})" if tag.created_by else named
