"""boto3 clients that see nothing but their arguments."""

from __future__ import annotations

import os
from typing import Any

import boto3
import botocore.config
import botocore.loaders
import botocore.session


class Clients:
    """Makes clients, and keeps the descriptions of services that it has read: parsing them takes most of the time."""

    def __init__(self) -> None:
        self._loader = botocore.loaders.create_loader()

    def make(self, name: str, **arguments: Any) -> Any:
        """Make a client as ``boto3.client`` does, without looking at profiles or the shared configuration files.

        A stale ``AWS_PROFILE`` would otherwise be an error even with explicit keys, and a proxy would be sent what is
        for loopback.
        """
        session = botocore.session.Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
            }
        )
        session.register_component("data_loader", self._loader)
        arguments["config"] = botocore.config.Config(proxies={}).merge(
            arguments.get("config") or botocore.config.Config()
        )
        # Typed loosely: boto3-stubs has one overload per service, none for a name that is not known before the call.
        make: Any = boto3.Session(botocore_session=session).client
        return make(name, **arguments)
