"""Which commands there are, in the order in which `aura --help` lists them."""

from aura_vcs.cli.groups import CommandEntry

EVERY_DAY = "Every day"
INSPECTING = "Looking back"
MOVING = "Going back"
NAMES = "Names and records"
SHARING = "Between machines"
MAINTENANCE = "Upkeep"
MAKING = "Making the video"
STUDIO = "Projects and settings"
MORE = "More"

_ROOM = "aura_vcs.cli.commands"
_MODULES = {"import": "import_"}
"""Commands whose names Python keeps for itself."""


def _entry(name: str, help_: str, section: str) -> CommandEntry:
    plain = name.replace("-", "_")
    return CommandEntry(f"{_ROOM}.{_MODULES.get(name, plain)}", f"{plain}_command", help_, section)


_LISTED = {
    "init": ("Make a folder a project", EVERY_DAY),
    "status": ("Show what has changed since the last version", EVERY_DAY),
    "commit": ("Save your files as the next version", EVERY_DAY),
    "autosave": ("Save your files if they have changed, beside the branch", EVERY_DAY),
    "untrack": ("Keep files or folders out of versions, but leave them where they are", EVERY_DAY),
    "log": ("List the versions", INSPECTING),
    "ls": ("List the files of a version, one folder at a time", INSPECTING),
    "show": ("Show one version, or a file as a version has it", INSPECTING),
    "diff": ("Show what changed between versions, or since one", INSPECTING),
    "ui": ("Look at the history as a page in the browser", INSPECTING),
    "blame": ("Show which version wrote each line, field or clip of a file", INSPECTING),
    "cat": ("Write the content of an object or file to stdout", INSPECTING),
    "checkout": ("Go to a branch or an older version", MOVING),
    "restore": ("Bring a version's content back, all or some files", MOVING),
    "merge": ("Merge another branch or version into yours", MOVING),
    "resolve": ("Decide what a merge left open", MOVING),
    "restore-point": ("Save your files before another program changes them", MOVING),
    "undo": ("Undo the last thing you did", MOVING),
    "redo": ("Redo what was undone", MOVING),
    "ops": ("List what was done, newest first", MOVING),
    "branch": ("List, create, rename or delete branches", NAMES),
    "tag": ("List, create or delete tags", NAMES),
    "version": ("List, compare, edit, delete or purge versions", NAMES),
    "note": ("Write notes on a version, a file or a place in it", NAMES),
    "provenance": ("Record and show where files come from", NAMES),
    "cost": ("Add up what generated files cost", NAMES),
    "derived": ("List files that can be made again, make them, free their space", NAMES),
    "project": ("Show, change, check, delete or purge this project", STUDIO),
    "scene": ("List and change the scenes", MAKING),
    "asset": ("List media, look into it, clean up temporary files", MAKING),
    "media": ("Index media; find missing ones, collect and list unused ones", MAKING),
    "search": ("Find words in every text of your files and of every version", INSPECTING),
    "checkpoint": ("Save and list render checkpoints", MAKING),
    "recover": ("Resume from the newest valid checkpoint", MAKING),
    "git-driver": ("Let git compare and merge timelines and documents by meaning", MORE),
    "import": ("Bring in a history that another program keeps", SHARING),
    "export": ("Render versions to video; write them as git, folders, archives, timelines", MAKING),
    "projects": ("List your projects, wherever they are", STUDIO),
    "template": ("List, make and share templates", STUDIO),
    "config": ("Get and set configuration", STUDIO),
    "whoami": ("Show the name that your versions are made under", STUDIO),
    "setup": ("Set up aura for yourself", STUDIO),
    "prune": ("Delete old autosaves and restore points", MAINTENANCE),
    "remote": ("List, add, show, check, trust or remove remotes", SHARING),
    "clone": ("Copy a project from a remote into a new folder", SHARING),
    "sync": ("Bring both sides together: pull, then push", SHARING),
    "fetch": ("Bring versions from a remote; your files stay as they are", SHARING),
    "pull": ("Fetch, and bring your files to where the branch has gone", SHARING),
    "push": ("Send your versions to a remote", SHARING),
    "lock": ("Tell everybody that you work on a file that cannot be merged", SHARING),
    "unlock": ("Release locks", SHARING),
    "locks": ("List who has locked what", SHARING),
    "bundle": ("Put a project with its history into one file", SHARING),
    "storage": ("Show what takes up space", MAINTENANCE),
    "offload": ("Free the space of large files that a remote holds", MAINTENANCE),
    "gc": ("Free the space of content that no version holds any more", MAINTENANCE),
    "fsck": ("Check that everything saved is intact", MAINTENANCE),
    "repair": ("Fetch what is damaged or missing here from a remote, or send it there", MAINTENANCE),
    "reindex": ("Rebuild the index from the files", MAINTENANCE),
    "demo": ("Watch a tour on a sample project, or get the sample project", MORE),
    "mcp": ("Let an agent work on the project, by the Model Context Protocol on a pipe", MORE),
    "serve": ("Serve a remote's or a project's folder to another machine (ssh runs this)", MORE),
    "helper": ("Keep a process ready that runs short commands at once", MORE),
    "watch": ("Keep a process that knows which files have changed", MORE),
    "debug": ("Look at stored objects, refs and the index", MORE),
    "help": ("Show how a command is used", MORE),
    "completion": ("Print the script with which Tab completes versions, branches, tags and files", MORE),
}

CATALOG = {name: _entry(name, help_, section) for name, (help_, section) in _LISTED.items()}
ALIASES = {"save": "commit", "history": "log", "switch": "checkout"}
"""Words that people know for a command, and the command."""
