"""One training loop, for one process or several, on whatever device there is (the chapter on training), and the recipes
by which the models that ship were made, so that one command makes each of them again.
"""

from . import distributed
from .fitting import History, fit
from .judge import fit_classifier
from .recipes import (
    JUDGES,
    RECIPES,
    Recipe,
    check_name,
    distil,
    judge_scores,
    scores,
    train_model,
    unfinished,
    versions,
)
from .seeds import claims_over, table, train_seeds
from .trainer import Trainer, TrainingDiverged, as_device, best_device, shuffled

__all__ = [
    "JUDGES",
    "RECIPES",
    "History",
    "Recipe",
    "Trainer",
    "TrainingDiverged",
    "as_device",
    "best_device",
    "check_name",
    "claims_over",
    "distil",
    "distributed",
    "fit",
    "fit_classifier",
    "judge_scores",
    "scores",
    "shuffled",
    "table",
    "train_model",
    "train_seeds",
    "unfinished",
    "versions",
]
