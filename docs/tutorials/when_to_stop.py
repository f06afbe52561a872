# %% [markdown]
# # When to stop
# The duality gap is the distance to an equilibrium: how much each player could still gain
# by a search of its own. It needs held-out data, no labels and no pretrained network.

# %%
import keras

import keras_gamegan as kgg

ring = kgg.datasets.gaussian_ring(num_modes=8, standard_deviation=0.05)
held_out = ring.sample(2048, seed=1)
gan = kgg.GAN(*kgg.networks.mlp_pair(2, 16, width=64, seed=0), seed=0)
gan.compile(
    keras.optimizers.Adam(1e-3, beta_1=0.5),
    keras.optimizers.Adam(1e-3, beta_1=0.5),
    penalty=kgg.penalties.R1(0.05),
    steps_per_execution=50,
)
monitor = kgg.callbacks.DualityGapMonitor(
    held_out[:1024], held_out[1024:], num_steps=50
)
stop = kgg.callbacks.GapEarlyStopping(patience=3, smoothing=0.5)
history = gan.fit(
    ring.batches(128, steps_per_epoch=250),
    epochs=12,
    verbose=0,
    callbacks=[monitor, stop],
)

# %% [markdown]
# The gap's two halves judge one player each: `val_minimax` the generator, `val_maximin`
# the discriminator.

# %%
comparison = kgg.compare(
    {"run": history}, logs=["val_duality_gap", "val_minimax", "d_loss"]
)
comparison

# %%
comparison.figure()

# %% [markdown]
# With a feature extractor at hand, any metric stops a run:
# `kgg.callbacks.Evaluate(kgg.metrics.FrechetDistance(extractor))` before
# `kgg.callbacks.MetricEarlyStopping("frechet_distance")`. What each measure misses is in
# [Evaluation](../evaluation.md).
