"""Fill a folder with every wheel that the example service's package needs: the set-up of the demo, run by tox.

After this, the demo builds with no package index. The wheels are those of the Lambda runtime that the demo builds for;
fleece itself is the wheel that tox has just built.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

from fleece.cli.build.target import target_for

REQUIREMENTS = Path(__file__).parent / "service" / "src" / "requirements.txt"


def main() -> None:
    folder, fleece_wheel = sys.argv[1], os.environ["TOX_PACKAGE"]
    for stale in Path(folder).glob("fleece-*.whl"):
        stale.unlink()  # pip keeps a file of the same name, whatever is in it
    version = ".".join(platform.python_version_tuple()[:2])
    target = target_for(version, "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--dest", folder, "--requirement", str(REQUIREMENTS), fleece_wheel]
    command += ["--only-binary=:all:", "--python-version", version, "--implementation", "cp"]
    command += [option for tag in target.platforms for option in ("--platform", tag)]
    sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
