"""Words for commands that people bring from git, jj, Mercurial, Perforce or a file manager, and what does that here."""

DOES_IT = {
    "abandon": ("version delete VERSION",),
    "abort": ("merge --abort", "undo"),
    "add": ('commit -m "…"',),
    "amend": ("undo", "version edit VERSION --name NAME"),
    "annotate": ("blame FILE",),
    "archive": ("bundle create FILE",),
    "back": ("undo", "checkout VERSION"),
    "backup": ("remote add backup PLACE", "push backup", "bundle create FILE"),
    "bookmark": ("branch NAME", "tag NAME"),
    "branches": ("branch",),
    "changes": ("status", "diff"),
    "check": ("project check", "fsck"),
    "checkin": ('commit -m "…"',),
    "cherry-pick": ("restore VERSION PATHS",),
    "ci": ('commit -m "…"',),
    "clean": ("asset clean", "gc"),
    "cleanup": ("gc",),
    "co": ("checkout VERSION",),
    "compare": ("diff A B",),
    "create": ("init",),
    "delete": ("version delete VERSION", "branch -d NAME"),
    "describe": ("version edit VERSION --name NAME",),
    "di": ("diff",),
    "discard": ("restore HEAD PATHS",),
    "download": ("clone PLACE", "pull"),
    "du": ("storage",),
    "duplicate": ("clone PLACE",),
    "edit": ("version edit VERSION", "project set FIELD=VALUE"),
    "evolog": ("log -- FILE",),
    "find": ("search WORDS",),
    "forget": ("untrack PATHS",),
    "free": ("offload", "gc"),
    "get": ("clone PLACE", "pull"),
    "go": ("checkout VERSION",),
    "goto": ("checkout VERSION",),
    "grep": ("search WORDS",),
    "head": ("show HEAD",),
    "heads": ("branch",),
    "help": ("--help", "COMMAND --help"),
    "history": ("log",),
    "ignore": ("untrack PATHS",),
    "import": ("clone PLACE",),
    "incoming": ("fetch --dry-run",),
    "info": ("status", "project show"),
    "list": ("log", "projects"),
    "login": ("remote add NAME PLACE",),
    "ls": ("show HEAD:", "status", "projects"),
    "ls-files": ("show HEAD:",),
    "move": ('commit -m "…"',),
    "mv": ('commit -m "…"',),
    "new": ("init",),
    "obslog": ("log -- FILE",),
    "op": ("ops",),
    "open": ("checkout VERSION",),
    "operation": ("ops",),
    "oplog": ("ops",),
    "outgoing": ("push --dry-run",),
    "publish": ("push",),
    "purge": ("version purge VERSION", "gc"),
    "rebase": ("merge BRANCH",),
    "reflog": ("ops",),
    "remove": ("version delete VERSION", "untrack PATHS"),
    "rename": ("branch -m OLD NEW", "version edit VERSION --name NAME"),
    "repack": ("gc",),
    "reset": ("restore HEAD", "checkout VERSION", "undo"),
    "rev": ("show HEAD",),
    "rev-parse": ("show HEAD",),
    "revert": ("restore HEAD PATHS", "undo"),
    "rm": ('commit -m "…"', "untrack PATHS"),
    "rollback": ("undo", "checkout VERSION"),
    "save": ('commit -m "…"',),
    "shelve": ("restore-point", "restore HEAD"),
    "size": ("storage",),
    "snapshot": ('commit -m "…"', "autosave"),
    "squash": ("undo",),
    "st": ("status",),
    "stage": ('commit -m "…" PATHS',),
    "start": ("init",),
    "stash": ("restore-point", "restore HEAD"),
    "submit": ('commit -m "…"', "push"),
    "switch": ("checkout BRANCH",),
    "tip": ("show HEAD",),
    "track": ('commit -m "…"',),
    "uncommit": ("undo",),
    "undelete": ("version undelete VERSION", "undo"),
    "unshelve": ("restore VERSION",),
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
    "ignore": "A line in .auraignore keeps new files out; what versions have already takes a command.",
    "add": "Every file in the folder is saved; nothing is added first.",
    "stage": "Every file in the folder is saved; nothing is staged first.",
    "rm": "Delete the file; the next version is without it, and older ones keep it.",
    "mv": "Move the file; the next version knows it by its content.",
    "move": "Move the file; the next version knows it by its content.",
    "stash": "The first keeps everything as it is now, the second brings back the last version.",
    "shelve": "The first keeps everything as it is now, the second brings back the last version.",
}
"""What is different here."""

OPTIONS = {
    ("commit", "-a"): "Every file in the folder is saved without it.",
    ("commit", "--all"): "Every file in the folder is saved without it.",
    ("commit", "--amend"): "Take the last one back with `aura undo`, and commit again; your files stay as they are.",
    ("checkout", "-b"): "Start a branch with `aura branch NAME`, and go there with `aura checkout NAME`.",
    ("checkout", "-c"): "Start a branch with `aura branch NAME`, and go there with `aura checkout NAME`.",
    ("checkout", "-f"): "`--clean` gives exactly the version; what was unsaved is in a restore point.",
    ("checkout", "--force"): "`--clean` gives exactly the version; what was unsaved is in a restore point.",
    ("branch", "-D"): "It is `aura branch -d NAME`; its versions stay.",
    ("diff", "--cached"): "Nothing is staged here: `aura diff` shows all that the next version would have.",
    ("diff", "--staged"): "Nothing is staged here: `aura diff` shows all that the next version would have.",
    ("restore", "--staged"): "Nothing is staged here: what is in the folder is in the next version.",
    ("log", "-p"): "`aura show VERSION` and `aura diff A B` say what changed.",
    ("push", "-u"): "It is remembered: `aura push REMOTE`.",
    ("push", "--set-upstream"): "It is remembered: `aura push REMOTE`.",
    ("push", "-f"): "Nothing that others sent is ever replaced: `aura sync` brings both together.",
    ("push", "--force"): "Nothing that others sent is ever replaced: `aura sync` brings both together.",
    ("push", "--tags"): "All branches and tags go along.",
    ("push", "--all"): "All branches and tags go along.",
    ("pull", "--rebase"): "Both lines are kept, and merged where they meet.",
    ("fetch", "--all"): "Name one remote at a time: `aura fetch REMOTE`.",
    ("merge", "--continue"): "A merge is saved at once; what it left open is decided with `aura resolve`.",
    ("status", "--porcelain"): "Programs read `aura status --json`.",
    ("undo", "-n"): "One step at a time, or `--id ID` for one of `aura ops`.",
}
"""What is different here about options; keys are a command and an option."""

ARGUMENTS = {
    "checkout": "`aura restore VERSION PATHS` brings back single files.",
    "push": "All branches and tags go along; name the remote alone.",
    "pull": "Name the remote alone; `aura merge BRANCH` joins another branch.",
    "undo": "One step at a time, or `--id ID` for one of `aura ops`.",
}
"""What is different here where a command gets more words than it takes."""


def advice_on(command: str, option: str | None) -> str:
    """Return what to do instead of an option, or of a word too many (None), that other programs have; or ""."""
    return ARGUMENTS.get(command, "") if option is None else OPTIONS.get((command, option), "")


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
