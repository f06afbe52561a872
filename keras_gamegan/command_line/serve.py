"""`kgg serve`."""

import os
import pathlib
import subprocess
import sys

from keras_gamegan import optional, serving
from keras_gamegan.command_line import options, remedies, run_folder


def run(arguments: list[str]) -> None:
    """Serves a run's sampler over HTTP until it is interrupted.

    Args:
        arguments: Those after `kgg serve`.
    """
    given = options.Options(
        "kgg serve RUN [flags]",
        "Serves the sampler of the run in the folder RUN, or an exported sampler, over "
        "HTTP with BentoML. POST /sample takes {num_samples, seed [, labels]}.",
        ("RUN",),
    )
    flags = given.group("flags")
    flags.integer("port", 3000, "To listen on.")
    flags.text("host", "127.0.0.1", "To listen on; 0.0.0.0 for all the network.")
    flags.integer("max_samples", 256, "Samples in one request.")
    (path,) = given.parse(arguments)
    folder = run_folder.RunFolder(path).path
    sampler = folder / "sampler" if (folder / "sampler").is_dir() else folder
    written = {"gan.export": "Give the --output_dir of kgg train, which writes one."}
    with remedies.in_flags(given, written):
        serving.find_sampler(sampler)
    optional.load("bentoml", "serving", "kgg serve")
    command = [sys.executable, "-m", "bentoml", "serve", "service:Sampler"]
    command += ["--working-dir", str(pathlib.Path(serving.__file__).parent)]
    command += ["--port", str(given.port), "--host", given.host]
    environment = {
        **os.environ,
        "SAMPLER": str(sampler.resolve()),
        "MAX_SAMPLES": str(given.max_samples),
    }
    print(f"Serving {sampler} on http://{given.host}:{given.port}/sample", flush=True)
    code = subprocess.run(command, env=environment, check=False).returncode
    if code not in (0, 130, -2):
        raise RuntimeError(f"The server ended with status {code}; it said why above.")
