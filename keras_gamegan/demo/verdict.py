"""What the runs of the demonstration say, in words and in a table."""

import numpy as np

from keras_gamegan.demo import runs as runs_module


def of(trainer: str, regime: str, runs: list[runs_module.Run]) -> list[runs_module.Run]:
    """Returns a trainer's runs in a regime."""
    return [run for run in runs if (run.trainer, run.regime) == (trainer, regime)]


def sentences(runs: list[runs_module.Run]) -> list[str]:
    """Returns a sentence for each regime: who lost modes, and what it cost."""
    return [_sentence(regime, runs) for regime in runs_module.REGIMES]


def _sentence(regime: str, runs: list[runs_module.Run]) -> str:
    total = runs_module.NUM_MODES
    lost, kept = [], []
    for trainer in runs_module.TRAINERS:
        mine = of(trainer, regime, runs)
        losing = [run for run in mine if run.modes < total]
        if losing:
            worst = min(run.modes for run in losing)
            lost.append(
                f"{trainer} lost modes in {len(losing)} of {len(mine)} seeds (worst: "
                f"{worst} of {total})"
            )
        else:
            kept.append(trainer)
    name = "Without a penalty" if regime == "no penalty" else f"With {regime}"
    if not lost:
        text = f"{name} all three trainers found all {total} modes in every seed"
    elif not kept:
        text = f"{name} {_listed(lost)}"
    else:
        text = f"{name} {_listed(lost)}; {_listed(kept)} lost none in any seed"
    return f"{text}. {_price(regime, runs, kept)}"


def _price(regime: str, runs: list[runs_module.Run], kept: list[str]) -> str:
    """Says what the trainers that lost no mode took, and which was the sharpest."""
    if not kept:
        return "None was safe here."
    seconds = {
        trainer: float(np.mean([run.seconds for run in of(trainer, regime, runs)]))
        for trainer in kept
    }
    near = {
        trainer: float(np.mean([run.near for run in of(trainer, regime, runs)]))
        for trainer in kept
    }
    sharp = max(near, key=lambda trainer: near[trainer])
    if len(kept) == 1:
        return (
            f"It took {seconds[sharp]:.0f} s a run, and {near[sharp]:.0%} of its "
            "samples lie near a mode."
        )
    # Runs side by side on a busy machine: who was quicker by a second says nothing.
    times = [f"{seconds[trainer]:.0f} s of {trainer}" for trainer in kept]
    return (
        f"Of those that lost no mode {sharp} was the sharpest ({near[sharp]:.0%} of "
        f"its samples near a mode); a run took {_listed(times)}."
    )


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def rows(runs: list[runs_module.Run]) -> list[list[str]]:
    """Returns the table, its head first: mean +- sd (worst seed)."""
    found = [
        [
            "regime",
            "trainer",
            f"modes of {runs_module.NUM_MODES}",
            "near a mode",
            "failed",
            "gradient evaluations",
            "seconds",
        ]
    ]
    for regime in runs_module.REGIMES:
        for trainer in runs_module.TRAINERS:
            mine = of(trainer, regime, runs)
            found.append(
                [
                    regime,
                    trainer,
                    _spread([run.modes for run in mine], 1, 0),
                    _spread([run.near for run in mine], 2, 2),
                    str(sum(bool(run.failure) for run in mine)),
                    f"{max(run.evaluations for run in mine):,}",
                    f"{np.mean([run.seconds for run in mine]):.0f}",
                ]
            )
    return found


def _spread(values: list[float], digits: int, of_worst: int) -> str:
    deviation = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return (
        f"{np.mean(values):.{digits}f} ± {deviation:.{digits}f} "
        f"({min(values):.{of_worst}f})"
    )
