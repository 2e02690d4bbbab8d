"""The command line, the recipes behind it, the preflight line and the figures' rules."""

import io
import os
import subprocess
import sys
from types import ModuleType

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from test_training import cut

import vaecourse.training.recipes as recipes
import vaecourse.views.recipes as view_recipes
from vaecourse import VAE, commands, load_dataset, load_pretrained, plots
from vaecourse.__main__ import main
from vaecourse.course import preflight
from vaecourse.data import ImageSet, datasets
from vaecourse.model import checkpoints
from vaecourse.training.trainer import Trainer


@pytest.fixture
def tiny(monkeypatch):
    """Recipes that train in a second on a handful of drawn digits."""

    def few(name, split="train", **_):
        images, labels, factors = datasets.strokes.sample(
            300 if split == "train" else 60, np.random.default_rng(split == "train")
        )
        return ImageSet(images, labels, name, "drawn here", datasets.DIGITS, factors)

    monkeypatch.setattr(recipes, "load_dataset", few)
    settings = {"epochs": 2, "hidden": (16,), "precision": "float32"}
    monkeypatch.setitem(recipes.RECIPES, "tiny", recipes.Recipe("strokes", **settings))
    monkeypatch.setitem(recipes.RECIPES, "tiny-page", recipes.Recipe("strokes", teacher="tiny", **settings))
    monkeypatch.setitem(recipes.JUDGES, "tiny-classes", "strokes")
    monkeypatch.setattr(recipes, "_JUDGE_EPOCHS", 2)
    torch.manual_seed(0)
    teacher, turning = VAE(hidden=(8,)).eval(), load_dataset("turntable", size=32).subset(slice(72))
    monkeypatch.setattr(recipes, "load_pretrained", lambda name: teacher)
    monkeypatch.setattr(view_recipes, "load_dataset", lambda name, size: turning)
    views = view_recipes.ViewRecipe("turntable", gap=20, steps=150, latent_dim=3, width=8)
    monkeypatch.setitem(view_recipes.VIEW_RECIPES, "tiny-views", views)


def test_train_writes_a_model_with_its_story_and_nothing_else(tiny, tmp_path, capsys):
    assert main(["train", "tiny", "--folder", str(tmp_path), "--device", "cpu"]) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.safetensors"]
    model = checkpoints.load_model(tmp_path / "tiny.safetensors")
    assert model.meta["recipe"]["epochs"] == 2
    assert set(model.meta["scores"]) == {"elbo", "mse", "sigma", "knn_accuracy"}
    assert "nats per image" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tiny", "tiny-page", "tiny-classes", "tiny-views"])
def test_a_cut_training_goes_on(tiny, tmp_path, monkeypatch, capsys, name):
    """Each kind of model that the command trains keeps what Ctrl-C promises."""
    command = ["train", name, "--device", "cpu", "--folder"]
    with monkeypatch.context() as patch:
        cut(patch, 1)
        assert main([*command, str(tmp_path)]) == 130
    assert "goes on from the last whole epoch" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == [f"{name}.partial.safetensors"]
    with monkeypatch.context() as patch:
        cut(patch, 1, AssertionError("one epoch is left, and no more"))
        assert main([*command, str(tmp_path)]) == 0
    assert [p.name for p in tmp_path.iterdir()] == [f"{name}.safetensors"]
    assert main([*command, str(tmp_path / "whole")]) == 0
    resumed, whole = (checkpoints.load_model(p / f"{name}.safetensors") for p in (tmp_path, tmp_path / "whole"))
    assert all(torch.equal(a, b) for a, b in zip(resumed.parameters(), whole.parameters(), strict=True))


@pytest.mark.parametrize("command", ["train", "seeds"])
@pytest.mark.parametrize("name", ["mnist-2d", "strokes-2d"])
def test_what_cannot_end_well_ends_at_once(monkeypatch, tmp_path, capsys, command, name):
    """Before any data are loaded: a device that is not there, a folder that is none."""
    monkeypatch.setattr(recipes, "load_dataset", lambda *_, **__: pytest.fail("somebody had to wait"))
    assert main([command, name, "--device", "nonsense", "--folder", str(tmp_path)]) == 1
    assert "cannot train on the device nonsense" in capsys.readouterr().err
    (tmp_path / "file").touch()
    for folder in ("file", "file/below"):
        assert main([command, name, "--device", "cpu", "--folder", str(tmp_path / folder)]) == 1
        assert "Not a directory. Name another folder with --folder" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.slow
@pytest.mark.parametrize(("owner", "name"), [(Trainer, "train_one_epoch"), (recipes, "scores")])
def test_two_trainings_in_one_folder_do_each_other_no_harm(tiny, tmp_path, monkeypatch, capsys, owner, name):
    """The second is begun while the first does this, goes on from what that has kept, and ends before it."""
    command, others = ["train", "tiny", "--device", "cpu", "--folder"], []
    original = getattr(owner, name)

    def meanwhile(*arguments):
        if (tmp_path / "tiny.partial.safetensors").exists() and not others:
            others.append("begun")
            others.append(main([*command, str(tmp_path)]))
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, meanwhile)
        assert main([*command, str(tmp_path)]) == 0 and others == ["begun", 0]
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.safetensors"]
    assert main([*command, str(tmp_path / "alone")]) == 0
    together, alone = (checkpoints.load_model(p / "tiny.safetensors") for p in (tmp_path, tmp_path / "alone"))
    assert all(torch.equal(a, b) for a, b in zip(together.parameters(), alone.parameters(), strict=True))


@pytest.mark.slow
def test_a_training_that_goes_on_elsewhere_says_in_a_sentence_that_its_bits_differ(tiny, tmp_path, monkeypatch, capsys):
    command = ["train", "tiny", "--device", "cpu", "--folder", str(tmp_path)]
    with monkeypatch.context() as patch:
        cut(patch, 1)
        assert main(command) == 130
    partial = tmp_path / "tiny.partial.safetensors"
    tensors, meta = checkpoints.read_safetensors(partial)
    checkpoints.write_safetensors(partial, tensors, meta | {"device": "cuda"})
    capsys.readouterr()
    assert main(command) == 0
    said = capsys.readouterr().err
    assert said.startswith("train: this run was cut on cuda and goes on on cpu") and "trainer.py" not in said


def test_a_student_comes_closer_to_its_teacher():
    torch.manual_seed(0)
    teacher = VAE(image_shape=(4, 4), hidden=(12,), sigma=0.2).eval()
    student = VAE(image_shape=(4, 4), hidden=(6,), decoder_hidden=(8,))
    x = torch.rand(512, 4, 4, generator=torch.Generator().manual_seed(0))
    z = torch.randn(200, 2, generator=torch.Generator().manual_seed(1))

    def distance():
        with torch.no_grad():
            drawn = (student.decode(z).mean - teacher.decode(z).mean).square().mean()
            guessed = torch.distributions.kl_divergence(student.encode(x), teacher.encode(x)).mean()
        return drawn.item(), guessed.item()

    before = distance()
    recipes.distil(teacher, student, x, epochs=60, device="cpu", progress=False)
    after = distance()
    assert after[0] < 0.5 * before[0] and after[1] < 0.5 * before[1]
    assert student.sigma == pytest.approx(teacher.sigma) and not student.training
    assert student.log_sigma.requires_grad and not teacher.training


def test_a_student_knows_what_is_drawn_far_from_all_images():
    """All images are one: their codes say nothing of the rest of the plane, where the teacher draws other things."""
    torch.manual_seed(0)
    teacher = VAE(image_shape=(4, 4), hidden=(12,), sigma=0.2).eval()
    with torch.no_grad():
        for weight in teacher.decoder.parameters():
            weight.mul_(3)
    student = VAE(image_shape=(4, 4), hidden=(32,))
    recipes.distil(teacher, student, torch.full((512, 4, 4), 0.5), epochs=150, device="cpu", progress=False)
    z = 2 * torch.randn(500, 2, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        drawn, true = student.decode(z).mean, teacher.decode(z).mean
    assert (drawn - true).square().mean() < 0.1 * (true - true.mean(0)).square().mean()


@pytest.mark.parametrize("command", ["train", "evaluate"])
@pytest.mark.parametrize(("name", "meant"), [("mnist2d", "'mnist-2d'?"), ("holidays", None), ("/", None)])
def test_of_an_unknown_name_only_one_that_looks_like_it_is_suggested(capsys, monkeypatch, command, name, meant):
    monkeypatch.chdir("/")
    assert main([command, name]) == 1
    said = capsys.readouterr().err
    assert said.rstrip().endswith(f"Did you mean {meant}") if meant else "Did you mean" not in said


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nowhere.safetensors", "there is no file"),
        ("pictures", "is a folder, and evaluate measures a model"),
        ("own", "does not say which images it learned from"),
        ("odd.safetensors", "does not say which images it learned from"),
        ("text", "not a whole checkpoint"),
    ],
)
def test_what_cannot_be_evaluated_gets_a_sentence(tmp_path, monkeypatch, capsys, name, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "text").write_text("no model")
    VAE(hidden=(8,)).save(tmp_path / "own")
    checkpoints.save_model(tmp_path / "odd.safetensors", VAE(hidden=(8,)), {"recipe": "my own"})
    assert main(["evaluate", name]) == 1
    assert says in capsys.readouterr().err


def interrupted(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("train", "train: stopped. The same command goes on from the last whole epoch.\n"),
        ("evaluate", "evaluate: stopped. It has written nothing.\n"),
        ("preflight", "preflight: stopped. It has written nothing.\n"),
        ("import", "stopped before anything was begun.\n"),
    ],
)
def test_ctrl_c_gets_a_true_sentence_whenever_it_comes(tmp_path, monkeypatch, capsys, where, says):
    for module, name in ((recipes, "load_dataset"), (commands, "load_dataset"), (commands, "speed")):
        monkeypatch.setattr(module, name, interrupted)
    if where == "import":
        loading = ModuleType("loading")
        loading.__getattr__ = interrupted
        monkeypatch.setitem(sys.modules, "vaecourse.commands", loading)
    arguments = {"train": ["mnist-2d", "--folder", str(tmp_path)], "evaluate": ["mnist-2d"]}
    command = where.replace("import", "preflight")
    assert main([command, *arguments.get(command, [])]) == 130
    assert capsys.readouterr() == ("", says)


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """A machine without data, network or GPU, and a cache of its own in a folder that ASCII cannot name."""
    monkeypatch.setenv("VAECOURSE_OFFLINE", "1")
    monkeypatch.delenv("VAECOURSE_DATA", raising=False)
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path / "café"))
    monkeypatch.setattr(datasets, "_missing", {})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_the_preflight_command_says_what_is_so(alone, tmp_path, monkeypatch, capsys):
    assert main(["preflight"]) == 0
    speed, gpu, digits, objects, kept = capsys.readouterr().out.splitlines()
    assert "times as fast" in speed and gpu.startswith("No GPU was found")
    assert "strokes" in digits and "instead of MNIST" in digits and "instead of COIL-20" in objects
    assert kept == f"What is downloaded or drawn is kept in {tmp_path / 'café'}."
    monkeypatch.setattr(datasets, "at_hand", lambda file: True)
    monkeypatch.setattr(datasets, "_missing", {})
    (tmp_path / "file").touch()
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path / "file"))
    assert main(["preflight"]) == 0
    said = capsys.readouterr().out
    assert "mnist is here.\ncoil-20 is here.\n" in said and "strokes" not in said
    assert f"cannot be kept in {tmp_path / 'file'}: Not a directory. The variable VAECOURSE_CACHE" in said


def test_a_terminal_that_knows_ascii_only_is_answered(alone, monkeypatch):
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, "ascii", write_through=True))
    assert main(["preflight"]) == 0
    assert b"caf?" in shown.getvalue()


def nobody_reads():
    """The end of a pipe whose other end is closed, as that of `| head` is when it has read enough."""
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


@pytest.mark.parametrize(
    ("opened", "says"),
    [
        (nobody_reads, ""),
        pytest.param(
            lambda: open("/dev/full", "w"),  # noqa: SIM115
            "cannot write what there is to say: No space left on device. Send it elsewhere.\n",
            marks=pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it"),
        ),
    ],
)
def test_an_output_that_takes_nothing_more_ends_without_a_traceback(alone, monkeypatch, capfd, opened, says):
    with opened() as output, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", output)
        assert main(["preflight"]) == 1
    assert capfd.readouterr().err == says


def test_the_shell_command_itself():
    done = subprocess.run([sys.executable, "-m", "vaecourse", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "preflight" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist-2d", "strokes-2d"])
def test_shipped_scores_are_measured_again(name, request):
    """On the data, from the file that ships: what its scores say, and what the course promises."""
    model = load_pretrained(name)
    if name.startswith("mnist"):
        request.getfixturevalue("real_data")
    dataset = model.meta["recipe"]["dataset"]
    train, test = load_dataset(dataset, split="train"), load_dataset(dataset, split="test")
    assert train.digest() == model.meta["images"], "the images are not those it was trained on"
    now = recipes.scores(model, train, test)
    for key, value in model.meta["scores"].items():
        assert now[key] == pytest.approx(value, rel=2e-3), key
    assert now["elbo"] >= 225 and now["knn_accuracy"] >= 0.89


def test_preflight_is_one_line_and_says_what_stands_in(alone, capsys):
    here = preflight("mnist", cpu_minutes=3)
    lines = capsys.readouterr().out.splitlines()
    assert here.dataset == "strokes"
    assert "instead of MNIST" in lines[0] and lines[-1].startswith("Data: strokes")
    here = preflight("strokes", cpu_minutes=3)
    assert capsys.readouterr().out.count("\n") == 1


def test_figures_need_a_text(capsys):
    fig = plots.image_row(np.zeros((2, 4, 4)), titles=["a", "b"])
    with pytest.raises(ValueError, match="say in a sentence"):
        plots.show(fig, alt="  ")
    plt.close(fig)


def test_tile_puts_each_image_in_its_place():
    images = np.arange(5)[:, None, None] + np.zeros((5, 2, 3))
    sheet = plots.tile(images, columns=2, gap=1)
    assert sheet.shape == (3 * 2 + 2, 2 * 3 + 1)
    assert sheet[0, 0] == 0 and sheet[0, 4] == 1 and sheet[3, 0] == 2 and sheet[6, 0] == 4 and sheet[2].sum() == 0
    assert np.array_equal(plots.tile(images[:4], 2, gap=0)[2:, 3:], images[3])
