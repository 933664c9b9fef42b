"""Place WeUI's style sheet and licence, unchanged, under webapp/static/vendor/.

    python scripts/vendor_weui.py                       takes the package with `npm pack`
    python scripts/vendor_weui.py weui-2.6.26.tgz       takes a file that is already here

The package must have the sha512 that npm publishes for it; nothing is written otherwise.
Prints the sha256 of each file placed, as THIRD_PARTY_NOTICES.md lists them.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "2.6.26"
INTEGRITY = "sha512-V2s4HVNNc7vOFxzll9b13dz9IvsCdW+Dxv51ahcS2aBnX6LBhwJySJHBC3YoRspwO/oyltkjGri9TTyJ1FcAZg=="
FILES = {
    "package/dist/style/weui.min.css": "weui.min.css",
    "package/LICENSE.txt": "LICENSE.txt",
}
TARGET = Path(__file__).resolve().parent.parent / "webapp" / "static" / "vendor" / f"weui-{VERSION}"


def download(folder: Path) -> Path:
    """Fetch the package with npm into `folder`."""
    subprocess.run(["npm", "pack", "--silent", f"weui@{VERSION}"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder / f"weui-{VERSION}.tgz"


def integrity(package: Path) -> str:
    """The package's hash as npm writes it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()


def place(package: Path) -> None:
    """Check `package` and write the files wanted from it."""
    found = integrity(package)
    if found != INTEGRITY:
        sys.exit(f"{package}: integrity is {found}, expected {INTEGRITY}")
    TARGET.mkdir(parents=True, exist_ok=True)
    with tarfile.open(package) as archive:
        for member, name in FILES.items():
            file = archive.extractfile(member)
            if file is None:
                sys.exit(f"{package}: {member} is not a file")
            content = file.read()
            (TARGET / name).write_bytes(content)
            print(hashlib.sha256(content).hexdigest(), (TARGET / name).relative_to(TARGET.parents[3]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", nargs="?", type=Path, help="the npm package, a .tgz file")
    package = parser.parse_args().package
    with tempfile.TemporaryDirectory() as folder:
        place(package or download(Path(folder)))


if __name__ == "__main__":
    main()
