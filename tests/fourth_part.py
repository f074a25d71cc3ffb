"""Trains GANomaly for an epoch and asks everything that iterates over the parts of a score; prints what it saw as JSON.

For test_fourth_part, which runs it in a copy of the project whose GANomaly has a fourth part.
"""

import json

import numpy as np

from ganad import config, service
from ganad.bench import quality
from ganad.evaluation import metrics
from ganad.report import html_report
from ganad.runs import run_directory
from ganad.training import worker
from ganad.ui import charts
from ganad.web.weights_mixer import payload
from tests.test_pages import opened, words


def main() -> None:
    """Train for an epoch, then ask everything that iterates over parts."""
    run = run_directory.create(
        config.resolve("ganomaly", normal=(8,), epochs=1, limit=200, test_limit=300, filters=4, latent=6)
    )
    assert worker.work(run) == "finished", run_directory.log_tail(run)
    name, scores = run.name, service.scores(run.name)
    evaluation, weights = service.evaluate_run(name, (0.0, 0.0, 1.0, 0.5))
    grid = metrics.weight_grid(4, 4)
    sides = [{p: v[scores.anomalous == k] for p, v in scores.test.parts.items()} for k in (False, True)]
    areas = metrics.aurocs_over_weights(*sides, grid)
    figure = charts.influence_map(config.PARTS, grid, areas, [0.25] * 4)
    job = quality.Job("B", "ganomaly", 8, 0)
    at = opened("pages/3_Evaluate.py", run=name)
    at.toggle(key="plain_controls").set_value(True).run()
    assert not at.exception, at.exception[0].stack_trace
    sliders = [s.label for s in at.slider]
    at.slider(key="influence_extent").set_value(0.0).run()
    browse = opened("pages/2_Browse.py", run=name, sort="lowest-extent")
    bundle = service.export_zip(name)
    seen = {
        "columns": sorted(scores.test.parts),
        "ink": [float(scores.test.parts["extent"][0]), float(service.test_images(name)[0].mean() / 255 * (28 / 32) ** 2)],
        "weights": weights,
        "auroc of it": [float(areas[np.argmax(grid[:, 3])]), evaluation.part_auroc["extent"]],
        "areas": sorted(evaluation.part_auroc),
        "report": sorted(run_directory.read_report(run)["weights"]),
        "points": len(figure.data[0].x),
        "payload": payload.pack(scores, service.test_images(name))["parts"],
        "sliders": sliders,
        "address": at.query_params["w"],
        "browse": "extent" in words(browse) and not browse.exception,
        "html": html_report.report_html(name).count("extent") > 0,
        "quality": quality.parts_table("B", [quality.read(job, run)]).splitlines()[0],
        "zip": len(bundle) > 0,
        "held out": sorted(service.logged_metrics(name)[-1]["val"]),
    }  # fmt: skip
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
