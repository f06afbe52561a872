"""Checks of arguments, so that every bad input fails early and says how to mend it.

Every message has three parts: what was expected, what was received, how to fix it.
"""

import math
import numbers


def check_integer(name, value, minimum=1, hint=""):
    """Returns ``value`` as an int, or raises if it is not one of at least ``minimum``.

    Args:
        name: The argument's name, for the message.
        value: What the caller passed.
        minimum: Smallest value allowed.
        hint: A sentence that says how to mend the call.

    Returns:
        ``value`` as a Python int.

    Raises:
        TypeError: If ``value`` is not an integer (a bool is not one).
        ValueError: If ``value`` is below ``minimum``.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(
            f"`{name}` must be an integer of at least {minimum}. "
            f"Received: {name}={value!r} "
            f"(of type {type(value).__name__}). {hint}".strip()
        )
    if value < minimum:
        raise ValueError(
            f"`{name}` must be an integer of at least {minimum}. "
            f"Received: {name}={value!r}. {hint}".strip()
        )
    return int(value)


def check_number(name, value, minimum=0.0, maximum=math.inf, exclusive=False, hint=""):
    """Returns ``value`` as a float, or raises if it lies outside the range.

    Args:
        name: The argument's name, for the message.
        value: What the caller passed.
        minimum: Lower end of the range.
        maximum: Upper end of the range.
        exclusive: Whether ``minimum`` itself is refused.
        hint: A sentence that says how to mend the call.

    Returns:
        ``value`` as a Python float.

    Raises:
        TypeError: If ``value`` is not a real number (a bool is not one).
        ValueError: If ``value`` is outside the range, infinite or NaN.
    """
    opening = "(" if exclusive else "["
    closing = "]" if math.isfinite(maximum) else ")"
    expected = (
        f"`{name}` must be a number in {opening}{minimum:g}, {maximum:g}{closing}. "
    )
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"{expected}Received: {name}={value!r} "
            f"(of type {type(value).__name__}). {hint}".strip()
        )
    number = float(value)
    inside = minimum < number if exclusive else minimum <= number
    if not (inside and number <= maximum and math.isfinite(number)):
        raise ValueError(f"{expected}Received: {name}={value!r}. {hint}".strip())
    return number


def check_choice(name, value, choices, hint=""):
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


def is_from(value, *packages):
    """Returns whether an object's class, or a class it derives from, is of a package.

    For messages about objects of packages that are not imported, such as tf_keras.

    Args:
        value: Any object.
        *packages: Names such as "tf_keras" or "tensorflow.python".
    """
    modules = [each.__module__ for each in type(value).__mro__]
    return any(f"{module}.".startswith(f"{p}.") for module in modules for p in packages)
