"""Interrupts that wait until a moment is over."""

import signal

import pytest
from aura_vcs.progress import hold_back


def test_an_interrupt_comes_afterwards() -> None:
    """What is done meanwhile is done to its end, and the handler from before is there again."""
    before = signal.getsignal(signal.SIGINT)
    done = []

    def held() -> None:
        with hold_back(), hold_back():
            signal.raise_signal(signal.SIGINT)
            done.append("to the end")

    with pytest.raises(KeyboardInterrupt):
        held()
    assert done == ["to the end"]
    assert signal.getsignal(signal.SIGINT) is before
