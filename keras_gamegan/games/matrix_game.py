"""Games with finitely many pure strategies, given by a payoff matrix."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gamegan import optional, validation
from keras_gamegan.games import distributions
from keras_gamegan.games import memory as memories
from keras_gamegan.games.game import Game


class MatrixEquilibrium(NamedTuple):
    """A mixed Nash equilibrium of a matrix game.

    Attributes:
        p: (m,), the minimiser's probabilities.
        q: (n,), the maximiser's probabilities.
        value: M at the equilibrium, a float: the value of the game.

    Example:
        >>> import keras_gamegan as kgg
        >>> round(kgg.games.rock_paper_scissors().nash().value, 6) + 0.0
        0.0
    """

    p: np.ndarray
    q: np.ndarray
    value: float


class MatrixPlay(NamedTuple):
    """What `MatrixGame.fictitious_play` returns, as NumPy arrays.

    Attributes:
        p: (m,), the minimiser's average play.
        q: (n,), the maximiser's average play.
        exploitability: (num_rounds + 1,), that of the averages after 0, 1, ... rounds.
        minimizer_plays: (num_rounds + 1,) int64, the row chosen in each round.
        maximizer_plays: (num_rounds + 1,) int64, the column chosen in each round.

    Example:
        >>> import keras_gamegan as kgg
        >>> result = kgg.games.rock_paper_scissors().fictitious_play(num_rounds=6)
        >>> result.maximizer_plays.tolist()
        [0, 1, 1, 1, 2, 2, 2]
    """

    p: np.ndarray
    q: np.ndarray
    exploitability: np.ndarray
    minimizer_plays: np.ndarray
    maximizer_plays: np.ndarray


class MatrixGame(Game):
    """The zero-sum game of a payoff matrix, in mixed strategies.

    The minimiser picks a row, the maximiser a column, and the entry is what the first
    pays the second. Mathematics: with probabilities p over rows and q over columns

        M(p, q) = p^T A q,      min_p max_q M = max_q min_p M  (von Neumann).

    As a `Game` the players are logits, p = softmax(u) and q = softmax(v), so that
    gradient play stays feasible; the methods that are exact take and return
    probabilities.

    Args:
        payoff: (m, n) finite numbers A, what row pays column; m, n >= 1.
        start: Pair of logits ((m,), (n,)), the customary start of gradient play.
            Default: zeros, both players uniform.
        name: Name for pictures and messages. Default: "matrix_game".

    Raises:
        ValueError: If the payoff is no finite matrix.

    Example:
        >>> import keras_gamegan as kgg
        >>> game = kgg.games.MatrixGame([[3.0, -1.0], [-2.0, 1.0]])
        >>> p, q, value = game.nash()
        >>> p.round(3).tolist(), q.round(3).tolist(), round(value, 3)
        ([0.429, 0.571], [0.286, 0.714], 0.143)

    References:
        von Neumann: "Zur Theorie der Gesellschaftsspiele", 1928.
        Robinson: "An Iterative Method of Solving a Game", 1951 (that fictitious play
        converges).
    """

    def __init__(
        self,
        payoff: ArrayLike,
        *,
        start: Sequence[ArrayLike] | None = None,
        name: str = "matrix_game",
    ) -> None:
        try:
            matrix = np.array(payoff, np.float64)
        except (TypeError, ValueError):
            matrix = np.empty(0)
        if matrix.ndim != 2 or not matrix.size or not np.all(np.isfinite(matrix)):
            raise ValueError(
                "`payoff` must be a matrix of finite numbers, what the row player pays "
                f"the column player. Received: payoff={payoff!r}. "
                "Pass a list of rows of equal lengths."
            )
        matrix.setflags(write=False)
        self.payoff = matrix
        rows, columns = matrix.shape

        def value(u: tf.Tensor, v: tf.Tensor) -> tf.Tensor:
            return tf.tensordot(
                tf.nn.softmax(u),
                tf.linalg.matvec(tf.cast(matrix, v.dtype), tf.nn.softmax(v)),
                axes=1,
            )

        start = (np.zeros(rows), np.zeros(columns)) if start is None else start
        # Arrays: a list would be a structure of scalars.
        super().__init__(
            value, start=tuple(np.asarray(x, np.float64) for x in start), name=name
        )

    def expected_payoff(self, p: ArrayLike, q: ArrayLike) -> float:
        """Returns p^T A q, what the minimiser pays on average.

        Args:
            p: (m,) probabilities of the rows.
            q: (n,) probabilities of the columns.

        Returns:
            A float.

        Raises:
            ValueError: If an argument is no distribution of the right size.
        """
        p, q = self._strategies(p, q)
        return float(p @ self.payoff @ q)

    def duality_gap(self, p: ArrayLike, q: ArrayLike) -> float:
        """Returns max_q' M(p, q') - min_p' M(p', q), exactly.

        Args:
            p: (m,) probabilities of the rows.
            q: (n,) probabilities of the columns.

        Returns:
            A float >= 0, zero exactly at an equilibrium.

        Raises:
            ValueError: If an argument is no distribution of the right size.
        """
        p, q = self._strategies(p, q)
        return float(np.max(p @ self.payoff) - np.min(self.payoff @ q))

    def exploitability(self, p: ArrayLike, q: ArrayLike) -> float:
        """Returns what a player gains on average by best responding: half the gap.

        Args:
            p: (m,) probabilities of the rows.
            q: (n,) probabilities of the columns.

        Returns:
            A float >= 0, zero exactly at an equilibrium.

        Raises:
            ValueError: If an argument is no distribution of the right size.

        Example:
            >>> import keras_gamegan as kgg
            >>> game = kgg.games.rock_paper_scissors()
            >>> game.exploitability([1, 0, 0], [1, 0, 0])
            1.0
        """
        return 0.5 * self.duality_gap(p, q)

    def nash(self) -> MatrixEquilibrium:
        """Returns a mixed Nash equilibrium, by linear programming (needs SciPy).

        The minimiser's program: minimise w such that A^T p <= w and p is a
        distribution. The maximiser's is its dual; both are solved.

        Returns:
            A `MatrixEquilibrium`; one of them if there are several.

        Raises:
            RuntimeError: If the solver fails, which finite payoffs give no cause for.
        """
        p, value = _solve_minimizer(self.payoff)
        q, _ = _solve_minimizer(-self.payoff.T)
        return MatrixEquilibrium(p, q, value)

    def fictitious_play(
        self, num_rounds: int, start: Sequence[int] = (0, 0)
    ) -> MatrixPlay:
        """Plays best responses to the opponent's average play, both at once.

        Args:
            num_rounds: Rounds after the start, >= 1.
            start: Pair (row, column) of the first play. Default: (0, 0).

        Returns:
            A `MatrixPlay`. Of several best responses the first is played.

        Raises:
            TypeError: If a number is no integer.
            ValueError: If a number is out of range.

        Example:
            >>> import keras_gamegan as kgg
            >>> game = kgg.games.rock_paper_scissors()
            >>> bool(game.fictitious_play(10_000).exploitability[-1] < 0.02)
            True
        """
        num_rounds = validation.check_integer("num_rounds", num_rounds)
        if not isinstance(start, (tuple, list)) or len(start) != 2:
            raise ValueError(
                "`start` must be a pair (row, column) of indices. "
                f"Received: start={start!r}."
            )
        for size, choice in zip(self.payoff.shape, start, strict=True):
            validation.check_integer("start", choice, 0)
            if choice >= size:
                raise ValueError(
                    "`start` must be a pair (row, column) of indices of a payoff of "
                    f"shape {self.payoff.shape}. Received: start={start!r}."
                )
        rows, columns, exploitability = (
            part.numpy() for part in _play(self.payoff, tuple(start), num_rounds)
        )
        rows, columns = (
            np.append(first, later)
            for first, later in zip(start, (rows, columns), strict=True)
        )
        return MatrixPlay(
            p=np.bincount(rows, minlength=self.payoff.shape[0]) / rows.size,
            q=np.bincount(columns, minlength=self.payoff.shape[1]) / columns.size,
            exploitability=np.append(
                self.exploitability(
                    *(
                        np.eye(s)[i]
                        for s, i in zip(self.payoff.shape, start, strict=True)
                    )
                ),
                exploitability,
            ),
            minimizer_plays=rows,
            maximizer_plays=columns,
        )

    def _strategies(self, p: ArrayLike, q: ArrayLike) -> Iterator[np.ndarray]:
        return (
            distributions.check(name, values, size)
            for name, values, size in zip(
                ("p", "q"), (p, q), self.payoff.shape, strict=True
            )
        )


def rock_paper_scissors() -> MatrixGame:
    """Returns rock, paper, scissors: the loser pays 1, the equilibrium is uniform.

    Returns:
        A `MatrixGame`; gradient play starts off the equilibrium.

    Example:
        >>> import keras_gamegan as kgg
        >>> p, q, value = kgg.games.rock_paper_scissors().nash()
        >>> p.round(6).tolist()
        [0.333333, 0.333333, 0.333333]
    """
    game = MatrixGame(
        [[0.0, 1.0, -1.0], [-1.0, 0.0, 1.0], [1.0, -1.0, 0.0]],
        start=([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]),
        name="rock_paper_scissors",
    )
    game.equilibrium = (np.zeros(3), np.zeros(3))
    return game


def _play(
    payoff: np.ndarray, start: tuple[int, ...], num_rounds: int
) -> tuple[tf.Tensor, ...]:
    memory = memories.FullMemory()
    matrix = tf.constant(payoff)
    num_rows, num_columns = payoff.shape

    def pure_row(index: int | tf.Tensor) -> tf.Tensor:
        return tf.one_hot(index, num_rows, dtype=tf.float64)

    def pure_column(index: int | tf.Tensor) -> tf.Tensor:
        return tf.one_hot(index, num_columns, dtype=tf.float64)

    # What a memory holds of the opponent are the payoffs of one's own pure strategies.
    @tf.function
    def play() -> tuple[tf.Tensor, ...]:
        def one_round(
            index: tf.Tensor,
            of_rows: Any,
            of_columns: Any,
            records: tuple[tf.TensorArray, ...],
        ) -> tuple:
            row = tf.argmin(memory.mean(of_rows))
            column = tf.argmax(memory.mean(of_columns))
            of_rows = memory.add(
                of_rows, tf.linalg.matvec(matrix, pure_column(column)), None
            )
            of_columns = memory.add(
                of_columns, tf.linalg.matvec(matrix, pure_row(row), True), None
            )
            gap = tf.reduce_max(memory.mean(of_columns)) - tf.reduce_min(
                memory.mean(of_rows)
            )
            records = tuple(
                record.write(index, item)
                for record, item in zip(records, (row, column, 0.5 * gap), strict=True)
            )
            return index + 1, of_rows, of_columns, records

        *_, records = tf.while_loop(
            lambda index, *_: index < num_rounds,
            one_round,
            (
                tf.constant(0),
                memory.init(tf.linalg.matvec(matrix, pure_column(start[1]))),
                memory.init(tf.linalg.matvec(matrix, pure_row(start[0]), True)),
                tuple(
                    tf.TensorArray(dtype, num_rounds, element_shape=())
                    for dtype in (tf.int64, tf.int64, tf.float64)
                ),
            ),
        )
        return tuple(record.stack() for record in records)

    return play.get_concrete_function()()


def _solve_minimizer(payoff: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns (p, value) of min_p max_j (p^T payoff)_j."""
    what = "The equilibrium of a matrix game"
    optimize = optional.load("scipy.optimize", "games", what)
    rows, columns = payoff.shape
    # The solver's tolerances are absolute: hand it payoffs from 0 to 1.
    low = np.min(payoff)
    spread = np.max(payoff) - low
    payoff = (payoff - low) / (spread if spread > 0 else 1.0)
    result = optimize.linprog(
        np.append(np.zeros(rows), 1.0),
        A_ub=np.hstack([payoff.T, -np.ones((columns, 1))]),
        b_ub=np.zeros(columns),
        A_eq=np.append(np.ones(rows), 0.0)[np.newaxis],
        b_eq=[1.0],
        bounds=[(0, None)] * rows + [(None, None)],
        options={
            "primal_feasibility_tolerance": 1e-10,
            "dual_feasibility_tolerance": 1e-10,
        },
    )
    if not result.success:
        raise RuntimeError(f"The linear program was not solved: {result.message}")
    p = np.maximum(result.x[:-1], 0)
    return p / p.sum(), float(low + spread * result.fun)
