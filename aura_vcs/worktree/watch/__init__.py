"""The watcher: a process that knows at any moment which files are not as the scan cache has them.

docs/decisions/watcher.md says by which rules of the kernel it may be believed. `inotify` and `quiet_open` are the
calls, `disks` where they can be trusted, `folders` what is known of each folder, `watched` keeps that true, `server`
answers, `verify` holds the answers against a look at every file. Who asks is `scan.watched`. Linux only.
"""
