"""Train: which digits are normal, and how does a detector learn them?"""

import streamlit as st

from ganad.config import METHOD_NAMES, PRESETS
from ganad.ui import page
from ganad.ui.components.into_view import into_view
from ganad.ui.panels import own_class, settings_form
from ganad.ui.theme import layout
from ganad.ui.views import train

run = page.begin(
    "Train",
    lead="Pick what is normal. The nets see that and nothing else; "
    "what they cannot reconstruct afterwards is an anomaly.",
)
setup, watch = layout.side_by_side("train", [5, 6])

with setup:
    if own_class.is_chosen():
        own_class.collect()
    else:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader("A new run")
            data = train.data_source()
        train.digit_tiles(data)
        method = st.segmented_control(
            "Method", list(METHOD_NAMES), default="ganomaly", format_func=METHOD_NAMES.get, key="method", required=True,
            persist_state="session", help="What learns what is normal; the Methods page explains each.", wrap=True,
        )  # fmt: skip
        preset = st.segmented_control(
            "Preset", list(PRESETS[method]), default="tuned", key=f"preset_{method}", required=True, persist_state="session",
            help="tuned: small and quick, chosen on training images. paper: as released with the paper. "
            "article: the tutorial's experiment.", wrap=True,
        )  # fmt: skip
        columns = st.columns(2)
        columns[0].number_input(
            "Epochs", value=settings_form.defaults(method, preset).epochs, step=1, key=settings_form.epochs_key(method, preset), persist_state="session",
            help="Passes over the training images.",
        )  # fmt: skip
        columns[1].number_input(
            "Seed", value=0, step=1, key="seed", persist_state="session",
            help="Fixes the held-out images, the first weights and the order. Runs differ by seed: try three.",
        )  # fmt: skip
        with st.expander("Advanced settings", icon=":material/tune:"):
            settings_form.draw_advanced(method, preset)
        train.start()

with watch, st.container(key="run_panel"):
    into_view("run_panel", run.name if run else None)
    train.panel(run)
