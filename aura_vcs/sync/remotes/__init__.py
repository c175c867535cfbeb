"""The remotes of a project: addresses, connections, trust."""
