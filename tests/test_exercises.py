"""Exercises answer back: solutions pass, stubs invite, plausible mistakes get their hint, garbage gets a sentence."""

import ast
import math
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from importlib import import_module
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from scipy.special import logsumexp, softmax
from scipy.stats import norm

from vaecourse import interpolation
from vaecourse.course import check
from vaecourse.course.exercises import Feedback, all_checks
from vaecourse.data import bars, strokes

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = {path.stem: nbformat.read(path, as_version=4) for path in sorted((ROOT / "book").glob("*.ipynb"))}
EXERCISES = {name: check.__module__.rpartition(".")[2].replace("_", "-") for name, check in all_checks().items()}
GRADES = ("Run and see", "Change and measure", "Work it out", "Build it")


def exercises(chapter):
    """Of each exercise its heading line, the code of its own cells, and the code blocks of its solution."""
    found = []
    for cell in CHAPTERS[chapter].cells:
        if cell.cell_type == "markdown" and re.match(r"\*\*\d · ", cell.source):
            found.append((cell.source.splitlines()[0], [], []))
        elif found and cell.source.startswith("## "):
            break
        if found and cell.cell_type == "code":
            found[-1][1].append(cell.source)
        elif found:
            solution = re.search(r"<details>\n<summary>Solution</summary>(.*?)</details>", cell.source, re.DOTALL)
            found[-1][2].extend(re.findall(r"```python\n(.*?)```", solution[1], re.DOTALL) if solution else [])
    return found


def checked(blocks, name):
    """Those of some blocks of code that hand in an answer to an exercise."""
    return [block for block in blocks if re.search(rf'^check\("{name}", \w+\)$', block, re.MULTILINE)]


def names_in(node):
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def needed(chapter, code):
    """The chapter's imports, functions and classes that a piece of code needs; never a training, never data."""
    cells = [c.source for c in CHAPTERS[chapter].cells if c.cell_type == "code" and 'check("' not in c.source]
    found = {}
    for statement in (s for cell in cells for s in ast.parse(cell).body):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0]: statement for alias in statement.names}
        elif isinstance(statement, ast.FunctionDef | ast.ClassDef):
            found[statement.name] = statement
    wanted, done = names_in(ast.parse(code)), []
    while new := [found[name] for name in wanted if name in found and found[name] not in done]:
        done += new
        wanted = set().union(wanted, *(names_in(statement) for statement in new))
    return [statement for statement in dict.fromkeys(found.values()) if statement in done]


def run(chapter, code):
    """What the last line of code says, in the chapter's namespace."""
    *body, last = ast.parse(code).body
    space = {"check": check}
    exec(compile(ast.Module([*needed(chapter, code), *body], []), chapter, "exec"), space)
    return eval(compile(ast.Expression(last.value), chapter, "eval"), space)


def test_every_chapter_has_checks_and_no_two_share_a_name():
    assert set(EXERCISES.values()) == CHAPTERS.keys()
    modules = [import_module(f"vaecourse.course.exercises.{topic.replace('-', '_')}") for topic in CHAPTERS]
    assert Counter(name for module in modules for name in module.CHECKS) == Counter(EXERCISES.keys())


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_three_to_five_exercises_that_grow(chapter):
    headings = [heading for heading, *_ in exercises(chapter)]
    assert 3 <= len(headings) <= 5
    found = [re.match(r"\*\*(\d) · ([\w ]+): ", heading).groups() for heading in headings]
    assert [int(number) for number, _ in found] == list(range(1, len(headings) + 1))
    grades = [GRADES.index(grade) for _, grade in found]
    assert grades == sorted(grades) and grades[0] == 0 and grades[-1] == len(GRADES) - 1
    assert all(blocks for *_, blocks in exercises(chapter)), "every exercise has a solution"
    assert list(EXERCISES.values()).count(chapter) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("name", EXERCISES)
def test_the_chapter_invites_and_its_solution_passes(name):
    topic = EXERCISES[name]
    (cells, blocks), *more = [
        (mine, solution) for _, mine, solution in exercises(topic) if any(f'"{name}"' in code for code in mine)
    ]
    assert not more
    (stub,), (solution,) = checked(cells, name), checked(blocks, name)
    invitation = run(topic, stub)
    assert not invitation.right and invitation.says.startswith("Nothing here yet: ")
    assert run(topic, solution) == Feedback(True, run(topic, solution).says)
    stored = next(c for c in CHAPTERS[topic].cells if c.source == stub).outputs
    assert [o["data"]["text/plain"] for o in stored] == [invitation.says]


def test_solutions_know_all_names_they_use(tmp_path):
    """The code of solutions does not run when a chapter runs, so here it is read: names and length of lines."""
    for chapter in CHAPTERS:
        cells = "\n\n".join(c.source for c in CHAPTERS[chapter].cells if c.cell_type == "code")
        for number, (_, _, blocks) in enumerate(exercises(chapter), start=1):
            (tmp_path / f"{chapter}-{number}.py").write_text("\n\n".join([cells, *blocks]), "utf-8")
    ruff = [
        Path(sys.executable).parent / "ruff",
        "check",
        "--isolated",
        "--select",
        "F821,E501,E9",
        "--line-length=80",
    ]
    told = subprocess.run([*ruff, tmp_path], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout


def test_solutions_draw_with_generators_of_their_own():
    for chapter in CHAPTERS:
        for heading, _, blocks in exercises(chapter):
            code = "\n".join(blocks)
            assert not re.search(r"\.sample\(|\.rsample\(|np\.random\.(?!default_rng)", code), heading
            draws = re.findall(r"torch\.rand\w*\((?:[^()]|\([^()]*\))*\)", code)
            assert all("generator=" in draw for draw in draws), heading


def weights(model, x, k, generator):
    """z, and the three logarithms that make up a weight."""
    q = model.encode(x)
    z = q.mean + q.stddev * torch.randn(k, *q.mean.shape, generator=generator)
    return z, model.decode(z).log_prob(x), model.prior.log_prob(z), q.log_prob(z)


def averaged(log_w, k, sign=-1):
    return torch.logsumexp(log_w, 0) + sign * math.log(k)


def iwae_without(part):
    def bound(model, x, k, generator):
        _, match, prior, log_q = weights(model, x, k, generator)
        parts = {"match": match, "prior": prior, "q": -log_q}
        return averaged(sum(value for name, value in parts.items() if name != part), k)

    return bound


def elbo(model, x, k, generator):
    _, match, prior, log_q = weights(model, x, k, generator)
    return (match + prior - log_q).mean(0)


def iwae_sum(model, x, k, generator):
    _, match, prior, log_q = weights(model, x, k, generator)
    return torch.logsumexp(match + prior - log_q, 0)


def iwae_times_q(model, x, k, generator):
    _, match, prior, log_q = weights(model, x, k, generator)
    return averaged(match + prior + log_q, k)


def iwae_global(model, x, k, generator):
    q = model.encode(x)
    z = q.sample((k,))
    return averaged(model.decode(z).log_prob(x) + model.prior.log_prob(z) - q.log_prob(z), k)


def train_step(sign=-1, total=torch.mean, zero=True, back=True, step=True, own=False, kl=True):
    def function(model, optimizer, x, generator):
        match, divergence = model.elbo_terms(x, None if own else generator)
        loss = sign * total(match - divergence if kl else match)
        if zero:
            optimizer.zero_grad()
        if back:
            loss.backward()
        if step:
            optimizer.step()

    return function


def gaussians(a, b):
    means, covariances = [x.mean(0) for x in (a, b)], [np.cov(x.T) for x in (a, b)]
    c = sum(covariances) / 2
    shift = (means[0] - means[1]) @ np.linalg.solve(c, means[0] - means[1]) / 8
    shape = np.log(np.linalg.det(c) / np.sqrt(np.prod(np.linalg.det(covariances)))) / 2
    return shift, shape


def axis(points, row=0, middle=True, length=1.0):
    return length * torch.linalg.svd(points - points.mean(0) * middle, full_matrices=False).Vh[row]


def places(path, drawings, frames, power=1):
    gone = np.append(0, np.cumsum((drawings[1:] - drawings[:-1]).norm(dim=1).numpy() ** power))
    at = np.linspace(0, gone[-1], frames)
    return np.stack([np.interp(at, gone, path[:, k].numpy()) for k in (0, 1)], axis=1)


def scaled_line(a, b, steps):
    line = interpolation.lerp(a, b, steps)
    t = torch.linspace(0, 1, steps)[:, None]
    return line / line.norm(dim=1, keepdim=True) * ((1 - t) * a.norm() + t * b.norm())


def plain_slerp(a, b, steps):
    """The formula of many a blog, which divides by the sine of the angle."""
    t = torch.linspace(0, 1, steps)[:, None]
    angle = torch.arccos((a @ b / a.norm() / b.norm()).clamp(-1, 1))
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


def unit_slerp(a, b, steps):
    return interpolation.slerp(a / a.norm(), b / b.norm(), steps)


def along_the_row(cost, start, end):
    return [(start[0], column) for column in range(start[1], end[1] + 1)]


def bridge(z_left, z_right, d_left, d_right, s):
    whole = d_left + d_right
    return (d_right * z_left + d_left * z_right) / whole, s * math.sqrt(d_left * d_right / whole)


def bridge_mean(change):
    return lambda *given: (change(*given), bridge(*given)[1])


def bridge_sd(change):
    return lambda *given: (bridge(*given)[0], change(*given))


def apart(z, means, sds):
    """log N(z; mean, sd), (M, N, d), each number of each needle by itself."""
    return norm.logpdf(z[:, None], means, sds)


def mixed(z, means, sds):
    return logsumexp(apart(z, means, sds).sum(-1), axis=1) - math.log(len(means))


def border_of(grey):
    return np.concatenate([grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]], axis=1)


def turned_by(light):
    """Turns a folder over where `light` says so of its grey pictures, with one word for all or one for each."""
    return lambda grey: np.where(light(grey), 1 - grey, grey)


def bursts_at_random(bursts, share, rng):
    numbers = np.unique(bursts)
    return np.isin(bursts, rng.choice(numbers, round(share * len(numbers)), replace=False))


@cache
def fours():
    """Slants and thicknesses of a coarse grid, and the 4s that are drawn so."""
    slants, pens = np.meshgrid(np.linspace(-0.6, 0.6, 31), np.linspace(1, 5, 21))
    table = np.c_[slants.ravel(), pens.ravel()]
    return table, strokes.draw(4, slant=table[:, 0], thickness=table[:, 1]).reshape(len(table), -1)


def nearest_four(picture):
    table, drawn = fours()
    return int(((drawn - picture.ravel()) ** 2).sum(1).argmin()), table


def log_p_of_loop(x, prior=1, constant=1, cell=1, best=False):
    world, z = bars.World(), torch.linspace(-8, 8, 4001)[:, None]
    squares = (x[:, None] - world.decode(z).mean.flatten(1)).square().sum(2)
    scale = 3 * math.log(world.sigma * math.sqrt(2 * math.pi))
    terms = -squares / (2 * world.sigma**2) - constant * scale + prior * world.prior.log_prob(z)
    return terms.amax(1) if best else terms.logsumexp(1) + cell * math.log(16 / 4000)


WRONG = [
    ("nine", math.pi, "radians"),
    ("nine", 360, "360 degrees are no turn at all"),
    ("nine", 0, "reads as a 6"),
    ("lean", lambda slant, turn: slant, "the slant alone"),
    ("lean", lambda slant, turn: slant + np.tan(np.deg2rad(turn)), "other sign"),
    ("lean", lambda slant, turn: slant - np.tan(turn), "radians"),
    ("lean", lambda slant, turn: slant - turn, "Take its tangent"),
    ("encode", lambda picture: nearest_four(picture)[0], "a place in the list"),
    ("encode", lambda picture: nearest_four(picture)[1][nearest_four(picture)[0]][::-1], "the other order"),
    ("encode", lambda picture: (0.0, 3.0), "Does it look at the picture"),
    ("encode", lambda picture: fours()[0][(fours()[1] @ picture.ravel()).argmax()], "likes ink"),
    ("encode", lambda picture: (0.0, 3.0 + picture[0, 0] + picture.sum() / 1000), "mean mistakes are"),
    ("two-pixels", 0.6827, "for one number"),
    ("two-pixels", 0.466, "of a square"),
    ("two-pixels", 0.6065, "outside of the circle"),
    ("two-pixels", 0.199, "for three pixels"),
    ("two-pixels", 39.3, "a percentage"),
    ("two-pixels", 0.5, "too large"),
    ("best-sigma", lambda x, f: ((x - f) ** 2).mean(), "Take the root"),
    ("best-sigma", lambda x, f: ((x - f) ** 2).sum(1).mean() ** 0.5, "of a whole photograph"),
    ("best-sigma", lambda x, f: (x - f).abs().mean(), "squares them first"),
    ("best-sigma", lambda x, f: (x - f).mean(), "cancel"),
    ("best-sigma", lambda x, f: 0.03, "expected"),
    ("loop", lambda x: log_p_of_loop(x).exp(), "no logarithms"),
    ("loop", lambda x: log_p_of_loop(x, prior=0), "unusual decisions count"),
    ("loop", lambda x: log_p_of_loop(x, constant=0), "the constant of the normal"),
    ("loop", lambda x: log_p_of_loop(x, cell=0), "size of a cell"),
    ("loop", lambda x: log_p_of_loop(x, best=True), "best z alone"),
    ("loop", lambda x: -log_p_of_loop(x), "expected"),
    ("freedom", 4, "logarithms"),
    ("freedom", 2, "bits"),
    ("freedom", -math.log(4), "plus"),
    ("freedom", math.log10(4), "base 10"),
    ("freedom", 45, "degrees were added"),
    ("freedom", 0, "gets lower"),
    ("freedom", 9, "too large"),
    ("log-mean", np.mean, "mean of the logarithms"),
    ("log-mean", logsumexp, "the logarithm of the sum"),
    ("log-mean", np.max, "the largest alone"),
    ("log-mean", lambda x: logsumexp(x) + math.log(len(x)), "taken away"),
    ("log-mean", lambda x: np.log(np.mean(np.exp(x))), "logsumexp"),
    ("authors", lambda p: softmax(p, 1), "axis 0"),
    ("authors", softmax, "all of it adds up to 1"),
    ("authors", lambda p: p - logsumexp(p, axis=0), "still logarithms"),
    ("authors", lambda p: np.exp(p) / np.exp(p).sum(0), "Stay in logarithms"),
    ("authors", lambda p: (p == p.max(0)).astype(float), "How sure"),
    ("authors", lambda p: p.argmax(0), r"shape \(3, 4\); got shape \(4,\)"),
    ("ess", lambda w: w.softmax(0).square().sum(), "one over it"),
    ("ess", lambda w: w.exp().sum() ** 2 / w.exp().square().sum(), "largest weight before exp"),
    ("ess", lambda w: w.sum() ** 2 / w.square().sum(), "the weights are exp"),
    ("ess", len, "as if all were alike"),
    ("ess", lambda w: 1 / w.softmax(0).max(), "Square the sum"),
    ("laplace", lambda x, f: (x - f).square().mean().sqrt(), "the normal distribution's answer"),
    ("laplace", lambda x, f: (x - f).square().mean(), "not its square"),
    ("laplace", lambda x, f: (x - f).mean(), "cancel"),
    ("laplace", lambda x, f: (x - f).abs().sum((1, 2)).mean(), "belongs to one pixel"),
    ("laplace", lambda x, f: np.median((x - f).abs()), "median"),
    ("wider", math.log(2), "one of the two"),
    ("wider", 2, "bits"),
    ("wider", -2 * math.log(2), "sign"),
    ("wider", 4, "the factor"),
    ("wider", 0.1, "too small"),
    ("bernoulli", 1, "sum over the two values"),
    ("bernoulli", 0.3, "value at x = 0.5"),
    ("bernoulli", 0.5, "mean of the two ends"),
    ("bernoulli", (math.log(0.9) + math.log(0.1)) / 2, "log P, integrated"),
    ("iwae", elbo, "a mean of logarithms is the ELBO"),
    ("iwae", iwae_sum, "too high by log k"),
    ("iwae", lambda *given: iwae_sum(*given) - 2 * math.log(given[2]), "too low by log k"),
    ("iwae", iwae_without("q"), "division by Q"),
    ("iwae", iwae_without("prior"), "the prior P"),
    ("iwae", iwae_without("match"), "k = 1, a perfect guide"),
    ("iwae", iwae_times_q, "multiplied by Q"),
    ("iwae", iwae_global, r"not \.sample"),
    ("iwae", lambda *given: iwae_sum(*given).mean(), r"shape \(800,\); got shape \(\)"),
    ("step", train_step(sign=1), "The loss is minus the ELBO"),
    ("step", train_step(total=torch.sum), "take the mean over the batch"),
    ("step", train_step(zero=False), "zero_grad"),
    ("step", train_step(back=False), "no weight has moved or has a slope"),
    ("step", train_step(step=False), r"optimizer\.step\(\) is missing"),
    ("step", train_step(own=True), "Hand it on"),
    ("step", train_step(kl=False), "the KL is missing"),
    ("stop", lambda s, p: len(s) > p and all(b <= a for a, b in zip(s[-p - 1 :], s[-p:], strict=False)), "so far"),
    ("stop", lambda s, p: sum(b <= max(s[: i + 1]) for i, b in enumerate(s[1:])) >= p, "begins anew"),
    ("stop", lambda s, p: len(s) > p + 1 and max(s[-p - 1 :]) <= max(s[: -p - 1]), "one epoch too late"),
    ("stop", lambda s, p: len(s) > p and min(s[-p:]) >= min(s[:-p]), "better when it is higher"),
    ("stop", lambda s, p: len(s) > 1 and s[-1] <= max(s[:-1]), "Have patience"),
    ("stop", lambda s, p: False, "it should stop after 6"),
    ("stop", lambda s, p: max(s) == s[-1], r"scores \[\].*ValueError"),
    ("stop", lambda s, p: len(s), "True or False"),
    ("quantiles", np.linspace(-3, 3, 23), "evenly spaced"),
    ("quantiles", np.linspace(0.02, 0.98, 23), "these are the probabilities"),
    ("quantiles", norm.cdf(np.linspace(-2, 2, 23)), "Its inverse"),
    ("quantiles", norm.ppf(np.linspace(0, 1, 23)), "never ends"),
    ("quantiles", norm.ppf(np.linspace(0.98, 0.02, 23)), "must rise"),
    ("quantiles", norm.ppf([0.1, 0.5, 0.9]), "too few"),
    ("quantiles", np.sinh(np.linspace(-2, 2, 23)), "one share"),
    ("bhattacharyya", lambda a, b: sum(gaussians(a, b)), "this is the distance"),
    ("bhattacharyya", lambda a, b: np.exp(-gaussians(a, b)[0]), "the determinants"),
    ("bhattacharyya", lambda a, b: np.exp(-gaussians(a, b)[1]), "Where are the middles"),
    ("bhattacharyya", lambda a, b: np.exp(sum(gaussians(a, b))), "sign of the distance"),
    ("axis", lambda p: axis(p, row=1), "the axis across it"),
    ("axis", lambda p: axis(p, middle=False), "Take the middle away"),
    ("axis", lambda p: axis(p, length=3.0), "length 3.00"),
    ("axis", lambda p: torch.tensor([0.6, 0.8]), "degrees off"),
    ("even", lambda path, f, n: interpolation.lerp(path[0], path[-1], n), "evenly spaced on the plane"),
    ("even", lambda path, f, n: path[np.linspace(0, len(path) - 1, n).astype(int)], "every so many points"),
    ("even", lambda path, f, n: places(path, f, n, power=2), "squared"),
    ("even", lambda path, f, n: places(path, f, n)[::-1].copy(), "keep both ends"),
    ("slerp", interpolation.lerp, r"norm 0\.71, expected 1\.00\. Did you interpolate the angle"),
    ("slerp", scaled_line, "hurries in the middle"),
    ("slerp", plain_slerp, "parallel ends: NaN or infinity"),
    ("slerp", unit_slerp, "must begin at a and end at b"),
    ("slerp", lambda a, b, n: interpolation.slerp(b, a, n), "must begin at a"),
    ("slerp", lambda a, b, n: interpolation.slerp(a, b, n).T, r"shape \(5, 2\); got shape \(2, 5\)"),
    ("slerp", interpolation.slerp(torch.ones(2), torch.zeros(2), 5), "without brackets"),
    ("cheapest", along_the_row, "count costs, not steps"),
    ("cheapest", lambda cost, start, end: along_the_row(cost, start, end)[::-1], "Turn it around"),
    ("cheapest", lambda cost, start, end: [start, end], "jumps"),
    ("cheapest", lambda cost, start, end: [start], "it must go from"),
    ("cheapest", lambda cost, start, end: [(99, 0)], "cells are whole numbers"),
    ("code-length", lambda z, size: -step_shares(z, size).log().sum(1), "these are nats"),
    ("code-length", lambda z, size: step_shares(z, size).log2().sum(1), "the sign"),
    ("code-length", lambda z, size: -step_shares(z, size).log2().mean(1), "each number on average"),
    ("code-length", lambda z, size: -step_shares(z, size, ends=(0, 1)).log2().sum(1), "begins at it"),
    ("code-length", lambda z, size: -norm.logpdf((z / size).round() * size).sum(1) / math.log(2), "no probability"),
    ("average-precision", lambda s, wrong: precisions(-s, wrong)[wrong[np.argsort(s)]].mean(), "the other way"),
    ("average-precision", lambda s, wrong: precisions(s, wrong).mean(), "averages the precision over all k"),
    ("average-precision", lambda s, wrong: precisions(s, wrong)[wrong.sum() - 1], "a single k"),
    ("average-precision", lambda s, wrong: (wrong[np.argsort(-s)].cumsum() / wrong.sum()).mean(), "the recall"),
    ("kept-out", lambda r, i: 1 - pairs_won(r, i), "the intruder wins"),
    ("kept-out", lambda r, i: (r[:, None] > i).mean(), "tosses a coin"),
    ("kept-out", lambda r, i: (r[:, None] >= i).mean(), "as won"),
    ("kept-out", lambda r, i: 100 * pairs_won(r, i), "percentage"),
    ("kept-out", lambda r, i: pairs_won(r, i) * len(r) * len(i), "Divide by all pairs"),
    ("kept-out", lambda r, i: (r > i).mean(), "row by row"),
    ("needle", lambda h, c: h + log_root(c, 2 * math.pi), "wrong sign"),
    ("needle", lambda h, c: h - 2 * log_root(c, 1 / math.sqrt(2 * math.pi)), "half the logarithm"),
    ("needle", lambda h, c: h - log_root(c, 1) + math.log(2 * math.pi) / 2, "once for each axis"),
    ("needle", lambda h, c: h - log_root(c, 1), "where is the 2π"),
    ("needle", lambda h, c: -log_root(c, 1 / (2 * math.pi)), "the height belongs"),
    ("needle", lambda h, c: math.exp(h - log_root(c, 1 / (2 * math.pi))), "its logarithm is wanted"),
    ("snow", lambda s, n: (snow_score(s, n) + n / 2, math.sqrt(n / 2)), "score of f.z. itself"),
    ("snow", lambda s, n: (snow_score(s, n) - n / 2, math.sqrt(n / 2)), "half a nat for each pixel"),
    ("snow", lambda s, n: (snow_score(s, n), n / 2), "its root"),
    ("snow", lambda s, n: (snow_score(s, n), math.sqrt(2 * n)), "so is their spread"),
    ("snow", lambda s, n: (snow_score(s, n), math.sqrt(0.5)), "Variances of independent pixels"),
    ("snow", lambda s, n: (math.sqrt(n / 2), snow_score(s, n)), "the mean first"),
    ("snow", lambda s, n: (snow_score(1, n), math.sqrt(n / 2)), "is missing"),
    ("snow", lambda s, n: snow_score(s, n), r"shape \(2,\)"),
    ("efficiency", lambda s, d: (s**2 / math.sqrt(2 * s**2 - 1)) ** d, "one over it"),
    ("efficiency", lambda s, d: math.sqrt(2 * s**2 - 1) / s**2, "power d"),
    ("efficiency", lambda s, d: d * math.sqrt(2 * s**2 - 1) / s**2, "not d times"),
    ("efficiency", lambda s, d: (math.sqrt(2 * s**2 - 1) / s**2) ** d, "no draw counts.*ValueError"),
    ("efficiency", lambda s, d: (np.sqrt(abs(2 * s**2 - 1)) / s**2) ** d, "no draw counts"),
    ("flow", 0.125, "fetched from"),
    ("flow", -4 / 64, "2 wide, not 1"),
    ("flow", 4, "not in pixels"),
    ("flow", -0.3, "moves by 9.6 pixels"),
    ("bridge", bridge_mean(lambda l, r, a, b, s: (a * l + b * r) / (a + b)), "exchanged"),
    ("bridge", bridge_mean(lambda l, r, a, b, s: (l + r) / 2), "halfway"),
    ("bridge", bridge_mean(lambda l, r, a, b, s: b * l + a * r), "add up to 1"),
    ("bridge", bridge_sd(lambda l, r, a, b, s: s**2 * a * b / (a + b)), "the variance"),
    ("bridge", bridge_sd(lambda l, r, a, b, s: s * math.sqrt(a)), "left end only"),
    ("bridge", bridge_sd(lambda l, r, a, b, s: math.sqrt(a * b / (a + b))), "the spread s"),
    ("bridge", bridge_sd(lambda l, r, a, b, s: s * math.sqrt(a * b)), "divided by the sum"),
    ("bridge", lambda *given: bridge(*given)[0], "a mean and a standard deviation"),
    ("sigma", 0.00025 * 784 / 2, "square root"),
    ("sigma", math.sqrt(0.00025 * 784), "Where has the 2 gone"),
    ("sigma", math.sqrt(0.00025 / 2), "784 pixels to a picture"),
    ("sigma", math.sqrt(0.00025 * 28 / 2), "28 by 28"),
    ("sigma", math.sqrt(784 / 2 / 0.00025), "wrong side of the fraction"),
    ("sigma", math.sqrt(784 / 2), "What does the weight do"),
    ("sigma", 1, "too large"),
    ("mix", lambda z, m, s: logsumexp(apart(z, m, s).sum(-1), axis=1), "too high by log N"),
    ("mix", lambda z, m, s: apart(z, m, s).sum(-1).mean(1), "mean of the densities comes first"),
    ("mix", lambda z, m, s: apart(z, m, s).sum(-1).max(1), "All of them count"),
    ("mix", lambda z, m, s: mixed(z, m, s.sqrt()), "taken for variances"),
    ("mix", lambda z, m, s: mixed(z, m, s**2), "squared on their way"),
    ("mix", lambda z, m, s: (logsumexp(apart(z, m, s), 1) - math.log(len(m))).sum(-1), "mixed by itself"),
    ("mix", lambda z, m, s: np.log(np.exp(apart(z, m, s).sum(-1)).mean(1)), "far from every.*Stay in logarithms"),
    ("mix", lambda z, m, s: logsumexp(apart(z, m, s), 1) - math.log(len(m)), r"shape \(7,\); got shape \(7, 2\)"),
    ("ink", lambda grey: grey, "ink is 1 - grey"),
    ("ink", lambda grey: 1 - grey, "the cloth is dark"),
    ("ink", turned_by(lambda grey: grey.mean() > 0.5), "the ink stands in the middle"),
    ("ink", turned_by(lambda grey: (np.median(border_of(grey), 1) > 0.5)[:, None, None]), "decided by itself"),
    ("ink", turned_by(lambda grey: border_of(grey).mean(1).min() > 0.5), "Where .most. of the border"),
    ("ink", turned_by(lambda grey: border_of(grey).mean() > 0.5), "and a median"),
    ("ink", lambda grey: grey.mean(0), r"shape \(5, 28, 28\); got shape \(28, 28\)"),
    ("bursts", lambda bursts, share, rng: rng.random(len(bursts)) < share, "pictures on both sides"),
    ("bursts", lambda bursts, share, rng: np.arange(len(bursts)) % 10 == 9, "Choose bursts"),
    ("bursts", lambda *given: ~bursts_at_random(*given), "True is for what is held back"),
    ("bursts", lambda bursts, share, rng: bursts <= 0, "1 of 10 bursts are held back, and it should be 2"),
    ("bursts", lambda bursts, share, rng: bursts_at_random(bursts, share, np.random.default_rng(0)), "Let rng"),
    ("bursts", lambda *given: np.flatnonzero(bursts_at_random(*given)), r"shape \(90,\); got shape \(18,\)"),
    ("bursts", lambda bursts, share, rng: bursts, "True or False for each picture; got 2"),
]


def log_root(curvature, factor):
    """Half the log-determinant of a curvature whose entries are multiplied by a factor."""
    return np.linalg.slogdet(factor * curvature)[1] / 2


def snow_score(sigma, pixels):
    return -pixels * math.log(sigma * math.sqrt(2 * math.pi * math.e))


def step_shares(z, size, ends=(-0.5, 0.5)):
    middle = (z / size).round()
    low, high = (norm.cdf((middle + end) * size) for end in ends)
    return torch.as_tensor(high - low)


def precisions(suspicion, wrong):
    hits = wrong[np.argsort(-suspicion)]
    return hits.cumsum() / np.arange(1, len(hits) + 1)


def pairs_won(r, i):
    return (r[:, None] > i).mean() + (r[:, None] == i).mean() / 2


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("number", range(len(WRONG)), ids=lambda n: f"{WRONG[n][0]}-{n}")
def test_a_plausible_wrong_answer_gets_its_hint(number):
    name, answer, hint = WRONG[number]
    said = check(name, answer)
    assert not said.right
    assert re.search(hint, said.says, re.DOTALL), said.says


def test_every_exercise_has_been_answered_wrongly():
    assert min(Counter(name for name, *_ in WRONG)[name] for name in EXERCISES) >= 3


class Odd:
    """Refuses to be converted, compared, or printed."""

    def __array__(self, *_, **__):
        raise RuntimeError("no array")

    def __repr__(self):
        raise RuntimeError("no words")

    def __bool__(self):
        raise RuntimeError("neither")


def fails(*_):
    raise ZeroDivisionError


GARBAGE = [
    *(None, ..., True, float("nan"), float("inf"), 10**400, -1, 0, 1j, "", "seven", b"7", object(), Odd()),
    *([], [1, [2, 3]], {}, {1: 2}, {1, 2}, [None], ["a"], [Odd()], np.array([]), np.zeros((2, 3, 4)), np.array("x")),
    *(
        np.array([1, None]),
        torch.zeros(0),
        torch.full((3, 4), math.nan),
        torch.ones(2, dtype=torch.complex64),
        range(3),
    ),
    *(
        torch.ones(2, requires_grad=True),
        np.datetime64("2026-01-01"),
        np.zeros((0, 2)),
        1e308,
        np.full((5, 2), -1e308),
        (1e308, 1e308),
        int,
        print,
        iter([1]),
        (x for x in "ab"),
    ),
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", EXERCISES)
def test_garbage_gets_a_sentence(name, capsys):
    """As an answer, and as what an answer's function returns."""
    answers = [*GARBAGE, *((lambda *_, value=value: value) for value in GARBAGE), fails, lambda: 1]
    for answer in answers:
        said = check(name, answer)
        assert not said.right, said
        assert said.says.startswith(("Not yet: ", "Nothing here yet: ")) and said.says.rstrip()[-1] in ".?)", said
        assert len(said.says) < 600 and "\n" not in said.says


def test_none_and_dots_are_no_answers_yet():
    for name in EXERCISES:
        for nothing in (None, ...):
            assert check(name, nothing).says.startswith("Nothing here yet: ")


def test_an_unknown_exercise_gets_the_nearest_name():
    with pytest.raises(ValueError, match="Did you mean 'slerp'"):
        check("08-slerp", None)


def test_feedback_shows_itself_and_tells_right_from_wrong():
    good, bad = check("wider", 2 * math.log(2)), check("wider", 0.1)
    assert good.right and not bad.right
    assert repr(good) == str(good) == good.says and good.says.startswith("Right. ")


def test_an_answer_cannot_spoil_the_next_case():
    """What it is given is its own: an answer that writes into it is judged by what it returns."""

    def greedy(log_l):
        answer = logsumexp(log_l) - math.log(len(log_l))
        log_l[:] = 0
        return answer

    assert check("log-mean", greedy).right


def test_checks_leave_the_global_generators_alone():
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    for name in EXERCISES:
        check(name, lambda *_: 1.0)
    check("step", train_step())
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
