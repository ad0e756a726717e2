#!/usr/bin/env bash
# Runs fuzz targets side by side for FUZZ_SECONDS and prints their figures: run.sh TARGET...
# Fails when one found an input that crashes, takes half a minute or wants half a gigabyte; the input is in artifacts/.
set -euo pipefail
cd "$(dirname "$0")"
binaries=$(echo ../../../target/fuzz/*/release)
declare -A running=()
failed=0
for target in "$@"; do
    mkdir -p "corpus/$target" "artifacts/$target"
    # No search path: converters of foreign formats belong to others, and are not what is looked at here.
    PATH=/nonexistent "$binaries/$target" "corpus/$target" -max_len=65536 -timeout=30 -rss_limit_mb=512 \
        -max_total_time="${FUZZ_SECONDS:-3600}" -artifact_prefix="artifacts/$target/" -print_final_stats=1 \
        >"artifacts/$target.log" 2>&1 &
    running[$target]=$!
done
for target in "$@"; do
    outcome=sound
    wait "${running[$target]}" || { outcome=FAILED failed=1; }
    printf '%s: %s\n' "$target" "$outcome"
    # A target that died early has no figures to show; that is no failure of this script.
    grep -E '^(stat::(number_of_executed_units|peak_rss_mb)|SUMMARY)' "artifacts/$target.log" || true
    { grep -E ' cov: [0-9]+' "artifacts/$target.log" || true; } | tail -n 1
done
exit "$failed"
