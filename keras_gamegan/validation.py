"""Checks of arguments, so that every bad input fails early and says how to mend it.

Every message has three parts: what was expected, what was received, how to fix it.
"""

import math
import numbers
import os
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

# The largest integer of TensorFlow's steps, seeds and sizes.
LARGEST = 2**63 - 1

_T = TypeVar("_T")


def check_integer(
    name: str, value: Any, minimum: int = 1, hint: str = "", maximum: int = LARGEST
) -> int:
    """Returns ``value`` as an int, or raises if it is not one within its range.

    Args:
        name: The argument's name, for the message.
        value: What the caller passed.
        minimum: Smallest value allowed.
        hint: A sentence that says how to mend the call.
        maximum: Largest value allowed. Default: what an int64 holds.

    Returns:
        ``value`` as a Python int.

    Raises:
        TypeError: If ``value`` is not an integer (a bool is not one).
        ValueError: If ``value`` is outside the range.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(
            f"`{name}` must be an integer of at least {minimum}. "
            f"Received: {name}={value!r} "
            f"(of type {type(value).__name__}). {hint}".strip()
        )
    number = int(value)
    if number < minimum:
        raise ValueError(
            f"`{name}` must be an integer of at least {minimum}. "
            f"Received: {name}={value!r}. {hint}".strip()
        )
    if number > maximum:
        raise ValueError(
            f"`{name}` must be an integer of at most {maximum}. "
            f"Received: {name}={value!r}. {hint}".strip()
        )
    return number


def check_seed(name: str, value: Any) -> int:
    """Returns ``value`` as an int, or raises unless it can seed the random streams.

    Args:
        name: The argument's name, for the message.
        value: What the caller passed.

    Returns:
        ``value`` as a Python int.

    Raises:
        TypeError: If ``value`` is not an integer.
        ValueError: If it is negative, or more than an int64 holds.
    """
    hint = "Any number from 0 will do; a hash of another kind: value % 2**63."
    return check_integer(name, value, 0, hint)


def check_flag(
    name: str, value: _T, choices: Sequence[object] = (True, False), hint: str = ""
) -> _T:
    """Returns ``value``, or raises if it is none of ``choices`` themselves.

    So 0 and 0.5 are neither True nor False.

    Args:
        name: The argument's name, for the message.
        value: What the caller passed.
        choices: What may be passed: True, False, None or names.
        hint: A sentence that says how to mend the call.

    Returns:
        ``value`` unchanged.

    Raises:
        TypeError: If it is another.
    """
    for choice in choices:
        if value is choice or (isinstance(choice, str) and _is_text(value, choice)):
            return value
    listed = ", ".join(map(repr, choices))
    raise TypeError(
        f"`{name}` must be one of {listed}. Received: {name}={value!r} (of type "
        f"{type(value).__name__}). {hint}".strip()
    )


def check_memory(what: str, size: float, hint: str) -> None:
    """Raises if something needs more memory than this machine has.

    It is asked before the memory is: a system may kill a process that takes too much.

    Args:
        what: What it is and how large, for the message: "a bank of 5 models".
        size: Bytes that it needs at least.
        hint: A sentence that says how to mend the call.

    Raises:
        ValueError: If so.
    """
    total = _memory()
    if size > total:
        raise ValueError(
            f"What is kept must fit into the memory of this machine, {total:.3g} "
            f"bytes. Received: {what}, which takes {_float(size):.3g}. {hint}"
        )


def check_number(
    name: str,
    value: Any,
    minimum: float = 0.0,
    maximum: float = math.inf,
    exclusive: bool = False,
    hint: str = "",
    below: bool = False,
) -> float:
    """Returns ``value`` as a float, or raises if it lies outside the range.

    Args:
        name: The argument's name, for the message.
        value: What the caller passed.
        minimum: Lower end of the range.
        maximum: Upper end of the range.
        exclusive: Whether ``minimum`` itself is refused.
        hint: A sentence that says how to mend the call.
        below: Whether ``maximum`` itself is refused.

    Returns:
        ``value`` as a Python float.

    Raises:
        TypeError: If ``value`` is not a real number (a bool is not one).
        ValueError: If ``value`` is outside the range, infinite or NaN.
    """
    opening = "(" if exclusive else "["
    closing = "]" if math.isfinite(maximum) and not below else ")"
    expected = (
        f"`{name}` must be a number in {opening}{minimum:g}, {maximum:g}{closing}. "
    )
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"{expected}Received: {name}={value!r} "
            f"(of type {type(value).__name__}). {hint}".strip()
        )
    number = _float(value)
    inside = minimum < number if exclusive else minimum <= number
    inside = inside and (number < maximum if below else number <= maximum)
    if not (inside and math.isfinite(number)):
        raise ValueError(f"{expected}Received: {name}={value!r}. {hint}".strip())
    return number


def check_interval(
    name: str,
    value: Any,
    minimum: float = 0.0,
    maximum: float = math.inf,
    exclusive: bool = False,
) -> tuple[float, float]:
    """Returns ``value``, a pair (lowest, highest), as floats, or raises.

    Args:
        name: The argument's name, for the message.
        value: What the caller passed.
        minimum: Least that the lowest may be.
        maximum: Most that the highest may be.
        exclusive: Whether ``minimum`` itself is refused.

    Raises:
        TypeError: If one of the two is not a real number.
        ValueError: If there are not two, or not lowest < highest within the range.
    """
    ends = list(value) if isinstance(value, (tuple, list)) else []
    if len(ends) == 2:
        low, high = (
            check_number(name, end, minimum, maximum, exclusive) for end in ends
        )
        if low < high:
            return low, high
    raise ValueError(
        f"`{name}` must be a pair (lowest, highest) of numbers, the first below the "
        f"second. Received: {name}={value!r}."
    )


def check_choice(
    name: str, value: object, choices: Iterable[str], hint: str = ""
) -> str:
    """Returns ``value``, or raises a message that lists the valid names.

    Args:
        name: The argument's name, for the message.
        value: What the caller passed.
        choices: The valid names.
        hint: A sentence that says what else may be passed.

    Returns:
        ``value`` unchanged.

    Raises:
        ValueError: If ``value`` is not one of ``choices``.
    """
    choices = tuple(choices)
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(
            f"`{name}` must be one of {listed}. "
            f"Received: {name}={value!r}. {hint}".strip()
        )
    return value


def is_from(value: object, *packages: str) -> bool:
    """Returns whether an object's class, or a class it derives from, is of a package.

    For messages about objects of packages that are not imported, such as tf_keras.

    Args:
        value: Any object.
        *packages: Names such as "tf_keras" or "tensorflow.python".
    """
    modules = [each.__module__ for each in type(value).__mro__]
    return any(f"{module}.".startswith(f"{p}.") for module in modules for p in packages)


def _is_text(value: object, text: str) -> bool:
    return isinstance(value, str) and value == text


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value > 0 or -1)


def _memory() -> float:
    """Returns the bytes of memory of this machine; infinite where it cannot be told."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return math.inf
