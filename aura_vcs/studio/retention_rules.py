"""How long autosaves and restore points of a project stay, as it is configured."""

from contextlib import nullcontext

from aura_vcs.maintenance.retention import RetentionRules
from aura_vcs.repository.repository import Repository
from aura_vcs.studio.configuration import list_configurations
from aura_vcs.studio.project_configuration import OpenStudio, project_settings


def configured_rules(repo: Repository, studio: OpenStudio | None) -> RetentionRules:
    """Return the rules of retention that hold for this project."""
    with nullcontext() if studio is None else studio() as opened:
        found = list_configurations(opened, project_settings(repo), category="retention")
    return RetentionRules(**{item.key.partition(".")[2]: item.value for item in found})
