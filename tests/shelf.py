"""What the shipped run that most tests look at says of itself: figures that change with the shelf."""

from ganad.runs import run_directory
from ganad.ui.views.train import duration
from tests.conftest import ROOT

FOLDER = ROOT / "checkpoints" / "ganomaly-n8"
AREA = f"{run_directory.read_report(FOLDER)['auroc']:.4f}"
TOOK = duration(run_directory.read_status(FOLDER).seconds)
