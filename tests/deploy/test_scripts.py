"""The shell scripts, ours for development and those for a server."""

import pytest

from tests.deploy.linters import check
from tests.support.run_folder import ROOT

SCRIPTS = sorted([*ROOT.glob("deploy/**/*.sh"), *ROOT.glob("scripts/*.sh")])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_shellcheck_finds_nothing_in(script):
    check("shellcheck", script)
    first, *rest = script.read_text().splitlines()
    assert first.startswith("#!")
    assert "set -eu" in rest
