"""Names of types that many annotations share."""

import os
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

# What `tf.convert_to_tensor` takes.
TensorLike: TypeAlias = tf.Tensor | np.ndarray | float | Sequence[Any]
# A tensor, or tensors in nested lists, tuples and dictionaries; arrays likewise.
Structure: TypeAlias = Any
# What `get_config` returns.
Config: TypeAlias = dict[str, Any]
# What Keras hands to a callback.
Logs: TypeAlias = dict[str, Any] | None
PathLike: TypeAlias = str | os.PathLike[str]
