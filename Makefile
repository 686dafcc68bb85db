# make run      serve on this machine             make test   every test, live ones too
# make lint     style, types, who imports whom    make bench  measurements
# make screens  the pictures in docs/screens      make clean  remove what these made
# make siege    one client while others attack    make soak MINUTES=60   mixed use for long
#
# All of them set up .venv first. PYTHON names the interpreter (3.11 or newer).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SMTP_PORT ?= 2525
HTTP_PORT ?= 8080
DOMAIN ?= tempmail.test
MINUTES ?= 60

# What the live tests use besides our environment, and the Debian packages it comes in.
LIVE_NEEDS := \
	smtp-source=postfix \
	swaks=swaks \
	perl:Net::SSLeay=libnet-ssleay-perl \
	chromium-headless-shell=chromium-headless-shell \
	lib:libatomic.so.1=libatomic1 \
	module:test.test_email=libpython3.11-testsuite \
	nginx=nginx-light \
	haproxy=haproxy \
	caddy=caddy \
	named-checkzone=bind9-utils

.PHONY: run test lint bench siege soak screens clean

define FIRST_MAIL

The page:  http://127.0.0.1:$(HTTP_PORT)/
A first mail, to paste into another terminal:

cd $(CURDIR)/$(BIN) && export TEMPMAIL_URL=http://127.0.0.1:$(HTTP_PORT) && a=$$(./tempmail new) && echo "$$a" && ./python -c 'import smtplib, sys; smtplib.SMTP("127.0.0.1", $(SMTP_PORT)).sendmail("me@example.org", sys.argv[1], "Subject: Welcome\r\n\r\nYour code is 493817.")' "$$a" && ./tempmail wait --code "$$a"

endef
export FIRST_MAIL

run: $(BIN)/.runs
	@printf '%s\n' "$$FIRST_MAIL"
	@exec $(BIN)/twistd --nodaemon --pidfile= tempmail --domain $(DOMAIN) \
		--smtp tcp:$(SMTP_PORT):interface=127.0.0.1 --http tcp:$(HTTP_PORT):interface=127.0.0.1 \
		--smtp-login any

test: $(BIN)/.tests
	@PYTHON=$(BIN)/python .ci/need $(LIVE_NEEDS)
	@.ci/axe >/dev/null
	@$(BIN)/python .ci/trial $(TESTS)

lint: $(BIN)/.tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --config-file setup.cfg
	$(BIN)/lint-imports --config .importlinter --cache-dir $(VENV)/import-linter

bench: $(BIN)/.benchmarks
	@PYTHON=$(BIN)/python .ci/need smtp-source=postfix wrk=wrk
	$(BIN)/python -m benchmarks

siege: $(BIN)/.benchmarks
	$(BIN)/python -m benchmarks.siege

soak: $(BIN)/.benchmarks
	$(BIN)/python -m benchmarks.soak $(MINUTES)

screens: $(BIN)/.benchmarks
	@PYTHON=$(BIN)/python .ci/need chromium-headless-shell=chromium-headless-shell \
		lib:libatomic.so.1=libatomic1 \
		font:zh=fonts-noto-cjk font:ar=fonts-noto-core
	$(BIN)/python -m tests.live.screens

clean:
	rm -rf $(VENV) build dist *.egg-info tempmail.egg-info _trial_temp* .mypy_cache .ruff_cache
	rm -rf .hypothesis .import_linter_cache twisted/plugins/dropin.cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/pip:
	@PYTHON=$(PYTHON) .ci/need module:ensurepip=python3-venv
	$(PYTHON) -m venv $(VENV)

$(BIN)/.runs: $(BIN)/pip setup.cfg pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(BIN)/.tests: $(BIN)/pip setup.cfg pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@touch $@ $(BIN)/.runs

$(BIN)/.benchmarks: $(BIN)/.tests
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,bench]'
	@touch $@
