"""Tags that two machines gave to two versions: both are kept, and it is said."""

from collections.abc import Mapping

from aura_vcs.model import Tag
from aura_vcs.refs.refs import join_tag
from aura_vcs.repository.repository import Repository


def say_apart(repo: Repository, there: Mapping[str, Tag]) -> None:
    """Say which tags a remote has on another version than this project, and under which name the other one is kept."""
    joined = repo.refs.all_tags()
    for name, tag in there.items():
        aside = join_tag(joined, name, tag)
        if aside is not None:
            repo.progress.note(
                f"The tag {name} was given to two versions: one keeps the name, the other goes by {aside}. "
                f"`aura tag` shows both; remove the wrong one with `aura tag -d`"
            )
