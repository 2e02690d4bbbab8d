"""The plane on the first page: a walk from a 1 that leans one way to a 1 that leans the other."""

import json
import sys
from pathlib import Path

import pytest
import torch
from bs4 import BeautifulSoup

from vaecourse import load_pretrained
from vaecourse.interpolation import scoring

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "tools"))

from first_plane import first_plane  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("offline", [False, True])
def test_the_walk_leads_from_a_leaning_1_to_one_that_leans_as_much_the_other_way(offline, monkeypatch, request):
    if offline:
        monkeypatch.delenv("VAECOURSE_DATA", raising=False)
        monkeypatch.setenv("VAECOURSE_OFFLINE", "1")
    else:
        request.getfixturevalue("real_data")
    element = BeautifulSoup(first_plane(), "html.parser").find("latent-explorer")
    assert element["data-model"] == f"{'strokes' if offline else 'mnist'}-2d-page"
    a, b = torch.tensor(json.loads(element.script.string)["ends"])
    with torch.no_grad():
        drawn = load_pretrained(element["data-model"]).decode(torch.stack([a, (a + b) / 2, b])).mean
    left, middle, right = scoring.slant(drawn).tolist()
    assert left < -0.1 and right == pytest.approx(-left, abs=0.02)
    assert abs(middle) < right / 3
    assert "halfway" not in element.img["alt"], "what stands there is for the reader to see"
