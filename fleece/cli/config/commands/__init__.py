"""The sub-commands of ``fleece config``, a module each with a ``command``; `fleece.cli.config.command` lists them.

Each imports what it does when it is run: its help comes without that.
"""
