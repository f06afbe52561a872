"""The methods `sample` and `export` of a model: what their documentation shows."""

import doctest

import keras_gamegan as kgg
from keras_gamegan.sampling import sampling_methods


def test_the_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output, tried = [], 0
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    for example in doctest.DocTestFinder().find(sampling_methods.SamplingMethods):
        tried += runner.run(example, out=output.append).attempted
    assert tried >= 8
    assert runner.failures == 0, "".join(output)


def test_every_model_has_them():
    for model in (kgg.GAN, kgg.DualityGapGAN, kgg.FictitiousGAN):
        assert model.sample is sampling_methods.SamplingMethods.sample
        assert model.export is sampling_methods.SamplingMethods.export
