"""What the environment may say, and what happens when it says something else."""

import asyncio
import stat
import sys
from pathlib import Path

import pytest

from chatapp.security import stored_key
from chatapp.settings import SETTINGS, SettingError, Settings
from tests.support import run_folder
from tests.support.process import environment

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"


def told(**given: str) -> Settings:
    return Settings.from_env(given)


async def run(**given: str) -> tuple[int, str]:
    """Starts `python -m chatapp`, which is expected to end by itself: its exit code and all that it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "chatapp",
        cwd=run_folder.ROOT,
        env=environment(PORT=str(run_folder.free_port()), **given),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode is not None
    return process.returncode, output.decode()


def test_nothing_needs_to_be_set():
    settings = told()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.data_dir == Path("data").absolute()
    assert settings.database_url == f"sqlite:///{settings.data_dir}/chatapp.db"
    assert settings.is_sqlite
    assert settings.redis_url == ""
    assert settings.secret_keys == ()
    assert settings.site_name == "chatapp"
    assert settings.trusted_proxies == ("127.0.0.1",)
    assert settings.allowed_hosts == ()
    assert (settings.session_days, settings.limit_factor, settings.log_level) == (30, 1, "INFO")


def test_every_setting_is_described_and_has_a_default_that_is_accepted():
    for setting in SETTINGS:
        assert setting.sentence.endswith(".")
        setting.parse(setting.default)
    assert {setting.field for setting in SETTINGS} == set(Settings.__dataclass_fields__)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST", " "),
        ("PORT", ""),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "8000 "),
        ("PORT", "８０００"),
        ("PORT", "1e3"),
        ("DATA_DIR", ""),
        ("DATABASE_URL", "mysql://localhost/chat"),
        ("DATABASE_URL", "localhost/chat"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite://data/chat.db"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///chat.db?mode=ro"),
        ("DATABASE_POOL", "0"),
        ("DATABASE_POOL", "-1"),
        ("DATABASE_POOL", "many"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "http://localhost"),
        ("SITE_NAME", "\t"),
        ("ALLOWED_HOSTS", "https://chat.example.org"),
        ("ALLOWED_HOSTS", "chat.example.org/path"),
        ("TRUSTED_PROXIES", "10.0.0.0/8 10.1.1.1"),
        ("SESSION_DAYS", "0"),
        ("SESSION_DAYS", "366"),
        ("LIMIT_FACTOR", "0"),
        ("LIMIT_FACTOR", "0.5"),
        ("S3_URL", "s3.example.org/files"),
        ("S3_URL", "https://s3.example.org/files"),
        ("S3_URL", "https://key:secret@s3.example.org"),
        ("S3_URL", "https://key:secret@s3.example.org/a/b"),
        ("UPLOAD_MB", "-1"),
        ("SMTP_URL", "mail.example.org:587"),
        ("SMTP_URL", "smtp://"),
        ("SMTP_URL", "smtp://mail:99999"),
        ("MAIL_FROM", "chat"),
        ("MAIL_FROM", "chat@example.org\nBcc: bob@example.org"),
        ("LOG_LEVEL", "LOUD"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 64),
        ("SECRET_KEY", "changeme-" + "0123456789" * 3),
        ("SECRET_KEY", f"{KEY},short"),
    ],
)
def test_a_wrong_value_stops_with_a_sentence_that_names_the_variable(name, value):
    with pytest.raises(SettingError) as complaint:
        told(**{name: value})
    sentence = str(complaint.value)
    assert sentence.startswith(f"{name} must ")
    assert sentence.endswith(".")


def test_a_wrong_secret_is_not_repeated():
    with pytest.raises(SettingError) as complaint:
        told(SECRET_KEY="hunter2hunter2")
    assert "hunter2" not in str(complaint.value)


def test_secrets_do_not_show():
    settings = told(
        DATABASE_URL="postgresql://chat:pa55w0rd@db/chat",
        REDIS_URL="redis://:re6is@cache/0",
        SECRET_KEY=KEY,
        SMTP_URL="smtp://chat:pa55w0rd@mail:587",
        S3_URL="https://chat:pa55w0rd@s3.example.org/files",
    )
    for shown in (repr(settings), str(settings)):
        assert "pa55w0rd" not in shown
        assert "re6is" not in shown
        assert KEY not in shown
    secret = {setting.field for setting in SETTINGS if setting.secret}
    hidden = {n for n, field in Settings.__dataclass_fields__.items() if not field.repr}
    assert secret == hidden


@pytest.mark.parametrize("setting", [each for each in SETTINGS if each.secret])
def test_every_secret_may_lie_in_a_file_instead(setting, tmp_path):
    values = {
        "DATABASE_URL": "postgresql://chat:pa55w0rd@db/chat",
        "REDIS_URL": "redis://:re6is@cache/0",
        "SECRET_KEY": KEY,
        "METRICS_TOKEN": KEY,
        "TURN_SECRET": KEY,
        "JANUS_SECRET": KEY,
        "SMTP_URL": "smtp://chat:pa55w0rd@mail:587",
        "S3_URL": "https://chat:pa55w0rd@s3.example.org/files",
    }
    file = tmp_path / "secret"
    file.write_text(values[setting.name] + "\n")
    from_file = getattr(told(**{f"{setting.name}_FILE": str(file)}), setting.field)
    assert from_file == setting.parse(values[setting.name])


def test_what_is_no_secret_does_not_come_from_a_file(tmp_path):
    file = tmp_path / "port"
    file.write_text("9000")
    assert told(PORT_FILE=str(file)).port == 8000


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_secret_s_file_without_a_secret_stops_the_start(content, tmp_path):
    """Nobody should find out later that everything went into a SQLite file inside the container."""
    file = tmp_path / "url"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(
        SettingError, match=f"DATABASE_URL must be in {file}, as DATABASE_URL_FILE says"
    ):
        told(DATABASE_URL_FILE=str(file))


def test_a_secret_given_twice_stops_the_start_and_neither_is_repeated(tmp_path):
    file = tmp_path / "key"
    file.write_text(KEY)
    with pytest.raises(SettingError) as complaint:
        told(SECRET_KEY=KEY[::-1], SECRET_KEY_FILE=str(file))
    assert str(complaint.value) == "SECRET_KEY must not be set together with SECRET_KEY_FILE."


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_postgresql_is_spelled_in_three_ways(scheme):
    settings = told(DATABASE_URL=f"{scheme}://chat:a%40b@db:5433/chat?ssl=require")
    assert settings.database_url == "postgresql+asyncpg://chat:a%40b@db:5433/chat?ssl=require"
    assert not settings.is_sqlite


def test_keys_are_listed_oldest_first():
    new = KEY[::-1]
    assert told(SECRET_KEY=f" {KEY} , {new},").secret_keys == (KEY, new)


def test_hosts_are_parted_by_commas_and_have_no_case():
    assert told(ALLOWED_HOSTS="Chat.Example.org, b.example ,").allowed_hosts == (
        "chat.example.org",
        "b.example",
    )


async def test_the_program_says_what_is_wrong_and_ends(tmp_path):
    code, output = await run(DATA_DIR=str(tmp_path), SESSION_DAYS="never")
    assert code == 2
    assert output == "chatapp cannot start: SESSION_DAYS must be a whole number from 1 to 365.\n"


async def test_a_data_folder_that_cannot_be_is_said_without_a_trace(tmp_path):
    (tmp_path / "file").touch()
    code, output = await run(DATA_DIR=str(tmp_path / "file" / "data"))
    assert code == 2
    assert output.startswith("chatapp cannot start: DATA_DIR cannot be used.")
    assert "Traceback" not in output


@pytest.mark.expects_errors
async def test_a_second_process_on_one_sqlite_file_says_why_it_ends(serve, tmp_path):
    data = str(tmp_path / "shared")
    first = await serve(DATA_DIR=data)
    code, output = await run(DATA_DIR=data)
    assert code not in {0, None}
    assert f"Another process already serves {data}/chatapp.db" in output
    assert "Traceback" not in output
    assert first.status("/ready") == 200


@pytest.mark.expects_errors
async def test_a_database_that_is_not_there_is_said_without_its_password(tmp_path):
    url = f"postgresql://chat:pa55w0rd@127.0.0.1:{run_folder.free_port()}/chat"
    code, output = await run(DATA_DIR=str(tmp_path), DATABASE_URL=url)
    assert code not in {0, None}
    assert "chatapp cannot start" in output
    assert "Traceback" not in output
    assert "pa55w0rd" not in output


def test_a_key_is_made_once_for_its_owner_only(tmp_path):
    key = stored_key(tmp_path)
    file = tmp_path / "secret_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(key) >= 64
    assert stored_key(tmp_path) == key
    Settings.from_env({"SECRET_KEY": key})  # what we make, we would accept


async def test_the_key_in_the_data_folder_signs_unless_another_is_given(make_site, tmp_path):
    kept = str(tmp_path / "data")
    first = await make_site(DATA_DIR=kept)
    key = (tmp_path / "data" / "secret_key").read_text().strip()
    assert first.app.state.services.settings.secret_keys == (key,)
    other = await make_site(DATA_DIR=str(tmp_path / "other"), SECRET_KEY=KEY)
    assert other.app.state.services.settings.secret_keys == (KEY,)
    assert not (tmp_path / "other" / "secret_key").exists()
