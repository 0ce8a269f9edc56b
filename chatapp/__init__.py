"""chatapp: real-time, multi-room chat in one process.

`uvicorn chatapp:app` serves it; `python -m chatapp` (and `make run`) does the same with the flags we want.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chatapp.app import App

    app: App

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Builds `app` when it is first asked for, so that importing a module of ours reads no environment."""
    if name == "app":
        import gc
        import os

        from chatapp.app import create_app
        from chatapp.settings import Settings

        globals()["app"] = create_app(Settings.from_env(os.environ))
        # What has been built by now stays, and ten thousand sockets make many objects that stay as well: looking
        # through all of them every few hundred new ones took a third of the time of a server under load.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        return globals()["app"]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
