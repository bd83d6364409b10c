PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
TYPED := .venv/typed

.DEFAULT_GOAL := help
.PHONY: help setup train test test-long check format constraints clean

help: ## list every target
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(INSTALLED) ## make .venv and install the project with pinned versions (needs Python 3.11 or newer)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than 3.11: make PYTHON=python3.12 setup (or newer)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,rendering,sweeps,quality,dashboard,explorer,export,film,notebook]'
	@touch $@

train: setup ## train on scikit-learn's digits; more overrides: make train ARGS="seed=1 logger=none"
	$(BIN)/python -m infogan.train data=digits $(ARGS)

test: setup ## run all tests but those marked long, on all cores with one thread each
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

test-long: setup ## run the tests marked long too (minutes of training)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal -m '' $(ARGS)

check: setup ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# datamodules/, callbacks/ and conf/ are installed as parts of infogan: mypy is shown the tree as it is installed
	@rm -rf $(TYPED) && mkdir -p $(TYPED)/infogan && ln -s $(CURDIR)/infogan/* $(TYPED)/infogan/
	@ln -s $(CURDIR)/datamodules $(CURDIR)/callbacks $(TYPED)/infogan/ && ln -s $(CURDIR)/benchmarks $(TYPED)/
	cd $(TYPED) && $(CURDIR)/$(BIN)/mypy --config-file $(CURDIR)/pyproject.toml --cache-dir $(CURDIR)/.mypy_cache

format: setup ## put the code into the one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

constraints: setup ## pin the versions that are installed now
	@{ head -1 constraints.txt; $(BIN)/python -m pip freeze --exclude-editable | grep '=='; } > constraints.new
	@mv constraints.new constraints.txt

clean: ## remove what was installed and cached; outputs/ stays
	rm -rf .venv build *.egg-info .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -not -path './.venv/*' -exec rm -rf {} +
