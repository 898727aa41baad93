# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# TAP for tests in shell: source it, make checks, end with done_testing. $work is a directory of the
# test's own, removed at the end. Run from the root of the tree; $DEBAR is the program under test.

export LC_ALL=C
: "${DEBAR:=build/debar}"
work=$(mktemp -d)
tap_run=0
tap_failed=0
status=0 output='' errors=''

# What a failing check says goes to its log, as comments.
tap_note() {
	printf '# %s\n' "${1//$'\n'/$'\n# '}"
}

ok() {
	echo "ok $((++tap_run)) - $1"
}

# not_ok WHAT [DETAIL]
not_ok() {
	echo "not ok $((++tap_run)) - $1"
	[ -z "${2-}" ] || tap_note "$2"
	tap_failed=$((tap_failed + 1))
}

# skip WHAT WHY: this check cannot be made here.
skip() {
	echo "ok $((++tap_run)) - $1 # SKIP $2"
}

# skip_all WHY: nothing in this file can be checked here.
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

# try COMMAND [ARG]...: run it; $status, $output and $errors say what came of it.
try() {
	status=0
	"$@" >"$work/.output" 2>"$work/.errors" </dev/null || status=$?
	output=$(tr -d '\0' <"$work/.output")
	errors=$(tr -d '\0' <"$work/.errors")
}

# passed STATUS WHAT: what was done just before ended with 0.
passed() {
	if [ "$1" -eq 0 ]; then
		ok "$2"
	else
		not_ok "$2"
	fi
}

# is GOT WANT WHAT
is() {
	if [ "$1" = "$2" ]; then
		ok "$3"
	else
		not_ok "$3" "got:  $1"$'\n'"want: $2"
	fi
}

# like TEXT REGEX WHAT: some line of TEXT matches the extended regular expression.
like() {
	if grep -qE -- "$2" <<<"$1"; then
		ok "$3"
	else
		not_ok "$3" "no match for: $2"$'\n'"in: $1"
	fi
}

# unlike TEXT REGEX WHAT
unlike() {
	if grep -qE -- "$2" <<<"$1"; then
		not_ok "$3" "a match for: $2"$'\n'"in: $1"
	else
		ok "$3"
	fi
}

# runs WHAT COMMAND [ARG]...: it exits with 0.
runs() {
	local what=$1
	shift
	try "$@"
	if [ $status -eq 0 ]; then
		ok "$what"
	else
		not_ok "$what" "exit $status: $*"$'\n'"$output$errors"
	fi
}

# exits STATUS WHAT COMMAND [ARG]...
exits() {
	local want=$1 what=$2
	shift 2
	try "$@"
	if [ $status -eq "$want" ]; then
		ok "$what"
	else
		not_ok "$what" "exit $status, not $want: $*"$'\n'"$output$errors"
	fi
}

# is_denied WHAT COMMAND [ARG]...: it fails, and says that it was not permitted.
is_denied() {
	local what=$1
	shift
	try "$@"
	if [ $status -ne 0 ] && grep -q 'Operation not permitted' <<<"$errors"; then
		ok "$what"
	else
		not_ok "$what" "exit $status, wanted a refusal with EPERM: $*"$'\n'"$output$errors"
	fi
}

# The last line of every test. Without it a test counts as having died.
done_testing() {
	echo "1..$tap_run"
	[ $tap_failed -eq 0 ]
	exit
}

# at_exit COMMAND: to be undone when the test ends, the last first.
tap_undo=()
at_exit() {
	tap_undo=("$1" "${tap_undo[@]}")
}

tap_cleanup() {
	local undo
	for undo in "${tap_undo[@]}"; do
		eval "$undo" >/dev/null 2>&1
	done
	rm -rf "$work"
}
trap tap_cleanup EXIT
