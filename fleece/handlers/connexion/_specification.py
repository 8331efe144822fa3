"""Finding and reading an OpenAPI specification."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import yaml
from connexion.utils import get_root_path

# libyaml's loader is several times faster, and part of PyYAML's wheels.
_YAMLLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def locate(app_name: str, path: str | Path) -> Path:
    """Return where a specification is: relative to the module `app_name`, if it is there, else to this folder.

    Raises:
        FileNotFoundError: it is in neither place.
    """
    candidates = [folder / path for folder in (Path(get_root_path(app_name)), Path.cwd())]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    folders = dict.fromkeys(str(candidate.parent) for candidate in candidates)  # one folder, where it is no module's
    raise FileNotFoundError(f"There is no specification {str(path)!r} in {' nor in '.join(folders)}")


def parse(content: bytes, path: Path) -> dict[str, Any]:
    """Parse the content of a specification: JSON when it is named so, YAML otherwise.

    References to other files are made absolute, because connexion would take them as relative to the current folder.

    Raises:
        ValueError: it is not valid YAML or JSON, or not an object.
    """
    try:
        document = json.loads(content) if path.suffix == ".json" else yaml.load(content, _YAMLLoader)  # noqa: S506
    except (ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} is not valid {'JSON' if path.suffix == '.json' else 'YAML'}: {reason}") from error
    if not isinstance(document, dict):
        raise ValueError(f"{path} is no OpenAPI specification: it holds no object")  # noqa: TRY004 (of a file)
    try:
        _make_references_absolute(document, path.resolve().as_uri())
    except RecursionError:
        raise ValueError(f"{path} is no OpenAPI specification: a part of it is its own anchor's alias") from None
    return document


def _make_references_absolute(node: Any, base: str) -> None:
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#") and not urlsplit(reference).scheme:
            node["$ref"] = urljoin(base, reference)
        for value in node.values():
            _make_references_absolute(value, base)
    elif isinstance(node, list):
        for value in node:
            _make_references_absolute(value, base)
