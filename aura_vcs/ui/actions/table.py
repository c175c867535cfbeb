"""All that can be done from the page, by name."""

from aura_vcs.ui.actions.base import PageAction
from aura_vcs.ui.actions.film import FILM_ACTIONS
from aura_vcs.ui.actions.history import HISTORY_ACTIONS
from aura_vcs.ui.actions.machines import MACHINE_ACTIONS
from aura_vcs.ui.actions.notes import NOTE_ACTIONS
from aura_vcs.ui.actions.space import SPACE_ACTIONS

ACTIONS: dict[str, PageAction] = {**HISTORY_ACTIONS, **MACHINE_ACTIONS, **FILM_ACTIONS, **SPACE_ACTIONS, **NOTE_ACTIONS}
