"""The command `aura`: the only room with environment, terminal and exit codes.

One file per command in `commands`; `catalog` says which there are. A command parses, calls the
library and shows what it got: text through `console` (which escapes all of it), data as JSON in
the shapes of `shapes`. A command's module is imported when the command is used.
"""
