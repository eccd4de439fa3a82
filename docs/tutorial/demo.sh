#!/bin/sh
# SPDX-License-Identifier: MIT
#
# demo — shows in half a minute what treesum, and so the library, does.
#
#     demo.sh TREESUM [PATH]...
#
# Exits with 0 if everything that it claims was so. Needs GNU coreutils and
# findutils, as sha256sum does.

set -eu

treesum=$(realpath "${1:?the path of treesum is missing}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
LC_ALL=C
export LC_ALL
unset TENON_NUM_THREADS TENON_WAIT_POLICY
cpu_count=$(nproc)

title() {
    printf '\n== %s\n\n' "$*"
}

say() {
    printf '%s\n' "$*"
}

fail() {
    printf '\ndemo: %s\n' "$*" >&2
    exit 1
}

now_ms() {
    echo $(($(date +%s%N) / 1000000))
}

# Run a command line with its output in $work/out and $work/err; sets `status`
# and `time_ms`.
run() {
    started=$(now_ms)
    status=0
    "$@" >"$work/out" 2>"$work/err" || status=$?
    time_ms=$(($(now_ms) - started))
}

# The same, shown, and with the exit status that it must have.
show() {
    expected=$1
    shift
    say "\$ treesum $*"
    run "$treesum" "$@"
    sed 's/^/    /' "$work/out" "$work/err"
    say "  exit status $status after $time_ms ms"
    say
    [ "$status" -eq "$expected" ] || fail "exit status $expected was expected"
}

# One line of the table: what, milliseconds.
row() {
    printf '  %-44s %6d ms\n' "$1" "$2"
}

# The quickest of three runs of "$@", as one line of the table.
measure() {
    name=$1
    shift
    times=
    for _ in 1 2 3; do
        run "$@"
        [ "$status" -eq 0 ] || fail "'$name' failed: $(cat "$work/err")"
        times="$times $time_ms"
    done
    # shellcheck disable=SC2086 # a list of numbers
    row "$name" "$(printf '%s\n' $times | sort -n | head -n 1)"
}

sum_in_one_process() {
    xargs -0 sha256sum <"$work/files"
}

sum_by_xargs() {
    xargs -0 -n 64 -P "$cpu_count" sha256sum <"$work/files"
}

shift # what is left are the paths
if [ $# -eq 0 ]; then
    for directory in /usr/include /usr/share/doc; do
        [ -d "$directory" ] && set -- "$@" "$directory"
    done
    [ $# -gt 0 ] || fail 'neither /usr/include nor /usr/share/doc is there'
fi

for path in "$@"; do
    case $path in
    -*) fail "there are no options: $path" ;;
    esac
    [ -e "$path" ] || fail "no such file or directory: $path"
done

title "Every file below $*, on $cpu_count CPUs"

for path in "$@"; do
    find -H "$path" -type f -print0 | sort -z
done >"$work/files"
file_count=$(tr -cd '\000' <"$work/files" | wc -c)
run "$treesum" "$@" # also brings the files into memory, for all to come
cat "$work/err"
[ "$status" -eq 0 ] || fail "exit status $status"
mv "$work/out" "$work/sums"
[ "$(wc -l <"$work/sums")" -eq "$file_count" ] || fail 'lines are missing'
say "$file_count files. The first lines:"
say
head -n 3 "$work/sums"
say
sha256sum --check --quiet "$work/sums" || fail 'a digest is wrong'
say 'sha256sum --check accepts all of them.'
sum_in_one_process >"$work/reference"
cmp "$work/sums" "$work/reference" || fail 'not as sha256sum prints it'
say 'And it prints the very same bytes, given the files in sorted order.'
run "$treesum" --jobs 1 "$@"
cmp "$work/sums" "$work/out" || fail 'the number of jobs shows in the output'
say 'So does treesum with one job: the order does not depend on the workers.'

title 'How long that takes (the quickest of three runs)'

measure 'sha256sum, one process' sum_in_one_process
measure "sha256sum, xargs -P $cpu_count, in no order" sum_by_xargs
measure 'treesum --jobs 1' "$treesum" --jobs 1 "$@"
measure "treesum --jobs $cpu_count" "$treesum" --jobs "$cpu_count" "$@"
say
say 'sha256sum brings its own SHA-256, treesum takes that of OpenSSL, which'
say 'knows more of the machine: what the tasks gain is in the last two lines.'

title 'A tree with a broken file and an endless one'

mkdir "$work/tree"
cd "$work/tree"
echo one >apples
echo two >pears
ln -s nowhere broken
say 'apples and pears are files, broken is a link to nowhere.'
say 'Every error is collected, the rest is done:'
say
show 1 apples broken pears
truncate -s 1T endless
say 'Now with a file of a tebibyte, which would take a while. With --fail-fast'
say 'the error cancels it; its task sees that at its next poll:'
say
show 1 --fail-fast --jobs 2 endless broken
[ "$time_ms" -lt 5000 ] || fail 'that was slow'
say 'With a time limit. What was finished by then is printed:'
say
show 124 --jobs 2 --timeout 1s apples endless
[ "$time_ms" -lt 5000 ] || fail 'that was slow'
say 'And with Ctrl-C, here sent by timeout(1) after a second:'
say
say '$ treesum --jobs 2 apples endless'
# A background job of a shell ignores SIGINT, and so would its children.
# In the foreground timeout(1) sends the signal once, not to the group as well.
run env --default-signal=INT \
    timeout --foreground --preserve-status --signal INT 1 \
    "$treesum" --jobs 2 apples endless
sed 's/^/    /' "$work/out" "$work/err"
say "  exit status $status after $time_ms ms"
[ "$status" -eq 130 ] || fail 'exit status 130 was expected'
grep -q 'apples$' "$work/out" || fail 'the finished file was not printed'
grep -q 'SIGINT' "$work/err" || fail 'the cause was not told'

title 'All as it should be'
