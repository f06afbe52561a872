"""Whether all workers are about to do the same, asked before the first step.

Workers that differ train on without an error: gradients of different models are summed
as long as their shapes agree. So each worker hashes what has to be equal, and all look
at all hashes; each then raises, or none.
"""

import hashlib
import json

import numpy as np

from keras_gamegan.distribution import workers

# Names count up within a process, and say nothing of what is computed.
_NAMES = {"name", "keras_history", "inbound_nodes", "input_layers", "output_layers"}


def check(strategy, gather):
    """Raises on every worker if one of them differs from the first.

    Args:
        strategy: The model's strategy.
        gather: Function that returns the facts, called where there are several
            workers: a dictionary from what a fact is to a JSON-like value, of the same
            keys on every worker.

    Raises:
        ValueError: If a worker's facts are not those of the first.
    """
    if workers.num_workers(strategy) == 1:
        return
    facts = gather()
    digests = np.stack([_digest(fact) for fact in facts.values()])
    rows = workers.all_rows(strategy, digests.reshape(1, -1))
    rows = rows.reshape(len(rows), *digests.shape)
    found = []
    for index, row in enumerate(rows):
        differing = [
            fact
            for fact, mine, first in zip(facts, row, rows[0], strict=True)
            if (mine != first).any()
        ]
        if differing:
            found.append(f"worker {index} differs in its {' and its '.join(differing)}")
    if found:
        raise ValueError(
            "All workers must train the same model in the same way. Received: "
            f"{'; '.join(found)} from worker 0. Start every worker with the same "
            "command, the same versions and an explicit seed: GAN(..., seed=0)."
        )


def _digest(fact):
    text = json.dumps(_without_names(fact), sort_keys=True, default=str)
    hashed = hashlib.sha256(text.encode()).digest()
    return np.frombuffer(hashed[:16], "int32")


def _without_names(value):
    if isinstance(value, dict):
        return {k: _without_names(v) for k, v in value.items() if k not in _NAMES}
    if isinstance(value, (list, tuple)):
        return [_without_names(item) for item in value]
    return value
