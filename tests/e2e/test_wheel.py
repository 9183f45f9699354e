"""An installed wheel carries all that runs: artifacts, migrations and policies; no compiler, no Node."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from scripts._demo.service import ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder into which the wheel was unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def run(installed: Path, code: str, folder: Path) -> str:
    """Runs code with nothing of the checkout on the path."""
    # The wheel first, then the libraries; the checkout's .pth file comes after both.
    libraries = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {
        **os.environ,
        "PYTHONPATH": f"{installed}{os.pathsep}{libraries}",
        "SUANQUAN_DATA_DIR": str(folder / "data"),
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_service_deploys_from_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    code = (
        "import app; from app.runtime import Runtime; from app.settings import Settings\n"
        "with Runtime(Settings(node_port=0)) as runtime: print(app.__file__, runtime.gateway.contracts.ledger)"
    )
    place, ledger = run(installed, code, tmp_path).split()
    assert Path(place).is_relative_to(installed)
    assert int(ledger, 16) != 0


def test_the_policies_are_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    assert "zhengzhou-htz" in run(installed, "from app.policies.files import shipped; print(*shipped())", tmp_path)
