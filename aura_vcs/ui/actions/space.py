"""What is done to free space."""

from typing import Any

from aura_vcs.api.reporting import Call
from aura_vcs.cli.output.humanize import count
from aura_vcs.ui.actions.base import PageAction, Wish
from aura_vcs.ui.workspace import ProjectLane


class FreeWish(Wish, frozen=True):
    """Things of a plan, by their ids."""

    items: tuple[str, ...]


def _free(lane: ProjectLane, call: Call, wish: FreeWish) -> Any:
    return lane.project.free(lane.project.plan_free(0), wish.items, **call)


SPACE_ACTIONS: dict[str, PageAction] = {
    "storage/free": PageAction(FreeWish, lambda wish: f"Free {count(len(wish.items), 'thing')}", _free),
}
"""Of each name, what does it."""
