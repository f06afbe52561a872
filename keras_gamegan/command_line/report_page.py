"""Runs side by side, as one page of HTML."""

import csv
import html
import io
import math
import pathlib
from typing import Any, NamedTuple

from keras_gamegan.command_line import run_folder
from keras_gamegan.reporting import curves, html_page

# Logs that the curves show, in this order; others that a run has are left to its CSV.
_CURVES = ("frechet_distance", "density", "coverage", "d_loss", "g_loss", "d_real")


class Run(NamedTuple):
    """What a run's folder tells.

    Attributes:
        name: Path of the folder.
        settings: Of settings.json.
        logs: Name of a log -> its values, epoch by epoch.
        evaluation: Of evaluation.json; empty if it was not measured.
        picture: The newest grid of samples, a PNG file's content; or None.
        animation: samples.gif's content, or None.
        is_stale: Whether it was trained on since evaluation.json.
    """

    name: str
    settings: dict[str, Any]
    logs: dict[str, list[float]]
    evaluation: dict[str, Any]
    picture: bytes | None
    animation: bytes | None
    is_stale: bool = False


def read(folder: run_folder.RunFolder) -> Run:
    """Reads a run's folder.

    Raises:
        FileNotFoundError: If it is none, with what to do.
    """
    if not folder.is_run:
        raise FileNotFoundError(
            "RUN must be the folder of a run of kgg train. Received: "
            f"{str(folder.path)!r}, which has no settings.json of one. Train one: kgg "
            "train my_pngs --output_dir=..."
        )
    evaluation = folder.evaluation()
    pictures = sorted(folder.samples.glob("epoch_*.png"), key=lambda path: path.stem)
    animation = folder.samples / "samples.gif"
    return Run(
        str(folder.path),
        folder.settings(),
        _logs(folder),
        evaluation,
        pictures[-1].read_bytes() if pictures else None,
        animation.read_bytes() if animation.is_file() else None,
        bool(evaluation) and _is_newer(folder.model, folder.evaluation_file),
    )


def _is_newer(path: pathlib.Path, other: pathlib.Path) -> bool:
    return path.is_file() and path.stat().st_mtime > other.stat().st_mtime


def _logs(folder: run_folder.RunFolder) -> dict[str, list[float]]:
    if not folder.history.is_file():
        return {}
    with folder.history.open(encoding="utf-8", errors="replace", newline="") as file:
        try:
            rows = list(csv.DictReader(file))
        except csv.Error:  # Torn: the run mends it when it goes on.
            return {}
    names = [name for name in (rows[0] if rows else {}) if name not in ("epoch", None)]
    return {name: [_number(row[name]) for row in rows] for name in names}


def _number(given: Any) -> float:
    try:
        return float(given)
    except (TypeError, ValueError):
        return math.nan


def verdict(runs: list[Run]) -> str:
    """Returns in a sentence how the runs did, from what was measured alike."""
    scores = {run.name: _score(run) for run in runs}
    known = {name: score for name, score in scores.items() if score is not None}
    differing = _differences([run for run in runs if run.name in known])
    if differing:
        return (
            "These runs cannot be compared: what was measured differs in "
            f"{'; '.join(differing)}. Runs of the same images, measured by kgg "
            "evaluate with the same --num after they were trained, can be."
        )
    if not known:
        return (
            "None of these runs was measured: kgg evaluate RUN gives each the numbers "
            "to compare them by."
        )
    best = min(known, key=lambda name: known[name])
    if len(known) == 1:
        run = next(run for run in runs if run.name == best)
        step = run.evaluation.get("train_steps")
        at = "" if step is None else f" after train step {step}"
        text = f"{best} has a Fréchet distance of {known[best]:.3g}{at}."
    else:
        others = [score for name, score in known.items() if name != best]
        text = (
            f"{best} is the best of {len(known)} by the Fréchet distance: "
            f"{known[best]:.3g}, the others {min(others):.3g} to {max(others):.3g}"
            if len(others) > 1
            else f"{best} is better by the Fréchet distance: {known[best]:.3g} against "
            f"{others[0]:.3g}"
        )
        text += "; one seed each says little about small differences."
    missing = [name for name, score in scores.items() if score is None]
    if missing:
        text += f" Not measured: {', '.join(missing)}."
    return text


def _score(run: Run) -> float | None:
    measured = _number(run.evaluation.get("frechet_distance"))
    if math.isfinite(measured):
        return measured
    logged = [v for v in run.logs.get("frechet_distance", []) if math.isfinite(v)]
    return min(logged) if logged else None


def _differences(runs: list[Run]) -> list[str]:
    """Returns where the figures of measured runs are not of the same thing."""
    bases = [_basis(run) for run in runs]
    return [
        f"{name} ({', '.join(str(basis[name]) for basis in bases)})"
        for name in (bases[0] if bases else ())
        if any(basis[name] != bases[0][name] for basis in bases)
    ]


def _basis(run: Run) -> dict[str, Any]:
    """Returns what a run's Fréchet distance is of."""
    names = ("dataset", "split", "image_size", "color_mode")
    of_data = {name: run.settings.get(name) for name in names}
    if "frechet_distance" not in run.evaluation:
        number = run.settings.get("evaluate")
        return {**of_data, "measured by": "kgg train", "images": number, "when": "best"}
    return {
        **of_data,
        "measured by": "kgg evaluate",
        "images": run.evaluation.get("n_real"),
        "when": "before it went on" if run.is_stale else "at its end",
    }


def render(runs: list[Run]) -> str:
    """Returns the page."""
    parts = [
        f"<p class='verdict'>{html.escape(verdict(runs))}</p>",
        "<h2>Samples</h2>",
        f"<div class='grid'>{''.join(_samples(run) for run in runs)}</div>",
    ]
    if any(run.logs for run in runs):
        parts += ["<h2>Curves</h2>", _curves(runs)]
    if any(run.evaluation for run in runs):
        rows = {run.name: run.evaluation for run in runs}
        parts += ["<h2>Measures</h2>", _table(rows)]
    parts += ["<h2>Settings</h2>", _table({run.name: run.settings for run in runs})]
    names = ", ".join(run.name for run in runs)
    return html_page.page(f"Report: {names}", "".join(parts))


def _samples(run: Run) -> str:
    kinds = (
        (run.picture, "png", "newest samples"),
        (run.animation, "gif", "samples over the training"),
    )
    shown, whats = "", []
    for content, kind, what in kinds:
        if content is not None:
            shown += html_page.image(content, kind, f"{what} of {run.name}", "pixels")
            whats.append(what)
    told = " and ".join(whats) or "no pictures"
    caption = f"{html.escape(run.name)}: {told}"
    return f"<figure>{shown}<figcaption>{caption}</figcaption></figure>"


def _curves(runs: list[Run]) -> str:
    shown = {
        run.name: {name: run.logs[name] for name in _CURVES if name in run.logs}
        for run in runs
    }
    shown = {name: logs for name, logs in shown.items() if logs}
    if not shown:
        return "<p>No logs of these names.</p>"
    buffer = io.BytesIO()
    curves.draw_curves(shown).savefig(buffer, format="png", dpi=130)
    return html_page.image(buffer.getvalue(), "png", "logs over the epochs", "chart")


def _table(columns: dict[str, dict[str, Any]]) -> str:
    """Returns a table with a column for each run; rows that differ are marked."""
    names = list(dict.fromkeys(name for each in columns.values() for name in each))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    lines = [f"<tr><th></th>{head}</tr>"]
    for name in names:
        values = [each.get(name, "-") for each in columns.values()]
        differs = any(value != values[0] for value in values)
        cells = "".join(f"<td>{html.escape(_shown(value))}</td>" for value in values)
        mark = " class='differs'" if differs else ""
        lines.append(f"<tr{mark}><th>{html.escape(name)}</th>{cells}</tr>")
    return f"<div class='wide'><table>{''.join(lines)}</table></div>"


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
