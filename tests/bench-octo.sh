#!/usr/bin/env bash
# Measures what an organisation costs at a GitHub on loopback: requests, CPU, wall and memory at 909 and 10,000 repositories in one
# run, as a Markdown table.
#
#   tests/bench-octo.sh
#
# DATUM=path names a program already built; otherwise `cargo static` builds one. RUNS=n sets the runs of each row, of which the
# least counts (5), LATENCY=n the milliseconds that each answer takes (20). Nothing is gated: the numbers are for people.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${DATUM:-}" ]; then
  cargo static >&2
  DATUM=${CARGO_TARGET_DIR:-target}/release/datum
fi
DATUM=$(realpath "$DATUM") cargo test --quiet --workspace --locked --test all fleet::cost -- --ignored --nocapture | grep '^|'
