"""Starts worker processes on this machine, and never waits for them for ever."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def free_ports(number):
    """Returns ports that nobody listens on at the moment."""
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Cluster:
    """Worker processes over 127.0.0.1, told of each other by TF_CONFIG alone.

    Args:
        num_workers: Number of processes.
        arguments: Command line after the Python interpreter; or a list of one for each
            worker.
        folder: Folder of the workers' logs.
        environment: Further variables of the environment; None takes one away.
    """

    def __init__(self, num_workers, arguments, folder, environment=None):
        addresses = [f"127.0.0.1:{port}" for port in free_ports(num_workers)]
        if not isinstance(arguments[0], (list, tuple)):
            arguments = [arguments] * num_workers
        self.processes, self.logs = [], []
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(num_workers):
            task = {"type": "worker", "index": index}
            variables = {
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "CUDA_VISIBLE_DEVICES": "",
                "TF_CPP_MIN_LOG_LEVEL": "2",
                "TF_CONFIG": json.dumps(
                    {"cluster": {"worker": addresses}, "task": task}
                ),
                **(environment or {}),
            }
            variables = {k: v for k, v in variables.items() if v is not None}
            self.logs.append(folder / f"worker-{index}.log")
            with self.logs[-1].open("w") as log:
                self.processes.append(
                    subprocess.Popen(
                        [sys.executable, *map(str, arguments[index])],
                        cwd=ROOT,
                        env=variables,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                    )
                )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
        for process in self.processes:
            process.wait(30)

    def text(self, index):
        """Returns what a worker has printed so far."""
        return self.logs[index].read_text(errors="replace")

    def wait(self, timeout):
        """Waits for all; returns their exit codes, None for one that still runs."""
        end = time.monotonic() + timeout
        for process in self.processes:
            try:
                process.wait(max(end - time.monotonic(), 0.01))
            except subprocess.TimeoutExpired:
                break
        return [process.poll() for process in self.processes]

    def check(self, timeout):
        """Waits for all and fails, with their last words, unless all succeeded."""
        codes = self.wait(timeout)
        words = [f"-- {i}\n{self.text(i)[-3000:]}" for i, c in enumerate(codes) if c]
        assert codes == [0] * len(codes), f"exit codes {codes}\n" + "\n".join(words)
