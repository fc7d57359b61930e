# Everything works on a fresh machine: each target first makes .venv with the locked packages.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
DOCS_STAMP := .venv/.docs-installed
WHEELHOUSE := build/wheelhouse
BILL_TOOL := build/bill-tool
EMULATOR := build/emulator
# Threads of the linear algebra only wait for each other on matrices as small as these.
ONE_THREAD := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
# Compiled once for all processes and runs. Neighbouring tests stay in one process, which makes
# what they share once, until another one has nothing left to do.
PYTEST := $(ONE_THREAD) PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist worksteal

BENCHMARKS := speed filtered coldstart throughput reading kernels modelling room reading_room room_frames

.PHONY: setup judges emulator demo test test-slow fuzz mutants lint bench peers peers-build bench-peers spine \
	real-tables scale reading-effort protocols \
	$(BENCHMARKS:%=bench-%) docs wheelhouse wheelhouse-check clean help

help:
	@grep -E '^[a-z-]+:.*#' $(MAKEFILE_LIST) | sed 's/:.*# /\t/' | sort

setup: $(STAMP) # make .venv with the locked packages

$(STAMP): pyproject.toml constraints.txt
	@tools/make-venv $(PYTHON) .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

judges: setup # install programs of others that tests have judge DICOM files (as root)
	tools/install-judges
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt dcmqi

emulator: $(EMULATOR)/.installed # install the object storage that tests use, apart from all else

$(EMULATOR)/.installed: tools/emulator.txt
	@tools/make-venv $(PYTHON) $(EMULATOR)
	$(EMULATOR)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

demo: setup # simulate 100 patients, run the whole study, write its paper, score three new patients
	$(BIN)/centrum demo demo

test: setup # run the tests
	$(PYTEST)

test-slow: setup # run the exhaustive checks: leaks, difficulty of the phantom, 500 examples
	CENTRUM_EXAMPLES=thorough $(PYTEST) -m 'slow or hypothesis' -o addopts=-ra tests

fuzz: setup # every reader on broken files: N=2000 mutants of each; SEED=, TARGET=
	$(ONE_THREAD) $(BIN)/python -m tests.fuzz $(if $(N),-n $(N)) $(if $(SEED),--seed $(SEED)) \
		$(if $(TARGET),--target $(TARGET))

mutants: setup # deliberate mistakes, and the share that tests notice: N=150 of each package; PACKAGES=
	$(ONE_THREAD) $(BIN)/python -m tests.mutants $(PACKAGES) $(if $(N),-n $(N)) $(if $(SEED),--seed $(SEED)) \
		$(if $(MINUTES),--minutes $(MINUTES)) $(if $(TESTED),--seconds $(TESTED))

lint: setup # style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup # time the main steps on this machine
	$(ONE_THREAD) $(BIN)/python benchmarks/run.py

peers-build: setup # make environments with PyRadiomics, pictologics and MIRP
	$(BIN)/python benchmarks/peers/build.py

peers: setup # compare every feature with PyRadiomics
	$(BIN)/python benchmarks/peers/build.py pyradiomics
	$(ONE_THREAD) $(BIN)/python benchmarks/peers/compare.py

spine: setup # N4 and normalisations on the reference's real exams: pictures in build/spine
	$(ONE_THREAD) $(BIN)/python benchmarks/spine_preparation.py --out build/spine

real-tables: setup # models side by side on the reference's real tables: docs/reference/real-tables.md
	for what in models centres; do \
		$(ONE_THREAD) $(BIN)/python benchmarks/real_tables.py $$what || exit 1; done
	$(BIN)/python benchmarks/real_tables_page.py

scale: setup # what a cluster costs, and kills on the way (20 000 cases): docs/reference/scale.md
	for what in scale killed scale_page; do \
		$(ONE_THREAD) PYTHONPATH=. $(BIN)/python benchmarks/$$what.py || exit 1; done

reading-effort: setup # simulated hands in the reading room: docs/reference/reading-effort.md
	$(ONE_THREAD) $(BIN)/python benchmarks/reading_effort.py

protocols: setup # 300 random protocols over tables, every stage (N=, SEED=; goes on where it was)
	$(ONE_THREAD) N=$(N) SEED=$(SEED) $(BIN)/python benchmarks/protocols.py

$(BENCHMARKS:%=bench-%): bench-%: setup
	$(ONE_THREAD) $(BIN)/python benchmarks/$*.py

bench-peers: peers-build $(BENCHMARKS:%=bench-%) # time everything beside the peers
	$(BIN)/python benchmarks/report.py

docs: $(DOCS_STAMP) # write the reference pages from the code, build the site in build/site
	$(BIN)/python docs/generate.py
	$(BIN)/python -m mkdocs build --strict --quiet

$(DOCS_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

wheelhouse: setup $(BILL_TOOL)/.installed # all that installs offline: PYTHON_VERSION=, PLATFORM=, EXTRAS=
	rm -rf $(WHEELHOUSE)
	$(BIN)/python -m tools.wheelhouse $(WHEELHOUSE) --bill-tool $(BILL_TOOL)/bin/python \
		$(if $(PYTHON_VERSION),--python-version $(PYTHON_VERSION)) \
		$(if $(PLATFORM),--platform $(PLATFORM)) \
		$(if $(filter undefined,$(origin EXTRAS)),,--extras '$(EXTRAS)')

wheelhouse-check: wheelhouse # install the wheelhouse and run the small demo, both without network
	rm -rf build/offline
	unshare --map-root-user --net $(PYTHON) $(WHEELHOUSE)/install.py build/offline/environment
	cd build/offline && unshare --map-root-user --net environment/bin/centrum demo --small

$(BILL_TOOL)/.installed: tools/wheelhouse/bill-tool.txt
	@tools/make-venv $(PYTHON) $(BILL_TOOL)
	$(BILL_TOOL)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

clean: # remove what was made, but not .venv
	rm -rf demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis src/*.egg-info
	find src tests -name __pycache__ -prune -exec rm -rf {} +
