#!/usr/bin/env bash
# Measures the vault beside its references, in one run on one machine, and prints a Markdown table.
#
#   tests/bench-vault.sh
#
# DATUM=path names a program already built; otherwise `cargo static` builds one. RUNS=n sets the runs of each row,
# MEGABYTES=n the size of the large push (200). Beside datum: rage or age (one file with one recipient) and python3
# (what one secret cost the original: PBKDF2-HMAC-SHA256, 600,000 rounds); where one is not there its row is skipped
# and said. CPU is user and system time together. The work happens in a folder that is removed at the end. Nothing is
# gated: the numbers are for people.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${RUNS:-100}
megabytes=${MEGABYTES:-200}
. tests/bench-setup.sh

# cost RUNS COMMAND... prints wall and CPU time of one run, milliseconds; wall is the median.
cost() {
  local count=$1 i start
  shift
  for ((i = 0; i < 3 && i < count; i++)); do "$@" >/dev/null 2>&1 || true; done
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
    END { printf "%.3f %.3f\n", t[int((k + 1) / 2)], cpu }'
}

row() { echo "| $1 | $2 | $3 | $4 |"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

# vessel NAMES: a repository with a vault of so many names, in $work/vessel-NAMES.
vessel() {
  local dir=$work/vessel-$1
  git init -q "$dir"
  "$datum" -C "$dir" vault init >/dev/null 2>&1
  for ((i = 1; i <= $1; i++)); do echo "NAME_$i=value-$i-of-the-bench-$((i * 7919))"; done |
    "$datum" -C "$dir" vault import >/dev/null 2>&1
  echo "$dir"
}

say "keys and vaults"
git init -q "$work/keys" && "$datum" -C "$work/keys" agent keys new >/dev/null
small=$(vessel 10)
large=$(vessel 1000)

echo "| what | this | reference | ratio, target |"
echo "|---|---|---|---|"

say "vault get"
"$datum" -C "$small" vault get NAME_7 >/dev/null
read -r get_wall get_cpu < <(cost "$runs" "$datum" -C "$small" vault get NAME_7)
read -r version_wall version_cpu < <(cost "$runs" "$datum" --version)
row "datum --version" "$version_wall ms, CPU $version_cpu" "" ""
baseline=
for tool in rage age; do
  command -v $tool >/dev/null || { say "SKIPPED: there is no $tool here"; continue; }
  keys=$HOME/.config/datum/agents/bench.keys
  grep '^AGE-SECRET-KEY' "$keys" >"$work/identity"
  printf value | $tool -r "$(grep '^recipient ' "$keys" | cut -d' ' -f2)" -o "$work/file.$tool"
  read -r wall cpu < <(cost "$runs" $tool -d -i "$work/identity" "$work/file.$tool")
  baseline=1
  row "\`vault get\`, vault of 10, with its access record" "$get_wall ms, CPU $get_cpu" "\`$tool -d\`: $wall ms, CPU $cpu" \
    "wall $(ratio "$get_wall" "$wall"), CPU $(ratio "$get_cpu" "$cpu"); ≤ 1.5, ≤ 3 ms"
done
[ -n "$baseline" ] || row "\`vault get\`, vault of 10" "$get_wall ms, CPU $get_cpu" "none here" "≤ 3 ms"
read -r large_wall large_cpu < <(cost 20 "$datum" -C "$large" vault get NAME_7)
row "\`vault get\`, vault of 1,000" "$large_wall ms, CPU $large_cpu" "vault of 10: $get_wall ms" "$(ratio "$large_wall" "$get_wall")"

git -C "$small" config datum.durability full
read -r full_wall full_cpu < <(cost "$runs" "$datum" -C "$small" vault get NAME_7)
git -C "$small" config --unset datum.durability
row "the same with its record flushed to the disk (datum.durability=full)" "$full_wall ms, CPU $full_cpu" \
  "not flushed: $get_wall ms, CPU $get_cpu" "wall $(ratio "$full_wall" "$get_wall")"

say "run"
if "$datum" -C "$small" sandbox status >/dev/null; then
  read -r bare_wall bare_cpu < <(cost "$runs" env true)
  read -r run_wall run_cpu < <(cost "$runs" "$datum" -C "$small" -q run -- true)
  row "\`run -- true\`, with its record" "$run_wall ms, CPU $run_cpu" "\`env true\`: $bare_wall ms, CPU $bare_cpu" ""
else
  say "SKIPPED: this kernel holds no whole boundary"
fi

say "the original"
if command -v python3 >/dev/null; then
  legacy=$(python3 -c '
import hashlib, time
n, t = 3, time.process_time()
for i in range(n): hashlib.pbkdf2_hmac("sha256", b"password", b"s" * 16, 600000)
print("%.1f" % ((time.process_time() - t) * 1000 / n))')
  names=$(for ((i = 1; i <= 1000; i++)); do echo "NAME_$i"; done)
  # shellcheck disable=SC2086
  read -r all_wall all_cpu < <(cost 5 "$datum" -C "$large" vault get $names --format json)
  per=$(awk -v all="$all_cpu" 'BEGIN { printf "%.4f", all / 1000 }')
  row "a secret of 1,000 read at once, process, verification and record included" "CPU $per ms" \
    "the original's key derivation: CPU $legacy ms" "$(ratio "$legacy" "$per") times; ≥ 100"
else
  say "SKIPPED: there is no python3 here"
fi

# text MEGABYTES SEED FILE: text like sources, without a secret in it, other for each seed.
text() {
  awk -v bytes=$(($1 * 1024 * 1024)) -v seed="$2" 'BEGIN { srand(seed); while (n < bytes) {
    line = sprintf("    let total_%d = count(%d) + offset; // the pump runs since %d\n", rand() * 1e6, rand() * 1e6, n)
    printf "%s", line; n += length(line) } }' >"$3"
}
# push DIR: what git tells the hook of a push of all there is.
push() { echo "refs/heads/main $(git -C "$1" rev-parse main) refs/heads/main 0000000000000000000000000000000000000000"; }
hook() { "$datum" -C "$1" hook pre-push origin <"$work/push"; }

say "a push of 1 MB"
hundred=$(vessel 100)
text 1 1 "$hundred/source.rs"
git -C "$hundred" add . && git -C "$hundred" commit -qm work
push "$hundred" >"$work/push"
read -r wall cpu < <(cost 20 hook "$hundred")
row "push of 1 MB, 100 values of the vault looked for" "$wall ms, CPU $cpu" "" "< 50 ms"

say "a push of $megabytes MB"
for ((i = 0; i < megabytes; i += 4)); do text 4 $((i + 2)) "$hundred/source-$i.rs"; done
git -C "$hundred" add . && git -C "$hundred" -c gc.auto=0 commit -qm more
push "$hundred" >"$work/push"
read -r wall cpu < <(cost 1 hook "$hundred")
row "push of $megabytes MB, 100 values of the vault looked for" "$wall ms, CPU $cpu" "" \
  "$(awk -v mb="$megabytes" -v cpu="$cpu" 'BEGIN { printf "%.0f", mb * 1000 / cpu }') MB per CPU second; ≥ 50"
