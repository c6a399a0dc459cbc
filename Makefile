# make demo   trains a network and leaves pictures
# make test   runs every test
# make check  runs the linters and the type checker
# Each makes .venv first if need be. PYTHON=/path/to/python3 chooses another interpreter.

ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
BIN := $(ROOT)/.venv/bin
PYTHON ?= python3

.PHONY: demo test check
.DELETE_ON_ERROR:

demo: $(BIN)/.installed
	cd '$(ROOT)' && rm -rf runs/demo && '$(BIN)/pentary' train digits --out runs/demo
	@echo
	@echo "A network of five-level weights was trained on handwritten digits. In $(ROOT)/runs/demo:"
	@echo "  fitness.png   accuracy and fitness over the steps"
	@echo "  weights.png   the weights before and after"
	@echo "  result.json   accuracies on training and test images, and the digest of the weights"
	@echo "Next:  . .venv/bin/activate"
	@echo "       pentary train target --engine sim    # the same training on the modelled processor"
	@echo "       pentary verilog lralu                # the low-rank unit as Verilog"

test: $(BIN)/.installed-test
	cd '$(ROOT)' && '$(BIN)/pytest' -n auto --dist worksteal

check: $(BIN)/.installed-test
	cd '$(ROOT)' && '$(BIN)/ruff' check && '$(BIN)/ruff' format --check && '$(BIN)/pyright' --warnings

$(BIN)/python:
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "pentary needs Python 3.11 or later; choose one with: make PYTHON=/path/to/python3"; exit 2; }
	@'$(PYTHON)' -c 'import ensurepip, venv' || \
	  { echo "this Python has no venv; on Debian: apt install python3-venv"; exit 2; }
	'$(PYTHON)' -m venv '$(ROOT)/.venv'

$(BIN)/.installed: $(BIN)/python $(ROOT)/pyproject.toml
	'$(BIN)/python' -m pip install --quiet --editable '$(ROOT)[digits,hdl,int8,plots,workers]'
	@touch '$@'

$(BIN)/.installed-test: $(BIN)/python $(ROOT)/pyproject.toml
	'$(BIN)/python' -m pip install --quiet --editable '$(ROOT)[test]'
	@touch '$@' '$(BIN)/.installed'
