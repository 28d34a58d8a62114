#!/usr/bin/env bash
# Measures `datum status` beside the reading of all logs alone, by CPU time, in one run, and prints a Markdown table.
#
#   tests/bench-status.sh [JOURNAL] [BOTTLES] [TASKS]     entries to make (default 90000 4000 6000)
#
# DATUM=path names a program already built; otherwise `cargo static` builds one. RUNS=n sets the runs of each row.
# "Reading alone" is the look for an id that no entry has: every entry of every log is walked and none is parsed.
# Bottles are unread at first, which is the worst there is.
# Nothing is gated: the numbers are for people.
set -euo pipefail
cd "$(dirname "$0")/.."
journal=${1:-90000} bottles=${2:-4000} tasks=${3:-6000} runs=${RUNS:-20}
. tests/bench-setup.sh
git init -q "$work/v"
cd "$work/v"

text="of a length that entries have in practice: what was done, why, and what is left for whoever comes next to do"
seq "$journal" | sed "s/\$/ work $text $text/" | "$datum" journal WORK --batch >/dev/null
{
  echo '# Board'
  for ((i = 0; i < tasks; i++)); do echo "- [ ] Task $i $text"; done
} >TASKBOARD.md
"$datum" task import TASKBOARD.md >/dev/null
rm TASKBOARD.md
for ((i = 0; i < bottles; i++)); do
  "$datum" bottle drop bench "Bottle $i $text" --content "$text" --agent "other$((i % 3))"
done >ids

cpu() {
  local i
  "$@" >/dev/null 2>&1 || true
  TIMEFORMAT='%U %S'
  { time for ((i = 0; i < runs; i++)); do "$@" >/dev/null 2>&1 || true; done; } 2>&1 |
    awk -v n="$runs" '{ printf "%.2f\n", ($1 + $2) * 1000 / n }'
}

echo "| what | ms of CPU | beside reading alone |"
echo "|---|---|---|"
alone=$(cpu "$datum" show ffffffffffffffffffffffffffffffff)
row() {
  local name=$1 took
  shift
  took=$(cpu "$@")
  echo "| $name | $took | $(awk -v a="$took" -v b="$alone" 'BEGIN { printf "%.2f ×", a / b }') |"
}
echo "| reading alone: $journal journal, $bottles bottle, $tasks task entries | $alone | 1.00 × |"
row "\`datum status\`" "$datum" status
row "\`datum status\` without an agent" env -u DATUM_AGENT "$datum" status
row "\`datum status --format json\`" "$datum" status --format json
head -n -20 ids | xargs -n 200 "$datum" bottle ack >/dev/null
alone=$(cpu "$datum" show ffffffffffffffffffffffffffffffff)
row "\`datum status\`, all but 20 bottles acknowledged" "$datum" status
row "\`datum journal --search\`, for comparison" "$datum" journal --search nowhere-to-be-found
