"""Quality, rerun by one command: a run for each method, digit and seed, beside baselines."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from ganad import evaluate, runs, worker
from ganad.config import resolve
from ganad.errors import RunError

Say = Callable[[str], None]


def quality(methods: list[str], digits: list[int], seeds: list[int], preset: str, say: Say) -> list[dict[str, Any]]:
    """Train (or find) a run per method, digit and seed; rows of {"method", "digit", "seed", "auroc", "run"}.

    Last epoch, official split. PCA with 20 components stands beside as a baseline. Raises RunError when a run fails.
    """
    rows = []
    for digit in digits:
        rows.append({"method": "pca", "digit": digit, "seed": None, "auroc": pca_auroc(digit), "run": None})
        for method in methods:
            for seed in seeds:
                settings = resolve(method, preset, normal=(digit,), seed=seed)
                run = next((r for r in _finished() if runs.settings(r) == settings), None)
                if run is None:
                    say(f"training {method}, normal {digit}, seed {seed} …")
                    run = runs.create(settings)
                    if worker.work(run) != "finished":
                        raise RunError(f"{run.name} did not finish: {runs.read_status(run).error or 'stopped'}")
                auroc = runs.read_json(run / "report.json")["auroc"]
                say(f"{run.name}: AUROC {auroc:.4f}")
                rows.append({"method": method, "digit": digit, "seed": seed, "auroc": auroc, "run": run.name})
    return rows


def _finished() -> list[Any]:
    return [r for r in runs.listing(runs.root()) if runs.read_status(r).state == "finished"]


def pca_auroc(digit: int, components: int = 20) -> float:
    """AUROC of the squared residual outside the first principal components of one digit's training images."""
    from sklearn.decomposition import PCA
    from sklearn.metrics import roc_auc_score

    from ganad import data

    mnist = data.load()
    x = mnist.train.images[mnist.train.digit == digit].reshape(-1, 784) / 255.0
    t = mnist.test.images.reshape(-1, 784) / 255.0
    pca = PCA(components, random_state=0).fit(x)
    residual = ((t - pca.inverse_transform(pca.transform(t))) ** 2).sum(axis=1)
    return float(roc_auc_score(mnist.test.digit != digit, residual))


def quality_table(rows: list[dict[str, Any]]) -> str:
    """The rows of `quality` as a Markdown table: mean over seeds ± sample standard deviation, digits as columns."""
    digits = sorted({r["digit"] for r in rows})
    lines = [
        "| method | " + " | ".join(map(str, digits)) + " | mean |",
        "|---|" + "---:|" * (len(digits) + 1),
    ]
    for method in dict.fromkeys(r["method"] for r in rows):
        cells, means = [], []
        for digit in digits:
            values = [r["auroc"] for r in rows if (r["method"], r["digit"]) == (method, digit)]
            means.append(statistics.mean(values))
            cells.append(evaluate.mean_and_spread(values))
        lines.append(f"| {method} | " + " | ".join(cells) + f" | {statistics.mean(means):.4f} |")
    return "\n".join(lines)
