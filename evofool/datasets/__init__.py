"""Labelled images that campaigns attack: named data sets, folders of pictures, archives."""

from .base import ArrayImages, Fitting, LabelledImages
from .named import NAMED_DATASETS
from .sources import check_data, open_data
from .unlabelled import open_unlabelled

__all__ = ["NAMED_DATASETS", "ArrayImages", "Fitting", "LabelledImages", "check_data", "open_data", "open_unlabelled"]
