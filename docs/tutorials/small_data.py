# %% [markdown]
# # A small data set
# With some hundred images a discriminator learns them by heart: `d_real` goes to 1, and
# samples get worse. Augmentation of what it sees, real and generated alike, prevents that.

# %%
import keras
import numpy as np

import keras_gamegan as kgg

rng = np.random.default_rng(0)
y, x = np.mgrid[:16, :16]
centers = rng.uniform(4, 12, (64, 2, 1, 1))
discs = (x - centers[:, 0]) ** 2 + (y - centers[:, 1]) ** 2 < 9
images = np.where(discs, 1.0, -1.0).astype("float32")[..., None]


def train(augment):
    keras.utils.clear_session()
    pair = kgg.networks.dcgan_pair((16, 16, 1), 8, base_filters=8, seed=0)
    gan = kgg.GAN(*pair, seed=0, augment=augment)
    gan.compile(keras.optimizers.Adam(1e-3, 0.5), keras.optimizers.Adam(1e-3, 0.5))
    logs = gan.fit(images, batch_size=32, epochs=150, verbose=0).history
    return gan, logs


plain, plain_logs = train(None)
gan, logs = train(kgg.augment.DiffAugment("translation,cutout"))
print("d_real without augmentation", round(plain_logs["d_real"][-1], 2))
print("d_real with it             ", round(logs["d_real"][-1], 2))

# %%
gan.show(25, seed=0)

# %% [markdown]
# `kgg.augment.Adaptive(target=0.6)` turns the strength up only as far as the discriminator
# overfits, and logs it as `augment_probability`. Any Keras layer does too:

# %%
flipping, _ = train(keras.layers.RandomFlip("horizontal", seed=0))
flipping.augment
