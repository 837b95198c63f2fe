"""The documents as a site, built as CONTRIBUTING says."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from repository import ROOT


@dataclass(frozen=True)
class Site:
    """Folder of the site, and what the build said, which is nothing if all is well."""

    folder: Path
    said: str


def built_site(shared: Path) -> Site:
    """Build the site in a folder that several processes share, unless one of them has."""
    folder, said = shared / "site", shared / "site.txt"
    with FileLock(shared / "site.lock"):
        if not said.exists():
            command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", str(ROOT / "docs"), str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            failed = f"exit status {done.returncode}\n" if done.returncode else ""
            said.write_text(f"{done.stdout}{done.stderr}{failed}", encoding="utf-8")
    return Site(folder, said.read_text(encoding="utf-8"))
