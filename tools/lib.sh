# Sourced by the scripts in tools/: stages with elapsed time, and the repository's root.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C.UTF-8
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
started=$SECONDS

# stage TEXT: says what begins, and how long everything has taken so far.
stage() { printf '\n[%02d:%02d] == %s\n' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)) "$*"; }
say() { printf '        %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# jobs for builds and tests: two at most, so that a small machine stays usable
jobs=$(nproc)
if ((jobs > 2)); then jobs=2; fi
