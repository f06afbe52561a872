"""What a data set yields, in any form that Keras takes, as data and labels."""

from typing import Any

import keras

from keras_gamegan import labelled_network


def data_and_labels(
    element: Any, network: labelled_network.LabelledNetwork
) -> tuple[Any, Any]:
    """Returns (data, labels or None) of what a data set yields, or of what `fit` got.

    Data alone; (data,); (data, labels); [data, labels]; or a dictionary by the names of
    the discriminator's inputs, whose further entries are passed over. Labels for an
    unconditional network are passed over too.

    Args:
        element: Nested structure of arrays, tensors or their specifications.
        network: `LabelledNetwork` of the discriminator.

    Raises:
        ValueError: If it is another structure, or has sample weights.
    """
    x, labels, weights = keras.utils.unpack_x_y_sample_weight(element)
    if weights is not None:
        raise ValueError(
            "A GAN takes no sample weights. Received: elements (data, labels, "
            "sample_weight). Drop the third, or resample the data set."
        )
    if isinstance(x, dict):
        x, found = _by_name(x, network)
        labels = found if labels is None else labels
    elif isinstance(x, (list, tuple)):
        x, labels = _of_list(x, labels, network)
    if network.label_input is None:
        labels = None
    return x, labels


def _by_name(
    element: dict, network: labelled_network.LabelledNetwork
) -> tuple[Any, Any]:
    names = [network.main_input.name]
    if network.label_input is not None:
        names.append(network.label_input.name)
    missing = [name for name in names[:1] if name not in element]
    if missing:
        keys = ", ".join(map(repr, element))
        told = " and ".join(map(repr, names))
        pair = ", ".join(f"element[{key!r}]" for key in list(element)[: len(names)])
        raise ValueError(
            "A dictionary must have the names of the discriminator's inputs, "
            f"{told}. Received: a dictionary of {keys}. Map it to "
            f"{'(data, labels)' if len(names) > 1 else 'data'}: "
            f"dataset.map(lambda element: ({pair})), images scaled to what the "
            "generator makes."
        )
    return element[names[0]], element.get(names[-1]) if len(names) > 1 else None


def _of_list(x: Any, labels: Any, network: labelled_network.LabelledNetwork) -> tuple:
    if len(x) == 1:
        return x[0], labels
    if len(x) == 2 and network.label_input is not None and labels is None:
        return x[0], x[1]
    rank = len(network.main_input.shape)
    if len(x) == 2 and labels is None and len(getattr(x[0], "shape", ())) == rank:
        raise ValueError(
            "These networks take no labels: the discriminator has one input. Received: "
            f"a {type(x).__name__} of two arrays, which may be data and labels. Pass "
            "the data alone, or build class-conditional networks (num_classes=...)."
        )
    raise ValueError(
        "A list is several inputs to Keras, and the discriminator takes "
        f"{'data and labels' if network.label_input is not None else 'one'}. Received: "
        f"a {type(x).__name__} of {len(x)} entries. Make one array of a list of "
        "examples: np.stack(examples)."
    )
