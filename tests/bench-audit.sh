#!/usr/bin/env bash
# Measures what reads whole repositories (audits, profiles, history, hooks, secrets) beside the tools people know, in one
# run on one machine, and prints a Markdown table of CPU time (user and system): a busy machine disturbs that least.
#
#   tests/bench-audit.sh [REPOSITORY]     default: a repository made of the sources of this machine's cargo registry
#
# DATUM=path names a program already built; otherwise `cargo static` builds one. RUNS=n sets the runs of each row.
# ONLY=word runs the rows whose label holds it. A reference that is not installed leaves its ratio empty, and is said.
# The work happens in a folder that is removed at the end. Nothing is gated: the numbers are for people.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${RUNS:-10}
if [ -z "${DATUM:-}" ]; then
  cargo static >&2
  DATUM=${CARGO_TARGET_DIR:-target}/release/datum
fi
datum=$(realpath "$DATUM")
[ $# = 0 ] || given=$(realpath "$1")
work=$(mktemp -d "${TMPDIR:-/tmp}/datum-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# The user's own settings, as a user has them; nothing of this machine's.
registry=${CARGO_HOME:-$HOME/.cargo}/registry/src
unset "${!GIT_@}" "${!DATUM_@}" CI
export HOME=$work/home XDG_CONFIG_HOME=$work/home/.config DATUM_AGENT=bench LC_ALL=C
mkdir "$HOME"
git config --global user.name "Bench Marker"
git config --global user.email bench@example.org
git config --global init.defaultBranch main

say() { echo "bench: $*" >&2; }

# cpu COMMAND... prints the CPU milliseconds of one run, its children's too; its exit code does not matter.
cpu() {
  local TIMEFORMAT='%U %S'
  { time "$@" >/dev/null 2>&1 || true; } 2>&1 | awk '{ printf "%.1f\n", ($1 + $2) * 1000 }'
}

# batch COMMAND... repeats a short one until the clock's grain of a millisecond no longer shows.
batch() {
  local i
  for ((i = 0; i < batch; i++)); do "$@" >/dev/null 2>&1 || true; done
}

median() { sort -n | awk '{ t[NR] = $1 } END { printf "%.2f\n", t[int((NR + 1) / 2)] }'; }

rows=$work/rows
: >"$rows"
# row LABEL TARGET "COMMAND" ["REFERENCE"]: the median CPU time of RUNS runs of each, taken in turn.
# The commands are words as the shell splits them. BATCH=n repeats each n times a run, for those of a few milliseconds.
row() {
  local label=$1 target=$2 i batch=${BATCH:-1}
  case $label in *"${ONLY:-}"*) ;; *) return 0 ;; esac
  local -a ours theirs
  eval "ours=($3)"
  eval "theirs=(${4:-})"
  if [ ${#theirs[@]} -gt 0 ] && ! command -v "${theirs[0]}" >/dev/null; then
    say "NO ${theirs[0]} HERE: no ratio for: $label"
    theirs=()
  fi
  say "$label"
  cpu "${ours[@]}" >/dev/null
  [ ${#theirs[@]} = 0 ] || cpu "${theirs[@]}" >/dev/null
  : >"$work/a"; : >"$work/b"
  for ((i = 0; i < runs; i++)); do
    cpu batch "${ours[@]}" >>"$work/a"
    [ ${#theirs[@]} = 0 ] || cpu batch "${theirs[@]}" >>"$work/b"
  done
  awk -v label="$label" -v target="$target" -v a="$(median <"$work/a")" -v b="$(median <"$work/b")" -v n="$batch" 'BEGIN {
    printf "| %s | %.2f | %s | %s | %s |\n", label, a / n, b == "" ? "" : sprintf("%.2f", b / n), b > 0 ? sprintf("%.2f ×", a / b) : "", target }' >>"$rows"
}

# The repository that is looked at.
if [ -n "${given:-}" ]; then
  repo=$work/repo
  git clone -q "$given" "$repo"
else
  repo=$work/repo
  say "making a repository of $registry"
  git init -q "$repo"
  for crate in "$registry"/*/*/; do
    cp -r "$crate" "$repo/$(basename "$crate")"
    rm -rf "$repo/$(basename "$crate")/.git"
    [ "$(ls "$repo" | wc -l)" -lt "${CRATES:-400}" ] || break
  done
  git -C "$repo" add -Af .
  git -C "$repo" commit -qm 'sources as they were published'
fi
git -C "$repo" repack -qad
files=$(git -C "$repo" ls-tree -r HEAD | wc -l)

# A history of its own, for what counts commits.
past=$work/past
git init -q "$past"
awk 'BEGIN {
  for (i = 1; i <= 50000; i++) {
    printf "commit refs/heads/main\nmark :%d\ncommitter A%d <a%d@example.org> %d +0000\ndata 12\ncommit %05d\n", i, i % 50, i % 50, 1600000000 + i * 600, i
    if (i > 1) printf "from :%d\n", i - 1
    printf "M 644 inline f\ndata 6\n%05d\n\n", i
  }
}' | git -C "$past" fast-import --quiet
git -C "$past" repack -qad
git -C "$past" commit-graph write --reachable 2>/dev/null

# --- profiles and history ---
row "names, kinds and sizes of $files files / git ls-tree -r -l" "≤ 0.7 ×" \
  "$datum -C $repo analyze --files --format ndjson" "git -C $repo ls-tree -r -l HEAD"
row "languages and lines of packed objects / tokei on the work tree" "≤ 1.0 ×" \
  "$datum -C $repo analyze" "tokei $repo"
row "full profile / onefetch" "≤ 0.2 ×" \
  "$datum -C $repo analyze" "onefetch --no-art $repo"
BATCH=5 row "count of 50,000 commits with a commit-graph / git rev-list --count" "≤ 1.5 ×" \
  "$datum -C $past history --count" "git -C $past rev-list --count HEAD"

# --- audits, hooks and secrets ---

cat <<END

Measured $(date -u +%Y-%m-%d) with \`tests/bench-audit.sh\`: $(nproc 2>/dev/null || echo '?') × \
$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo 2>/dev/null || uname -m), $(uname -sr), $(git --version), \
$("$datum" --version), load $(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo '?'); median CPU time of $runs runs, milliseconds.

| what / reference | datum | reference | ratio | target |
|---|---|---|---|---|
$(cat "$rows")
END
