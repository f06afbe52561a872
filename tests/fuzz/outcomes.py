"""What may come of a call, whatever its arguments: success, or an error that explains.

A fuzz test is one body, run on a few examples in every suite and on 300 in the slow
one; always on the same, so that a failure can be met again.
"""

import contextlib
import re
import signal
import time
import warnings

import hypothesis
import pytest

# Errors of Keras or Python that come through, since their text names what is wrong.
OF_OTHERS = (
    # A keyword that a constructor does not have.
    r"got an unexpected keyword argument '\w+'",
    # A name that is no string, or has a slash.
    r"Argument `name` (must be a string|cannot)",
)


def outcome(call, kinds=(ValueError, TypeError), seconds=60.0, of_others=()):
    """Returns what a call returned and the error it raised instead; one is None.

    Fails the test on an error of another kind, one that does not say what it received,
    and a call that does not come back.

    Args:
        call: Function without arguments.
        kinds: Exceptions that may come.
        seconds: Time that the call has.
        of_others: Patterns of texts of others that may come through, besides
            `OF_OTHERS`.
    """
    with watched(seconds), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call(), None
        except kinds as error:
            text = str(error)
            known = any(re.search(each, text) for each in (*OF_OTHERS, *of_others))
            assert "Received:" in text or known, f"{type(error).__name__}: {text}"
            return None, error


class _TooLong(BaseException):
    """Not an Exception: nothing may catch it on its way."""


@contextlib.contextmanager
def watched(seconds):
    """Fails the test if what is inside takes longer."""

    def end(*_):
        raise _TooLong

    begin, has_alarm = time.monotonic(), hasattr(signal, "setitimer")
    if has_alarm:
        before = signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _TooLong:
        raise AssertionError(f"not back after {seconds:g} s") from None
    finally:
        if has_alarm:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - begin < seconds


def quick_and_thorough(quick=15, thorough=300, **strategies):
    """Returns a decorator that makes a body into a pair of tests."""

    def decorate(body):
        few = hypothesis.given(**strategies)(body)
        many = hypothesis.given(**strategies)(body)
        return (
            _settings(quick)(few),
            pytest.mark.slow(_settings(thorough)(many)),
        )

    return decorate


def _settings(examples):
    return hypothesis.settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        # An example is a model: slow, and of many draws.
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[
            hypothesis.Phase.explicit,
            hypothesis.Phase.generate,
            hypothesis.Phase.shrink,
        ],
    )
