"""What one worker tells the others: two of them in one process, exchanging by hand."""

import json
import socket
import threading

import pytest

import keras_gamegan as kgg
from keras_gamegan.distribution import lost_worker, notices, stopping, workers

ADDRESSES = ["127.0.0.1:1", "127.0.0.1:2"]


class Strategy:
    """What is asked of a strategy: who this worker is."""

    def __init__(self, index):
        self.cluster_resolver = self
        self.task_type, self.task_id = "worker", index

    def cluster_spec(self):
        return self

    def as_dict(self):
        return {"worker": ADDRESSES}


@pytest.fixture(name="texts")
def fixture_texts(monkeypatch):
    """Two threads that exchange texts as workers do; returns what was exchanged."""
    texts, both = {}, threading.Barrier(2, timeout=20)

    def all_texts(strategy, text, moment):
        texts[strategy.task_id] = text
        both.wait()
        return [texts[0], texts[1]]

    monkeypatch.setattr(workers, "num_workers", lambda strategy: 2)
    monkeypatch.setattr(workers, "all_texts", all_texts)
    return texts


def run(*bodies):
    """Runs each worker's `exchanged`; returns what each raised."""
    errors = {}

    def work(index, body):
        try:
            with notices.exchanged(Strategy(index)):
                body()
        except BaseException as error:
            errors[index] = error

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(bodies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return errors


def raising(error, before=None):
    def body():
        if before is not None:
            before()
        raise error

    return body


@pytest.mark.parametrize(
    "error",
    [
        kgg.NonFiniteError("the data became NaN"),
        OSError("The checkpoint of step 4 could not be written"),
        KeyboardInterrupt(),
        ValueError("ä" * 5000),
    ],
)
def test_the_reason_is_told(error, texts):
    lost = kgg.WorkerLostError("a broken connection")
    errors = run(raising(lost), raising(error))
    assert errors[1] is error
    assert isinstance(errors[0], kgg.WorkerLostError)
    reason = f"{type(error).__name__}: {error}"[:1000]
    assert f"Received, on worker 0, from worker 1: {reason}" in str(errors[0])
    for text in texts.values():
        # Nobody listens any more.
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", json.loads(text)[0]), 1).close()


@pytest.mark.parametrize(
    "sent", [b"", b"{", b"[1, 2, 3]", b'["no", "worker 1", "x"]', b"[" * 30_000]
)
def test_strangers_are_not_listened_to(sent, texts):
    def stranger():
        port = json.loads(texts[0])[0]
        with socket.create_connection(("127.0.0.1", port), 5) as made:
            made.sendall(sent)

    lost = kgg.WorkerLostError("a broken connection")
    errors = run(raising(lost, stranger), lambda: None)
    assert errors == {0: lost}


@pytest.mark.parametrize(
    "text, name",
    [
        ("from remote target /job:worker/replica:0/task:1 while calling", "worker 1"),
        ("/job:worker/replica:0/task:0/device:CPU:0 and /job:chief/task:0", "chief 0"),
        ("on /job:worker/replica:0/task:0/device:CPU:0", None),
        ("Socket closed", None),
    ],
)
def test_who_ended_by_what_tensorflow_says(text, name):
    assert lost_worker._named(text, "worker 0") == name


class Model:
    """What the callback reads and writes of a model."""

    distribute_strategy = None
    stop_training = False


@pytest.mark.parametrize(
    "own_step, other_stops, epoch, expected",
    [
        # Wanted inside an epoch, by this worker: held back until all know it.
        (2, False, 5, 5),
        (2, False, 250, stopping.STEPS_BETWEEN),
        (stopping.STEPS_BETWEEN, False, 250, stopping.STEPS_BETWEEN),
        (150, False, 250, 2 * stopping.STEPS_BETWEEN),
        # By another one, which this one hears of when they exchange.
        (None, True, 5, 5),
        (None, True, 250, stopping.STEPS_BETWEEN),
        (None, False, 250, None),
    ],
)
def test_the_step_at_which_all_stop(
    own_step, other_stops, epoch, expected, monkeypatch
):
    other = "stop" if other_stops else "go on"
    exchange = lambda strategy, text, *_: [text, other]  # noqa: E731
    monkeypatch.setattr(workers, "all_texts", exchange)
    callback, model = stopping.StopTogether(), Model()
    callback.set_model(model)
    callback.on_train_begin()
    stopped = None
    for step in range(1, epoch + 1):
        model.stop_training = step == own_step
        callback.on_train_batch_end(step - 1)
        if model.stop_training:
            stopped = step
            break
    callback.on_epoch_end(0)
    if model.stop_training:
        stopped = stopped or step
    assert stopped == expected
