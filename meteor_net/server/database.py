"""Where a server keeps what outlives it, as an operator says it. No database is imported for that."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from ..errors import ConfigError

#: What `--database` says where nothing is to outlive the server.
MEMORY = "memory"
#: The file in the data folder where it is not told.
DATABASE_FILE = "meteor.sqlite3"
SQLITE = "sqlite:///"


class DatabaseUrl(str):
    """Where a database is. It may hold a password, so it is shown without."""

    @property
    def shown(self) -> str:
        """A file's path; else the URL without its password and its options."""
        if self == MEMORY:
            return MEMORY
        if self.startswith(SQLITE):
            return self.removeprefix(SQLITE)
        parts = urlsplit(self)
        login, _, address = parts.netloc.rpartition("@")
        user = login.partition(":")[0]
        return f"{parts.scheme}://{user + '@' if user else ''}{address}{parts.path}"

    def __repr__(self) -> str:
        return f"<{self.shown}>"


def database_url(text: str, where: str) -> DatabaseUrl:
    """Check where a database is. What was said is not repeated in the error: it may hold a password.

    Raises:
        ConfigError: It is nothing of the kind.
    """
    scheme, _, rest = text.partition("://")
    if text == MEMORY or (scheme in {"postgresql", "postgres"} and rest):
        return DatabaseUrl(text)
    if text.startswith(SQLITE) and len(rest) > 1:
        return DatabaseUrl(SQLITE + os.path.abspath(os.path.expanduser(rest[1:])))
    raise ConfigError(f"{where}: say {MEMORY}, sqlite:///path or postgresql://user@host/name")
