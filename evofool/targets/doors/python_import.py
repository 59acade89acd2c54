"""Importing an object that a user names: ``package.module:attribute`` or ``path/to/file.py:attribute``.

This runs the user's code. It is the one place where evofool does so, and only for a target that is named so.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from ...errors import TargetError, suggestion


def is_python_name(name: str) -> bool:
    """Return whether a target's name is that of an object to import."""
    module, colon, attribute = name.rpartition(":")
    if not colon or not attribute or "://" in name:
        return False
    dotted = all(part.isidentifier() for part in attribute.split("."))
    if module.endswith(".py"):
        return dotted
    return dotted and "." not in attribute and all(part.isidentifier() for part in module.split("."))


def source_of(name: str) -> Path | None:
    """Return the file that a name is imported from, where it names one or its module can be found."""
    module = name.rpartition(":")[0]
    if module.endswith(".py"):
        return Path(module).expanduser().absolute()
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(found.origin) if found and found.origin and os.path.isfile(found.origin) else None


def import_object(name: str) -> Any:
    """Return the object of a name.

    Raises:
        TargetError: There is no such file, module or attribute, or importing it fails.
    """
    where, _, attribute = name.rpartition(":")
    module = _module_of_file(Path(where).expanduser().absolute()) if where.endswith(".py") else _module(where)
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            public = [other for other in dir(found) if not other.startswith("_")]
            raise TargetError(f'{where} has no "{part}"{suggestion(part, public)}')
        found = getattr(found, part)
    return found


def _module(name: str) -> ModuleType:
    """Import a module by its dotted name, the current folder included."""
    folder = os.getcwd()
    added = folder not in sys.path and "" not in sys.path
    if added:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        raise TargetError(
            f"no module {missing} is installed or in this folder; name a target as package.module:attribute or "
            "path/to/file.py:attribute"
            if name == missing or name.startswith(missing + ".")
            else f"{name} needs the module {missing}, which is not installed"
        ) from error
    except Exception as error:
        raise TargetError(f"importing {name} failed: {_line(error)}") from error
    finally:
        if added:
            sys.path.remove(folder)


def _module_of_file(path: Path) -> ModuleType:
    """Import a file. Modules beside it can be imported from it."""
    if not path.is_file():
        raise TargetError(f"no Python file at {path}")
    spec = importlib.util.spec_from_file_location(f"evofool_target_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise TargetError(f"{path} can't be imported as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[spec.name]
        raise TargetError(f"importing {path} failed: {_line(error)}") from error
    finally:
        sys.path.remove(str(path.parent))
    return module


def _line(error: Exception) -> str:
    first = next((line for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {first}"[:200] if first else type(error).__name__
