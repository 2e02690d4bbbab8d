"""Every number of the prose, measured again; and no claim that nobody states, no statement without its claim."""

import functools
import re
from pathlib import Path

import pytest
import recompute

from vaecourse.course import Claim, claim, claims

ROOT = Path(__file__).resolve().parents[1]
TEXTS = {
    p.name: p.read_text("utf-8") for p in sorted((ROOT / "book").glob("*.ipynb")) + sorted((ROOT / "book").glob("*.md"))
}


measured = functools.cache(recompute.recompute)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(claims()))
def test_the_claim_is_still_true(real_data, name):
    """Other processors move a claim by less than a hundredth of its tolerance (see CONTRIBUTING)."""
    stated = claim(name)
    value, spread = measured(stated.how)
    assert value == pytest.approx(stated.value, abs=stated.tolerance)
    assert spread == pytest.approx(stated.spread, rel=0.1)
    assert measured(stated.beside_how)[0] == pytest.approx(stated.reference, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(claims()))
def test_another_measurement_would_not_pass_for_the_claim(real_data, name):
    """The tolerance is tight: the same of another model, pair, gap or way lies outside twice its width."""
    stated = claim(name)
    assert abs(measured(stated.unlike)[0] - stated.value) > 2 * stated.tolerance


@pytest.mark.parametrize("name", sorted(claims()))
def test_the_claim_is_stated_somewhere(name):
    assert any(re.search(rf"claim\(\\?[\"']{re.escape(name)}\\?[\"']\)", text) for text in TEXTS.values())


@pytest.mark.parametrize("name", sorted(claims()))
def test_the_tolerance_is_tight_and_the_digits_are_earned(name):
    """A tolerance of a tenth of the value would let nearly anything pass; digits beyond it would be decoration."""
    stated = claim(name)
    assert 0 < stated.tolerance <= 0.1 * abs(stated.value)
    assert stated.unit or stated.format.endswith("%")
    assert Claim(**vars(stated)).number in str(stated)


@pytest.mark.parametrize("name", sorted(claims()))
def test_no_number_stands_without_its_reference(name):
    """What the reference measures is another thing than the claim, and the reader can tell them apart."""
    stated = claim(name)
    assert stated.beside and stated.beside_how != stated.how
    assert abs(stated.reference - stated.value) > stated.tolerance
    assert stated.beside in str(stated) and format(stated.reference, stated.format) in str(stated)
    assert stated.spread or stated.how.startswith("sigma("), "a mean over cases has an interval"


def test_chapters_name_only_claims_that_exist():
    for name, text in TEXTS.items():
        for used in re.findall(r"claim\(\\?[\"']([^\"'\\]+)", text):
            assert used in claims(), f"{name} states {used}"


def test_an_unknown_claim_gets_the_nearest_name():
    with pytest.raises(KeyError, match="Did you mean 'mnist-2d-elbo'"):
        claim("mnist-elbo")
