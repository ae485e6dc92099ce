# Everything below makes its own virtual environment in .venv, once, from the versions pinned in pyproject.toml.

PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.stamp
RUN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help emulate test lint format interop sim soak day fuzz bench bench-peers esp32 esp32-tunnel picture clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "uike needs Python 3.11 or newer: make PYTHON=python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { echo "uike needs the venv module: apt install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV) (once)" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(RUN)/pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

emulate: $(STAMP) ## Two emulated boards bring up a tunnel and ping through it, the protocol printed as it happens
	@$(RUN)/uike emulate

test: $(STAMP) ## All tests that need neither root nor a peer
	@$(RUN)/pytest -n auto -q

lint: $(STAMP) ## Style: ruff's checks and its format
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .

format: $(STAMP) ## Bring the sources into that format
	@$(RUN)/ruff check --fix .
	@$(RUN)/ruff format .

interop: $(STAMP) ## Tests against a real strongSwan (needs root)
	@[ "$$(id -u)" = 0 ] || { echo "make interop needs root: sudo make interop" >&2; exit 1; }
	@missing=; \
	for name in ip ping swanctl tshark ike-scan mosquitto mosquitto_pub; do command -v $$name >/dev/null || missing="$$missing $$name"; done; \
	for file in charon plugins/libstrongswan-kernel-libipsec.so; do [ -e /usr/lib/ipsec/$$file ] || missing="$$missing $$file"; done; \
	[ -z "$$missing" ] || { echo "make interop misses$$missing: apt install strongswan strongswan-swanctl" \
	  "libcharon-extra-plugins libcharon-extauth-plugins libstrongswan-standard-plugins libstrongswan-extra-plugins iproute2 iputils-ping tshark ike-scan mosquitto mosquitto-clients" >&2; exit 1; }
	@$(RUN)/pytest -n 4 -q tests/interop

fuzz: $(STAMP) ## Inputs guided by coverage, in every state, from those in tests/fuzz/corpus: SECONDS=
	@$(RUN)/pip install --quiet --disable-pip-version-check -e '.[fuzz]'
	@$(RUN)/python -m tests.fuzz $(or $(SECONDS),60)

sim: $(STAMP) ## Worlds from seeds, and what must hold in them: SEED=<first> N=<how many>
	@$(RUN)/python -m tests.sim $(or $(SEED),1) $(or $(N),150)

soak: $(STAMP) ## A long life in the heap of a board: 1,000 rekeyings, 100,000 hostile datagrams, 200 reconnections
	@$(RUN)/python -m tests.vm.soak

day: $(STAMP) ## A day in the field, in virtual time: gateways that restart, links that go, addresses that change: HOURS=
	@$(RUN)/python -m tests.vm.day $(or $(HOURS),24)

bench: $(STAMP) ## What a handshake and a packet cost, in instructions and bytes of heap (and bench.json)
	@$(RUN)/uike bench

bench-peers: $(STAMP) ## The same beside strongSwan on the same core (needs root)
	@[ "$$(id -u)" = 0 ] || { echo "make bench-peers needs root: sudo make bench-peers" >&2; exit 1; }
	@$(RUN)/uike bench --peers

esp32: $(STAMP) ## Prove it on an official MicroPython image: IMAGE=<.bin> EMULATOR=<qemu-system-xtensa>, or PORT=<serial port>
	@$(if $(filter tunnel,$(SCENARIO)),$(MAKE) --no-print-directory esp32-tunnel,$(RUN)/python -m host_tools.esp32 \
	  $(if $(PORT),--port "$(PORT)") $(if $(IMAGE),--image "$(IMAGE)") $(if $(EMULATOR),--emulator "$(EMULATOR)") $(OPTIONS))

esp32-tunnel: $(STAMP) ## The same as SCENARIO=tunnel: the appliance there, and a strongSwan (root), or GATEWAY=<config.toml>
	@$(RUN)/python -m host_tools.esp32.tunnel --image "$(IMAGE)" --emulator "$(EMULATOR)" $(if $(GATEWAY),--gateway "$(GATEWAY)")

picture: $(STAMP) ## The README's pictures: a run of two boards, on a terminal and as a ladder
	@mkdir -p build
	@$(RUN)/uike emulate --brief --svg .github/run.svg --record build/run.trace
	@$(RUN)/uike ladder build/run-initiator.trace build/run-gateway.trace -o .github/ladder.svg

clean: ## Remove what was made here
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
