"""docker-compose.yaml as its readers see it: merged and parsed."""

from typing import Any

from ruamel.yaml import YAML

from tests.support.run_folder import ROOT

FILE = ROOT / "docker-compose.yaml"


def parsed(file: Any = FILE) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(file)
    return found
