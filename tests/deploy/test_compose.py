"""What docker-compose.yaml promises: only nginx can be reached, nobody may do more than needed."""

import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chatapp.settings import SETTINGS
from tests.deploy.compose import FILE, parsed
from tests.deploy.linters import check
from tests.support.run_folder import ROOT

COMPOSE = parsed()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
APPS = ("app-1", "app-2")
OUTSIDE = {"nginx", "turn", "janus"}
OURS = "${CHATAPP_IMAGE:-"


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> dict[str, Any]:
    return SERVICES[request.param]


def networks(name: str) -> set[str]:
    return set(SERVICES[name]["networks"])


def address(name: str) -> str:
    found: str = SERVICES[name]["networks"]["web"]["ipv4_address"]
    return found


def test_it_fits_the_compose_schema():
    check("check-jsonschema", "--builtin-schema", "vendor.compose-spec", FILE)


# -- who can be reached ---------------------------------------------------------------


def test_nginx_turn_and_janus_can_be_reached_from_outside_and_nginx_at_first_from_this_server_alone():
    assert {name for name, each in SERVICES.items() if "ports" in each} == OUTSIDE
    assert SERVICES["nginx"]["ports"] == ["${CHATAPP_LISTEN:-127.0.0.1:8080}:80"]
    assert not any({"network_mode", "expose"} & each.keys() for each in SERVICES.values())


def test_the_databases_live_where_there_is_no_way_in_or_out():
    assert networks("postgres") == networks("redis") == {"data"}
    assert networks("nginx").isdisjoint({"data"})
    for name in ("data", "web"):
        assert COMPOSE["networks"][name]["internal"] is True


def test_what_relays_for_others_is_alone_in_its_network_and_runs_only_where_it_is_wanted():
    turn = SERVICES["turn"]
    assert networks("turn") == {"turn"}
    assert not any(networks(name) & {"turn"} for name in SERVICES if name != "turn")
    assert turn["networks"]["turn"]["ipv4_address"] == turn["environment"]["TURN_OWN_IP"]
    wanted = {name: each["profiles"] for name, each in SERVICES.items() if "profiles" in each}
    assert wanted == {"turn": ["calls"], "janus": ["large-calls"]}


def test_the_media_server_has_no_way_to_the_databases_and_its_api_none_from_outside():
    janus = SERVICES["janus"]
    assert networks("janus") == {"web", "media"}
    assert not any(networks(name) & {"media"} for name in SERVICES if name != "janus")
    assert address("janus") == janus["environment"]["JANUS_API_IP"]
    own = janus["networks"]["media"]["ipv4_address"]
    assert own == janus["environment"]["JANUS_MEDIA_IP"]
    config = (ROOT / "deploy/janus/janus.jcfg").read_text()
    (ports,) = re.findall(r'rtp_port_range = "(.*)"', config)
    assert janus["ports"] == [f"{ports}:{ports}/udp"]


def test_every_port_of_a_relay_is_published_and_no_other():
    relay = (ROOT / "deploy/turn/turnserver.conf").read_text()
    port, first, last = (
        re.findall(rf"^{name}-port=(\d+)$", relay, re.MULTILINE)[0]
        for name in ("listening", "min", "max")
    )
    ends = [f"{port}:{port}/udp", f"{port}:{port}/tcp", f"{first}-{last}:{first}-{last}/udp"]
    assert SERVICES["turn"]["ports"] == ends
    assert f"total-quota={int(last) - int(first) + 1}\n" in relay


def test_replicas_are_reached_through_nginx_alone():
    for app in APPS:
        assert networks(app) == {"web", "data"}
        assert SERVICES[app]["environment"]["TRUSTED_PROXIES"] == address("nginx")


def test_nginx_finds_a_replica_by_an_address_that_stays():
    """It asks for names once, at its start, and would not start while one is missing."""
    assert SERVICES["nginx"]["extra_hosts"] == [f"{app}:{address(app)}" for app in APPS]
    subnet = COMPOSE["networks"]["web"]["ipam"]["config"][0]["subnet"]
    addresses = {address(name) for name in ("nginx", *APPS)}
    assert len(addresses) == 3
    assert {each.rpartition(".")[0] + ".0/25" for each in addresses} == {subnet}


# -- what each may do -----------------------------------------------------------------


def test_nobody_is_root_or_could_become_it(service):
    assert service["cap_drop"] == ["ALL"]
    # coturn's program asks for this one to be started at all, and does not get it
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if "coturn" in str(service) else [])
    assert not service.get("privileged")
    assert service["security_opt"] == ["no-new-privileges:true"]
    user = service.get("user") or image_user(service["image"])
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def image_user(image: str) -> str:
    """Ours says so itself; that of others is root, as a rule."""
    found = re.findall(r"^USER (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return found[-1] if image.startswith(OURS) else "root"


def test_nobody_writes_but_into_a_volume_or_memory(service):
    assert service["read_only"] is True
    for volume in service.get("volumes", []):
        if volume.startswith("."):
            assert volume.endswith(":ro")
        else:
            assert volume.partition(":")[0] in COMPOSE["volumes"]
    assert "docker.sock" not in str(service)


def test_nobody_takes_the_whole_machine(service):
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["restart"] == "unless-stopped"


def test_every_image_names_its_version(service):
    if not service["image"].startswith(OURS):
        assert re.search(r":\d", service["image"]), "'latest' is another one tomorrow"


# -- the application ------------------------------------------------------------------


def test_both_replicas_are_alike_but_for_their_address():
    first, second = ({**SERVICES[app], "networks": sorted(networks(app))} for app in APPS)
    assert first == {**second, "build": "."}


def test_every_variable_of_the_replicas_is_a_setting_and_no_secret_stands_in_the_environment():
    plain = {each.name for each in SETTINGS if not each.secret}
    in_files = {f"{each.name}_FILE" for each in SETTINGS if each.secret}
    few_have = {"SMTP_URL_FILE", "S3_URL_FILE"}  # and both need a way out, which these have not
    given = SERVICES["app-1"]["environment"]
    assert given.keys() <= plain | in_files
    assert in_files - few_have <= given.keys()


def test_a_replica_has_time_to_finish_what_it_has():
    assert SERVICES["app-1"]["stop_grace_period"] == "45s"


def test_a_replica_counts_as_healthy_when_it_is_ready():
    assert SERVICES["app-1"]["healthcheck"]["test"][-1] == "/ready"


def test_a_server_without_a_name_is_not_started():
    assert "${CHATAPP_HOST:?" in SERVICES["app-1"]["environment"]["ALLOWED_HOSTS"]


# -- secrets --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What make-secrets.sh makes."""
    folder = tmp_path_factory.mktemp("deploy")
    script = folder / "make-secrets.sh"
    script.write_bytes((ROOT / "deploy/make-secrets.sh").read_bytes())
    for _ in range(2):
        subprocess.run(["sh", str(script)], check=True, capture_output=True, cwd="/")
    return folder / "secrets"


def test_every_secret_is_made_by_the_script(secrets):
    for name, secret in COMPOSE["secrets"].items():
        assert secret["file"] == f"./deploy/secrets/{name}"
        assert (secrets / name).exists(), name


def test_each_service_gets_the_secrets_that_it_names_and_no_other(service):
    named = set(re.findall(r"/run/secrets/([\w.]+)", str(service)))
    for volume in service.get("volumes", []):
        if volume.startswith("./deploy/"):
            source = ROOT / volume.partition(":")[0]
            files = [source] if source.is_file() else [f for f in source.rglob("*") if f.is_file()]
            for file in files:
                named |= set(re.findall(r"/run/secrets/([\w.]+)", file.read_text()))
    assert named == set(service.get("secrets", []))
    assert named <= COMPOSE["secrets"].keys()


def test_secrets_are_long_and_random_and_fit_together(secrets):
    values = {file.name: file.read_text().strip() for file in secrets.iterdir()}
    random = [value for value in values.values() if re.fullmatch("[0-9a-f]{64}", value)]
    assert len(set(random)) == 7
    assert values["database_password"] in values["database_url"]
    assert values["redis_auth.conf"] == f"requirepass {values['redis_password']}"
    assert values["redis_password"] in values["redis_url"]
    for setting in SETTINGS:
        if setting.secret and setting.name.lower() in values:
            setting.parse(values[setting.name.lower()])


def test_only_the_owner_reaches_secrets_on_the_server_and_containers_can_read_them(secrets):
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets.iterdir()} == {0o444}


def test_secrets_that_exist_are_kept(secrets):
    before = {file.name: file.read_text() for file in secrets.iterdir()}
    subprocess.run(["sh", str(secrets.parent / "make-secrets.sh")], check=True, capture_output=True)
    assert {file.name: file.read_text() for file in secrets.iterdir()} == before


def test_secrets_never_reach_git_or_an_image():
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {"/.env", "/deploy/secrets/"} <= set(ignored)
    sent = [line for line in (ROOT / ".dockerignore").read_text().split("\n") if line[:1] == "!"]
    assert sent == ["!chatapp", "!migrations", "!requirements/runtime.lock", "!deploy/ask.py"]
