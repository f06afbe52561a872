"""Paths between latents that stay where the generator was trained."""

import numpy as np

# Angles, in radians, from 0 or pi, at which two latents count as (anti)parallel.
_TINY = 1e-6


def path(points: np.ndarray, num_points: int) -> np.ndarray:
    """Returns latents on great circles from each point to the next, evenly spaced.

    Mathematics: between a and b, with theta the angle between them,

        slerp(a, b; t) = (sin((1 - t) theta) a + sin(t theta) b) / sin(theta).

    Normal latents of many dimensions lie near a sphere; a straight line between two of
    them leads through its inside, where none are drawn. Parallel latents, and zeros,
    are joined by a line. Of the great circles between antiparallel ones that through
    the coordinate axis most orthogonal to a is taken, with a norm that changes evenly;
    in one dimension there is none, and a line through 0 is.

    Args:
        points: Array (k, ...), k >= 2.
        num_points: Number of latents, >= 2, the first and the last point included.

    Returns:
        Array (num_points, ...) of the dtype of the points.

    Example:
        >>> import numpy as np
        >>> from keras_gamegan.sampling import interpolation
        >>> interpolation.path(np.array([[2.0, 0.0], [0.0, 2.0]]), 3).round(3).tolist()
        [[2.0, 0.0], [1.414, 1.414], [0.0, 2.0]]

    References:
        Shoemake: "Animating Rotation with Quaternion Curves", 1985.
        White: "Sampling Generative Networks", 2016.
    """
    flat = np.asarray(points, np.float64).reshape(len(points), -1)
    places = np.linspace(0.0, len(points) - 1.0, num_points)
    starts = np.minimum(places.astype(int), len(points) - 2)
    rows = [
        _slerp(flat[start], flat[start + 1], place - start)
        for start, place in zip(starts, places, strict=True)
    ]
    return np.stack(rows).reshape(num_points, *points.shape[1:]).astype(points.dtype)


def _slerp(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    if t in (0.0, 1.0):
        return b if t else a
    norms = np.linalg.norm(a), np.linalg.norm(b)
    line = (1.0 - t) * a + t * b
    if not all(norms):
        return line
    start, end = a / norms[0], b / norms[1]
    # Exact for small angles too, where the cosine is flat.
    angle = 2.0 * np.arctan2(np.linalg.norm(start - end), np.linalg.norm(start + end))
    if angle < _TINY or (np.pi - angle < _TINY and a.size == 1):
        return line
    if np.pi - angle >= _TINY:
        weights = np.sin((1.0 - t) * angle), np.sin(t * angle)
        return (weights[0] * a + weights[1] * b) / np.sin(angle)
    aside = np.zeros_like(start)
    aside[np.argmin(np.abs(start))] = 1.0
    aside -= (aside @ start) * start
    aside /= np.linalg.norm(aside)
    turned = np.cos(t * np.pi) * start + np.sin(t * np.pi) * aside
    return ((1.0 - t) * norms[0] + t * norms[1]) * turned
