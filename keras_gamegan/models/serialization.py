"""How models are described in a file, and made again from the description."""

import pathlib
import re
import warnings
from typing import Any

import keras

from keras_gamegan import games, history, version
from keras_gamegan.distribution import placement
from keras_gamegan.games import schemes
from keras_gamegan.models import optimizer_slots
from keras_gamegan.typing import Config

_SLOTS = "optimizer_slots"

keras.saving.register_keras_serializable(package="keras_gamegan")(games.BestResponse)
keras.saving.register_keras_serializable(package="keras_gamegan")(games.Perturbation)
keras.saving.register_keras_serializable(package="keras_gamegan")(history.History)
for _scheme in (
    *map(type, map(schemes.get, schemes.NAMES)),
    schemes.DualityGap,
    schemes.FictitiousPlay,
):
    keras.saving.register_keras_serializable(package="keras_gamegan")(_scheme)


def model_config(model: Any, arguments: Config) -> Config:
    """Returns a model's configuration: networks, arguments, version of the library."""
    serialize = keras.saving.serialize_keras_object
    return {
        model._roles.maximizer: serialize(model.maximizer),
        model._roles.minimizer: serialize(model.minimizer),
        "keras_gamegan_version": version.__version__,
        **{name: serialize(value) for name, value in arguments.items()},
    }


def constructor_arguments(config: Config, custom_objects: Any = None) -> Config:
    """Returns the constructor's arguments from a configuration.

    Raises:
        ValueError: If the file was made by a newer major version of the library.
    """
    config = dict(config)
    check_version(config.pop("keras_gamegan_version", version.__version__))
    return {
        name: keras.saving.deserialize_keras_object(value, custom_objects)
        if isinstance(value, dict)
        else value
        for name, value in config.items()
    }


def check_version(made_by: Any) -> None:
    """Raises if a file comes from a newer major version than this one, or from none."""
    found = (
        re.match(r"[0-9]{1,8}(?![0-9])", made_by) if isinstance(made_by, str) else None
    )
    if found is None:
        raise ValueError(
            "A file must name the version of keras_gamegan that made it, such as "
            f"{version.__version__!r}. Received: keras_gamegan_version={made_by!r}. "
            "The file is damaged; take a copy of it."
        )
    if int(found[0]) > int(version.__version__.split(".")[0]):
        raise ValueError(
            f"This is keras_gamegan {version.__version__}, which reads files of its "
            "own and older major versions. Received: a file made by version "
            f"{made_by}. Upgrade: pip install --upgrade keras_gamegan."
        )


def check_path(path: Any) -> None:
    """Raises if a whole model is to be written in the old format of HDF5."""
    name = pathlib.PurePath(str(path)).name
    if name.endswith((".h5", ".hdf5")):
        raise ValueError(
            "A model is saved as a .keras file: HDF5 has no place for two optimizers. "
            f"Received: a file {name!r}. Name it .keras; or write the weights alone, "
            "by save_weights or ModelCheckpoint(save_weights_only=True): .weights.h5."
        )


def warn_of_unregistered(model: Any) -> None:
    """Warns of what of the game Keras would not find when it loads a file."""
    config = {**model.get_config(), **(compile_config(model) or {})}
    played = model._played() if model.compiled else ()
    for name in ("game", "updates", *played):
        made = config.get(name)
        if not isinstance(made, dict) or not made.get("registered_name"):
            continue  # A name, or nothing.
        is_function = made["class_name"] == "function"
        known = made["config"] if is_function else made["registered_name"]
        if keras.saving.get_registered_object(known) is None:
            label = known if is_function else made["class_name"]
            warnings.warn(
                f"`{name}` is saved by its name, which Keras does not know. Received: "
                f"{name}={label}. To load the file, decorate it with "
                "@keras.saving.register_keras_serializable(package='mine'), or pass "
                f"custom_objects={{{label!r}: {label}}} to load_model.",
                UserWarning,
                stacklevel=3,
            )


def compile_config(model: Any) -> Config | None:
    """Returns what `compile` was called with, or None if it was not."""
    if not model.compiled:
        return None
    serialize = keras.saving.serialize_keras_object
    return {
        model._roles.maximizer_optimizer: serialize(model.maximizer_optimizer),
        model._roles.minimizer_optimizer: serialize(model.minimizer_optimizer),
        **{name: serialize(value) for name, value in model._played().items()},
        **model.compile_options,
        **_slots(model),
    }


def compile_arguments(model: Any, config: Config) -> Config:
    """Returns the arguments of `compile` from its configuration.

    Args:
        model: The `GAN` to be compiled; in the scope of its strategy.
        config: What `compile_config` returned.
    """
    config = dict(config)
    kept = config.pop(_SLOTS, {})
    arguments = {
        name: keras.saving.deserialize_keras_object(value)
        if isinstance(value, dict)
        else value
        for name, value in config.items()
    }
    for name, network in optimizer_slots.networks(model).items():
        if name in kept:
            stored = network.stored_variables
            arguments[name].build([stored[place] for place in kept[name]])
    return arguments


def _slots(model: Any) -> Config:
    """Returns which weights the optimizers have slots for, where that says anything."""
    known, found = optimizer_slots.places(model), {}
    for name, network in optimizer_slots.networks(model).items():
        stored = network.stored_variables
        moved = [id(stored[place]) for place in known[name]]
        if moved != [id(v) for v in network.model.trainable_variables]:
            found[name] = known[name]
    return {_SLOTS: found} if found else {}


class SavingMethods:
    """Gives a `GAN` its `save`, and what Keras loads it by."""

    def save(
        self,
        filepath: Any,
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Saves the whole model; as `keras.Model.save`.

        Args:
            filepath: Path that ends in ".keras".
            overwrite: As in Keras.
            zipped: As in Keras.
            **kwargs: As in Keras.

        Raises:
            ValueError: If the path ends in ".h5", whose format holds one optimizer;
                `save_weights` writes ".weights.h5".
        """
        check_path(filepath)
        warn_of_unregistered(self)
        super().save(  # type: ignore[misc]
            filepath, overwrite=overwrite, zipped=zipped, **kwargs
        )

    @classmethod
    def from_config(cls, config: Config, custom_objects: Any = None) -> Any:
        """Returns the object that `get_config` described."""
        return cls(**constructor_arguments(config, custom_objects))

    def get_compile_config(self) -> Config | None:
        """Returns what `compile` was called with."""
        return compile_config(self)

    def compile_from_config(self, config: Config) -> None:
        """Compiles from what `get_compile_config` returned."""
        with placement.scope_of(self):
            arguments = compile_arguments(self, config)
        self.compile(**arguments)  # type: ignore[attr-defined]
