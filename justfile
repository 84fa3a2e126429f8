# The house's tools. `./set-up --dev` makes the .venv that they run from.

set shell := ["bash", "-euo", "pipefail", "-c"]
set positional-arguments

export PYRIGHT_PYTHON_IGNORE_WARNINGS := "1"  # no look at a server for a newer pyright

bin := ".venv/bin"
flake8_async := "xargs -0 -P 2 -n 30 " + bin / "flake8-async --enable ASYNC --async200-blocking-calls 'sqlite3.connect->the_store,*.execute->the_store'"

# Where none of these words stands, its rules have nothing to say.
asynchronous := "-e async -e await -e trio"

# ASYNC114 only asks for a list of names, ASYNC127 is advice about httpx, ASYNC300 about asyncio.
async_off := "ASYNC114,ASYNC127,ASYNC300"

# A test may wait on nothing: it has no neighbours to starve. Its generators are fixtures, whose
# nurseries pytest-trio keeps.
async_off_in_tests := async_off + ",ASYNC101,ASYNC124,ASYNC910,ASYNC911"

# Show the recipes.
default:
    @{{ bin }}/just --list --unsorted

# Run the fleet: `just run`, or `just run my-bots.toml --log-format json`.
run *arguments="bots.toml":
    {{ bin }}/shoal run {{ arguments }}

# Run the tests, or some of them: `just test tests/pure -k breaker`.
test *arguments:
    #!/usr/bin/env bash
    set -euo pipefail
    run() { {{ bin }}/python -m pytest -q "$@"; }
    if [ $# -gt 0 ]; then
        run "$@"
        exit
    fi
    # Whole programs are started hundreds of times, each worker reads all tests: once is enough.
    unset PYTHONDONTWRITEBYTECODE
    {{ bin }}/python -m compileall -q actors adapters
    run --collect-only >/dev/null || run --collect-only
    # Simulations calculate, the others mostly wait: the first have what the second leave.
    said=$(mktemp)
    nice -n 19 {{ bin }}/python -m pytest -q -rs tests/simulation -n 2 --dist loadfile \
        -o cache_dir=.pytest_cache/simulation >"$said" 2>&1 &
    simulations=$!
    trap 'kill $simulations 2>/dev/null || true; rm -f "$said"' EXIT
    code=0
    others() { run --ignore tests/simulation "$@" || code=$?; }
    others -n 5 --dist loadfile --no-loadscope-reorder
    if [ $code -eq 1 ]; then
        echo "What failed runs once more, alone: on a busy machine it may have had no turn." >&2
        code=0
        others --last-failed --last-failed-no-failures none --maxfail 3
    fi
    wait $simulations || code=$?
    cat "$said"
    exit $code

# Everything that must be green, cheapest first; pytest's summary is the last line.
check: _house test

[parallel]
_house: lint types layers map-check

# Cut the whole fleet off for ten minutes; lose all word of one order for an hour.
outages:
    SHOAL_UNKNOWN_S=3600 {{ bin }}/python -m pytest -q tests/system/test_cut_off.py tests/system/test_unknown_hour.py

# Let one exchange after the other misbehave; the others' bots lose nothing.
venues *arguments:
    {{ bin }}/python -m tests.system.venues {{ arguments }}

# Run a small fleet on the exchanges' own test environments: wants keys and the network.
testnet *arguments:
    {{ bin }}/python -m tests.system.testnet {{ arguments }}

# Kill a real fleet with SIGKILL under order flow, faults and TLS, and compare (2 s a kill).
kill-nine kills="200" *arguments="":
    {{ bin }}/python -m tests.system.kill_nine {{ kills }} {{ arguments }}

# Lose the power under the real ledger, many times, and look for what was promised.
power-loss losses="2000":
    SHOAL_POWER_LOSSES={{ losses }} {{ bin }}/python -m pytest -q tests/adapters/test_sqlite_power.py

# Simulate the whole fleet under faults: `just simulate --seeds 200`, `--seed 7 --trace`.
simulate *arguments="--seeds 100":
    {{ bin }}/python -m tests.simulation {{ arguments }}

# 20,000 seeds, 100 hours, every crash point, every planted bug; goes on where it was.
simulate-long *arguments:
    {{ bin }}/python -m tests.simulation --long {{ arguments }}

# A simulated day of prices, trades and an outage: memory stays flat (about 15 min).
soak *arguments:
    {{ bin }}/python -m tests.simulation.soak {{ arguments }}

# Measure speed and memory; the README says what the figures mean.
bench *arguments:
    {{ bin }}/python -m tests.bench {{ arguments }}

# Serve the simulated exchange on its own.
sim *arguments="--exchange binance --port 9010":
    {{ bin }}/shoal sim {{ arguments }}

# Write docs/wiring.md and docs/order-life.md as the program prints them.
map:
    {{ bin }}/shoal map > docs/wiring.md
    {{ bin }}/shoal map --orders > docs/order-life.md

# Refuse a docs/wiring.md or docs/order-life.md that the program would print otherwise.
map-check:
    @{{ bin }}/shoal map | diff -u docs/wiring.md - \
        || { echo "docs/wiring.md is stale: run 'just map' and commit it" >&2; exit 1; }
    @{{ bin }}/shoal map --orders | diff -u docs/order-life.md - \
        || { echo "docs/order-life.md is stale: run 'just map' and commit it" >&2; exit 1; }

# Style, and what Trio forbids.
lint:
    {{ bin }}/ruff format --check --quiet .
    {{ bin }}/ruff check --quiet .
    git grep -lz {{ asynchronous }} -- 'actors/*.py' 'adapters/*.py' | {{ flake8_async }} --disable {{ async_off }}
    git grep -lz {{ asynchronous }} -- 'tests/*.py' | {{ flake8_async }} --disable {{ async_off_in_tests }}

# Types, strictly; a warning is an error.
types *arguments:
    {{ bin }}/pyright --warnings {{ arguments }}

# The import contracts of pyproject.toml.
layers:
    {{ bin }}/lint-imports

# Mend what can be mended without thought.
format:
    {{ bin }}/ruff format .
    {{ bin }}/ruff check --fix .

# Resolve the newest versions again (wants `uv` on the PATH).
lock:
    #!/usr/bin/env bash
    set -euo pipefail
    compile() {
        {{ bin }}/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
            | uv pip compile --quiet --universal --python-version 3.11 --only-binary :all: \
                --generate-hashes --no-header --no-annotate --no-emit-index-url \
                --no-emit-find-links --upgrade "$@" pyproject.toml -
    }
    compile --extra dev --output-file requirements-dev.lock
    compile --constraint requirements-dev.lock --output-file requirements.lock
