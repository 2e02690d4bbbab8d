"""Learning in the page: its numbers are PyTorch's, its weights are VAE.load's."""

import json
from base64 import b64encode
from pathlib import Path

import numpy as np
import pytest
import torch

from vaecourse import VAE

FIXTURE = Path(__file__).resolve().parents[1] / "web" / "test" / "lab.json"
CASES = {  # settings of a VAE, and beta
    "sigma learned": ({}, 1.0),
    "sigma held, beta 4": ({"sigma": 0.2}, 4.0),
    "bernoulli": ({"likelihood": "bernoulli"}, 1.0),
}


def case(settings, beta, folder):
    """What PyTorch says of a small model: the two terms of the ELBO, and the slopes of beta KL - log P(x|z)."""
    torch.manual_seed(0)
    model = VAE((4, 3), 2, hidden=(8, 5), decoder_hidden=(7,), **settings)
    x, noise = torch.rand(6, 4, 3), torch.randn(6, 2)
    log_likelihood, kl = model.elbo_terms(x, noise=noise)
    (beta * kl - log_likelihood).mean().backward()
    model.save(folder / "model.safetensors")
    slopes = {name: w.grad.flatten().tolist() for name, w in model.named_parameters()}
    return {
        "file": b64encode((folder / "model.safetensors").read_bytes()).decode(),
        "beta": beta,
        "x": x.flatten().tolist(),
        "noise": noise.flatten().tolist(),
        "log_likelihood": log_likelihood.tolist(),
        "kl": kl.tolist(),
        "slopes": slopes,
    }


@pytest.mark.parametrize("name", CASES)
def test_what_the_page_is_held_against_is_what_pytorch_says_today(name, tmp_path):
    """web/test/lab.test.js compares the page's numbers with this file, without Python."""
    stored, fresh = json.loads(FIXTURE.read_text("utf-8"))[name], case(*CASES[name], tmp_path)
    for part in ("x", "noise", "log_likelihood", "kl"):
        assert np.allclose(stored[part], fresh[part], rtol=1e-5, atol=1e-6), part
    assert stored["slopes"].keys() == fresh["slopes"].keys()
    for part, slope in fresh["slopes"].items():
        assert np.allclose(stored["slopes"][part], slope, rtol=1e-4, atol=1e-5), part


if __name__ == "__main__":  # python tests/test_lab.py writes the file
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        cases = {key: case(*value, Path(name)) for key, value in CASES.items()}
    FIXTURE.write_text(json.dumps(cases, indent=1) + "\n", "utf-8")
