# Sourced by the bench scripts: the program ($datum), a folder of its own that is removed at the end ($work), and the
# settings of a user who has none. Not to be run.
#
# DATUM=path names a program already built; otherwise `cargo static` builds one.

if [ -z "${DATUM:-}" ]; then
  cargo static >&2
  DATUM=${CARGO_TARGET_DIR:-target}/release/datum
fi
datum=$(realpath "$DATUM")
work=$(mktemp -d "${TMPDIR:-/tmp}/datum-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

unset "${!GIT_@}" "${!DATUM_@}" CI
export HOME=$work/home XDG_CONFIG_HOME=$work/home/.config DATUM_AGENT=bench LC_ALL=C
mkdir "$HOME"
git config --global user.name "Bench Marker"
git config --global user.email bench@example.org
git config --global init.defaultBranch main

say() { echo "bench: $*" >&2; }
