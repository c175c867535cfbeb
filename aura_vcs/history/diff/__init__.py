"""What changed between versions, or since one."""
