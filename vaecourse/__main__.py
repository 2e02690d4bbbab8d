"""The course from a shell: python -m vaecourse train | seeds | evaluate | preflight.

On several processes or machines: torchrun --nproc_per_node=2 -m vaecourse train mnist-2d (see `distributed`).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .course import preflight, speed
from .data import DataError, load_dataset
from .model import CheckpointError, Classifier, load_model, load_pretrained
from .training import (
    JUDGES,
    RECIPES,
    TrainingDiverged,
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


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns 0, or 1 after a sentence that says what went wrong and what to do."""
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
    try:
        with distributed.join():
            return options.run(options)
    except (ValueError, CheckpointError, DataError, TrainingDiverged) as error:
        code, reason = 1, str(error)
    except distributed.PeerLost as error:
        code, reason = 1, f"{error}. The same command goes on from the last whole epoch."
    except KeyboardInterrupt:
        code, reason = 130, "stopped. The same command goes on from the last whole epoch."
    if distributed.first_to_speak():
        print(f"{options.command}: {reason}", file=sys.stderr)
    return code


def _say_where(command: argparse.ArgumentParser) -> None:
    command.add_argument("--folder", type=Path, default=Path(), help="where the files go (default: here)")
    command.add_argument("--device", help="cpu, cuda or mps (default: the fastest)")


def _train(options: argparse.Namespace) -> int:
    check_name(options.name, [*RECIPES, *VIEW_RECIPES, *JUDGES])
    path = options.folder / f"{options.name}.safetensors"
    if options.name not in VIEW_RECIPES:
        train_model(options.name, path, options.device)
    elif distributed.leads():
        train_views(options.name, path)
    if distributed.leads():
        print(f"wrote {path}")
        _print_scores(load_model(path).meta["scores"])
    return 0


def _seeds(options: argparse.Namespace) -> int:
    paths = []
    for path in train_seeds(options.name, options.seeds, options.folder, options.device):
        paths.append(path)
        if distributed.leads():
            print(f"{path} is there: {len(paths)} of {options.seeds}")
    if distributed.leads():
        print(table(claims_over(paths)))
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    is_file = options.model.endswith(".safetensors")
    model = load_model(options.model) if is_file else load_pretrained(options.model)
    dataset = (model.meta.get("recipe") or {}).get("dataset")
    if dataset is None:
        raise CheckpointError(f"{options.model} does not say which images it learned from, so none can test it.")
    if isinstance(model, ViewVAE):
        _print_scores(view_scores(model, load_dataset(dataset, size=SIDE), model.meta["recipe"]["gap"]))
        return 0
    if isinstance(model, Classifier):
        _print_scores(judge_scores(model, load_dataset(dataset, split="test")))
        return 0
    _print_scores(scores(model, load_dataset(dataset, split="train"), load_dataset(dataset, split="test")))
    return 0


def _preflight(options: argparse.Namespace) -> int:
    print(f"This CPU is {speed():.1f} times as fast as the one whose minutes the chapters state.")
    preflight("mnist", cpu_minutes=1)
    preflight("coil-20", cpu_minutes=1)
    if best_device().type == "cpu":
        print("No GPU was found: every chapter runs without one. In Colab: Runtime > Change runtime type > GPU.")
    return 0


def _print_scores(values: dict[str, float]) -> None:
    units = {"elbo": "nats per image", "mse": "squared grey levels a pixel", "sigma": "grey levels"}
    units |= {"psnr": "dB", "psnr_rest": "dB, without the validation objects"}
    for name, value in values.items():
        print(f"{name:>13}  {value:.4g} {units.get(name, '')}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
