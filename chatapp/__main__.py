"""`python -m chatapp`: checks the settings, then serves `chatapp:app` by uvicorn with the flags it needs.

Plain `uvicorn chatapp:app` works as well; only its leave is more abrupt (`server.py`). The flags about sockets (`ws_…`)
matter only where `realtime/handover.py` cannot take them over.
"""

import contextlib
import os
import sys

import uvicorn

import chatapp
from chatapp.database import data_folder
from chatapp.realtime.frames import FRAME_BYTES
from chatapp.server import Server
from chatapp.settings import SettingError, Settings


def main() -> int:
    try:
        settings = Settings.from_env(os.environ)
        data_folder(settings)
    except (SettingError, OSError) as error:
        where = "" if isinstance(error, SettingError) else "DATA_DIR cannot be used. "
        print(f"chatapp cannot start: {where}{error}", file=sys.stderr)
        return 2
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    shown = "localhost" if shown in {"127.0.0.1", "0.0.0.0", "[::]", "[::1]"} else shown  # noqa: S104
    print(f"{settings.site_name}: http://{shown}:{settings.port}", file=sys.stderr)
    app = chatapp.app
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=True,
        forwarded_allow_ips=",".join(settings.trusted_proxies),
        ws_max_size=FRAME_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=15,
        ws_ping_timeout=30,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=10,
    )
    server = Server(config, app.leave)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else 3


if __name__ == "__main__":
    sys.exit(main())
