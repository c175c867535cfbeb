"""What POST requests under /api/ do: what the commands do, answered with what these print with `--json`."""
