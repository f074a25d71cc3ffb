"""What the shipped run that most tests look at says of itself: figures that change with the shelf."""

from ganad.runs import run_directory
from ganad.ui.views.train import duration
from tests.conftest import ROOT

FOLDER = ROOT / "checkpoints" / "ganomaly-n8"
# In a copy of the project without its shelf, which the test of a fourth part makes, nobody asks for them.
HERE = FOLDER.is_dir()
AREA = f"{run_directory.read_report(FOLDER)['auroc']:.4f}" if HERE else "there is no shipped run"
TOOK = duration(run_directory.read_status(FOLDER).seconds) if HERE else "no time"
