# make app    sets everything up and opens the dashboard
# make test   sets everything up, a browser too, and runs every test, several at once
# make slowest  the same, with the twenty slowest at the end
# make lint   style and formatting
# make fix    mends what lint can mend by itself
PYTHON ?= python3
BIN := .venv/bin
# As many processes as tests/conftest.py finds right for this machine, a file each; ARGS="-n 0" runs them in one.
AT_ONCE := -n auto --dist loadscope --no-loadscope-reorder

.PHONY: app test slowest lint fix browser clean

app: .venv/.app
	$(BIN)/streamlit run app.py $(ARGS)

test: .venv/.dev browser
	$(BIN)/python -m pytest $(AT_ONCE) $(ARGS)

slowest:
	@$(MAKE) test ARGS="--durations=20 --durations-min=0.1 $(ARGS)"

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

fix: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

browser: .venv/.dev
	@$(BIN)/python -m tests.browser_setup

clean:
	rm -rf .venv .pytest_cache .ruff_cache

# A stamp is newer than its requirements exactly when nothing has to be installed.
.venv/.app: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "No virtual environment: install python3-venv (Debian: apt-get install python3-venv)"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.dev: .venv/.app requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
