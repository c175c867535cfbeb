"""What several suites share: small projects, an independent checker, played disk failures."""
