"""How long random tests of many steps go on: a short form for every run, a long one for `make test-slow`."""

from hypothesis import HealthCheck, Phase, settings

_CHECKS = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def short(examples: int, steps: int) -> settings:
    """The same steps every time, not made smaller where they fail."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=_CHECKS,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        report_multiple_bugs=False,
    )


def long(examples: int, steps: int, *, shrinks: bool = False) -> settings:
    """Other steps every time; with `shrinks`, what fails is made smaller."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=_CHECKS,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if shrinks else [])],
        report_multiple_bugs=False,
    )
