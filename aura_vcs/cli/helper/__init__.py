"""The resident helper: a process that has everything imported, and a copy of which runs a command.

Most of a short command's time is Python's start. The helper starts once; for each command it forks a copy of
itself, which takes the caller's files, folder, environment and umask, and does what the process that was started would
have done. Mercurial's chg is the model. docs/decisions/resident-helper.md says what must be alike, and why.

`helper_protocol`, beside this folder, is what both sides say, `client` the side of the person's process (it imports
next to nothing), `conditions` what must be alike, `server` the loop, `worker` what the copy does. Linux only: the rest
starts as ever.
"""
