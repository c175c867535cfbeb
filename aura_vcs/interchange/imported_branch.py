"""Where imported versions go: on `main`, with their files, or on a branch beside it where `main` leads elsewhere."""

from aura_vcs.history.checkout import StepRequest, replace_worktree
from aura_vcs.history.names.branches import BranchMove, branch, branch_update
from aura_vcs.history.recording.steps import Between
from aura_vcs.history.recording.version_builder import WorktreeBase, worktree_base
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.model import DEFAULT_BRANCH, Head, HeadChange, Inverse, TreeChange
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft, Transaction

_TRIES = 100


def put_in_place(repo: Repository, target: VersionId, beside: str, what: str) -> str:
    """Bring a branch to an imported version, and the files too where HEAD is on it; returns the branch's name.

    That is `main` where it leads to the version or is not there yet, else `beside`, or a name like it. What is
    unsaved and would be replaced becomes a restore point. One operation, which `undo` takes back; none where the
    branch has the version already. `what` says what was imported.
    """
    name = _branch_for(repo, target, beside)
    found = branch(repo, name)
    if found is not None and not found.diverged and repo.queries.is_ancestor(target, found.version):
        return name
    record = repo.queries.version(target)
    assert record is not None
    base = worktree_base(repo)
    goes = base.head.branch == name and (base.head.version is None or found is not None)

    def draft(transaction: Transaction, at: WorktreeBase, before: ObjectId, after: ObjectId) -> Draft:
        refs = branch_update(repo, transaction, name, BranchMove(target, over_all=found is None))
        head = HeadChange(at.head, Head(name, target)) if goes else None
        trees = TreeChange(before, after) if goes and before != after else None
        return Draft("import", f"Imported {what}", refs, head, trees, Inverse("import.revert"))

    if goes:
        replace_worktree(repo, Between(repo, record.tree), draft, StepRequest("PreImport", f"Before importing {what}"))
    else:
        with repo.transaction() as transaction:
            transaction.record(draft(transaction, base, record.tree, record.tree))
    return name


def _branch_for(repo: Repository, target: VersionId, beside: str) -> str:
    for name in (DEFAULT_BRANCH, beside, *(f"{beside}-{number}" for number in range(2, _TRIES))):
        found = branch(repo, name)
        if found is None:
            return name
        leads = repo.queries.is_ancestor(found.version, target) or repo.queries.is_ancestor(target, found.version)
        if leads and not found.diverged:
            return name
    return beside
