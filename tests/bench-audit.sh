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
[ $# = 0 ] || given=$(realpath "$1")
registry=${CARGO_HOME:-$HOME/.cargo}/registry/src
. tests/bench-setup.sh

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
    theirs = ratio = ""
    if (b + 0 > 0) { theirs = sprintf("%.2f", b / n); ratio = sprintf("%.2f ×", a / b) }
    printf("| %s | %.2f | %s | %s | %s |\n", label, a / n, theirs, ratio, target) }' >>"$rows"
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
  "$datum -C $repo analyze --files --quick" "git -C $repo ls-tree -r -l HEAD"
row "languages and lines of packed objects / tokei on the work tree" "≤ 1.0 ×" \
  "$datum -C $repo analyze" "tokei $repo"
row "full profile / onefetch" "≤ 0.2 ×" \
  "$datum -C $repo analyze" "onefetch --no-art $repo"
git -C "$past" reset -q --hard
row "full profile of 50,000 commits / onefetch" "≤ 0.2 ×" "$datum -C $past analyze" "onefetch --no-art $past"
BATCH=5 row "count of 50,000 commits with a commit-graph / git rev-list --count" "≤ 1.5 ×" \
  "$datum -C $past history --count" "git -C $past rev-list --count HEAD"

# --- audits, hooks and secrets ---
# A workshop as `datum git init` makes it would be; its audit is for every commit, so it is measured on a small one.
workshop=$work/workshop
git init -q "$workshop"
for folder in bootcamp dojo wiki recipes tools .superagent; do mkdir "$workshop/$folder"; echo '# one' >"$workshop/$folder/one.md"; done
echo '{"tools":[],"interpreters":[],"compilers":[],"recipes":[]}' >"$workshop/tools/manifest.json"
printf "[agent]\nname = 'bench'\nrole = 'deckhand'\n" >"$workshop/.superagent/agent.toml"
for file in README.md TASKBOARD.md JOURNAL.md; do echo '# one' >"$workshop/$file"; done
git -C "$workshop" add -A
git -C "$workshop" commit -qm 'a workshop'
BATCH=10 row "workshop audit, whole process" "≤ 10 ms" "$datum -C $workshop audit --type workshop"

# 100,000 files in 4,000 folders, of many contents.
wide=$work/wide
git init -q "$wide"
awk 'BEGIN {
  printf "commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 4\nwide\n"
  for (i = 0; i < 100000; i++) {
    text = sprintf("fn number_%d() -> usize { %d }\n", i, i)
    printf "M 644 inline part%d/folder%d/file%d.rs\ndata %d\n%s\n", i % 40, i % 4000, i, length(text), text
  }
}' | git -C "$wide" fast-import --quiet
git -C "$wide" repack -qad
row "all packs on $files files of registry sources / git ls-tree -r" "≤ 1.5 ×" \
  "$datum -C $repo audit --type conformance --fail-on critical" "git -C $repo ls-tree -r HEAD"
row "all packs on 100,000 small files / git ls-tree -r" "≤ 1.5 ×" \
  "$datum -C $wide audit --type conformance --fail-on critical" "git -C $wide ls-tree -r HEAD"

# Hooks as git runs them: what a commit and a push of one commit cost more, in CPU time with all children.
bare=$work/bare.git
git init -q --bare "$bare"
hooked() { # hooked NAME: a repository with ten files, a remote, and an agent
  local at=$work/$1
  git init -q "$at"
  printf '[agent]\nname = "bench"\n' >"$at/CAPABILITY.toml"
  for i in 1 2 3 4 5 6 7 8 9 10; do echo "fn main() { println!(\"$i\"); }" >"$at/file$i.rs"; done
  git -C "$at" add -A
  git -C "$at" commit -qm one
  git -C "$at" remote add origin "$bare"
  git -C "$at" push -q --no-verify origin HEAD:refs/heads/"$1"
}
hooked plain; hooked datum; hooked prek
(cd "$work/datum" && "$datum" hooks install >/dev/null 2>&1)
touching() { # touching REPOSITORY: one commit that changes a file
  date +%N >>"$work/$1/file1.rs"
  git -C "$work/$1" commit -qam 'a change'
}
pushing() { # pushing REPOSITORY: the push of one commit, and back
  git -C "$work/$1" push -q origin HEAD:refs/heads/"$1"
  git -C "$work/$1" push -q --no-verify --force origin HEAD~1:refs/heads/"$1"
}
if command -v prek >/dev/null; then
  printf 'repos:\n- repo: local\n  hooks:\n  - {id: t, name: t, entry: "true", language: system, stages: [pre-push, post-commit], always_run: true, pass_filenames: false}\n' \
    >"$work/prek/.pre-commit-config.yaml"
  git -C "$work/prek" add -A
  git -C "$work/prek" commit -qm prek
  (cd "$work/prek" && prek install -t pre-push -t post-commit >/dev/null 2>&1)
else
  say "NO prek HERE: hooks are measured beside git alone (pip install prek)"
fi
for each in plain datum prek; do touching "$each"; done
BATCH=5 row "a commit with the post-commit hook / without" "≤ +6 ms" "touching datum" "touching plain"
BATCH=5 row "a commit with the post-commit hook of prek (one true) / without" "" "touching prek" "touching plain"
BATCH=5 row "a push of one commit with the pre-push hook / without" "≤ +8 ms" "pushing datum" "pushing plain"
BATCH=5 row "a push of one commit with the pre-push hook of prek (one true) / without" "" "pushing prek" "pushing plain"

# Secrets: text in, bytes a CPU second out.
bytes=$(find "$repo" -name .git -prune -o -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')
row "secrets in $((bytes / 1000000)) MB of source text (≤ $((bytes / 50000)) ms is 50 MB a CPU second)" "≥ 50 MB/s" \
  "$datum hook scan $repo" "${GREP:-grep} -rEc [A-Za-z0-9_-]{32} $repo"

cat <<END

Measured $(date -u +%Y-%m-%d) with \`tests/bench-audit.sh\`: $(nproc 2>/dev/null || echo '?') × \
$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo 2>/dev/null || uname -m), $(uname -sr), $(git --version), \
$("$datum" --version), load $(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo '?'); median CPU time of $runs runs, milliseconds.

| what / reference | datum | reference | ratio | target |
|---|---|---|---|---|
$(cat "$rows")
END
