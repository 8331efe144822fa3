"""AWS credentials for an environment, wherever they come from: Rackspace, a profile, variables, or an emulator's.

    resolver = Resolver(Login(username, api_key), ask=ask, store=DiskStore(default_folder()))
    credentials = resolver.resolve(environments["production"])

Commands get a resolver from their options with `fleece.cli.options`, and clients from `fleece.cli.aws`.
"""

from fleece.cli.credentials.cache import DiskStore, MemoryStore, default_folder
from fleece.cli.credentials.resolver import Resolver
from fleece.cli.credentials.values import AwsCredentials, CredentialsError, Login

__all__ = ["AwsCredentials", "CredentialsError", "DiskStore", "Login", "MemoryStore", "Resolver", "default_folder"]
