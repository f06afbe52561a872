"""A run that was ended goes on as if it had not been."""

from tests import scripts
from tests.command_line.commands import QUICK, run


def test_pace_control_goes_on_where_it_ended(images, tmp_path, capsys):
    def trained(name, epochs):
        pace = ("--pace_control", "--steps_per_epoch=10", f"--epochs={epochs}")
        assert (
            run("train", images, *QUICK, *pace, f"--output_dir={tmp_path / name}") == 0
        )
        rows = scripts.history(tmp_path / name)
        return [(row["g_learning_rate"], row["d_learning_rate"]) for row in rows]

    # The first look has nothing to compare with.
    rates = trained("whole", 4)
    assert len(set(rates)) >= 3
    assert trained("parts", 2) == rates[:2] and trained("parts", 4) == rates
    capsys.readouterr()
