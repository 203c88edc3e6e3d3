# `make` or `make help` lists what there is.

PYTHON ?= python3
VENV := .venv/bin
# Where a ROS was sourced, the workspace built over it comes first (tools/setup.py writes the file).
OVERLAY := if [ -f .venv/overlay.sh ]; then . .venv/overlay.sh; fi;
INPUT ?=
CAMERA_INFO ?=
HFOV ?=
TESTS ?=
# JOBS=auto runs test files side by side, each in a ROS domain of its own. That is quicker, but a busy
# machine then fails some tests that wait for other processes.
JOBS ?= 0
VIEW ?=

# Started by another environment's Python: its libraries' path must not lead ours astray.
ifdef _ROS_WHEELS_BOOTSTRAP_COMPLETE
unexport _ROS_WHEELS_BOOTSTRAP_COMPLETE LD_LIBRARY_PATH
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test benchmark docs lint format clean distclean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## install and build all that is missing (into .venv; nothing outside this folder)
	@command -v $(PYTHON) > /dev/null || { echo "make: no $(PYTHON) here; Python 3.10 to 3.13 is needed (make PYTHON=...)" >&2; exit 1; }
	@$(PYTHON) tools/setup.py

demo: setup ## camera -> node -> recorder over real ROS topics; INPUT=file|folder|stream|/dev/video0, HFOV=60 or CAMERA_INFO=camera.yaml; VIEW=1 shows it in the browser
	@$(OVERLAY) exec $(VENV)/python -m headpose_ros.node.demo --out out/demo \
	  $(if $(INPUT),--input '$(INPUT)') $(if $(CAMERA_INFO),--camera-info '$(CAMERA_INFO)') \
	  $(if $(HFOV),--hfov '$(HFOV)') $(if $(VIEW),--view $(filter-out 1,$(VIEW)))

test: setup ## run every test; TESTS=test/geometry for some, JOBS=auto side by side
	@$(OVERLAY) exec $(VENV)/python -m pytest -n $(JOBS) --maxprocesses 4 --dist loadfile $(TESTS)

benchmark: setup ## measure the tables of the README
	@$(OVERLAY) exec $(VENV)/python -m benchmark

docs: setup ## build the documentation's site into out/site; any warning fails
	$(VENV)/python tools/docs.py

lint: setup ## ruff, types, package metadata
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/python -m mypy
	$(VENV)/python -m pytest -q test/packaging/test_metadata.py

format: setup ## let ruff format the code
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

clean: ## remove what builds and runs leave; .venv stays
	rm -rf build install log out dist .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

distclean: clean ## remove .venv too
	rm -rf .venv
