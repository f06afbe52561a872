"""What a recipe's settings stand for."""

from typing import Any

import keras
import numpy as np

from keras_gamegan import augment, games, history, models, networks
from keras_gamegan.payoffs import penalties

_PENALTIES = {
    "r1": (penalties.R1,),
    "r1+r2": (penalties.R1, penalties.R2),
    "gradient_penalty": (penalties.GradientPenalty,),
}


def build(
    recipe: Any,
    image_shape: tuple[int, int, int],
    num_classes: int | None,
    seed: int,
    jit_compile: bool | str,
) -> models.GAN:
    """Returns the GAN of a recipe, compiled."""
    discriminator, generator = _networks(recipe, image_shape, num_classes, seed)
    gan = _model(recipe, discriminator, generator, seed)
    gan.compile(
        keras.optimizers.Adam(recipe.d_learning_rate, recipe.beta_1),
        keras.optimizers.Adam(recipe.g_learning_rate, recipe.beta_1),
        loss=recipe.loss,
        penalty=_penalty(recipe),
        jit_compile=jit_compile,
    )
    return gan


def _penalty(recipe: Any) -> Any:
    if recipe.penalty == "none":
        return None
    weight = recipe.penalty_weight
    arguments = () if weight is None else (weight,)
    made = [make(*arguments) for make in _PENALTIES[recipe.penalty]]
    return made[0] if len(made) == 1 else made


def _or_none(text: str) -> str | None:
    return None if text == "none" else text


def _networks(
    recipe: Any, image_shape: tuple[int, int, int], num_classes: int | None, seed: int
) -> tuple[keras.Model, keras.Model]:
    """Returns (discriminator, generator) for images in [-1, 1]."""
    if recipe.network == "mlp":
        return _mlp(recipe, image_shape, num_classes, seed)
    if recipe.network == "modern":
        return networks.modern_pair(
            image_shape,
            recipe.latent_dim,
            base_filters=recipe.base_filters,
            num_blocks=recipe.num_blocks,
            num_classes=num_classes,
            seed=seed,
        )
    make = {"dcgan": networks.dcgan_pair, "residual": networks.residual_pair}
    return make[recipe.network](
        image_shape,
        recipe.latent_dim,
        base_filters=recipe.base_filters,
        generator_normalization=_or_none(recipe.generator_normalization),
        discriminator_normalization=_or_none(recipe.discriminator_normalization),
        num_classes=num_classes,
        seed=seed,
    )


def _mlp(
    recipe: Any, image_shape: tuple[int, int, int], num_classes: int | None, seed: int
) -> tuple[keras.Model, keras.Model]:
    """Returns the networks that know nothing of images: pixels are coordinates."""
    judge, maker = networks.mlp_pair(
        int(np.prod(image_shape)),
        recipe.latent_dim,
        width=recipe.mlp_width,
        num_classes=num_classes,
        seed=seed,
    )
    image = keras.Input(image_shape, name="data")
    pixels, labels = keras.layers.Flatten()(image), judge.inputs[1:]
    discriminator = keras.Model(
        [image, *labels] if labels else image,
        judge([pixels, *labels] if labels else pixels),
        name="discriminator",
    )
    made = keras.layers.Activation("tanh")(maker.output)
    made = keras.layers.Reshape(image_shape)(made)
    return discriminator, keras.Model(maker.input, made, name="generator")


def _model(
    recipe: Any, discriminator: keras.Model, generator: keras.Model, seed: int
) -> models.GAN:
    """Returns the GAN, not compiled."""
    common = {"average_decay": recipe.average_decay, "seed": seed}
    if recipe.augment == "diffaugment":
        common["augment"] = augment.DiffAugment()
    if recipe.method == "duality_gap":
        own = recipe.response_optimizer == "player"
        response = games.BestResponse(
            recipe.num_response_steps,
            recipe.response_optimizer,
            None if own else recipe.response_learning_rate,
            side=recipe.response_side,
        )
        return models.DualityGapGAN(
            discriminator, generator, best_response=response, **common
        )
    common["discriminator_steps"] = recipe.discriminator_steps
    if recipe.method == "gan":
        return models.GAN(discriminator, generator, **common)
    return models.FictitiousGAN(
        discriminator,
        generator,
        history=history_of(recipe),
        mixture=recipe.mixture,
        **common,
    )


def history_of(recipe: Any) -> history.History:
    """Returns the history of a recipe whose method keeps one."""
    return history.History(
        recipe.history_capacity,
        recipe.history_interval,
        recipe.retention,
        None if recipe.current_weight < 0 else recipe.current_weight,
        recipe.side,
        answered=recipe.answered,
    )
