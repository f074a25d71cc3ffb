"""What is saved of a method, loaded again."""

import torch

from ganad.runs import checkpoint


def saved_and_loaded(method, folder):
    """The method of a run in this folder that holds no more than its settings and these weights."""
    (folder / "config.json").write_text(method.settings.model_dump_json(), encoding="utf-8")
    checkpoint.save_weights(folder, method)
    return checkpoint.load_method(folder, torch.device("cpu"))
