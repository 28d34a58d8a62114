#!/usr/bin/env bash
# Measures datum beside git, in one run on one machine, and prints a Markdown table.
#
#   tests/bench.sh [ENTRIES]     largest log to build (default 1000000; 100000 takes a tenth of the time)
#
# DATUM=path names a program already built; otherwise `cargo static` builds one. RUNS=n sets the runs of each row.
# Each row is run next to its own reference, so a busy machine disturbs both. The work happens in a folder that is
# removed at the end. Nothing is gated: the numbers are for people.
set -euo pipefail
cd "$(dirname "$0")/.."

cap=${1:-1000000}
runs=${RUNS:-200}
case $cap in *[!0-9]* | '') echo "usage: tests/bench.sh [ENTRIES]" >&2; exit 2 ;; esac

. tests/bench-setup.sh
git config --global advice.detachedHead false
have_hyperfine=
if command -v hyperfine >/dev/null; then
  have_hyperfine=1
else
  say "NO HYPERFINE HERE: falling back to a loop in bash, which adds the cost of a fork to every run of both sides"
fi

# loop RUNS COMMAND... prints: median, least and CPU time, milliseconds.
loop() {
  local count=$1 i start
  shift
  for ((i = 0; i < 3; i++)); do "$@" >/dev/null 2>&1 || true; done
  {
    TIMEFORMAT='cpu %U %S'
    time for ((i = 0; i < count; i++)); do
      start=${EPOCHREALTIME/./}
      "$@" >/dev/null 2>&1 || true
      echo "one $((${EPOCHREALTIME/./} - start))"
    done
  } 2>&1 | sort -k1,1 -k2,2n | awk -v n="$count" '
    $1 == "cpu" { cpu = ($2 + $3) * 1000 / n }
    $1 == "one" { t[++k] = $2 / 1000 }
    END { printf "%.3f %.3f %.3f\n", t[int((k + 1) / 2)], t[1], cpu }'
}

# pair RUNS "COMMAND A" "COMMAND B" prints one line each: median, least and CPU time, milliseconds.
pair() {
  local count=$1
  if [ -n "$have_hyperfine" ]; then
    hyperfine -N --style none -i -w 5 -r "$count" --export-csv "$work/out.csv" "$2" "$3" >/dev/null 2>&1
    # The command may hold commas: count the fields from the end (mean, stddev, median, user, system, min, max).
    awk -F, 'NR > 1 { printf "%.3f %.3f %.3f\n", $(NF-4) * 1000, $(NF-1) * 1000, ($(NF-3) + $(NF-2)) * 1000 }' "$work/out.csv"
  else
    local -a a b
    eval "a=($2)"; eval "b=($3)"
    loop "$count" "${a[@]}"
    loop "$count" "${b[@]}"
  fi
}

rows=$work/rows
# row LABEL TARGET RUNS "REFERENCE" "COMMAND"
row() {
  say "$1"
  pair "$3" "$4" "$5" | awk -v label="$1" -v target="$2" '
    NR == 1 { rm = $1; rl = $2 }
    NR == 2 { printf "| %s | %.2f | %.2f | %.2f | %.2f | %.2f × | %.2f × | %s |\n",
              label, $1, $2, $3, rm, $1 / rm, $2 / rl, target }' >>"$rows"
}

# text FIRST COUNT prints lines of 250 bytes, always the same ones.
text() {
  awk -v first="$1" -v count="$2" 'BEGIN {
    srand(first)
    n = split("pump hull deck engine oil valve fixed broken checked ran tests failed passed merge review branch commit agent vessel fleet oracle task bottle journal deploy release error timeout network disk memory cache index search parse print write read lock retry queue worker signal report finding audit token secret key grant", w, " ")
    for (i = 0; i < count; i++) {
      s = first + i
      while (length(s) < 250) s = s " " w[int(rand() * n) + 1]
      print substr(s, 1, 250)
    }
  }'
}

# grow DIR FROM TO appends entries FROM+1 to TO, as batches.
grow() {
  local at=$2 step
  while ((at < $3)); do
    step=$(($3 - at < 100000 ? $3 - at : 100000))
    text $((at + 1)) "$step" | "$datum" -C "$1" journal LOG --batch >/dev/null
    at=$((at + step))
  done
}

# quiet_gc DIR: git's gc, when datum's own packing beside the last writer has ended.
quiet_gc() {
  (flock 9; git -C "$1" gc -q) 9>>"$1/.git/datum/maintenance"
}

g=$work/git
git init -q "$g"
git -C "$g" commit -q --allow-empty -m start
commit="git -C $g commit -q --allow-empty -m x"
bare="git -C $g -c maintenance.auto=false -c gc.auto=0 commit -q --allow-empty -m x"

row "\`datum --version\` / \`git --version\`" "≤ 0.8 ×" "$runs" "git --version" "$datum --version"

v=$work/vessel
git init -q "$v"
append="$datum -C $v journal REPAIR 'Fixed the bilge pump' --tag pump"
at=0
for size in 0 10000 100000 1000000; do
  ((size <= cap)) || continue
  say "building $size entries"
  grow "$v" "$at" "$size"
  at=$size
  row "append at $size / \`git commit --allow-empty\`" "≤ 0.35 ×" "$runs" "$commit" "$append"
  row "append at $size / the same, maintenance off" "" "$runs" "$bare" "$append"
  if ((size == 0)); then
    row "append at $size / \`git notes append\`" "" "$runs" "git -C $g notes append -m x HEAD" "$append"
    first=$work/first
    cp -r "$v" "$first"
  else
    row "append at $size / append at 0" "≤ 1.15 × at 1M" "$runs" "$datum -C $first journal REPAIR 'Fixed the bilge pump' --tag pump" "$append"
  fi
  git -C "$v" config datum.durability full
  row "append at $size, full durability / \`git commit --allow-empty\`" "≤ 0.45 ×" "$runs" "$commit" "$append"
  git -C "$v" config --unset datum.durability
  row "list the last 20 of $size / \`git log -20\`" "" "$runs" "git -C $g log -20" "$datum -C $v journal -n 20"
  if ((size >= 100000)); then
    row "filter all of $size, no hit / \`git log --grep\` of the same" "$([ "$size" = 100000 ] && echo '≤ 50 ms CPU' || echo '≤ 500 ms CPU')" 10 \
      "git -C $v log -i --grep='no such text' --glob=refs/datum" "$datum -C $v journal --search 'no such text'"
  fi
done

say "building 100 writers"
one=$work/one
git init -q "$one"
grow "$one" 0 20000
hundred=$work/hundred
git init -q "$hundred"
for ((i = 0; i < 100; i++)); do
  text $((i * 200 + 1)) 200 | DATUM_AGENT=agent$i "$datum" -C "$hundred" journal LOG --batch >/dev/null
done
# What datum packs beside a writer would meet git's own packing.
for dir in "$one" "$hundred"; do quiet_gc "$dir"; done
for what in "--search 'no such text'" "--all --format ndjson"; do
  row "\`journal $what\`: 100 writers of 200 entries / one of 20,000" "≤ 2 ×" 50 \
    "$datum -C $one journal $what" "$datum -C $hundred journal $what"
done

say "20 at once"
many() {
  local i start=${EPOCHREALTIME/./}
  for ((i = 0; i < 20; i++)); do
    if [ "$1" = together ]; then "$datum" -C "$work/many" journal LOG x >/dev/null & else "$datum" -C "$work/many" journal LOG x >/dev/null; fi
  done
  wait
  echo "$1 $((${EPOCHREALTIME/./} - start))"
}
git init -q "$work/many"
for ((round = 0; round < 11; round++)); do many serial; many together; done >"$work/times"
kept=$("$datum" -C "$work/many" journal --all --format ndjson | wc -l)
median() { awk -v w="$1" '$1 == w { print $2 }' "$work/times" | sort -n | awk '{ t[NR] = $1 } END { printf "%.2f", t[int((NR + 1) / 2)] / 1000 }'; }
together=$(median together)
serial=$(median serial)
many_line="20 processes at once: $together ms, one after the other: $serial ms, ratio $(awk "BEGIN { printf \"%.2f\", $together / $serial }") × (target < 1.5 ×); kept $kept of 440."

say "packed size"
p=$work/packed
git init -q "$p"
size_of() {
  quiet_gc "$p"
  git -C "$p" cat-file --batch-all-objects --batch-check='%(objecttype) %(objectsize:disk)' | awk -v n="$1" '
    { bytes[$1 == "commit" ? "commit" : "segment"] += $2 }
    END { printf "%.0f bytes as a commit, %.0f in segments and trees", bytes["commit"] / n, bytes["segment"] / n }'
}
# Batches under 1,000 are written as single objects, as appends are.
grow "$p" 0 250
before=$(size_of 250)
for ((i = 250; i < 2560; i += 770)); do grow "$p" "$i" $((i + 770)); done
after=$(size_of 2560)
"$datum" -C "$p" compact >/dev/null
git -C "$p" for-each-ref --format='delete %(refname)' refs/datum-archive | git -C "$p" update-ref --stdin
git -C "$p" reflog expire --expire=now --all
git -C "$p" prune-packed
git -C "$p" gc -q --prune=now
compacted=$(size_of 2560)

model=$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo 2>/dev/null || uname -m)
cat <<END

Measured $(date -u +%Y-%m-%d) with \`tests/bench.sh $cap\`: $(nproc 2>/dev/null || echo '?') × $model, $(uname -sr), \
$(git --version), $("$datum" --version), load $(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo '?'); \
$runs runs a row, $([ -n "$have_hyperfine" ] && hyperfine --version || echo 'a loop in bash'). Times in milliseconds.

| what / reference | median | least | CPU | reference, median | ratio of medians | ratio of least | target |
|---|---|---|---|---|---|---|---|
$(cat "$rows")

$many_line

Packed size of an entry of 250 bytes after \`git gc\`: before sealing $before (target ≤ 330); \
sealed, history kept: $after; compacted: $compacted (target ≤ 110).
END
