"""One training loop, for one process or several, on whatever device there is (the chapter on training), and the recipes
by which the models that ship were made, so that one command makes each of them again.
"""

from . import distributed
from .judge import fit_classifier
from .recipes import JUDGES, RECIPES, Recipe, check_name, distil, judge_scores, scores, train_model, versions
from .seeds import claims_over, table, train_seeds
from .trainer import History, TrainingDiverged, best_device, fit

__all__ = [
    "JUDGES",
    "RECIPES",
    "History",
    "Recipe",
    "TrainingDiverged",
    "best_device",
    "check_name",
    "claims_over",
    "distil",
    "distributed",
    "fit",
    "fit_classifier",
    "judge_scores",
    "scores",
    "table",
    "train_model",
    "train_seeds",
    "versions",
]
