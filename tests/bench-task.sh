#!/usr/bin/env bash
# Measures what tasks cost, by CPU time in one run on one machine, and prints a Markdown table.
#
#   tests/bench-task.sh [TASKS [ROUNDS]]     default 10000 9: 10,000 tasks with 100,000 entries
#
# DATUM=path names a program already built; otherwise `cargo static` builds one. RUNS=n sets the runs of each row.
# Each row is the CPU time (user and system) of one cold process, the mean of its runs, beside the reference it is told
# against. Nothing is gated: the numbers are for people.
set -euo pipefail
cd "$(dirname "$0")/.."

tasks=${1:-10000}
rounds=${2:-9}
runs=${RUNS:-20}
case $tasks$rounds in *[!0-9]* | '') echo "usage: tests/bench-task.sh [TASKS [ROUNDS]]" >&2; exit 2 ;; esac

. tests/bench-setup.sh

# cpu RUNS COMMAND...: CPU milliseconds of one run; `{}` in the command is the number of the run.
cpu() {
  local count=$1 i
  shift
  "${@//'{}'/0}" >/dev/null 2>&1 || true
  {
    TIMEFORMAT='%U %S'
    time for ((i = 1; i <= count; i++)); do "${@//'{}'/$i}" >/dev/null 2>&1 || true; done
  } 2>&1 | awk -v n="$count" '{ printf "%.2f\n", ($1 + $2) * 1000 / n }'
}

row() { awk -v what="$1" -v a="$2" -v ref="$3" -v b="$4" 'BEGIN { printf "| %s | %s ms | %s | %s ms | %.2f |\n", what, a, ref, b, a / b }'; }

echo "| what | CPU | beside | CPU | ratio |"
echo "|---|---|---|---|---|"

# One task a vessel: what a claim costs beside an append, without the cost of reading many tasks.
git init -q "$work/small"
cd "$work/small"
for ((i = 0; i <= runs; i++)); do "$datum" -q task create "task $i"; done >"$work/ids"
mapfile -t ids <"$work/ids"
claim() { "$datum" -q task claim "${ids[$1]}"; }
append=$(cpu "$runs" "$datum" -q journal NOTE 'an entry {}')
row "\`claim take\` of a new name" "$(cpu "$runs" "$datum" -q claim take 'name-{}')" "append" "$append"
comment() { "$datum" -q task comment "${ids[$1]}" 'a remark'; }
claimed=$(cpu "$runs" claim '{}')
row "\`task claim\` among $((runs + 1)) tasks" "$claimed" "append" "$append"
row "\`task claim\` among $((runs + 1)) tasks" "$claimed" "\`task comment\` there: an append that reads the tasks" "$(cpu "$runs" comment '{}')"

# Many tasks: a board is taken in, then changed again and again as people change one.
git init -q "$work/large"
cd "$work/large"
{
  printf '# Task board\n\n<!-- TASKS_JSON_START -->\n[\n'
  for ((i = 1; i <= tasks; i++)); do
    [ "$i" = 1 ] || printf ',\n'
    printf '{"id": "%08x", "title": "Task number %d", "description": "What to do for it.", "priority": "medium", "status": "open"}' "$i" "$i"
  done
  printf '\n]\n<!-- TASKS_JSON_END -->\n'
} >TASKBOARD.md
say "making $tasks tasks"
"$datum" -q task import >/dev/null
rm TASKBOARD.md
from=medium
for ((i = 1; i <= rounds; i++)); do
  say "round $i of $rounds"
  "$datum" -q publish >/dev/null
  if [ $((i % 2)) = 1 ]; then to=high; else to=medium; fi
  sed -i "s/\"priority\": \"$from\"/\"priority\": \"$to\"/" TASKBOARD.md
  from=$to
  "$datum" -q task import >/dev/null
done
entries=$(git for-each-ref --format='%(refname)' refs/datum/task | while read -r ref; do git log -1 --format='%(trailers:key=Seq,valueonly)' "$ref"; done | awk '{ n += $1 } END { print n }')
"$datum" task ready -q >"$work/ready"
say "$(wc -l <"$work/ready") tasks are ready, of $entries entries"
mapfile -t ids < <(grep -o 'T-[0-9a-z]*' "$work/ready" | head -n $((runs + 1)))
reading=$(cpu "$runs" git -C "$work/large" cat-file --batch-check --batch-all-objects --unordered)
row "\`task ready\` over $tasks tasks with $entries entries" "$(cpu "$runs" "$datum" task ready -q)" "git cat-file --batch-check of all objects" "$reading"
commented=$(cpu "$runs" comment '{}')
row "\`task claim\` there" "$(cpu "$runs" claim '{}')" "\`task comment\` there: an append that reads the tasks" "$commented"
