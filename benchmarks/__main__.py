"""Measure fleece beside its peers: ``python benchmarks --help``."""

import sys

from harness.command_line import main

sys.exit(main())
