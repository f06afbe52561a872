"""What a run notes in its folder, and reads again."""

import pytest

from keras_gamegan.command_line import history_file, run_folder
from tests import scripts


def test_a_torn_history_is_trimmed_and_another_table_is_refused(tmp_path):
    folder = run_folder.RunFolder(tmp_path)
    folder.history.write_bytes(b"epoch,d_loss\n0,1\n1,2\n\xff\xfe,3\n,\n2,0\n1")
    folder.trim_history(2)
    assert folder.history.read_text() == "epoch,d_loss\n0,1\n1,2\n"
    folder.history.write_text("epoch;d_loss\n0;1\n")
    with pytest.raises(ValueError, match=r"column epoch.*Received: 'epoch;d_loss'"):
        folder.trim_history(2)
    assert folder.history.read_text() == "epoch;d_loss\n0;1\n"


def test_a_history_that_is_a_folder_is_refused(tmp_path):
    folder = run_folder.RunFolder(tmp_path)
    folder.history.mkdir()
    with pytest.raises(ValueError, match=r"history.csv' must be a file. Received: a f"):
        folder.trim_history(0)


def test_the_history_has_the_columns_of_the_logs_and_no_others(tmp_path):
    folder = run_folder.RunFolder(tmp_path)
    for number, logs in enumerate(({"g": 2.0, "d": 1.5}, {"d": 3.0, "g": 4.0})):
        # As a run that was ended between the two.
        history_file.HistoryFile(folder.history).on_epoch_end(number, logs)
    assert scripts.history(tmp_path) == [
        {"epoch": "0", "d": "1.5", "g": "2.0"},
        {"epoch": "1", "d": "3.0", "g": "4.0"},
    ]


def test_a_history_of_an_older_version_keeps_its_columns(tmp_path):
    folder = run_folder.RunFolder(tmp_path)
    folder.history.write_text("epoch,d,g,val_d,val_g\n0,1,2,NA,NA\n1,5,6,NA,NA\n")
    folder.trim_history(1)
    logs = {"g": 4.0, "new": 5.0, "d": 3.0}
    history_file.HistoryFile(folder.history).on_epoch_end(1, logs)
    nothing = {"val_d": "NA", "val_g": "NA"}
    assert scripts.history(tmp_path) == [
        {"epoch": "0", "d": "1", "g": "2", **nothing},
        {"epoch": "1", "d": "3.0", "g": "4.0", **nothing},
    ]


@pytest.mark.parametrize("content", ["{", "[]", '"a"', ""])
def test_damaged_notes_are_said(content, tmp_path):
    folder = run_folder.RunFolder(tmp_path)
    for name, read in (
        ("settings.json", folder.settings),
        ("data.json", lambda: folder.note_examples(3)),
        ("evaluation.json", folder.evaluation),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(ValueError, match=rf"{name}' must hold .* Received: a "):
            read()
