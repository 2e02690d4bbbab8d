"""The cube of three pixels: what its Python side takes, and what its front end computes, held against PyTorch."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import traitlets
from browser import HEAD, front_end, served
from test_bars import log_p_x
from test_explorer_page import STRICT, barriers

from vaecourse import VAE, evidence, interpolation, load_dataset
from vaecourse.data.bars import World
from vaecourse.explorer import PixelCube

ROOT = Path(__file__).resolve().parents[1]
TAIL = '</main><script src="explorer/cube.js"></script></body></html>'
A, B = (-0.8, 0.5), (0.9, -0.2)
X = (0.6, 0.5, 0.2)
FOLDS = {"show": ("sheet", "posterior", "ways"), "x": X, "ends": (A, B)}


def untrained(seed=0, latent_dim=2, **settings):
    torch.manual_seed(seed)
    return VAE((1, 3), latent_dim, hidden=(32,), **settings)


def html(cube):
    return cube._repr_mimebundle_()[0]["text/html"]


# The Python side


def test_the_cube_holds_what_it_was_given():
    bars = load_dataset("bars", split="test")
    cube = PixelCube(untrained(), bars, bars.labels, class_names=["narrow", "wide"], z=(0.5, -1), **FOLDS)
    assert (cube.z1, cube.z2, cube.x, cube.ends) == (0.5, -1, list(X), [list(A), list(B)])
    assert cube.show == ["sheet", "posterior", "ways"] and cube.sigma == pytest.approx(0.3)
    seen = np.frombuffer(cube.pictures, "<u2").reshape(-1, 3) / 65535
    np.testing.assert_allclose(seen, bars.images.flatten(1), atol=1e-5)
    assert list(cube.labels) == bars.labels.tolist() and cube.spec["names"] == ["narrow", "wide"]
    text = html(cube)
    assert text.startswith("<pixel-cube><div") and "narrow" in text and text.count("</script>") == 1
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', text, re.DOTALL)[1])
    assert state["z1"] == 0.5 and state["spec"]["world"] is None
    assert re.search(r'<img src="data:image/png;base64,[^"]{500,}" alt="Cube of all pictures[^"]*0\.50, -1\.00', text)


def test_values_stop_where_the_sliders_do_and_what_is_no_number_is_refused():
    cube = PixelCube(World(), z=0.5, x=X, ends=([-1], [1]), extent=2)
    assert (cube.z1, cube.z2, cube.ends) == (0.5, 0, [[-1, 0], [1, 0]])
    for name, given, kept in [("z1", 9, 2), ("sigma", 0, 0.005), ("cut", 2, 1), ("pitch", 100, 90), ("yaw", 190, -170)]:
        setattr(cube, name, given)
        assert getattr(cube, name) == kept
        with pytest.raises(traitlets.TraitError, match=f"{name} must be a finite number"):
            setattr(cube, name, np.nan)
    with pytest.raises(ValueError, match="Divide by 255"):
        cube.x = [255.0, 0, 0]


@pytest.mark.parametrize(
    ("model", "wrong", "says"),
    [
        (VAE(hidden=(8,)), {}, r"three pixels.*has pictures \(28, 28\) and 2 latent"),
        (untrained(latent_dim=3), {}, "3 latent numbers. Try VAE"),
        (VAE((1, 3), hidden=(8,), likelihood="bernoulli"), {}, "Gaussian likelihood"),
        (VAE((1, 3), decoder=torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh())), {}, "linear layers.*Tanh"),
        ("world", {}, "bars.World or a VAE of three pixels; got str"),
        (World(sigma=0.001), {}, "sigma from 0.005 to 0.5; this model's is 0.001"),
        (World(), {"learn": True}, "nothing to learn. Give VAE"),
        (untrained(), {"learn": True, "images": np.zeros((9, 3))}, "at least 200 images to learn from; got 9"),
        (World(), {"images": np.zeros((9, 4))}, r"images must be \(N, 3\)"),
        (World(), {"images": np.zeros((9, 3)), "labels": [0]}, "one for each"),
        (World("ink"), {"show": ("sea",)}, "show must be names of data, sheet"),
        (World("ink"), {"show": ("ways",)}, "'ways' cannot be shown without ends. Give ends="),
        (World("ink"), {"show": ("data",)}, "'data' cannot be shown without images"),
        (World("ink"), {"z": (9, 0)}, "z must be 2 numbers from -3 to 3"),
        (World(), {"z": 9}, "z must be 1 number from -3 to 3"),
        (World("ink"), {"ends": ((0, 0),)}, "two codes, A and B; got 1"),
        (World("ink"), {"ends": ((0, 0), (0, 4))}, "each of the ends must be 2 numbers"),
        (World("ink"), {"x": (1, 2)}, "x must be"),
        (World("ink"), {"extent": 0}, "extent must be"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_shown_is_answered_with_a_sentence(model, wrong, says):
    with pytest.raises(ValueError, match=says):
        PixelCube(model, **({"show": ("sheet",)} | wrong))


# The front end, in a real browser


@pytest.fixture(scope="module")
def site(browser, tmp_path_factory):
    """Opens a page with a cube (or none), from a server that has the front end's sources, too."""
    folder = tmp_path_factory.mktemp("cube")
    front_end(folder)
    (folder / "src").symlink_to(ROOT / "web" / "src")
    (folder / "favicon.ico").touch()
    contexts = []
    with served(folder) as address:

        def visit(cube=None, head=HEAD, disk=False, live=True, **settings):
            text = head + (html(cube) if cube else "") + TAIL
            (folder / f"{len(contexts)}.html").write_text(text, "utf-8")
            contexts.append(browser.new_context(**settings))
            page = contexts[-1].new_page()
            page.problems = []
            page.on("pageerror", lambda e: page.problems.append(str(e)))
            page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
            page.goto(f"{folder.as_uri() if disk else address}/{len(contexts) - 1}.html")
            if cube and live:
                page.locator(".lx-space").wait_for()
            return page

        yield visit


@pytest.fixture
def compute(site):
    """Runs JavaScript with the front end's modules as m, and a model made from Python's."""
    page = site()
    page.set_default_timeout(120_000)

    def run(model, code, given=None):
        if isinstance(model, World):
            made = f"new m.World({json.dumps({'second': model.second, 'width': model.width})}, {model.sigma})"
        else:
            tensors = {k: {"shape": list(v.shape), "data": v.flatten().tolist()} for k, v in model.state_dict().items()}
            made = f"""(() => {{ const t = new Map(Object.entries({json.dumps(tensors)}));
                return new m.SmallVae(m.readNet(t, "encoder"), m.readNet(t, "decoder"), {model.sigma}); }})()"""
        names = ["models", "sums", "shapes", "paths", "flat", "learn", "view"]
        loaded = ", ".join(f'import("/src/cube-{name}.js")' for name in names)
        script = f"""async (given) => {{ const m = Object.assign({{}}, ...await Promise.all([{loaded}]));
            const model = {made}; {code} }}"""
        return page.evaluate(script, given)

    return run


MODELS = [World(), World("ink"), World("width"), untrained(1), untrained(2, latent_dim=1, sigma=0.1)]
NAMES = ["curve", "ink", "width", "vae", "vae with one number"]


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_it_draws_what_python_draws(compute, model):
    z = torch.randn(50, model.latent_dim, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        f = model.decode(z).mean.flatten(1)
    code = "return given.map(([a, b]) => Array.from(model.decode(a, b ?? 0)));"
    np.testing.assert_allclose(compute(model, code, z.tolist()), f, atol=1e-6)


@pytest.mark.parametrize("sigma", [0.1, 0.03])
@pytest.mark.parametrize("second", [None, "ink", "width"])
def test_log_p_x_is_the_sum_over_a_fine_grid(compute, second, sigma):
    """To 2e-4 nats, also where the posterior is a ring or a bow, and far away from all drawings."""
    world = World(second, sigma=sigma)
    x = [X, (0.1, 0.1, 0.1), (0.9, 0.1, 0.9), (0.3, 0.6, 0.3)]
    code = """const [fine, rough] = [true, false].map((f) => new m.Sums(model, model.sigma, f));
        return given.map((x) => [fine.logP(x), rough.logP(x)]);"""
    fine, rough = np.transpose(compute(world, code, x))
    truth = [log_p_x(world, picture) for picture in x]
    np.testing.assert_allclose(fine, truth, atol=2e-4)
    np.testing.assert_allclose(rough, truth, atol=5e-3)


def test_log_p_x_of_a_vae_is_that_sum_and_that_of_quadrature(compute):
    model = untrained(3, sigma=0.05)
    with torch.no_grad():
        model.decoder.net[0].weight.mul_(3), model.decoder.net[2].weight.mul_(4)  # as bent as a trained one
        x = model.decode(torch.randn(8, 2, generator=torch.Generator().manual_seed(0))).sample().clamp(0, 1)
    code = "const sums = new m.Sums(model, model.sigma); return given.map((x) => sums.logP(x));"
    here = np.array(compute(model, code, x.flatten(1).tolist()))
    axis = torch.arange(-6, 6.01, 0.02, dtype=torch.float64)
    z = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        p = model.double().decode(z)
        log = torch.stack([p.log_prob(picture.double()) for picture in x]) + model.prior.log_prob(z)
    np.testing.assert_allclose(here, log.logsumexp(1) + 2 * np.log(0.02), atol=3e-4)
    found = evidence.quadrature(model, x)
    assert (abs(here - found.log_p_x.numpy()) <= found.error.numpy() + 1e-3).all()


def test_the_posterior_on_the_plane_is_prior_times_likelihood(compute):
    world = World("ink")
    here = np.array(compute(world, "return Array.from(m.posteriorMap(model, 3)(given, model.sigma));", X)).reshape(
        121, 121
    )
    axis = torch.linspace(-3, 3, 121, dtype=torch.float64)
    z = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)
    log = world.prior.log_prob(z.float()).double() + world.decode(z).log_prob(torch.tensor([X], dtype=torch.float64))
    np.testing.assert_allclose(here, (log - log.max()).exp(), atol=1e-5)


def test_the_cloud_holds_all_of_p_x_and_the_cut_is_log_p_x(compute):
    world = World("ink")
    code = """const sums = new m.Sums(model, model.sigma, false);
        const { logs, pixels } = m.cutOf(sums, 0, 0.4);
        return { cloud: Array.from(m.cloudOf(sums)), cut: Array.from(logs), pixels };"""
    found = compute(world, code)
    cloud = np.exp(np.array(found["cloud"]))
    side = round(len(cloud) ** (1 / 3))
    assert cloud.mean() == pytest.approx(1, abs=2e-3), "but for what the noise carries out of the cube"
    # The draws of a million pictures fall into the little cubes as the cloud says.
    _, x = world.sample(1_000_000, torch.Generator().manual_seed(0))
    counts, _ = np.histogramdd(x.flatten(1).numpy(), bins=[np.linspace(0, 1, side + 1)] * 3)
    expected = cloud.reshape((side,) * 3) * 1e6 / side**3
    inner = (slice(1, -1),) * 3  # pictures are cut off at 0 and 1, and so heap up in the outermost
    assert np.abs(counts - expected)[inner].sum() / 1e6 < 0.05
    many = expected[inner] > 100
    np.testing.assert_allclose(counts[inner][many], expected[inner][many], rtol=0.5)
    cut, pixels = np.reshape(found["cut"], (found["pixels"],) * 2), found["pixels"]
    seen = np.argwhere(cut > cut.max() - 10)
    for right, middle in seen[:: len(seen) // 5]:
        truth = log_p_x(world, (0.4, (middle + 0.5) / pixels, (right + 0.5) / pixels))
        assert cut[right, middle] == pytest.approx(truth, abs=0.01)


def test_the_patch_lies_where_the_posterior_does(compute):
    world = World("ink")
    code = """const { points, height } = m.patchOf(new m.Sums(model, model.sigma), given);
        return { points: Array.from(points), height: Array.from(height) };"""
    found = compute(world, code, X)
    points, height = np.reshape(found["points"], (-1, 3)), np.array(found["height"])
    assert height.max() == 1 and height.min() > np.exp(-4.5) and 20 < len(points) <= 1500
    best = points[height.argmax()]
    mode = evidence.modes(world, torch.tensor([[X]]))
    np.testing.assert_allclose(best, world.decode(mode.z[0, :1]).mean[0, 0], atol=0.03)


@pytest.mark.parametrize("second", ["ink", "width"])
def test_the_geodesic_is_as_short_as_pythons(compute, second):
    world = World(second)
    code = """const path = m.geodesic(model, ...given, 3), points = m.drawn(model, path);
        const straight = m.drawn(model, m.line(...given));
        return { path: Array.from(path), lengths: [m.chord(straight), straight, points].map(m.lengthOf) };"""
    found = compute(world, code, [A, B])
    path = torch.tensor(found["path"]).reshape(-1, 2)
    assert torch.allclose(path[[0, -1]], torch.tensor([A, B]))
    chord, line, short = found["lengths"]
    fine = torch.lerp(path[:-1, None], path[1:, None], torch.linspace(0, 1, 11)[:, None]).flatten(0, 1)
    real = world.decode(fine).mean.flatten(1).diff(dim=0).norm(dim=1).sum().item()
    assert short == pytest.approx(real, rel=2e-3), "it steps over no fold"
    theirs = interpolation.geodesic(lambda z: world.decode(z).mean, torch.tensor(A), torch.tensor(B), 41)
    assert chord < short < line and short < 1.01 * theirs.length.item()


@pytest.mark.parametrize("beta", [1.0, 0.5])
@pytest.mark.parametrize("latent_dim", [1, 2])
def test_the_slopes_of_the_loss_are_those_of_autograd(compute, latent_dim, beta):
    model, g = untrained(4, latent_dim).double(), torch.Generator().manual_seed(0)
    x, noise = torch.rand(64, 1, 3, generator=g).double(), torch.randn(64, latent_dim, generator=g).double()
    log_likelihood, kl = model.elbo_terms(x, noise=noise)
    (beta * kl - log_likelihood).mean().backward()
    code = """const found = m.slopesOf(model, Float64Array.from(given.x), Float64Array.from(given.noise), given);
        const slopes = (net) => net.slopes.map(({ weight, bias }) => [...weight, ...bias]).flat();
        return { ...found, encoder: slopes(model.encoder), decoder: slopes(model.decoder) };"""
    given = {"x": x.flatten().tolist(), "noise": noise.flatten().tolist(), "beta": beta, "autoencoder": False}
    here = compute(model, code, given)
    assert here["logLikelihood"] == pytest.approx(log_likelihood.mean().item(), abs=1e-5)
    assert here["kl"] == pytest.approx(kl.mean().item(), abs=1e-5)
    assert here["dLogSigma"] == pytest.approx(model.log_sigma.grad.item(), abs=1e-5)
    for part in ("encoder", "decoder"):
        theirs = torch.cat([p.grad.flatten() for p in getattr(model, part).parameters()])
        np.testing.assert_allclose(here[part], theirs, atol=1e-5)


def test_an_autoencoder_follows_the_redrawing_alone(compute):
    model, g = untrained(5).double(), torch.Generator().manual_seed(0)
    x = torch.rand(64, 1, 3, generator=g).double()
    (-model.decode(model.encode(x).mean).log_prob(x)).mean().backward()
    code = """m.slopesOf(model, Float64Array.from(given.x), new Float64Array(128).fill(9), given);
        return model.encoder.slopes.map(({ weight, bias }) => [...weight, ...bias]).flat();"""
    here = compute(model, code, {"x": x.flatten().tolist(), "beta": 1, "autoencoder": True})
    np.testing.assert_allclose(here, torch.cat([p.grad.flatten() for p in model.encoder.parameters()]), atol=1e-5)


def test_the_elbo_is_the_mean_of_many_draws(compute):
    model, x = untrained(6, sigma=0.2), load_dataset("bars", split="test").images[:50]
    here = compute(model, "return m.elboOf(model, Float64Array.from(given));", x.flatten().tolist())
    with torch.no_grad():
        draws = torch.stack([model.elbo(x, torch.Generator().manual_seed(i)).mean() for i in range(400)])
    assert here == pytest.approx(draws.mean().item(), abs=4 * draws.std().item() / 20)


LEARN = """const learner = new m.Learner(new Map(Object.entries(given.tensors)), Float64Array.from(given.x), false);
    const run = (seed, steps) => { learner.seed = seed; learner.start();
        for (let i = 0; i < steps; i++) learner.step();
        const measuring = learner.measure(); let now = measuring.next();
        while (!now.done) now = measuring.next();
        return { ...now.value, sigma: learner.vae.sigma }; };
    return [run(0, 1200), run(0, 20), run(0, 20), run(1, 20)];"""


def test_it_learns_and_the_same_seed_gives_the_same_curve(compute):
    model = untrained(0)
    tensors = {k: {"shape": list(v.shape), "data": v.flatten().tolist()} for k, v in model.state_dict().items()}
    given = {"tensors": tensors, "x": load_dataset("bars").images[:2000].flatten().tolist()}
    learned, *short = compute(model, LEARN, given)
    assert 1.4 < learned["elbo"] < learned["logP"] < 2.3 and 0.04 < learned["sigma"] < 0.09
    assert short[0] == short[1] != short[2]


# The page


def state(page, name):
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.evaluate(f"document.querySelector('pixel-cube').model.state.{name}")


def ball(page, cube, x):
    """Where on the screen a picture stands."""
    yaw, pitch = np.radians([state(page, "yaw"), state(page, "pitch")])
    box = page.locator(".lx-space").bounding_box()
    right = np.array([np.cos(yaw), np.sin(yaw), 0])
    up = np.array([-np.sin(yaw) * np.sin(pitch), np.cos(yaw) * np.sin(pitch), np.cos(pitch)])
    u, scale = np.array(x) - 0.5, 0.57 * box["width"]
    return box["x"] + box["width"] / 2 + scale * u @ right, box["y"] + box["width"] / 2 - scale * u @ up


def drag(page, start, end):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()


TWO_KEYS = """cube => ["ArrowRight", "ArrowDown"].forEach(
    (key) => cube.dispatchEvent(new KeyboardEvent("keydown", { key })))"""


def test_a_drag_turns_the_cube_and_so_do_keys(site):
    page = site(PixelCube(World("ink"), show=["sheet"]))
    page.evaluate("window.heard = 0; document.addEventListener('keydown', (e) => (heard += e.key.startsWith('Arrow')))")
    box = page.locator(".lx-space").bounding_box()
    corner = (box["x"] + box["width"] * 0.9, box["y"] + 30)
    drag(page, corner, (corner[0] - 60, corner[1] + 20))
    assert (state(page, "yaw"), state(page, "pitch")) == (-8, 32)
    page.locator(".lx-space").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert (state(page, "yaw"), state(page, "pitch")) == (-13, 37)
    assert page.evaluate("heard") == 0, "arrow keys turn pages; these were the cube's"
    page.eval_on_selector(".lx-space", TWO_KEYS)
    assert (state(page, "yaw"), state(page, "pitch")) == (-18, 42), "two keys between two frames are two keys"
    assert page.evaluate("getComputedStyle(document.querySelector('.lx-space')).touchAction") == "none"
    page.locator("[role=status]", has_text="turned by −18° and seen from 42° above").wait_for(state="attached")
    assert page.problems == []


def test_the_picture_is_dragged_in_the_plane_of_the_screen(site):
    cube = PixelCube(World("ink"), x=X, show=["posterior"])
    page = site(cube)
    start = ball(page, cube, X)
    drag(page, start, (start[0] + 30, start[1] - 20))
    x = state(page, "x")
    np.testing.assert_allclose(ball(page, cube, x), (start[0] + 30, start[1] - 20), atol=2.5)
    values = page.eval_on_selector_all(".lx-x input", "all => all.map(i => i.valueAsNumber)")
    np.testing.assert_allclose(values, x, atol=0.006)
    page.get_by_label("middle", exact=True).fill("0.4")
    assert state(page, "x[1]") == 0.4
    said = page.locator(".lx-x .lx-number").inner_text()
    truth = log_p_x(World("ink"), state(page, "x"))
    assert float(re.search(r"= (\S+) nats", said.replace("−", "-"))[1]) == pytest.approx(truth, abs=0.006)


def test_the_point_is_one_in_the_cube_on_the_plane_and_on_the_sliders(site):
    cube = PixelCube(World("ink"), z=(0.2, 0.3), show=["sheet"])
    page = site(cube)
    f = World("ink").decode(torch.tensor([[0.2, 0.3], [0.5, 1.0]])).mean[:, 0].numpy()
    drag(page, ball(page, cube, f[0]), ball(page, cube, f[1]))
    reached = World("ink").decode(torch.tensor([[state(page, "z1"), state(page, "z2")]])).mean[0, 0].numpy()
    np.testing.assert_allclose(ball(page, cube, reached), ball(page, cube, f[1]), atol=8)
    page.locator(".lx-handle").focus()
    before = state(page, "z2")
    page.keyboard.press("ArrowUp")
    assert state(page, "z2") == pytest.approx(before + 0.05)
    page.get_by_label("z₁", exact=True).fill("-0.7")
    assert state(page, "z1") == -0.7
    shown = [float(v) for v in page.locator(".lx-strip output").all_inner_texts()]
    expected = World("ink").decode(torch.tensor([[state(page, "z1"), state(page, "z2")]])).mean[0, 0]
    np.testing.assert_allclose(shown, expected, atol=0.006)


def test_the_ways_are_told_in_numbers_and_follow_their_ends(site):
    page = site(PixelCube(World("width"), **FOLDS))
    rows = page.locator(".lx-table tbody tr")
    rows.nth(2).wait_for()
    lengths = [float(text) for text in page.locator(".lx-table td:nth-of-type(1)").all_inner_texts()]
    assert lengths[0] < lengths[2] < lengths[1], "the chord is shorter than the geodesic, that shorter than the line"
    end = page.locator(".lx-end").nth(1)
    end.focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_function(f"document.querySelector('.lx-table td').textContent !== '{lengths[0]:.2f}'")
    np.testing.assert_allclose(state(page, "ends"), [A, (B[0] - 1.5, B[1])])
    page.get_by_role("checkbox", name="ways from A to B").uncheck()
    assert "ways" not in state(page, "show")  # and the frame is drawn that shows it
    assert not end.is_visible() and not rows.first.is_visible()


def changed(page):
    """The share of the cube's canvas that differs from what it was when this was asked last."""
    script = """canvas => { const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const before = window.before ?? data; window.before = data; let count = 0;
        for (let i = 0; i < data.length; i++) count += Math.abs(data[i] - before[i]) > 20;
        return count / data.length; }"""
    state(page, "show")
    return page.eval_on_selector(".lx-space", script)


def test_layers_come_and_go(site):
    bars = load_dataset("bars", split="test")
    page = site(PixelCube(World("ink"), bars, bars.labels, x=X, ends=(A, B), show=()))
    changed(page)
    boxes = page.locator(".lx-cube > .lx-choice input")
    assert boxes.count() == 7
    for box in boxes.all():
        box.check()
        there = changed(page)
        assert there > 0.003, box.evaluate("e => e.parentElement.innerText")
        box.uncheck()
        assert changed(page) == there, "what is taken away leaves nothing behind"
    assert page.problems == []


def test_the_spike_is_within_reach_and_the_cut_slides(site):
    page = site(PixelCube(World(), x=X, show=["sheet", "cut", "posterior"]))
    page.get_by_label("σ", exact=True).fill(str(np.log(0.005)))
    assert state(page, "sigma") == pytest.approx(0.005, rel=0.01)
    said = page.locator(".lx-x .lx-number").inner_text().replace("−", "-")
    truth = log_p_x(World(sigma=state(page, "sigma")), X, step=0.0002)
    assert float(re.search(r"= (\S+) nats", said)[1]) == pytest.approx(truth, rel=1e-4)
    changed(page)
    page.get_by_label("at", exact=True).fill("0.2")
    assert changed(page) > 0.01
    page.get_by_label("Which cell the cut holds").select_option("cut: the left cell")
    assert changed(page) > 0.01
    assert (state(page, "cut"), state(page, "cut_axis")) == (0.2, 0)
    assert page.problems == []


def test_it_learns_when_asked_and_only_then(site):
    bars = load_dataset("bars")
    page = site(PixelCube(untrained(), bars.images[:2000], bars.labels[:2000], learn=True))
    told = page.locator(".lx-told")
    assert told.inner_text().startswith("Step 0, seed 0.")
    page.wait_for_timeout(500)
    assert told.inner_text().startswith("Step 0")
    sigma = state(page, "sigma")
    page.get_by_role("button", name="Learn").click()
    page.wait_for_function("/Step \\d{3,}/.test(document.querySelector('.lx-told').textContent)", timeout=60_000)
    page.get_by_role("button", name="Pause").click()
    assert state(page, "sigma") < sigma - 0.02
    elbo = float(re.search(r"ELBO is (\S+),", told.inner_text().replace("−", "-"))[1])
    assert elbo > -2, "it began at about -2.3"
    at_rest = state(page, "sigma")
    page.wait_for_timeout(300)
    assert state(page, "sigma") == at_rest
    page.get_by_role("button", name="Start again").click()
    assert told.inner_text().startswith("Step 0, seed 0.") and state(page, "sigma") == pytest.approx(sigma)
    page.get_by_role("button", name="Another seed").click()
    assert told.inner_text().startswith("Step 0, seed 1.")
    assert page.problems == []


SHOWN = {
    "sheet": (
        World("width"),
        {"show": ("sheet", "thickness", "cloud", "cut", "posterior", "ways"), "x": X, "ends": (A, B)},
    ),
    "curve": (World(), {"show": ("sheet", "thickness", "posterior"), "x": X}),
    "learn": (untrained(), {"learn": True}),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", SHOWN)
def test_axe_finds_nothing_and_all_is_large_enough(site, name, width, scheme):
    model, settings = SHOWN[name]
    bars = load_dataset("bars", split="test")
    cube = PixelCube(model, bars, bars.labels, **settings)
    page = site(cube, viewport={"width": width, "height": 844}, color_scheme=scheme)
    page.wait_for_timeout(900)
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.problems == []


def test_under_a_strict_policy_and_from_disk(site):
    strict = STRICT.replace(" 'unsafe-inline'", "")
    rule = f'<head><meta http-equiv="Content-Security-Policy" content="{strict}">'
    page = site(PixelCube(World("ink"), **FOLDS), head=HEAD.replace("<head>", rule))
    page.locator(".lx-table tbody tr").first.wait_for()
    assert page.problems == []
    page = site(PixelCube(World("ink"), **FOLDS), disk=True)
    page.locator(".lx-table tbody tr").first.wait_for()
    assert page.problems == []


def test_without_scripts_there_is_a_picture_and_a_sentence(site):
    page = site(PixelCube(World("ink"), **FOLDS), live=False, java_script_enabled=False)
    image = page.locator(".lx-still img")
    assert image.is_visible() and "posterior" in image.get_attribute("alt")
    assert page.get_by_text("turn JavaScript on").is_visible()
