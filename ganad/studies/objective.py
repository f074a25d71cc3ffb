"""What the runs of a study are compared by, without a look at the test set."""

from __future__ import annotations

import numpy as np

from ganad import service
from ganad.evaluation import metrics

IN_WORDS = "AUROC between held-out normals and training images of the other classes, at the run's own weights"


def objective(run: str) -> float:
    """The AUROC, 0 to 1, of a finished run with its nets: `service.reference_anomalies` against the held-out normals."""
    normal, strange = service.scores(run).val.parts, service.reference_anomalies(run)
    weights = service.run_info(run).weights
    scores = np.concatenate([metrics.total(normal, weights), metrics.total(strange, weights)])
    n = len(next(iter(normal.values())))
    return float(metrics.auroc(np.arange(len(scores)) >= n, scores))
