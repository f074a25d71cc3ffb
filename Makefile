# make app    sets everything up and opens the dashboard
# make test   sets everything up, a browser too, and runs every test
# make lint   style and formatting
# make fix    mends what lint can mend by itself
PYTHON ?= python3
BIN := .venv/bin

.PHONY: app test lint fix browser clean

app: .venv/.app
	$(BIN)/streamlit run app.py $(ARGS)

test: .venv/.dev browser
	$(BIN)/python -m pytest $(ARGS)

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
