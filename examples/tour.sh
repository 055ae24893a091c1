#!/usr/bin/env bash
# The whole story in a minute, with no account: a cluster is checked, planned, built, changed, backed up
# and taken down on the sandbox that is part of hpcctl.
#
#   examples/tour.sh [FILE]        FILE: a cluster file; default examples/clusters/fds-smv.yaml
#
#   HPCCTL            the binary to use, instead of building one
#   CARGO_TARGET_DIR  where cargo builds, as always
#
# Ends with 0 when every command ended as it should, and with 1 at the first that did not.
set -uo pipefail

die() {
    printf 'tour: %s\n' "$*" >&2
    exit 1
}

# Paths are relative to the project, so that the commands below can be typed again by hand.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || die "cannot find the project"
case ${1-} in
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    '') file=examples/clusters/fds-smv.yaml ;;
    /*) file=$1 ;;
    *) file=$PWD/$1; file=${file#"$here"/} ;;
esac
case ${HPCCTL-} in
    */*) HPCCTL=$(cd "$(dirname "$HPCCTL")" && pwd)/${HPCCTL##*/} || die "cannot find \`$HPCCTL\`" ;;
esac
cd "$here" || exit 1
[ -r "$file" ] || die "cannot read \`$file\`"

if [ -z "${HPCCTL-}" ]; then
    command -v cargo >/dev/null || die "needs cargo to build hpcctl, or HPCCTL=/path/to/hpcctl"
    cargo build --no-default-features --release || die "the build failed"
    HPCCTL=${CARGO_TARGET_DIR:-target}/release/hpcctl
fi
command -v "$HPCCTL" >/dev/null || die "cannot run \`$HPCCTL\`"

# The sandbox keeps its state in one file; a run of its own leaves nothing behind.
work=$(mktemp -d "${TMPDIR:-/tmp}/hpcctl-tour.XXXXXX") || die "cannot make a temporary directory"
export HPCCTL_SANDBOX_STATE=$work/sandbox.json
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi

# say TEXT: why the next command is run.
say() {
    printf '\n%s# %s%s\n' "$bold" "$*" "$plain"
}

# run EXPECTED ARGUMENT...: shows an hpcctl command, runs it, and stops the tour on any other exit code.
run() {
    local expected=$1 code=0
    shift
    printf '%s$ hpcctl --cloud sandbox %s%s\n' "$bold" "$*" "$plain"
    "$HPCCTL" --cloud sandbox "$@" || code=$?
    [ "$code" = 130 ] && exit 130
    [ "$code" = "$expected" ] || die "\`hpcctl $*\` ended with $code, not with $expected"
}

name=$(sed -n 's/^name: *\([a-z0-9-]*\).*/\1/p' "$file" | head -n 1)
changed=examples/changes/${file##*/}
plan=$work/$name.plan.json

say "Is the file right? No credentials, no network."
run 0 validate "$file"

say "What would be built? The plan goes into a file, for review."
run 0 plan "$file" --out "$plan"

say "Build exactly that."
run 0 apply "$plan" --auto-approve

say "Again: nothing to do, so 0."
run 0 plan "$file" --detailed-exitcode

current=$file
if [ "$file" = "examples/clusters/${file##*/}" ] && [ -r "$changed" ]; then
    say "The file after a change: something to do, so 2."
    run 2 plan "$changed" --detailed-exitcode
    run 0 apply "$changed" --auto-approve
    current=$changed
fi

say "What is there?"
run 0 status "$current"

if grep -q '^  - name: scratch' "$file" && grep -q 'data_repository' "$file"; then
    say "Save the scratch file system to S3."
    run 0 export-fsx "$current" --file-system scratch
fi

say "Take it down. The data is exported first, because the file says so."
run 0 destroy "$current" --auto-approve

say "Nothing is left."
region=$(sed -n 's/^region: *\([a-z0-9-]*\).*/\1/p' "$file")
run 0 list --region "$region"
if "$HPCCTL" --cloud sandbox list --region "$region" 2>/dev/null | grep -qw -- "$name"; then
    die "\`$name\` is still listed"
fi

printf '\n%sDone.%s Next: hpcctl init, or one of examples/clusters/.\n' "$bold" "$plain"
