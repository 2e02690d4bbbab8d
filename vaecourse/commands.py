"""The course from a shell: python -m vaecourse train | seeds | evaluate | preflight.

On several processes or machines: torchrun --nproc_per_node=2 -m vaecourse train mnist-2d (see `distributed`).
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryFile

from .course import speed
from .data import DataError, cache_folder, load_dataset, resolve
from .model import CheckpointError, Classifier, load_model, load_pretrained, pretrained_names
from .training import (
    JUDGES,
    RECIPES,
    TrainingDiverged,
    as_device,
    best_device,
    check_name,
    claims_over,
    distributed,
    judge_scores,
    scores,
    table,
    train_model,
    train_seeds,
)
from .views import SIDE, VIEW_RECIPES, ViewVAE, train_views, view_scores

__all__ = ["run"]

_EXPECTED = (
    ValueError,
    CheckpointError,
    DataError,
    MemoryError,
    TrainingDiverged,
    distributed.PeerLost,
    KeyboardInterrupt,
)


def run(arguments: list[str] | None = None) -> int:
    """Runs one command; returns 0, 1 after a sentence that says what went wrong and what to do, or 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m vaecourse", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("train", help="train one of the models that ship; goes on where it was cut")
    command.add_argument("name", help=", ".join([*RECIPES, *VIEW_RECIPES, *JUDGES]))
    command.set_defaults(run=_train)
    _say_where(command)
    command = commands.add_parser("seeds", help="train one model with several seeds: which claims hold in all of them?")
    command.add_argument("name", help=", ".join(name for name in RECIPES if not RECIPES[name].teacher))
    command.add_argument("--seeds", type=int, default=5, help="how many (default: 5)")
    command.set_defaults(run=_seeds)
    _say_where(command)
    command = commands.add_parser("evaluate", help="measure a trained model on its test images")
    command.add_argument("model", help="a name such as mnist-2d, or a .safetensors file")
    command.set_defaults(run=_evaluate)
    command = commands.add_parser("preflight", help="what this machine has, and what is missing")
    command.set_defaults(run=_preflight)
    options = parser.parse_args(arguments)
    with warnings.catch_warnings():
        # A warning is a sentence, too; the line of code behind it is nothing that one could act upon.
        warnings.showwarning = lambda message, *_: print(f"{options.command}: {message}", file=sys.stderr)
        try:
            with distributed.join():
                try:
                    return int(options.run(options))
                except _EXPECTED as error:  # said before this process leaves the others, who may end it
                    return _say(error, options.command)
        except _EXPECTED as error:
            return _say(error, options.command)


def _say(error: BaseException, command: str) -> int:
    """Prints what went wrong, unless another process of the run has done so; returns the exit status."""
    stopped, reason = isinstance(error, KeyboardInterrupt), str(error)
    if stopped or isinstance(error, distributed.PeerLost):
        keeps = command in ("train", "seeds")
        then = "The same command goes on from the last whole epoch" if keeps else "It has written nothing"
        reason = f"{'stopped' if stopped else error}. {then}."
    if distributed.first_to_speak():
        print(f"{command}: {reason}", file=sys.stderr)
    return 130 if stopped else 1


def _say_where(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--folder",
        type=lambda name: Path(os.path.expanduser(name)),
        default=Path(),
        help="where the files go (default: here)",
    )
    command.add_argument("--device", help="cpu, cuda or mps (default: the fastest)")


def _train(options: argparse.Namespace) -> int:
    check_name(options.name, [*RECIPES, *VIEW_RECIPES, *JUDGES])
    _check_where(options)
    path = options.folder / f"{options.name}.safetensors"
    if options.name in VIEW_RECIPES:
        train_views(options.name, path, options.device)
    else:
        train_model(options.name, path, options.device)
    if distributed.leads():
        print(f"wrote {path}")
        _print_scores(load_model(path).meta["scores"])
    return 0


def _check_where(options: argparse.Namespace) -> None:
    """Raises ValueError, before anybody has waited, for a device or a folder with which no training can end well."""
    as_device(options.device)
    if trouble := _cannot_write(options.folder):
        raise ValueError(f"cannot write into {options.folder}: {trouble}. Name another folder with --folder.")


def _cannot_write(folder: Path) -> str | None:
    """Why no file can be written into a folder, which is made unless it is there; None if all is well."""
    try:
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror


def _seeds(options: argparse.Namespace) -> int:
    _check_where(options)
    paths = []
    for path in train_seeds(options.name, options.seeds, options.folder, options.device):
        paths.append(path)
        if distributed.leads():
            print(f"{path} is there: {len(paths)} of {options.seeds}")
    if distributed.leads():
        print(table(claims_over(paths)))
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    name, path = options.model, Path(os.path.expanduser(options.model))
    if name in pretrained_names() or not (path.suffix == ".safetensors" or path.exists()):
        model = load_pretrained(name)
    elif path.is_dir():
        raise ValueError(f"{path} is a folder, and evaluate measures a model: a name such as mnist-2d, or a file.")
    else:
        model = load_model(path)
    recipe, wanted = model.meta.get("recipe"), {"dataset", "gap"} if isinstance(model, ViewVAE) else {"dataset"}
    if not isinstance(recipe, dict) or not wanted <= recipe.keys():
        raise CheckpointError(
            f"{name} does not say which images it learned from, so none can test it. In Python, vaecourse.measures "
            "measures any model on any images."
        )
    dataset = recipe["dataset"]
    if isinstance(model, ViewVAE):
        _print_scores(view_scores(model, load_dataset(dataset, size=SIDE), recipe["gap"]))
        return 0
    if isinstance(model, Classifier):
        _print_scores(judge_scores(model, load_dataset(dataset, split="test")))
        return 0
    _print_scores(scores(model, load_dataset(dataset, split="train"), load_dataset(dataset, split="test")))
    return 0


def _preflight(options: argparse.Namespace) -> int:
    print(f"This CPU is {speed():.1f} times as fast as the one whose minutes the chapters state.")
    if best_device().type == "cpu":
        print("No GPU was found: every chapter runs without one. In Colab: Runtime > Change runtime type > GPU.")
    else:
        print(f"Models train on the GPU ({best_device().type}).")
    for name in ("mnist", "coil-20"):
        if resolve(name) == name:  # which says itself what stands in for it otherwise
            print(f"{name} is here.")
    cache = cache_folder()
    trouble = _cannot_write(cache)
    print(
        f"What is downloaded or drawn cannot be kept in {cache}: {trouble}. The variable VAECOURSE_CACHE names another."
        if trouble
        else f"What is downloaded or drawn is kept in {cache}."
    )
    return 0


def _print_scores(values: dict[str, float]) -> None:
    units = {"elbo": "nats per image", "mse": "squared grey levels a pixel", "sigma": "grey levels"}
    units |= {"psnr": "dB", "psnr_rest": "dB, without the validation objects"}
    for name, value in values.items():
        print(f"{name:>13}  {value:.4g} {units.get(name, '')}".rstrip())
