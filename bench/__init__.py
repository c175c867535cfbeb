"""Measurements: `aura` beside other tools, on generated data, in one run.

Whole processes are timed. Tools take turns, every row is repeated, and the median counts; what is
compared are ratios, because machines differ. On virtual machines fresh page cache can be ten
times slower than reused, and creating files is slow after many were deleted: so tools alternate,
and everything that a run made is deleted at its end only.

`python -m bench --scale 0.05` is a quick run; docs/performance.md has the table of a full one.
"""
