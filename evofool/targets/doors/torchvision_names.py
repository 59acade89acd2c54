"""The names of torchvision's models and of their classes, from its sources: importing it takes seconds."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_REGISTERED = re.compile(r"^@register_model\(\)\n(?:@.*\n)*def (\w+)\(", re.MULTILINE)


@cache
def model_names() -> tuple[str, ...]:
    """Return the names of all classification models, sorted, as ``torchvision.models.list_models`` does."""
    sources = [file.read_text(encoding="utf-8") for file in sorted(models_folder().glob("*.py"))]
    if names := sorted(name for source in sources for name in _REGISTERED.findall(source)):
        return tuple(names)
    from torchvision import models  # Its sources are elsewhere, or written in another way.

    return tuple(sorted(models.list_models(module=models)))


@cache
def class_names() -> tuple[str, ...] | None:
    """Return the names of ImageNet's classes as torchvision has them, None where they are not found."""
    file = models_folder() / "_meta.py"
    tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(name) for name in node.targets] == ["_IMAGENET_CATEGORIES"]:
            return tuple(ast.literal_eval(node.value))
    return None


def models_folder() -> Path:
    """Return where the sources of torchvision's models are."""
    spec = find_spec("torchvision")
    return Path(spec.origin).parent / "models" if spec and spec.origin else Path("torchvision")
