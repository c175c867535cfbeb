"""What generated files cost in all projects of the studio's list."""

import os

from aura_vcs.annotations.provenance import CostKey, CostSum, add_costs, costs, named_costs
from aura_vcs.errors import AuraError
from aura_vcs.plain_text import path_of_text
from aura_vcs.repository.find_project import Trust
from aura_vcs.repository.repository import Repository
from aura_vcs.studio.projects import ProjectFilter, list_projects
from aura_vcs.studio.studio import Studio

LISTED_LIMIT = 10_000
"""Projects that are looked at."""


def costs_of_all(studio: Studio, by: CostKey = "model") -> tuple[list[CostSum], list[str]]:
    """Add up what contents cost in every listed project that is there; dearest first.

    Projects that cannot be opened are left out; the second list says which, and why.
    """
    found: list[CostSum] = []
    left: list[str] = []
    for entry in list_projects(studio, ProjectFilter(limit=LISTED_LIMIT)):
        if entry.location != "here":
            continue
        path = path_of_text(entry.path)
        try:
            with Repository.open(path, trust=Trust()) as repo:
                name = entry.facts.title or os.path.basename(path)
                found += named_costs(repo, name) if by == "project" else costs(repo, by)
        except AuraError as error:
            left.append(f"{entry.path}: {error.message}")
    return add_costs(found), left
