"""What deploy/README.md and deploy.sh take for granted about the files beside them."""

import re

from tests.support.run_folder import ROOT

DEPLOY = ROOT / "deploy"


def test_the_guide_names_only_what_is_there():
    guide = (DEPLOY / "README.md").read_text()
    for script in re.findall(r"sh (deploy/[\w-]+\.sh)", guide):
        assert (ROOT / script).exists(), script
    for file in re.findall(r"`((?:deploy|\.github)/[\w./-]+\.\w+)`", guide):
        assert (ROOT / file).exists(), file
    settings = set(re.findall(r"^([A-Z_]+)=", guide, re.MULTILINE))
    assert settings - {"COMPOSE_PROFILES"} <= set(
        re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yaml").read_text())
    )


def test_nginx_trusts_a_replica_again_before_the_other_is_replaced():
    nginx = (DEPLOY / "nginx/nginx.conf").read_text()
    distrust = max(map(int, re.findall(r"fail_timeout=(\d+)s", nginx)))
    pause = re.search(r"^pause=(\d+)", (DEPLOY / "deploy.sh").read_text(), re.MULTILINE)
    assert pause
    assert int(pause.group(1)) > distrust


def test_nginx_may_open_as_many_files_as_it_wants():
    nginx = (DEPLOY / "nginx/nginx.conf").read_text()
    wanted = re.search(r"worker_rlimit_nofile (\d+);", nginx)
    assert wanted
    assert f"ulimits: {{nofile: {wanted.group(1)}}}" in (ROOT / "docker-compose.yaml").read_text()
