"""Tags that two machines gave to two versions: both are kept, and it is said."""

from collections.abc import Mapping

from aura_vcs.model import Tag
from aura_vcs.progress import Progress
from aura_vcs.refs.tags import add_tag, tags_apart


def report_diverged_tags(progress: Progress, own: Mapping[str, Tag], there: Mapping[str, Tag]) -> None:
    """Say which tags a remote has on another version than this project, and under which name the other one is kept."""
    merged = dict(own)
    before = set(tags_apart(merged))
    for name, tag in there.items():
        add_tag(merged, name, tag)
    for name, apart in tags_apart(merged):
        if (name, apart) not in before:
            progress.note(
                f"The tag {name} was given to two versions: one keeps the name, the other goes by {apart}. "
                f"`aura tag` shows both; remove the wrong one with `aura tag -d`"
            )
