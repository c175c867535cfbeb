"""The tour that `aura demo` gives: real commands on a copy of the sample project, in a scratch folder."""
