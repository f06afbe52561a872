"""Whether all workers are about to do the same, asked before the first step.

Workers that differ train on without an error: gradients of different models are summed
as long as their shapes agree. So each worker hashes what has to be equal, and all look
at all hashes; each then raises, or none. One that cannot even begin says so there.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from keras_gamegan.distribution import cluster, lost_worker, workers

# Names count up within a process, and say nothing of what is computed.
_NAMES = {"name", "keras_history", "inbound_nodes", "input_layers", "output_layers"}
_MOMENT = "the first step of fit()"
_FAILED = "failed: "


@contextlib.contextmanager
def prepared(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Tells the others, who wait in `check`, of an error raised in here."""
    try:
        yield
    except Exception as error:
        if workers.num_workers(strategy) > 1:
            reason = f"{_FAILED}{type(error).__name__}: {error}"
            # What is to be said is the first error, whoever else is lost.
            with contextlib.suppress(lost_worker.WorkerLostError):
                workers.all_texts(strategy, reason, _MOMENT)
        raise


def check(
    strategy: tf.distribute.Strategy, gather: Callable[[], Mapping[str, Any]]
) -> None:
    """Raises on every worker if one of them differs from the first.

    Args:
        strategy: The model's strategy.
        gather: Function that returns the facts, called where there are several
            workers: a dictionary from what a fact is to a JSON-like value, of the same
            keys on every worker.

    Raises:
        ValueError: If a worker's facts are not those of the first.
        WorkerLostError: If a worker failed before, ended, or does not come here in
            time; see `cluster.patience`.
    """
    if workers.num_workers(strategy) == 1:
        return
    with prepared(strategy):
        digests = {fact: _digest(value) for fact, value in gather().items()}
    texts = workers.all_texts(strategy, json.dumps(digests), _MOMENT)
    names = [task.name for task in cluster.tasks(strategy.cluster_resolver)]
    for name, text in zip(names, texts, strict=True):
        if text.startswith(_FAILED):
            raise lost_worker.stopped(name, text.removeprefix(_FAILED), strategy)
    rows = [json.loads(text) for text in texts]
    found = []
    for name, row in zip(names, rows, strict=True):
        differing = [fact for fact in digests if row.get(fact) != rows[0].get(fact)]
        if differing:
            found.append(f"{name} differs in its {' and its '.join(differing)}")
    if found:
        raise ValueError(
            "All workers must train the same model on the same data in the same way. "
            f"Received: {'; '.join(found)} from {names[0]}. Start every worker with "
            "the same command, data and versions and an explicit seed: "
            "GAN(..., seed=0)."
        )


def _digest(fact: Any) -> str:
    text = json.dumps(_without_names(fact), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _without_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_names(v) for k, v in value.items() if k not in _NAMES}
    if isinstance(value, (list, tuple)):
        return [_without_names(item) for item in value]
    return value
