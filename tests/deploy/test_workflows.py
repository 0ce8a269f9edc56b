"""What GitHub carries out, as far as it can be judged from here."""

import re

import pytest

from tests.deploy.compose import parsed
from tests.deploy.linters import check
from tests.support.run_folder import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yaml"))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_fits_the_schema_and_the_linters_find_nothing(workflow):
    check("check-jsonschema", "--builtin-schema", "vendor.github-workflows", workflow)
    check("zizmor", "--offline", "--quiet", workflow)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_may_do_little_and_ends(workflow):
    found = parsed(workflow)
    assert found["permissions"] == {}
    for job in found["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
        assert "uses" in job or job["timeout-minutes"] <= 60


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_foreign_actions_are_pinned_to_a_commit(workflow):
    for used in re.findall(r"uses: (\S+)(.*)", workflow.read_text()):
        name, comment = used
        if not name.startswith("./"):
            assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", name)
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment)


def test_nothing_is_deployed_that_was_not_tested():
    jobs = parsed(ROOT / ".github/workflows/deploy.yaml")["jobs"]
    assert jobs["test"]["uses"] == "./.github/workflows/test.yaml"
    assert jobs["image"]["needs"] == "test"
    assert jobs["server"]["needs"] == "image"


def test_every_variable_and_secret_of_the_deployment_is_explained():
    text = (ROOT / ".github/workflows/deploy.yaml").read_text()
    head = text.partition("\nname:")[0]
    used = set(re.findall(r"\b(?:vars|secrets)\.([A-Z_]+)", text))
    explained = set(re.findall(r"^#[\w ]*? {2,}([A-Z_]+)\b", head, re.MULTILINE))
    assert used == explained
