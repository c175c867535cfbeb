"""Takes man pages and completions into the wheel where `make dist` has written them (see docs/releasing.md)."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ShareHook(BuildHookInterface):  # type: ignore[type-arg]
    """Installs what lies in `share/` below the environment's `share/`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name every file; an editable installation, and a wheel from a plain clone, go without."""
        if version == "editable":
            return
        share = Path(self.root, "share")
        files = [path for path in sorted(share.rglob("*")) if path.is_file()]
        build_data["shared_data"].update({str(path): path.relative_to(self.root).as_posix() for path in files})
