"""Where the time of a compiled step goes: TensorFlow's profiler, as a small table."""

import collections
import pathlib

import tensorflow as tf


def operations(run, calls, folder):
    """Profiles a compiled function and returns the time of its operations.

    Args:
        run: Function without arguments.
        calls: How often to call it.
        folder: Where the profile goes, for TensorBoard.

    Returns:
        List of (type of operation, seconds in all calls, how often it ran), longest
        first. Operations that run side by side count in full.
    """
    run()
    tf.profiler.experimental.start(str(folder))
    for _ in range(calls):
        run()
    tf.profiler.experimental.stop()
    files = sorted(pathlib.Path(folder).rglob("*.xplane.pb"))
    return _read(files[-1])


def _read(path):
    # The format of the profile has no public reader.
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    space.ParseFromString(path.read_bytes())
    seconds, numbers = collections.Counter(), collections.Counter()
    for plane in space.planes:
        if "CPU" not in plane.name:
            continue
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                # "name/of/the/op:Type" is an operation; the rest is the runtime's.
                _, colon, kind = name.rpartition(":")
                if colon and "::" not in name and kind.lstrip("_").isalnum():
                    seconds[kind] += event.duration_ps * 1e-12
                    numbers[kind] += 1
    return [(kind, taken, numbers[kind]) for kind, taken in seconds.most_common()]


def table(found, steps, number=18):
    """Returns the longest operations as Markdown, in milliseconds per step."""
    total = sum(taken for _, taken, _ in found)
    lines = ["| operation | ms | share | number |", "|---|---|---|---|"]
    rest = found[number:]
    shown = found[:number]
    if rest:
        times, counts = [each[1] for each in rest], [each[2] for each in rest]
        shown = [*shown, ("all others", sum(times), sum(counts))]
    lines += [
        f"| {kind} | {1000 * taken / steps:.3g} | {taken / total:.1%} "
        f"| {count / steps:.1f} |"
        for kind, taken, count in [
            *shown,
            ("sum", total, sum(each[2] for each in found)),
        ]
    ]
    return "\n".join(lines)
