"""What a run notes in its folder, and reads again."""

import pytest

from keras_gamegan.command_line import run_folder


def test_a_torn_history_is_trimmed_and_another_table_is_refused(tmp_path):
    folder = run_folder.RunFolder(tmp_path)
    folder.history.write_bytes(b"epoch,d_loss\n0,1\n1,2\n\xff\xfe,3\n,\n2,0\n1")
    folder.trim_history(2)
    assert folder.history.read_text() == "epoch,d_loss\n0,1\n1,2\n"
    folder.history.write_text("epoch;d_loss\n0;1\n")
    with pytest.raises(ValueError, match=r"column epoch.*Received: 'epoch;d_loss'"):
        folder.trim_history(2)
    assert folder.history.read_text() == "epoch;d_loss\n0;1\n"


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
