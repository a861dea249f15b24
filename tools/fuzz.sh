# Sourced after lib.sh by the scripts that run fuzzers: tools/test and tools/fuzz-campaign.
# shellcheck shell=bash disable=SC2154

# Builds the fuzzers under clang and lists them in `fuzz_targets` (paths in build/fuzz); their seeds,
# from the vectors, come into $1/seeds.
build_fuzzers() {
  local out=$1
  mkdir -p "$out/seeds"
  cmake --preset fuzz > "$out/configure.log" || { cat "$out/configure.log"; die "fuzz preset"; }
  mapfile -t fuzz_targets < <(ninja -C build/fuzz -t targets all |
    sed -n 's/^\([^:]*_fuzz\): CXX_EXECUTABLE_LINKER.*/\1/p')
  ((${#fuzz_targets[@]} == 0)) || ninja -C build/fuzz -j "$jobs" "${fuzz_targets[@]}"
  /usr/bin/python3 tools/seed_corpus.py "$out/seeds"
}

# run_fuzzer OUT PATH SECONDS: from the seeds and what was found before; a finding is kept in
# OUT/NAME-crash-…
run_fuzzer() {
  local out=$1 path=$2 seconds=$3 name=${2##*/}
  mkdir -p "$out/$name.corpus"
  "build/fuzz/$path" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$out/$name-" "$out/$name.corpus" "$out/seeds" > "$out/$name.log" 2>&1
}

# How far a log says it came: inputs run and edges covered.
fuzz_summary() {
  local runs edges
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$1")
  edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$1" | tail -n 1)
  echo "${runs:-?} inputs, ${edges:-?} edges"
}

# run_fuzzers OUT SECONDS_OF JUDGE PATH…: $jobs at a time, each for the seconds that the function
# SECONDS_OF prints for its name, the next one as soon as one ends; JUDGE is called with name, log and
# exit code.
run_fuzzers() {
  local out=$1 seconds_of=$2 judge=$3 target name
  shift 3
  local -A running=()
  for target; do
    if ((${#running[@]} >= jobs)); then judge_ended "$out" "$judge"; fi
    name=${target##*/}
    run_fuzzer "$out" "$target" "$($seconds_of "$name")" &
    running[$!]=$name
  done
  while ((${#running[@]} > 0)); do judge_ended "$out" "$judge"; done
}

# Waits for one of run_fuzzers' `running` to end, and has it judged.
judge_ended() {
  local out=$1 judge=$2 ended name code=0
  wait -n -p ended "${!running[@]}" || code=$?
  name=${running[$ended]}
  unset "running[$ended]"
  $judge "$name" "$out/$name.log" "$code"
}
