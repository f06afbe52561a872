"""Games with known solutions: the proving ground of every scheme.

The first player x minimises, the second player y maximises. Names g1 ... e4, starts
and limits are those of the literature on Generative Minimization Networks; the pictures
of `examples/closed_form_games.py` show all schemes on all of them.
"""

import tensorflow as tf

from keras_gamegan.games.game import Game


def bilinear() -> Game:
    """Returns M(x, y) = x y, the smallest game on which descent-ascent rotates.

    Its only equilibrium is (0, 0); simultaneous descent-ascent with step a leaves it by
    a factor sqrt(1 + a^2) a step, descent on the duality gap (inner step e, k steps)
    contracts by sqrt((1 - a k e)^2 + a^2).

    Returns:
        A `Game`.

    Example:
        >>> import keras_gamegan as kgg
        >>> result = kgg.games.solve(kgg.games.bilinear(), num_response_steps=50)
        >>> result.converged, result.iterations
        (True, 79)
    """
    return Game(
        lambda x, y: x * y, start=(1.0, 1.0), equilibrium=(0.0, 0.0), name="bilinear"
    )


def g1() -> Game:
    """Returns M = -3 x^2 - y^2 + 4 x y, concave in x: descent-ascent diverges.

    Returns:
        A `Game` that starts at (5, 7).

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.games.solve(kgg.games.g1()).iterations
        101
    """
    return Game(
        lambda x, y: -3 * x**2 - y**2 + 4 * x * y,
        start=(5.0, 7.0),
        equilibrium=None,
        name="g1",
    )


def g2() -> Game:
    """Returns M = 3 x^2 + y^2 + 4 x y, convex in y: (0, 0) is no local minimax point.

    A negative result worth keeping: duality-gap descent ends there all the same,
    because the k steps from a critical point do not move.

    Returns:
        A `Game` that starts at (6, 5).

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.games.solve(kgg.games.g2()).iterations
        312
    """
    return Game(
        lambda x, y: 3 * x**2 + y**2 + 4 * x * y,
        start=(6.0, 5.0),
        equilibrium=None,
        name="g2",
    )


def g3() -> Game:
    """Returns M = (4 x^2 - (y - 3 x + x^3 / 20)^2 - y^4 / 10) exp(-(x^2 + y^2) / 100).

    Returns:
        A `Game` that starts at (7, 5).

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.games.solve(kgg.games.g3()).iterations
        90
    """

    def value(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        quartic = 4 * x**2 - (y - 3 * x + 0.05 * x**3) ** 2 - 0.1 * y**4
        return quartic * tf.exp(-0.01 * (x**2 + y**2))

    return Game(value, start=(7.0, 5.0), equilibrium=None, name="g3")


def e3() -> Game:
    """Returns M = ((0.3 x^2 + y)^2 + (0.1 y^2 + x)^2) exp(-(x^2 + y^2) / 100).

    Returns:
        A `Game` that starts at (5, 5); duality-gap descent reaches (-2.596, 12.413),
        where M = 74.594.

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.games.solve(kgg.games.e3()).iterations
        79
    """

    def value(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        squares = (0.3 * x**2 + y) ** 2 + (0.1 * y**2 + x) ** 2
        return squares * tf.exp(-0.01 * (x**2 + y**2))

    return Game(value, start=(5.0, 5.0), equilibrium=(-2.596, 12.413), name="e3")


def e4() -> Game:
    """Returns M = log(1 + e^x) + 3 x y - log(1 + e^y), convex-concave.

    Returns:
        A `Game` that starts at (5, 5), with its equilibrium at (0.1518, -0.1793).

    Example:
        >>> import keras_gamegan as kgg
        >>> kgg.games.solve(kgg.games.e4()).iterations
        104
    """
    return Game(
        lambda x, y: tf.nn.softplus(x) + 3 * x * y - tf.nn.softplus(y),
        start=(5.0, 5.0),
        equilibrium=(0.1518, -0.1793),
        name="e4",
    )


def exponential() -> Game:
    """Returns the game on which the plain gap is blind and the perturbed one sees.

    M(x, y) = exp(-(x^2 + y^2) / 100) ((0.3 y^2 + x)^2 + (y + x^2 / 2)^2).

    The origin is critical but no equilibrium: a search that starts there never moves,
    so the plain gap reads 0. The Nash point is (-8.67366, -12.467547).

    Returns:
        A `Game` that starts at (0, 0).

    Example:
        >>> import keras_gamegan as kgg
        >>> float(kgg.games.duality_gap(kgg.games.exponential(), 0.0, 0.0).gap)
        0.0

    References:
        Sidheekh, Aimen, Madan, Krishnan: "On Duality Gap as a Measure for Monitoring
        GAN Training", 2020.
    """

    def value(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        squares = (0.3 * y**2 + x) ** 2 + (y + 0.5 * x**2) ** 2
        return tf.exp(-0.01 * (x**2 + y**2)) * squares

    return Game(
        value,
        start=(0.0, 0.0),
        equilibrium=(-8.67366, -12.467547),
        name="exponential",
    )


def dirac_gan() -> Game:
    """Returns the Dirac-GAN: data at 0, generator at x, discriminator slope y.

    M(x, y) = f(x y) + f(0) with f(t) = -log(1 + e^-t). Unregularised descent-ascent
    circles (0, 0) for ever.

    Returns:
        A `Game` that starts at (1, 1).

    Example:
        >>> import keras_gamegan as kgg
        >>> round(float(kgg.games.dirac_gan().value(0.0, 0.0)), 4)
        -1.3863

    References:
        Mescheder, Geiger, Nowozin: "Which Training Methods for GANs do actually
        Converge?", 2018.
    """

    def value(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        return -tf.nn.softplus(-x * y) - tf.nn.softplus(tf.zeros_like(x))

    return Game(value, start=(1.0, 1.0), equilibrium=(0.0, 0.0), name="dirac_gan")
