"""What is done to exports."""

import os
from typing import Any

from aura_vcs.errors import InputError
from aura_vcs.history.names.revisions import resolve
from aura_vcs.project.records.export_jobs import (
    add_export,
    cancel_export,
    choose_preset,
    find_export,
    retry_export,
    run_export,
)
from aura_vcs.repository.repository import Repository
from aura_vcs.ui.actions.base import PageAction, Wish, of_library, shown


class ExportWish(Wish, frozen=True):
    """A version to be rendered, to which file and how."""

    output: str
    version: str = "HEAD"
    preset: str = "project"


def _run(repo: Repository, wish: ExportWish) -> Any:
    if not wish.output.startswith(("/", "~")):
        raise InputError(f"{wish.output} does not say where", hint="Give a whole path, such as /home/mara/film.mp4.")
    output = os.path.abspath(os.path.expanduser(wish.output))
    record = resolve(repo, wish.version)
    job = add_export(repo, record, choose_preset(repo, record, wish.preset), output)
    return {"export": run_export(repo, job, environment={}, progress=repo.progress)}


class JobWish(Wish, frozen=True):
    """One export, by the beginning of its id."""

    export: str


def _cancel(repo: Repository, wish: JobWish) -> Any:
    return {"export": cancel_export(repo, find_export(repo, wish.export))}


def _retry(repo: Repository, wish: JobWish) -> Any:
    job = retry_export(repo, find_export(repo, wish.export))
    return {"export": run_export(repo, job, environment={}, progress=repo.progress)}


FILM_ACTIONS: dict[str, PageAction] = {
    "export/run": PageAction(
        ExportWish, lambda wish: f"Export {shown(wish.version)} to {wish.output}", of_library(_run)
    ),
    "export/retry": PageAction(JobWish, lambda _: "Export again", of_library(_retry)),
    "export/cancel": PageAction(JobWish, lambda _: "Cancel the export", of_library(_cancel)),
}
"""Of each name, what does it."""
