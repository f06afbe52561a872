# %% [markdown]
# # A folder of images
# Your own PNG, JPEG or WebP files of any sizes. For this page some are drawn first: discs
# and squares in a colour each.

# %%
import pathlib
import tempfile

import numpy as np
import tensorflow as tf

import keras_gamegan as kgg

folder = pathlib.Path(tempfile.mkdtemp()) / "my_pngs"
folder.mkdir()
rng = np.random.default_rng(0)
for number in range(256):
    size = rng.integers(24, 40)
    y, x = np.mgrid[:size, :size] - size / 2
    inside = (
        x**2 + y**2 < (size / 3) ** 2
        if number % 2
        else np.maximum(abs(x), abs(y)) < size / 4
    )
    pixels = np.where(inside[..., None], rng.integers(0, 256, 3), 255).astype("uint8")
    (folder / f"{number}.png").write_bytes(tf.io.encode_png(pixels).numpy())

images = kgg.datasets.load_folder(folder, image_size=16, batch_size=32, seed=0)
images.element_spec

# %% [markdown]
# A recipe is a set of networks, trainer, loss and rates that train well together; printed,
# it says which. `kgg train my_pngs --output_dir=runs/mine` does all of this page in one
# command.

# %%
import dataclasses

recipe = dataclasses.replace(kgg.recipes.get("baseline"), base_filters=8, latent_dim=16)
gan = recipe.build((16, 16, 3), seed=0)
gan.fit(images.repeat(), epochs=1, steps_per_epoch=300, verbose=0)
gan.show(25, seed=0, source="average")

# %% [markdown]
# A path between two samples, along the sphere that latents lie on:

# %%
from keras_gamegan.callbacks import image_grid

path = gan.interpolate(9, seed=(0, 1), source="average")
tf.keras.utils.array_to_img(image_grid(path)).resize((300, 300), 0)
