"""Connexion APIs on Lambda: the names of `fleece.handlers.connexion`, under the documented name."""

from fleece.handlers.connexion import FleeceApp, call_api, call_proxy_api, get_connexion_app

__all__ = ["FleeceApp", "call_api", "call_proxy_api", "get_connexion_app"]
