"""Where persistent best responses solve the closed-form games, and where not.

    python benchmarks/persistent_games.py --output=persistent_games.json

Plays every game with `start="persistent"`, one and two steps, several pulls, beside the
k steps from the current players. Step 0.05 for players and searches, float64, at most
1000 iterations; "converged" is the first iteration at which no coordinate, rounded to
five decimals, changes. Prints a Markdown table: the iterations; "*" after them if the
limit is not that of the first row (to 0.01); "diverges"; or "no" and, in brackets, how
far a coordinate still moved in the last iteration.
"""

import json
import pathlib

import numpy as np
from absl import app, flags

import keras_gamegan as kgg
from keras_gamegan.games import schemes

FLAGS = flags.FLAGS
flags.DEFINE_integer("max_iterations", 1000, "At most so many iterations.", 1)
flags.DEFINE_multi_float("pull", [0.0, 0.05, 0.2, 1.0], "Pulls to try.")
flags.DEFINE_multi_integer("num_steps", [1, 2], "Steps of the persistent players.")
flags.DEFINE_integer("reference_steps", 5, "Steps k from the current players.", 1)
flags.DEFINE_string("output", None, "JSON file of all figures.")

STEP_SIZE = 0.05
GAMES = (
    "bilinear",
    "g1",
    "g2",
    "g3",
    "e3",
    "e4",
    "rock_paper_scissors",
    "dirac_gan",
    "exponential",
)
# Where no game's own start is used: this one's is critical, and no step leaves it.
STARTS = {"exponential": (1.0, 1.0)}


def responses():
    """Returns name -> `BestResponse`; the first is what the others are held against."""

    def response(num_steps, **start):
        return kgg.BestResponse(num_steps, "sgd", STEP_SIZE, **start)

    found = {f"current, k={FLAGS.reference_steps}": response(FLAGS.reference_steps)}
    for num_steps in FLAGS.num_steps:
        for pull in FLAGS.pull:
            found[f"persistent, k={num_steps}, pull {pull:g}"] = response(
                num_steps, start="persistent", pull=pull
            )
    return found


def play(game, response):
    """Returns the figures of one game."""
    result = kgg.games.solve(
        game,
        STARTS.get(game.name),
        scheme=schemes.DualityGap(response),
        step_size=STEP_SIZE,
        max_iterations=FLAGS.max_iterations,
    )
    moved = max(float(np.max(np.abs(x[-1] - x[-2]))) for x in result.trajectory)
    return {
        "iterations": result.iterations,
        "converged": result.converged,
        "diverged": result.diverged,
        "solution": [np.asarray(player).tolist() for player in result.solution],
        "last_move": moved,
    }


def cell(figures, reference):
    """Returns a table's cell."""
    if figures["diverged"]:
        return "diverges"
    if not figures["converged"]:
        return f"no ({figures['last_move']:.0e})"
    same = reference["converged"] and all(
        np.allclose(mine, other, atol=0.01)
        for mine, other in zip(figures["solution"], reference["solution"], strict=True)
    )
    return f"{figures['iterations']}{'' if same else '*'}"


def main(argv):
    """Plays everything and prints a Markdown table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    names = {name: getattr(kgg.games, name)() for name in GAMES}
    print(f"| response | {' | '.join(names)} |")
    print("|---" * (1 + len(names)) + "|")
    everything, reference = {}, None
    for title, response in responses().items():
        found = {name: play(game, response) for name, game in names.items()}
        reference = reference or found
        everything[title] = found
        cells = [cell(found[name], reference[name]) for name in names]
        print(f"| {title} | {' | '.join(cells)} |", flush=True)
    if FLAGS.output:
        pathlib.Path(FLAGS.output).write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    app.run(main)
