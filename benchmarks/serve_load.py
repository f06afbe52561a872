"""A bounded load on the example service: latencies, and what was answered.

    bentoml serve service:Sampler --working-dir examples/serve --port 3000
    python benchmarks/serve_load.py --port=3000 --requests=2000 --at_once=32

Against a server on this machine alone. Prints the median, the 99th percentile and the
largest latency of the answered requests, and how many got which status.
"""

import collections
import concurrent.futures
import http.client
import json
import time

import numpy as np
from absl import app, flags

FLAGS = flags.FLAGS
flags.DEFINE_integer("port", 3000, "Port of the service on this machine.", 1, 65535)
flags.DEFINE_integer("requests", 2000, "Number of requests.", 1, 100_000)
flags.DEFINE_integer("at_once", 32, "Requests at a time.", 1, 256)
flags.DEFINE_integer("num_samples", 4, "Samples that each asks for.", 1, 4096)


def client(first):
    """Sends every n-th request over one connection; returns (seconds, status)."""
    found = []
    connection = http.client.HTTPConnection("127.0.0.1", FLAGS.port, timeout=90)
    for seed in range(first, FLAGS.requests, FLAGS.at_once):
        body = json.dumps({"num_samples": FLAGS.num_samples, "seed": seed})
        began = time.perf_counter()
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/sample", body, headers)
            reply = connection.getresponse()
            reply.read()
            status = str(reply.status)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            status = type(error).__name__
        found.append((time.perf_counter() - began, status))
    return found


def main(argv):
    """Sends all requests and prints the figures."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    began = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(FLAGS.at_once) as pool:
        found = [one for many in pool.map(client, range(FLAGS.at_once)) for one in many]
    seconds = time.perf_counter() - began
    answered = [1e3 * took for took, status in found if status == "200"] or [np.nan]
    median, late, last = np.percentile(answered, [50, 99, 100])
    print(
        f"{FLAGS.requests} requests, {FLAGS.at_once} at a time, in {seconds:.1f} s: "
        f"p50 {median:.0f} ms, p99 {late:.0f} ms, max {last:.0f} ms",
        dict(collections.Counter(status for _, status in found)),
    )


if __name__ == "__main__":
    app.run(main)
