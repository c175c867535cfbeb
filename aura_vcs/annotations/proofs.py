"""Proofs: which recipes have made their content again on this machine, byte for byte.

Without one, a recipe is what somebody says, and what only it could bring back is not given up for it. A proof holds for
one replica and for the recipe as it stood: content, name, command, inputs and environment.
"""

from contextlib import suppress

from blake3 import blake3

from aura_vcs import layout
from aura_vcs.annotations.recipes import Recipe
from aura_vcs.codec import encode_compact
from aura_vcs.plain_text import path_text
from aura_vcs.repository.repository import Repository

NOT_TRIED = "its recipe was not tried yet"
_SHARD_DIGITS = 2


def is_proved(repo: Repository, recipe: Recipe) -> bool:
    """Tell whether the recipe, as it stands, has made its content again on this machine."""
    digest = _digest(repo, recipe)
    return digest in _known(repo, _place(digest))


def note_proof(repo: Repository, recipe: Recipe) -> None:
    """Remember, durably, that the recipe was run and has made its content again; the caller has seen it.

    Of two processes that note at once one may go unheard: then that recipe is to be tried again.
    """
    digest = _digest(repo, recipe)
    place = _place(digest)
    known = _known(repo, place)
    if digest not in known:
        repo.storage.put(place, ("\n".join([*known, digest]) + "\n").encode())


def _digest(repo: Repository, recipe: Recipe) -> str:
    inputs = [[path_text(item.path), item.content] for item in recipe.inputs]
    what = [repo.replica, recipe.content, path_text(recipe.output), list(recipe.command), inputs, recipe.environment]
    return blake3(encode_compact(what)).hexdigest()


def _place(digest: str) -> str:
    return f"{layout.PROVED}/{digest[:_SHARD_DIGITS]}"


def _known(repo: Repository, place: str) -> list[str]:
    with suppress(FileNotFoundError):
        return repo.storage.read(place).decode("ascii", "replace").split()
    return []
