# SPDX-License-Identifier: Apache-2.0
# A thin front over Meson. Every target first installs what it needs (tools/deps), so each works on a bare machine.
#   make             the program, build/taut
#   make run         a served, syncing system with a sandbox cluster (LISTEN=ADDR:PORT for more than loopback)
#   make test        unit, golden and fuzz replay under sanitizers, then end to end on the sandbox
#   make test-console  the console's unit tests, and the guide walked in a browser on the sandbox
#   make test-cluster  the same end-to-end suite, and the guide in a browser, on a real Kubernetes control plane
#   make check       format, layers, lengths, lint, and all warnings as errors with gcc and clang
#   make bench-console  how soon the console shows what happened, and its sizes
#   make screenshots  a picture of every page and dialog of the console, and contact sheets
#   make bench       the measurements of docs/performance.md
#   make fuzz        every fuzz target for FUZZ_SECONDS each

BUILD ?= build
ASAN  := build-asan
CLANG := build-clang
FUZZ  := build-fuzz
JOBS  ?= $(shell nproc)
FUZZ_SECONDS ?= 60
K ?=
PYTEST = .venv/bin/python -m pytest $(if $(K),-k '$(K)')
RESULTS := build-results
# The Node that tools/build-console took where the machine has none that is new enough.
NODE_PATH_OF = PATH="$(CURDIR)/$(BUILD)/console/node/node_modules/node/bin:$(CURDIR)/$(ASAN)/console/node/node_modules/node/bin:$$PATH"

.DEFAULT_GOAL := all
.PHONY: all run test test-unit test-e2e test-console test-cluster screenshots check bench bench-console fuzz clean format install

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) -j $(JOBS) taut

$(BUILD)/build.ninja: | deps-build
	@meson setup $(BUILD) >/dev/null

$(ASAN)/build.ninja: | deps-build
	@meson setup $(ASAN) -Dbuildtype=debug -Doptimization=1 -Db_sanitize=address,undefined \
	    -Db_lundef=false -Dstop_points=true -Dwerror=true >/dev/null

$(CLANG)/build.ninja: | deps-build deps-check
	@CC=clang-14 meson setup $(CLANG) -Dwerror=true >/dev/null

$(FUZZ)/build.ninja: | deps-build deps-fuzz
	@CC=clang-14 meson setup $(FUZZ) -Dbuildtype=debug -Db_sanitize=address,undefined -Db_lundef=false \
	    -Dfuzz=true >/dev/null

.PHONY: deps-build deps-check deps-test deps-fuzz deps-console
deps-console:
	@tools/deps console
deps-build:
	@tools/deps build
deps-check:
	@tools/deps check python
deps-test:
	@tools/deps test python
deps-fuzz:
	@tools/deps fuzz

run: all
	@exec $(BUILD)/taut serve --demo $(if $(LISTEN),--listen $(LISTEN))

test: test-unit test-e2e test-console

test-unit: $(ASAN)/build.ninja $(BUILD)/build.ninja
	@ninja -C $(ASAN) -j $(JOBS)
	@meson test -C $(ASAN) --no-rebuild --print-errorlogs
	@ninja -C $(BUILD) -j $(JOBS) --quiet tests/unit/test_confine
	@meson test -C $(BUILD) --no-rebuild --print-errorlogs confine

test-e2e: $(ASAN)/build.ninja | deps-test
	@ninja -C $(ASAN) -j $(JOBS) taut
	@.venv/bin/python tests/cluster/build.py kubectl >/dev/null
	@$(PYTEST) tests/e2e --environment=embedded --taut=$(ASAN)/taut --junit-xml=$(RESULTS)/e2e-embedded.xml

test-cluster: $(ASAN)/build.ninja | deps-test deps-console
	@ninja -C $(ASAN) -j $(JOBS) taut
	@.venv/bin/python tests/cluster/build.py kubectl etcd kube-apiserver kube-controller-manager kube-scheduler kwok >/dev/null
	@$(PYTEST) tests/e2e --environment=cluster --taut=$(ASAN)/taut --junit-xml=$(RESULTS)/e2e-cluster.xml
	@cd console && $(NODE_PATH_OF) TAUT_E2E=cluster TAUT=../$(ASAN)/taut npx vitest run --config e2e/vitest.config.ts \
	    --reporter=default --reporter=junit --outputFile.junit=../$(RESULTS)/console-cluster.xml seed

# The build has brought console/node_modules (tools/build-console).
test-console: $(ASAN)/build.ninja | deps-console
	@ninja -C $(ASAN) -j $(JOBS) taut
	@mkdir -p $(RESULTS)
	@cd console && $(NODE_PATH_OF) npx vitest run --reporter=default --reporter=junit --outputFile.junit=../$(RESULTS)/console-unit.xml
	@cd console && $(NODE_PATH_OF) TAUT=../$(ASAN)/taut npx vitest run --config e2e/vitest.config.ts --reporter=default \
	    --reporter=junit --outputFile.junit=../$(RESULTS)/console-e2e.xml

# How soon the console shows what happened, and its lists on generated data: docs/performance.md.
bench-console: all | deps-console
	@cd console && $(NODE_PATH_OF) TAUT=../$(BUILD)/taut npx vitest run --config e2e/tools.config.ts bench
	@cd console && $(NODE_PATH_OF) node tools/check-size.mjs

# A picture of every page and dialog, and contact sheets; IMAGES=docs/images renews those of the README.
screenshots: all | deps-console
	@cd console && $(NODE_PATH_OF) TAUT=../$(BUILD)/taut TAUT_IMAGES=$(abspath $(IMAGES)) \
	    npx vitest run --config e2e/tools.config.ts screenshots
	@echo "pictures and contact sheets: $(RESULTS)/screenshots"

check: $(BUILD)/build.ninja $(CLANG)/build.ninja | deps-check
	@tools/check-format
	@tools/check-layers
	@tools/check-sizes
	@tools/check-words
	@meson configure $(BUILD) -Dwerror=true >/dev/null
	@ninja -C $(BUILD) -j $(JOBS) --quiet
	@ninja -C $(CLANG) -j $(JOBS) --quiet
	@tools/check-symbols $(CLANG)
	@tools/check-lint $(CLANG)
	@cd console && $(NODE_PATH_OF) npm run --silent check
	@echo "make check: clean"

bench: all | deps-test
	@.venv/bin/python tests/cluster/build.py kubectl etcd kube-apiserver kube-controller-manager kube-scheduler kwok >/dev/null
	@.venv/bin/python tests/bench/bench.py --taut $(BUILD)/taut $(BENCH)

fuzz: $(FUZZ)/build.ninja
	@ninja -C $(FUZZ) -j $(JOBS)
	@tools/fuzz $(FUZZ) $(FUZZ_SECONDS)

format: | deps-check
	@git ls-files 'src/*.[ch]' 'tests/*.[ch]' | xargs clang-format-14 -i
	@.venv/bin/ruff format --quiet tests tools
	@.venv/bin/ruff check --quiet --fix tests tools

install: all
	@meson install -C $(BUILD) --no-rebuild

clean:
	@rm -rf $(BUILD) $(ASAN) $(CLANG) $(FUZZ) $(RESULTS)
