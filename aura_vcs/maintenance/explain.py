"""What a project knows about an error that its place could not know."""

from contextlib import suppress

from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import NotArrived, ObjectCorrupt, ObjectMissing
from aura_vcs.history.names.partial_sync import delivery_error
from aura_vcs.ids import ObjectId
from aura_vcs.maintenance.reachability import affected_versions
from aura_vcs.repository.repository import Repository

AFFECTED_SHOWN = 20


def explain(repo: Repository, error: AuraError) -> AuraError:
    """Return the error with the versions that damage affects in its hint; reads trees, changes nothing.

    Another error, where what is missing has only not arrived yet from another machine.
    """
    if isinstance(error, NotArrived) or not isinstance(error, ObjectMissing | ObjectCorrupt):
        return error
    with suppress(AuraError):  # the first error is the one to tell
        if isinstance(error, ObjectMissing) and (found := delivery_error(repo, error)) is not None:
            return found
    with suppress(AuraError):
        affected = affected_versions(repo, [ObjectId(error.object_id)])
        names = [name for names in affected.values() for name in names][:AFFECTED_SHOWN]
        if names:
            listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
            error.hint = f"It is part of {listed}. {error.hint}"
    return error
