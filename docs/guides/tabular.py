# %% [markdown]
# # Tabular data
# Numbers and categories in one row: numbers are standardised, categories become one-hot
# columns that the generator ends in a softmax for.

# %%
import keras
import numpy as np
from keras import layers

import keras_gamegan as kgg

rng = np.random.default_rng(0)
kind = rng.integers(0, 3, 2000)
income = rng.normal(loc=2.0 * kind, scale=0.5)
age = rng.normal(loc=40 + 5 * kind, scale=4.0)
numbers = np.stack([income, age], axis=1)
mean, deviation = numbers.mean(axis=0), numbers.std(axis=0)
table = np.concatenate([(numbers - mean) / deviation, np.eye(3)[kind]], axis=1)

# %%
latents = keras.Input((8,))
hidden = layers.Dense(64, activation="relu")(
    layers.Dense(64, activation="relu")(latents)
)
made = layers.Concatenate()(
    [layers.Dense(2)(hidden), layers.Dense(3, activation="softmax")(hidden)]
)
generator = keras.Model(latents, made)
discriminator, _ = kgg.networks.mlp_pair(data_dim=5, latent_dim=8, width=64, seed=0)

gan = kgg.GAN(discriminator, generator, seed=0)
gan.compile(
    keras.optimizers.Adam(1e-3, beta_1=0.5),
    keras.optimizers.Adam(1e-3, beta_1=0.5),
    penalty=kgg.penalties.R1(0.05),
    steps_per_execution=15,
)
gan.fit(table.astype("float32"), batch_size=128, epochs=100, verbose=0)

# %%
rows = gan.sample(2000, seed=0, source="average")
sampled = rows[:, :2] * deviation + mean
of = rows[:, 2:].argmax(axis=1)
for category in range(3):
    real, fake = (
        numbers[kind == category].mean(axis=0),
        sampled[of == category].mean(axis=0),
    )
    print(f"category {category}: real {real.round(1)}, sampled {fake.round(1)}")
