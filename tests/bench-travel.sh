#!/usr/bin/env bash
# Measures how datum travels beside bare git, in one run on one machine, and prints a Markdown table of CPU time.
#
#   tests/bench-travel.sh [ENTRIES]     most entries that a vessel holds (default 100000)
#
# DATUM=path names a program already built; otherwise `cargo static` builds one. RUNS=n sets the runs of each row.
# Each run of datum stands next to a run of its reference, so a busy machine disturbs both. CPU time is that of all
# processes, those at the other end of a local remote included. Nothing is gated: the numbers are for people.
set -euo pipefail
cd "$(dirname "$0")/.."

most=${1:-100000}
runs=${RUNS:-20}
case $most in *[!0-9]* | '') echo "usage: tests/bench-travel.sh [ENTRIES]" >&2; exit 2 ;; esac

. tests/bench-setup.sh
git config --global gc.auto 0
rows=$work/rows
TIMEFORMAT='%U %S'

# spent COMMAND... prints the CPU time of one run, milliseconds.
spent() {
  { time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ printf "%.3f\n", ($1 + $2) * 1000 }'
}

# row LABEL TARGET REFERENCE COMMAND: two functions, called in turns; the medians are compared.
row() {
  local i
  say "$1"
  "$3" 0 >/dev/null 2>&1; "$4" 0 >/dev/null 2>&1
  : >"$work/a"; : >"$work/b"
  for ((i = 1; i <= runs; i++)); do
    spent "$3" "$i" >>"$work/a"
    spent "$4" "$i" >>"$work/b"
  done
  local a b
  a=$(sort -n "$work/a" | sed -n "$(((runs + 1) / 2))p")
  b=$(sort -n "$work/b" | sed -n "$(((runs + 1) / 2))p")
  awk -v l="$1" -v t="$2" -v a="$a" -v b="$b" 'BEGIN { printf "| %s | %.1f | %.1f | %.2f × | %s |\n", l, b, a, b / a, t }' >>"$rows"
}

lines() { awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "entry %d of the bench, with some words of a usual length beside\n", i }'; }

# A remote whose logs hold as many entries as asked for, and a clone that has synced them.
harbour() {
  local dir=$1 entries=$2
  git init -q --bare "$dir/hub.git"
  git clone -q "$dir/hub.git" "$dir/clone" 2>/dev/null
  git -C "$dir/clone" commit -q --allow-empty -m first
  git -C "$dir/clone" push -q origin HEAD:main
  if ((entries > 0)); then lines "$entries" | "$datum" -C "$dir/clone" journal BENCH --batch >/dev/null; fi
  "$datum" -C "$dir/clone" sync >/dev/null 2>&1 || true
}

# No-op syncs.
noop_git() { git -C "$at/clone" fetch -q origin; git -C "$at/clone" ls-remote -q origin; }
noop_datum() { "$datum" -C "$at/clone" sync; }

# Delivery: one new commit is pushed, or one new bottle.
push_git() {
  git -C "$work/sender" push -q "$at/hub.git" "$(sed -n "$(($1 + 1 + done_before))p" "$work/commits"):refs/heads/push"
}
push_datum() { "$datum" -C "$work/sender" bottle drop tern "Bottle $1" --vessel "$vessel" --send --content x; }

git init -q "$work/sender"
git -C "$work/sender" commit -q --allow-empty -m first
parent=$(git -C "$work/sender" rev-parse HEAD)
tree=$(git -C "$work/sender" rev-parse 'HEAD^{tree}')
for ((i = 0; i < 4 * (runs + 2); i++)); do
  parent=$(git -C "$work/sender" commit-tree -p "$parent" -m "commit $i" "$tree")
  echo "$parent"
done >"$work/commits"
done_before=0
for entries in 0 10000 "$most"; do
  ((entries <= most)) || continue
  at=$work/at-$entries vessel=v$entries
  say "a vessel of $entries entries"
  mkdir "$at"
  harbour "$at" "$entries"
  "$datum" -C "$work/sender" fleet add "$vessel" "$at/hub.git" >/dev/null
  row "no-op sync, $entries entries there; reference: git fetch + git ls-remote" "≤ 1" noop_git noop_datum
  row "deliver one bottle, $entries entries there; reference: git push of one commit" "≤ 1.5" push_git push_datum
  done_before=$((done_before + runs + 1))
done

# Many writers whose tails are not sealed, and one writer, with the same entries: each side as a sync brings it.
writers=100 each=200
one=$work/one many=$work/many
mkdir "$one" "$many"
say "$writers writers of $each entries each"
harbour "$one" $((writers * each))
git init -q --bare "$many/hub.git"
for ((i = 0; i < writers; i++)); do
  git init -q "$many/w$i"
  lines "$each" | "$datum" -C "$many/w$i" journal BENCH --batch >/dev/null
  "$datum" -C "$many/w$i" sync "$many/hub.git" >/dev/null 2>&1
done
for side in "$one" "$many"; do
  git clone -q "$side/hub.git" "$side/reader" 2>/dev/null
  "$datum" -C "$side/reader" sync >/dev/null 2>&1
done
read_one() { "$datum" -C "$one/reader" journal --search 'entry 7 of'; }
read_many() { "$datum" -C "$many/reader" journal --search 'entry 7 of'; }
row "search $((writers * each)) entries of $writers writers, unsealed; reference: of one writer" "≤ 2" read_one read_many

echo "| what | datum, ms CPU | reference, ms CPU | ratio | target |"
echo "|---|---|---|---|---|"
cat "$rows"
