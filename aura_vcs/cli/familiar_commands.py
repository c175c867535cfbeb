"""Words for commands that people bring from git, jj, Mercurial, Perforce or a file manager, and what does that here."""

DOES_IT = {
    "abandon": ("version delete VERSION",),
    "abort": ("merge --abort", "undo"),
    "add": ('commit -m "…"',),
    "amend": ("undo", "version edit VERSION --name NAME"),
    "annotate": ("blame FILE",),
    "archive": ("bundle create FILE",),
    "backup": ("remote add backup PLACE", "push backup", "bundle create FILE"),
    "back": ("undo", "checkout VERSION"),
    "bookmark": ("branch NAME", "tag NAME"),
    "branches": ("branch",),
    "cherry-pick": ("restore VERSION PATHS",),
    "checkin": ('commit -m "…"',),
    "ci": ('commit -m "…"',),
    "clean": ("asset clean", "gc"),
    "co": ("checkout VERSION",),
    "compare": ("diff A B",),
    "create": ("init",),
    "delete": ("version delete VERSION", "branch -d NAME"),
    "describe": ("version edit VERSION --name NAME",),
    "discard": ("restore HEAD PATHS",),
    "download": ("clone PLACE", "pull"),
    "edit": ("version edit VERSION", "project set FIELD=VALUE"),
    "find": ("search WORDS",),
    "free": ("offload", "gc"),
    "go": ("checkout VERSION",),
    "goto": ("checkout VERSION",),
    "grep": ("search WORDS",),
    "head": ("show HEAD",),
    "help": ("--help", "COMMAND --help"),
    "history": ("log",),
    "import": ("clone PLACE",),
    "info": ("status", "project show"),
    "list": ("log", "projects"),
    "ls": ("show HEAD:", "status", "projects"),
    "ls-files": ("show HEAD:",),
    "move": ('commit -m "…"',),
    "mv": ('commit -m "…"',),
    "new": ("init",),
    "oplog": ("ops",),
    "publish": ("push",),
    "rebase": ("merge BRANCH",),
    "reflog": ("ops",),
    "remove": ("version delete VERSION", "untrack PATHS"),
    "rename": ("branch -m OLD NEW", "version edit VERSION --name NAME"),
    "reset": ("restore HEAD", "checkout VERSION", "undo"),
    "revert": ("restore HEAD PATHS", "undo"),
    "rm": ('commit -m "…"', "untrack PATHS"),
    "rollback": ("undo", "checkout VERSION"),
    "save": ('commit -m "…"',),
    "shelve": ("restore-point", "restore HEAD"),
    "snapshot": ('commit -m "…"', "autosave"),
    "squash": ("undo",),
    "st": ("status",),
    "stage": ('commit -m "…" PATHS',),
    "start": ("init",),
    "stash": ("restore-point", "restore HEAD"),
    "submit": ('commit -m "…"', "push"),
    "switch": ("checkout BRANCH",),
    "track": ('commit -m "…"',),
    "uncommit": ("undo",),
    "unstage": ("undo",),
    "up": ("pull",),
    "update": ("pull", "checkout VERSION"),
    "upload": ("push",),
    "verify": ("fsck",),
    "versions": ("log", "version list"),
    "whoami": ("config get identity.name",),
    "workspace": ("clone PLACE",),
    "worktree": ("clone PLACE",),
}
"""Commands, most likely first; words in capitals are to be filled in."""

NO_NEED = {
    "add": "Every file in the folder is saved; nothing is added first.",
    "stage": "Every file in the folder is saved; nothing is staged first.",
    "rm": "Delete the file; the next version is without it, and older ones keep it.",
    "mv": "Move the file; the next version knows it by its content.",
    "move": "Move the file; the next version knows it by its content.",
    "stash": "The first keeps everything as it is now, the second brings back the last version.",
    "shelve": "The first keeps everything as it is now, the second brings back the last version.",
}
"""What is different here."""


def advice_for(word: str, known: frozenset[str]) -> str:
    """Return what does here what a word does elsewhere, as a sentence; "" where nobody says that.

    Only commands that are `known` are named.
    """
    word = word.casefold()
    found = [text for text in DOES_IT.get(word, ()) if text.startswith("-") or text.split()[0] in known | {"COMMAND"}]
    if not found:
        return ""
    named = " or ".join(f"`aura {text}`" for text in found)
    return f" {NO_NEED[word]} Here it is {named}." if word in NO_NEED else f" Here it is {named}."
