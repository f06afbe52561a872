"""What a train step costs: `GAN`, `FictitiousGAN` and `DualityGapGAN`.

    python benchmarks/train_steps.py --only=mlp --rounds=15

Plain steps are compared with the Keras guide's, fictitious play with `GAN`, the duality
gap with (k + 1) simultaneous steps; beside every figure stands the arithmetic bound of
`arithmetic.py`, whose parts are timed in the same rounds.
"""

import arithmetic
import keras_guide
import settings
import timing
from absl import app, flags

import keras_gamegan as kgg

CAPACITIES = (1, 5, 20, 100)
FULL = (5, 20)
DEPTHS = (1, 5, 10, 25)


def fictitious(setting, capacity, mixture="sampled"):
    """Returns a `FictitiousGAN` whose banks are full."""
    history = kgg.History(capacity, interval=1, retention="fifo")
    gan = kgg.FictitiousGAN(*setting.make(), history=history, mixture=mixture, seed=0)
    for _ in range(capacity - 1):
        gan.generator_bank.push()
        gan.discriminator_bank.push()
    return gan


def gap_gan(setting, num_steps, optimizer, **options):
    """Returns a `DualityGapGAN`."""
    response = kgg.BestResponse(num_steps, optimizer, 1e-4, **options)
    return kgg.DualityGapGAN(*setting.make(), best_response=response, seed=0)


def _contestants(setting, models, costs=None):
    """Returns name -> stopwatch of each model's step.

    A call takes fewer steps of a model whose steps cost more, so that Python's share
    is alike and small in all of them.
    """
    data = setting.data()
    found = {}
    for name, model in models.items():
        steps = max(1, round(setting.steps / (costs or {}).get(name, 1)))
        run = settings.repeated_step(settings.compiled(model), data, steps)
        found[name] = timing.stopwatch(run, steps)
    return found


def light_rows(setting, rounds, capacities=CAPACITIES):
    """Returns the lines of plain steps and sampled mixtures, and the parts' times."""
    models = {
        f"fictitious {capacity}": fictitious(setting, capacity)
        for capacity in capacities
    }
    parts = arithmetic.Parts(setting).contestants()
    contestants = keras_guide.contestants(setting) | parts
    contestants |= _contestants(setting, models)
    seconds = timing.interleave(contestants, rounds, 2)
    bound = arithmetic.alternating()
    rows = keras_guide.rows(seconds, setting.name, bound)
    rows += [
        timing.row_against(
            seconds,
            f"fictitious {capacity}",
            "gan",
            f"`FictitiousGAN`, sampled, capacity {capacity} / `GAN`",
            setting.name,
            bound,
            target=1.05,
        )
        for capacity in capacities
    ]
    return rows, {name: seconds[name] for name in parts}


def heavy_rows(setting, rounds, depths=DEPTHS, members=FULL):
    """Returns the lines of full mixtures and of the duality gap."""
    models = {"gan": kgg.GAN(*setting.make(), seed=0)}
    models["simultaneous"] = kgg.GAN(*setting.make(), updates="simultaneous", seed=0)
    costs = {}
    for number in members:
        models[f"full {number}"] = fictitious(setting, number, "full")
        costs[f"full {number}"] = number
    for optimizer in ("sgd", "adam"):
        for depth in depths:
            models[f"{optimizer} {depth}"] = gap_gan(setting, depth, optimizer)
            costs[f"{optimizer} {depth}"] = depth + 1
    models["persistent"] = gap_gan(setting, 1, "adam", start="persistent")
    parts = arithmetic.Parts(setting, members)
    contestants = _contestants(setting, models, costs) | parts.contestants()
    seconds = timing.interleave(contestants, rounds, 1)
    modes = parts.has_modes
    rows = [
        timing.row_against(
            seconds,
            "simultaneous",
            "gan",
            '`GAN(updates="simultaneous")` / `GAN`',
            setting.name,
            arithmetic.simultaneous(modes),
        )
    ]
    rows += [
        timing.row_against(
            seconds,
            f"full {number}",
            "gan",
            f"`FictitiousGAN`, full, capacity {number} / `GAN`",
            setting.name,
            arithmetic.full(number),
            bound_target=1.1,
        )
        for number in members
    ]
    for optimizer, factor in (("sgd", 0.95), ("adam", 1.0)):
        rows += [
            timing.row_against(
                seconds,
                f"{optimizer} {depth}",
                "simultaneous",
                f"`DualityGapGAN`, k = {depth}, {optimizer} / simultaneous `GAN`",
                setting.name,
                arithmetic.duality_gap(depth, optimizer, modes),
                target=factor * (depth + 1),
                bound_target=1.1,
            )
            for depth in depths
        ]
    rows.append(
        timing.row_against(
            seconds,
            "persistent",
            "simultaneous",
            '`DualityGapGAN`, `start="persistent"`, 1 step, adam / simultaneous `GAN`',
            setting.name,
            arithmetic.duality_gap(1, "adam", modes),
            target=2.2,
        )
    )
    return rows


def main(argv):
    """Times the steps and prints a Markdown table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    timing.limit_threads(2)
    print(timing.HEADER)
    for setting in settings.settings(flags.FLAGS.quick).values():
        if setting.name not in (flags.FLAGS.only or setting.name):
            continue
        rows, _ = light_rows(setting, flags.FLAGS.rounds)
        rows += heavy_rows(setting, max(1, flags.FLAGS.rounds // 3))
        for row in rows:
            print(timing.line(row), flush=True)


if __name__ == "__main__":
    flags.DEFINE_integer("rounds", 31, "Timed rounds of the plain steps.", 1)
    flags.DEFINE_string("only", None, "Networks to time: mlp or dcgan.")
    flags.DEFINE_bool("quick", False, "Tiny networks.")
    app.run(main)
