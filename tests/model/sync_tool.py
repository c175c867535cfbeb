"""Two machines whose one folder is carried by a tool that knows nothing of projects."""

import random
from pathlib import Path

from aura_vcs.history.checkout import checkout
from aura_vcs.repository.repository import Repository

from tests.sync.machines import Unsynced
from tests.sync.test_blind_folder_sync import BlindTool

from .machines import Machine, folder

RUNS = 4
"""So often the tool runs; between two runs both machines look at what came, and put back what must stay."""


class BlindPair:
    """The two machines, and the tool."""

    def __init__(self, left: Machine, right: Machine, tool: BlindTool) -> None:
        self.left = left
        self.right = right
        self._tool = tool

    @classmethod
    def begin(cls, left: Machine, path: Path, name: str) -> "BlindPair":
        """Copy a machine's folder, and open the copy on a machine of its own."""
        path.mkdir()
        left.repo.close()
        tool = BlindTool(left.root, path, random.Random(0))
        tool.run()
        left.reopen()
        repo = Repository.open(str(path), author=name, host=name, calls=Unsynced())
        pair = cls(left, Machine(name, repo, left.places, left.account), tool)
        left.is_blind = pair.right.is_blind = True
        pair.right.look()
        branch = left.repo.head().branch
        if branch is not None:
            with pair.right.doing():
                checkout(pair.right.repo, branch)
        pair.run(0)
        return pair

    def run(self, seed: int) -> None:
        """Let the tool run until it has nothing more to carry; both see the same then."""
        self._tool._chance = random.Random(seed)
        for _ in range(RUNS):
            for machine in (self.left, self.right):
                machine.repo.close()
            self._tool.run()
            for machine in (self.left, self.right):
                machine.reopen()
        for machine in (self.left, self.right):
            machine.look()
        assert folder(self.left.repo) == folder(self.right.repo)
