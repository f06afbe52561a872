"""The demonstration: what it says of runs that are known, and that it runs."""

import numpy as np
import pytest

from keras_gamegan import demo
from keras_gamegan.demo import runs, verdict


def table(**modes):
    """Runs with these numbers of modes, a list of seeds for each trainer."""
    found = []
    for regime in runs.REGIMES:
        for trainer in runs.TRAINERS:
            given = modes.get(f"{trainer}_{regime.split()[0]}", [8, 8, 8])
            for seed, number in enumerate(given):
                seconds = {"GAN": 2.0, "DualityGapGAN": 5.0}.get(trainer, 3.0)
                frames = np.zeros((2, 3, 2)) + seed
                near = 0.9 if trainer == "DualityGapGAN" else 0.8
                found.append(
                    runs.Run(
                        trainer, regime, seed, number, near, seconds, 120, "", frames
                    )
                )
    return found


def test_all_are_good():
    without, penalized = verdict.sentences(table())
    assert without.startswith(
        "Without a penalty all three trainers found all 8 modes in every seed. Of "
        "those that lost no mode DualityGapGAN was the sharpest (90% of its samples "
        "near a mode); a run took 2 s of GAN, "
    )
    assert penalized.startswith("With R1 all three")


def test_one_loses_modes():
    without, _ = verdict.sentences(table(GAN_no=[8, 1, 6]))
    assert without.startswith(
        "Without a penalty GAN lost modes in 2 of 3 seeds (worst: 1 of 8); "
        "DualityGapGAN and FictitiousGAN lost none in any seed. Of those that lost no "
        "mode DualityGapGAN was the sharpest (90%"
    )


def test_one_alone_is_safe_and_none_is():
    modes = {"GAN_R1": [8, 1, 6], "FictitiousGAN_R1": [7, 8, 8]}
    _, penalized = verdict.sentences(table(**modes))
    assert "FictitiousGAN lost modes in 1 of 3 seeds (worst: 7 of 8)" in penalized
    assert penalized.endswith("5 s a run, and 90% of its samples lie near a mode.")
    lost = {f"{trainer}_no": [8, 8, 0] for trainer in runs.TRAINERS}
    without, _ = verdict.sentences(table(**lost))
    assert without.count("in 1 of 3 seeds (worst: 0 of 8)") == 3
    assert without.endswith("None was safe here.")


def test_the_table_has_the_worst_seed():
    head, *rows = verdict.rows(table(GAN_no=[8, 1, 6]))
    assert rows[0][:4] == ["no penalty", "GAN", "5.0 ± 3.6 (1)", "0.80 ± 0.00 (0.80)"]
    assert len(rows) == 6 and len(head) == len(rows[0])


def test_it_runs_and_writes_a_page(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(runs, "NUM_FRAMES", 3)
    page = demo.main(tmp_path, num_seeds=1, gradient_evaluations=100, num_processes=0)
    text = page.read_text(encoding="utf-8")
    assert text.index("class='verdict'") < text.index("<img")
    # It needs no other file, and no network.
    assert "http" not in text and text.count('src="data:image/png') == 2
    assert 'src="data:image/gif' in text and "width=device-width" in text
    said = capsys.readouterr().out
    assert "6 of 6" in said and "Without a penalty" in said and str(page) in said


@pytest.mark.slow
def test_processes_give_the_runs_of_one(tmp_path):
    pages = [
        demo.main(tmp_path / str(number), 1, 100, num_processes=number)
        for number in (0, 2)
    ]
    one, other = (page.with_name("samples.png").read_bytes() for page in pages)
    assert one == other


@pytest.mark.parametrize(
    "arguments", [{"num_seeds": 0}, {"gradient_evaluations": 99}, {"num_processes": -1}]
)
def test_bad_numbers(arguments, tmp_path):
    with pytest.raises(ValueError, match=f"{next(iter(arguments))}="):
        demo.main(tmp_path, **arguments)
