# Everything a stranger needs: `make rehearse` and `make test` set up what they use by themselves.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready-$(shell cat requirements/dev.txt requirements/strict.txt | cksum | cut -d" " -f1)
OUT    ?= out
LANGUAGE_TESTS := tests/spec tests/laws/test_language_laws.py tests/laws/test_agreement.py \
	$(patsubst %,tests/unit/test_%.py,core units time explain reasons evaluate parse check messages \
	reference_ranges asking solve solve_small solve_agrees prove compile compile_sources)
LOCK   := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet

.PHONY: rehearse serve test check fix lock fuzz coverage mutate spark dask soak bench reference docs grammar units clean

rehearse: $(READY)  ## rehearse NCT07176143 with virtual participants and write the report
	$(BIN)/trialwright rehearse protocols/nct07176143 --out $(OUT)/nct07176143

serve: $(READY)  ## the rehearsed NCT07176143 in a browser, with demonstration users of every role
	$(BIN)/trialwright serve --demo

test: $(READY)  ## every check and every test, as CI runs them
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/python -m scripts.docs --check
	$(BIN)/pytest -n 2 --dist loadfile

check: $(READY)  ## the checks without the tests
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

fix: $(READY)  ## format, and mend what a tool can mend
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

fuzz: $(READY)  ## a million texts into the parser of the protocol language
	$(BIN)/python -m tests.fuzz --inputs 1000000

coverage: $(READY)  ## every line and branch of core and language is run
	$(BIN)/pytest $(LANGUAGE_TESTS) --cov=trialwright.core --cov=trialwright.language --cov-branch \
	  --cov-report=term-missing:skip-covered --cov-fail-under=100

mutate: $(READY)  ## small changes to the language; ends with 1 where no test notices one
	$(BIN)/python -m tests.mutate --mutants 200

spark: $(READY)  ## the population compiler on Spark (needs Java 17 or 21; half a gigabyte)
	test -d $(VENV)/spark/pyspark || $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/spark.txt --target $(VENV)/spark
	PYTHONPATH=$(VENV)/spark $(BIN)/pytest tests/spark

dask: $(READY)  ## designs on a Dask cluster of two workers
	test -d $(VENV)/dask/distributed || $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dask.txt --target $(VENV)/dask
	PYTHONPATH=$(VENV)/dask $(BIN)/pytest tests/dask

soak: $(READY)  ## ten thousand random histories of donors, units and infusions; server and database killed fifty times
	$(BIN)/python -m tests.soak --histories 10000
	$(BIN)/python -m tests.web.kill --times 50
	$(BIN)/python -m tests.web.kill --times 50 --database postgresql

bench: $(READY)  ## the speed table
	$(BIN)/python -m bench

reference: $(READY)  ## every reference value of the estimators
	$(BIN)/python -m tests.reference tests/reference_values.csv

docs: $(READY)  ## regenerate the generated pages of the documentation
	$(BIN)/python -m scripts.docs

grammar: $(READY)  ## work out the tables of the grammar again
	$(BIN)/python -m scripts.grammar

units: $(READY)  ## regenerate the closed table of units
	$(BIN)/python -m scripts.units

lock:  ## resolve the dependencies again (needs uv)
	$(LOCK) --extra dev -o requirements/dev.txt pyproject.toml
	echo interegular | $(LOCK) -o requirements/strict.txt -

$(READY):
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Trialwright needs Python 3.11 or newer; name one with PYTHON=python3.11")'
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/strict.txt --target $(VENV)/strict
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf $(VENV) out .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
