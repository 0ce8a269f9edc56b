"""Settings: one frozen object, read once from the environment.

`SETTINGS` is the whole list: name, default and one sentence each. The README's table is checked against it.
Those marked secret may also come from a file: `SECRET_KEY_FILE=/run/secrets/secret_key`.
A value that makes no sense stops the start with `SettingError`, whose text names the variable.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit


class SettingError(ValueError):
    """A setting has a value we cannot use. The message names the variable and says what to write."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table: `field` of `Settings`, set by the variable `name`."""

    name: str
    field: str
    default: str
    sentence: str
    parse: Callable[[str], Any]
    secret: bool = False


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value.strip()


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(value)

    return parse


def _database_url(value: str) -> str:
    if not value:
        return ""
    scheme = urlsplit(value).scheme
    if scheme in {"postgres", "postgresql"}:
        return "postgresql+asyncpg" + value[len(scheme) :]
    if scheme not in {"postgresql+asyncpg", "sqlite"}:
        raise ValueError("must start with postgresql:// or sqlite:///")
    if scheme == "sqlite" and (
        not value.startswith("sqlite:///")
        or urlsplit(value).path.lstrip("/") in {"", ":memory:"}
        or "?" in value
        or "#" in value
    ):
        raise ValueError("must name a file, such as sqlite:///data/chatapp.db")
    return value


def _redis_url(value: str) -> str:
    if value and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("must start with redis://, rediss:// or unix://")
    return value


def _smtp_url(value: str) -> str:
    if value:
        parts = urlsplit(value)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("must be like smtp://user:password@host:587, or smtps://")
        try:
            _ = parts.port
        except ValueError:
            raise ValueError("must have a port from 0 to 65535") from None
    return value


def _mailbox(value: str) -> str:
    name, address = parseaddr(value)
    if value and ("@" not in address or not value.isprintable()):
        raise ValueError("must be an address, such as Chat <chat@example.org>")
    return formataddr((name, address)) if value else ""


_EXAMPLE_KEYS: Final = frozenset({"secret", "changeme", "change-me", "secretkey", "example"})


def _secret_keys(value: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in value.split(",") if key.strip())
    for key in keys:
        if len(key) < 32 or len(set(key)) < 8 or key.lower().strip("-_0123456789") in _EXAMPLE_KEYS:
            raise ValueError(
                "must be at least 32 random characters (`openssl rand -hex 32` makes some); "
                "to replace a key, put the new one behind the old one and a comma"
            )
    return keys


def _token(value: str) -> str:
    if value and (
        len(value) < 16 or not value.isascii() or not value.isprintable() or " " in value
    ):
        raise ValueError("must be at least 16 visible ASCII characters (`openssl rand -hex 16`)")
    return value


def _hosts(value: str) -> tuple[str, ...]:
    hosts = tuple(host.strip().lower() for host in value.split(",") if host.strip())
    for host in hosts:
        if any(sign in host for sign in "/@ \\?#"):
            raise ValueError("must be host names parted by commas, such as chat.example.org")
    return hosts


def _urls(*schemes: str) -> Callable[[str], tuple[str, ...]]:
    def parse(value: str) -> tuple[str, ...]:
        urls = tuple(url.strip() for url in value.split(",") if url.strip())
        for url in urls:
            scheme, colon, rest = url.partition(":")
            if scheme not in schemes or not colon or not rest or not rest.isascii() or "/" in rest:
                raise ValueError(f"must be addresses such as {schemes[0]}:turn.example.org:3478")
        return urls

    return parse


def _socket_url(value: str) -> str:
    if value and not (urlsplit(value).scheme in {"ws", "wss"} and urlsplit(value).hostname):
        raise ValueError("must start with ws:// or wss://, such as ws://janus:8188")
    return value


def _bucket_url(value: str) -> str:
    parts = urlsplit(value)
    is_one = parts.scheme in {"http", "https"} and parts.hostname and parts.username
    if value and not (is_one and parts.password and re.fullmatch("/[a-z0-9.-]+", parts.path)):
        raise ValueError("must be such as https://key:secret@s3.example.org/bucket")
    return value


def _flag(value: str) -> bool:
    if value.lower() not in {"true", "false"}:
        raise ValueError("must be true or false")
    return value.lower() == "true"


def _level(value: str) -> str:
    if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
    return value.upper()


SETTINGS: Final = (
    Setting("HOST", "host", "127.0.0.1", "The address to listen on; 0.0.0.0 for all.", _text),
    Setting("PORT", "port", "8000", "The port to listen on.", _whole(1, 65535)),
    Setting(
        "DATA_DIR", "data_dir", "./data", "The folder for the SQLite database and the key.", _text
    ),
    Setting(
        "DATABASE_URL",
        "database_url",
        "",
        "PostgreSQL as postgresql://user:password@host/name; empty for SQLite in DATA_DIR.",
        _database_url,
        secret=True,
    ),
    Setting(
        "DATABASE_POOL",
        "database_pool",
        "8",
        "How many connections to PostgreSQL a process keeps for reading, and as many for writing.",
        _whole(1, 100),
    ),
    Setting(
        "REDIS_URL",
        "redis_url",
        "",
        "Redis, when several processes serve one site; empty for a single process.",
        _redis_url,
        secret=True,
    ),
    Setting(
        "SECRET_KEY",
        "secret_keys",
        "",
        "The key that signs cookies, or `old,new` while it is being replaced; empty makes one in DATA_DIR.",
        _secret_keys,
        secret=True,
    ),
    Setting("SITE_NAME", "site_name", "chatapp", "The name shown on every page.", _text),
    Setting(
        "ALLOWED_HOSTS",
        "allowed_hosts",
        "",
        "Host names people may use in the address, parted by commas; localhost and HOST are always allowed.",
        _hosts,
    ),
    Setting(
        "TRUSTED_PROXIES",
        "trusted_proxies",
        "127.0.0.1",
        "Addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
        _hosts,
    ),
    Setting(
        "EDIT_SECONDS",
        "edit_seconds",
        "86400",
        "For how many seconds after posting people may edit a message of theirs; 0: never.",
        _whole(0, 10**9),
    ),
    Setting(
        "SESSION_DAYS",
        "session_days",
        "30",
        "After how many days without a visit a person must sign in again.",
        _whole(1, 365),
    ),
    Setting(
        "PASSWORD_COST",
        "password_cost",
        "12",
        "How dear a guess at a password is: bcrypt's cost; each step doubles it, 12 is 0.2 s of a core.",
        _whole(10, 16),
    ),
    Setting(
        "LIMIT_FACTOR",
        "limit_factor",
        "1",
        "Multiplies every rate limit: for many people behind one address, or for load tests.",
        _whole(1, 1_000_000),
    ),
    Setting(
        "METRICS_TOKEN",
        "metrics_token",
        "",
        "What a monitoring system must send as a bearer token to read /metrics; empty: nobody may.",
        _token,
        secret=True,
    ),
    Setting(
        "PUSH_TEST_HOSTS",
        "push_test_hosts",
        "",
        "Hosts that pushes and previews may go to though they are not public, parted by commas: for tests only.",
        _hosts,
    ),
    Setting(
        "STUN_URLS",
        "stun_urls",
        "",
        "STUN servers for calls between networks, parted by commas, such as stun:turn.example.org:3478.",
        _urls("stun", "stuns"),
    ),
    Setting(
        "TURN_URLS",
        "turn_urls",
        "",
        "TURN servers that relay calls where nothing else gets through, such as turn:turn.example.org:3478.",
        _urls("turn", "turns"),
    ),
    Setting(
        "TURN_SECRET",
        "turn_secret",
        "",
        "What the TURN servers have as static-auth-secret; members of a call get credentials for ten minutes.",
        _token,
        secret=True,
    ),
    Setting(
        "JANUS_URL",
        "janus_url",
        "",
        "A Janus media server's API, such as ws://janus:8188, for calls of up to 30; empty: up to 6, directly.",
        _socket_url,
    ),
    Setting(
        "JANUS_SECRET",
        "janus_secret",
        "",
        "What Janus has as api_secret.",
        _token,
        secret=True,
    ),
    Setting(
        "JANUS_ABOVE",
        "janus_above",
        "6",
        "Calls of more people than this go through Janus, if there is one.",
        _whole(1, 6),
    ),
    Setting(
        "SMTP_URL",
        "smtp_url",
        "",
        "A mail server as smtp://user:password@host:587, for lost passwords and proof of addresses; empty: no mail.",
        _smtp_url,
        secret=True,
    ),
    Setting(
        "MAIL_FROM",
        "mail_from",
        "",
        "Who mails are from, such as Chat <chat@example.org>; empty: no-reply at the first of ALLOWED_HOSTS.",
        _mailbox,
    ),
    Setting(
        "UPLOAD_MB",
        "upload_mb",
        "100",
        "How large a file in a message may be, in MB; 0: nobody sends any. A proxy must take as much.",
        _whole(0, 100_000),
    ),
    Setting(
        "UPLOAD_QUOTA_MB",
        "upload_quota_mb",
        "5000",
        "How much all files of a person may take, in MB; 0: any amount.",
        _whole(0, 10**9),
    ),
    Setting(
        "DISK_FLOOR_MB",
        "disk_floor_mb",
        "500",
        "No file is taken that would leave less than this free on the disk, in MB.",
        _whole(0, 10**9),
    ),
    Setting(
        "S3_URL",
        "s3_url",
        "",
        "A bucket for files, as https://key:secret@s3.example.org/bucket?region=…; empty: DATA_DIR/files.",
        _bucket_url,
        secret=True,
    ),
    Setting(
        "LINK_PREVIEWS",
        "link_previews",
        "false",
        "true: chatapp fetches the page behind a link, also in closed rooms, and shows what it tells of itself.",
        _flag,
    ),
    Setting("LOG_LEVEL", "log_level", "INFO", "The least important log lines to write.", _level),
)


def _given(setting: Setting, environment: Mapping[str, str]) -> str:
    """What was said about a setting. A secret may lie in the file that NAME_FILE names, as Docker's secrets do."""
    file = environment.get(f"{setting.name}_FILE", "") if setting.secret else ""
    if not file:
        return environment.get(setting.name, setting.default)
    if environment.get(setting.name):
        raise ValueError(f"must not be set together with {setting.name}_FILE")
    try:
        content = Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError):
        content = ""
    if not content:  # an empty one would quietly mean SQLite, or a key that nobody else has
        raise ValueError(
            f"must be in {file}, as {setting.name}_FILE says, but nothing can be read there"
        )
    return content


@dataclass(frozen=True, slots=True)
class Settings:
    """What the process was told. Secrets do not appear in `repr`."""

    host: str
    port: int
    data_dir: Path
    database_url: str = field(repr=False)
    database_pool: int
    redis_url: str = field(repr=False)
    secret_keys: tuple[str, ...] = field(repr=False)
    site_name: str
    allowed_hosts: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    edit_seconds: int
    session_days: int
    password_cost: int
    limit_factor: int
    metrics_token: str = field(repr=False)
    push_test_hosts: tuple[str, ...]
    stun_urls: tuple[str, ...]
    turn_urls: tuple[str, ...]
    turn_secret: str = field(repr=False)
    janus_url: str
    janus_secret: str = field(repr=False)
    janus_above: int
    smtp_url: str = field(repr=False)
    mail_from: str
    upload_mb: int
    upload_quota_mb: int
    disk_floor_mb: int
    s3_url: str = field(repr=False)
    link_previews: bool
    log_level: str

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Settings":
        """Raises `SettingError` for the first value that cannot be used."""
        values: dict[str, Any] = {}
        for setting in SETTINGS:
            try:
                values[setting.field] = setting.parse(_given(setting, environment))
            except ValueError as error:
                raise SettingError(f"{setting.name} {error}.") from None
        values["data_dir"] = Path(values["data_dir"]).expanduser().absolute()
        if not values["database_url"]:
            values["database_url"] = "sqlite:///" + quote(str(values["data_dir"] / "chatapp.db"))
        return cls(**values)

    @property
    def sqlite_path(self) -> Path:
        """The database's file. Only where `is_sqlite`."""
        return Path(unquote(self.database_url.removeprefix("sqlite:///")))

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")
