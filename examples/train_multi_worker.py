r"""Trains one GAN on several workers, on this machine or on a cluster.

On one machine, two processes over 127.0.0.1:

    python examples/train_multi_worker.py --num_workers=2 --output_dir=runs/workers

On a cluster every worker runs the script with TF_CONFIG in its environment and without
`--num_workers`; see docs/distributed.md for Kubernetes and Slurm. The same command
again resumes from the checkpoints, also after a worker was lost.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time

import keras
import tensorflow as tf
from absl import app, flags

import keras_gamegan as kgg

FLAGS = flags.FLAGS
flags.DEFINE_integer(
    "num_workers", 0, "Start so many workers on this machine; 0: be one.", 0
)
flags.DEFINE_enum(
    "method", "gan", ["gan", "duality_gap", "fictitious"], "How the GAN is trained."
)
flags.DEFINE_integer("epochs", 3, "Epochs.", 1)
flags.DEFINE_integer("steps_per_epoch", 100, "Train steps in an epoch.", 1)
flags.DEFINE_integer("batch_size", 256, "Examples in the global batch.", 1)
flags.DEFINE_integer("checkpoint_steps", 50, "Train steps between checkpoints.", 1)
flags.DEFINE_integer("seed", 0, "Seed of everything; the same on all workers.", 0)
flags.DEFINE_float(
    "start_timeout", None, "Seconds to wait for all workers to start. Default: 60."
)
flags.DEFINE_string("output_dir", "runs/workers", "Folder that all workers see.")


def make_model():
    """Returns the model; every variable is made under the strategy's scope."""
    pair = kgg.networks.mlp_pair(data_dim=2, latent_dim=16, seed=FLAGS.seed)
    if FLAGS.method == "duality_gap":
        response = kgg.BestResponse(num_steps=5, learning_rate=1e-3)
        gan = kgg.DualityGapGAN(*pair, best_response=response, seed=FLAGS.seed)
    elif FLAGS.method == "fictitious":
        gan = kgg.FictitiousGAN(*pair, seed=FLAGS.seed)
    else:
        gan = kgg.GAN(*pair, seed=FLAGS.seed)
    adam = [keras.optimizers.Adam(1e-3, beta_1=0.5) for _ in range(2)]
    gan.compile(*adam, penalty="r1")
    return gan


def work():
    """Trains as the worker that TF_CONFIG says this process is."""
    # TensorFlow itself would wait for a missing worker for an hour without a word.
    kgg.distribution.wait_for_workers(FLAGS.start_timeout)
    # Before any other operation: it makes the connections.
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    resolver = strategy.cluster_resolver
    is_chief = resolver.task_type in (None, "chief") or resolver.task_id == 0
    folder = pathlib.Path(FLAGS.output_dir)
    with strategy.scope():
        gan = make_model()
    ring = kgg.datasets.gaussian_ring(seed=FLAGS.seed)
    gan.fit(
        ring.batches(FLAGS.batch_size, steps_per_epoch=FLAGS.steps_per_epoch),
        epochs=FLAGS.epochs,
        verbose=2 if is_chief else 0,
        callbacks=[
            kgg.callbacks.Checkpoint(
                folder / "checkpoints", every=FLAGS.checkpoint_steps
            ),
            kgg.callbacks.SampleGrid(folder / "samples", num_samples=256),
            keras.callbacks.CSVLogger(str(folder / "history.csv"), append=True),
        ],
    )
    if is_chief:
        gan.save(folder / "model.keras")
        if not (folder / "sampler" / "1").exists():
            gan.export(folder / "sampler" / "1")
        print(f"Wrote {folder / 'model.keras'} and {folder / 'sampler' / '1'}")


def launch(arguments):
    """Starts the workers here; when one fails, stops the others. Returns exit code."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(FLAGS.num_workers)]
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    command = [sys.executable, __file__, *arguments[1:], "--num_workers=0"]
    workers = []
    for index in range(FLAGS.num_workers):
        config = {
            "cluster": {"worker": addresses},
            "task": {"type": "worker", "index": index},
        }
        environment = {**os.environ, "TF_CONFIG": json.dumps(config)}
        workers.append(subprocess.Popen(command, env=environment))
    while True:
        codes = [worker.poll() for worker in workers]
        if all(code == 0 for code in codes):
            return 0
        if any(codes):
            # The others notice by themselves, which takes them a while.
            print(f"Workers ended with exit codes {codes}; stopping.", file=sys.stderr)
            for worker in workers:
                worker.terminate()
            for worker in workers:
                try:
                    worker.wait(30)
                except subprocess.TimeoutExpired:
                    worker.kill()
            return 1
        time.sleep(0.2)


def main(arguments):
    """Starts workers, or is one."""
    if FLAGS.num_workers:
        sys.exit(launch(sys.argv))
    work()


if __name__ == "__main__":
    app.run(main)
