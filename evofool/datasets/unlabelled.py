"""Images whose labels are left out, such as those of classes that a classifier doesn't know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import ConfigError
from .base import UNKNOWN, ArrayImages, Fitting, LabelledImages
from .sources import open_data


def open_unlabelled(data: str | Path, data_dir: Path, fitting: Fitting, parameter: str) -> LabelledImages:
    """Open images and leave their labels out. Images of another size or colours are fitted to the target.

    Args:
        data: A data set's name, a folder of pictures, or an ``.npz`` archive, in which labels may be missing.
        data_dir: The folder where a named data set's files are, or are downloaded to.
        fitting: How pictures become images for the target.
        parameter: The name of the user's parameter, for messages.

    Raises:
        ConfigError: There is nothing of that name, or it is none of these.
    """
    try:
        found = open_data(data, data_dir, replace(fitting, classes=()))
    except ConfigError as error:
        raise ConfigError(str(error).replace("`data=", f"`{parameter}=")) from error
    if not isinstance(found, ArrayImages):
        return found
    return ArrayImages(found.name, found.images, np.full(len(found), UNKNOWN), fitting)
