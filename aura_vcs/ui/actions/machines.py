"""What goes to remotes and comes from there."""

from collections.abc import Callable
from typing import Any

from aura_vcs.api.reporting import Call
from aura_vcs.cli.shared.transfers import fetch_to_json, pull_to_json, push_to_json, unsaved_paths
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.pull import pull, sync
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.link import Link
from aura_vcs.ui.actions.base import PageAction, Wish
from aura_vcs.ui.workspace import ProjectLane


class TransferWish(Wish, frozen=True):
    """Which remote (without a name the only one, or origin), and whether autosaves go along."""

    remote: str | None = None
    all_versions: bool = False


def _push(repo: Repository, link: Link, wish: TransferWish) -> Any:
    plan = push(repo, link.remote, link.cache, all_versions=wish.all_versions, ignore_locks=False)
    return {"dry_run": False, **push_to_json(repo, plan)}


def _fetch(repo: Repository, link: Link, wish: TransferWish) -> Any:
    done = fetch(repo, link.remote, link.cache, all_versions=wish.all_versions)
    return {"dry_run": False, **fetch_to_json(done.plan), "diverged": list(done.diverged)}


def _pull(repo: Repository, link: Link, wish: TransferWish) -> Any:
    return pull_to_json(repo, pull(repo, link.remote, link.cache, all_versions=wish.all_versions))


def _sync(repo: Repository, link: Link, wish: TransferWish) -> Any:
    done = sync(repo, link.remote, link.cache, all_versions=wish.all_versions, ignore_locks=False)
    shape = {"pulled": pull_to_json(repo, done.pulled), "pushed": push_to_json(repo, done.pushed)}
    return {**shape, "unsaved": unsaved_paths(repo)}


def _of_remote(
    function: Callable[[Repository, Link, TransferWish], Any],
) -> Callable[[ProjectLane, Call, TransferWish], Any]:
    """Run a function on the project and one of its remotes, with its progress."""
    return lambda lane, call, wish: lane.run_linked(call, wish.remote, lambda repo, link: function(repo, link, wish))


def _named(verb: str) -> Callable[[TransferWish], str]:
    return lambda wish: f"{verb} {wish.remote or ''}".strip()


MACHINE_ACTIONS: dict[str, PageAction] = {
    "push": PageAction(TransferWish, _named("Push to"), _of_remote(_push)),
    "fetch": PageAction(TransferWish, _named("Fetch from"), _of_remote(_fetch)),
    "pull": PageAction(TransferWish, _named("Pull from"), _of_remote(_pull)),
    "sync": PageAction(TransferWish, _named("Sync with"), _of_remote(_sync)),
}
"""Of each name, what does it."""
