# The front of everything a developer types; the work is done by Meson and the scripts in tools/.
#   make                 release build; programs under build/bin/
#   make setup           install what a fresh Debian 12 or 13 lacks
#   make demo [SECONDS=30]
#   make test            sanitizer build in build-test/, all tests, last line "N passed, N failed"
#   make check           format, static analysis, layers, sizes, links
#   make install DESTDIR= PREFIX=
#   make format | bench | fuzz [SECONDS=60] | clean
#   make fault [COUNT=100] [SECONDS=20] [ROWS=100000] [RUNS="kill-gateway ..."]   breaks things on purpose
# Variables: SETUP=no skips the set-up; PYTEST_ARGS="-k name" and MESON_TESTS="base:" narrow a test run.

BUILD       ?= build
BUILD_TEST  ?= build-test
BUILD_FUZZ  ?= build-fuzz
PREFIX      ?= /usr/local
DESTDIR     ?=
SETUP       ?= yes
PYTEST_ARGS ?=
MESON_TESTS ?=

# Debian's own tools and Python, whatever else stands earlier in the PATH.
MESON   ?= /usr/bin/meson
NINJA   ?= ninja
PYTHON3 ?= /usr/bin/python3

.PHONY: all setup demo test test-build check install format bench fault fuzz clean
.DEFAULT_GOAL := all

# ninja re-runs Meson by itself when a meson.build changes.
all: $(BUILD)/build.ninja
	@$(NINJA) -C $(BUILD)

$(BUILD)/build.ninja:
	$(MESON) setup $(BUILD) --buildtype=debugoptimized --prefix=$(PREFIX)

setup:
ifneq ($(SETUP),no)
	@tools/setup
endif

demo: setup
	@$(MAKE) -s all
	@$(BUILD)/bin/penstock demo $(if $(SECONDS),--seconds $(SECONDS))

test-build: setup
	@$(MAKE) -s $(BUILD_TEST)/build.ninja
	@$(NINJA) -C $(BUILD_TEST)

$(BUILD_TEST)/build.ninja:
	$(MESON) setup $(BUILD_TEST) -Ddebug=true -Doptimization=1 \
		-Db_sanitize=address,undefined

test: test-build
	@MESON=$(MESON) tools/run-tests --meson-tests "$(MESON_TESTS)" $(BUILD_TEST) $(PYTEST_ARGS)

check: setup
	@$(MAKE) -s $(BUILD)/build.ninja
	@tools/check $(BUILD)

install: all
	$(MESON) configure $(BUILD) -Dprefix=$(PREFIX)
	@$(NINJA) -C $(BUILD)
	$(MESON) install -C $(BUILD) --no-rebuild --strip $(if $(DESTDIR),--destdir $(abspath $(DESTDIR)))

format:
	@tools/check-format --write

bench: all
	@PENSTOCK_BUILD=$(BUILD) bench/run

# The table in docs/reliability.md is written by a whole run only.
fault: setup
	@$(MAKE) -s all
	@PENSTOCK_BUILD=$(BUILD) tests/fault/run $(RUNS) $(if $(COUNT),--count $(COUNT)) \
		$(if $(SECONDS),--seconds $(SECONDS)) $(if $(ROWS),--rows $(ROWS)) \
		$(if $(RUNS)$(COUNT)$(SECONDS)$(ROWS),,--write docs/reliability.md)

$(BUILD_FUZZ)/build.ninja:
	CC=clang-19 $(MESON) setup $(BUILD_FUZZ) -Ddebug=true -Doptimization=1 \
		-Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
		-Dc_args=-fsanitize=fuzzer-no-link

fuzz: setup
	@$(MAKE) -s $(BUILD_FUZZ)/build.ninja
	@$(NINJA) -C $(BUILD_FUZZ) fuzzers
	@tools/run-fuzz $(BUILD_FUZZ) $(or $(SECONDS),60)

clean:
	rm -rf $(BUILD) $(BUILD_TEST) $(BUILD_FUZZ)
