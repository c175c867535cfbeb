"""Tools for programs that work by themselves: what they may do with a project, over a pipe."""
