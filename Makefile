# make app    sets everything up and opens the dashboard
# make test   sets everything up, a browser too, and runs every test, several at once
# make slowest  the same, with the twenty slowest at the end
# make lint   style and formatting, of the JavaScript too where npm is there
# make fix    mends what lint can mend by itself
# make lock   pins every package, with the hashes of its files, in requirements.lock
# make licences  lists the licence of every installed package
# LOCKED=1    with any of them: the environment is installed from requirements.lock, every file checked
PYTHON ?= python3
BIN := .venv/bin
# As many processes as tests/conftest.py finds right for this machine, a file each; ARGS="-n 0" runs them in one.
AT_ONCE := -n auto --dist loadscope --no-loadscope-reorder

# Biome looks at the JavaScript where npm is there and can fetch it; elsewhere the rest is looked at all the same.
BIOME = { command -v npm >/dev/null || { echo "JavaScript is not checked: npm is missing (Debian: apt-get install npm)."; exit 0; }; } && \
	{ test -x node_modules/.bin/biome || npm ci --silent --no-audit --no-fund --fetch-retries=1 --fetch-timeout=20000 || { echo "JavaScript is not checked: npm cannot fetch Biome."; exit 0; }; }

# Some hundred processes import the same modules, which are compiled once.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: app test slowest lint fix lock licences browser clean

app: .venv/.app
	$(BIN)/streamlit run app.py $(ARGS)

test: .venv/.dev browser
	$(BIN)/python -m pytest $(AT_ONCE) $(ARGS)

slowest:
	@$(MAKE) test ARGS="--durations=20 --durations-min=0.1 $(ARGS)"

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(BIOME) && npx --no-install biome check .

fix: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@$(BIOME) && npx --no-install biome check --write .

lock: .venv/.dev
	$(BIN)/uv pip compile requirements-dev.txt --universal --python-version 3.11 --generate-hashes --no-emit-package torch \
		--upgrade --quiet --custom-compile-command "make lock" --output-file requirements.lock

licences: .venv/.dev
	@$(BIN)/python -m tests.licences

browser: .venv/.dev
	@$(BIN)/python -m tests.browser_setup

clean:
	rm -rf .venv .pytest_cache .ruff_cache node_modules

# A stamp is newer than its requirements exactly when nothing has to be installed.
.venv/.app: requirements.txt $(if $(LOCKED),requirements.lock)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "No virtual environment: install python3-venv (Debian: apt-get install python3-venv)"; exit 1; }
	$(if $(LOCKED),$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.dev: .venv/.app requirements-dev.txt requirements-ray.txt requirements-search.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
