"""Which commands there are, in the order in which `aura --help` lists them."""

from aura_vcs.cli.groups import Entry

EVERY_DAY = "Every day"
LOOKING = "Looking back"
GOING = "Going back"
NAMES = "Names and records"
UPKEEP = "Upkeep"
MORE = "More"

_ROOM = "aura_vcs.cli.commands"


def _entry(name: str, help_: str, section: str) -> Entry:
    plain = name.replace("-", "_")
    return Entry(f"{_ROOM}.{plain}", f"{plain}_command", help_, section)


_LISTED = {
    "init": ("Make a folder a project", EVERY_DAY),
    "status": ("Show what has changed since the last version", EVERY_DAY),
    "commit": ("Save the folder as the next version", EVERY_DAY),
    "log": ("List the versions", LOOKING),
    "show": ("Show one version, or a file as a version has it", LOOKING),
    "diff": ("Show what changed between versions, or since one", LOOKING),
    "cat": ("Write the content of an object or file to stdout", LOOKING),
    "checkout": ("Go to a branch or an older version", GOING),
    "restore": ("Bring a version's content back, all or some files", GOING),
    "undo": ("Take back the last thing you did", GOING),
    "redo": ("Do again what was taken back", GOING),
    "ops": ("List what was done, newest first", GOING),
    "branch": ("List, create, rename or delete branches", NAMES),
    "tag": ("List, create or delete tags", NAMES),
    "version": ("Edit, delete or purge versions", NAMES),
}

CATALOG = {name: _entry(name, help_, section) for name, (help_, section) in _LISTED.items()}
