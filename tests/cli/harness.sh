#!/bin/bash
# SPDX-License-Identifier: MIT
# The harness itself: a test that dies, lies, hangs or says nothing is a failure, and so is none.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

# judged LAST WHAT SCRIPT: what the last line says of a test, and the exit status that goes with it.
judged() {
	local last=$1 what=$2
	printf '%s\n' "$3" >"$work/fake.sh"
	TEST_LOGS=$work/log try scripts/run-tests "$work/fake.sh"
	is "$(tail -n 1 <<<"$output")" "$last" "$what"
	case $last in
	0\ passed* | *[1-9]\ failed*) is "$status" 1 "$what: and fails" ;;
	*) is "$status" 0 "$what: and passes" ;;
	esac
}

judged '2 passed, 0 failed, 0 skipped' "two checks" 'echo "ok 1 - a"; echo "ok 2 - b"; echo 1..2'
judged '1 passed, 1 failed, 0 skipped' "a failed check" 'echo "ok 1 - a"; echo "not ok 2 - b"; echo 1..2; exit 1'
like "$output" '^    not ok 2 - b' "a failed check is shown"
like "$output" 'log: .*/cli/fake.sh.tap' "with where its log is"
judged '1 passed, 1 failed, 0 skipped' "a failed check of a test that exits with 0" \
	'echo "ok 1 - a"; echo "not ok 2 - b"; echo 1..2'
judged '1 passed, 1 failed, 0 skipped' "a test without its last line" 'echo "ok 1 - a"'
like "$output" 'died before its last line, with status 0' "what was wrong with it is said"
judged '0 passed, 1 failed, 0 skipped' "a test that says nothing" ':'
judged '0 passed, 1 failed, 0 skipped' "a test killed by a signal" 'kill -SEGV $$'
judged '2 passed, 1 failed, 0 skipped' "fewer checks than announced" 'echo "ok 1 - a"; echo "ok 2 - b"; echo 1..3'
judged '2 passed, 1 failed, 0 skipped' "more checks than announced" 'echo "ok 1 - a"; echo "ok 2 - b"; echo 1..1'
judged '1 passed, 1 failed, 0 skipped' "a bad status after good checks" 'echo "ok 1 - a"; echo 1..1; exit 3'
judged '1 passed, 0 failed, 1 skipped' "a skip with a reason" \
	'echo "ok 1 - a"; echo "ok 2 - b # SKIP no network"; echo 1..2'
judged '1 passed, 1 failed, 0 skipped' "a skip without a reason" \
	'echo "ok 1 - a"; echo "ok 2 - b # SKIP"; echo 1..2'
judged '0 passed, 0 failed, 1 skipped' "nothing but a skip" 'echo "1..0 # SKIP not here"'
judged '0 passed, 1 failed, 0 skipped' "a skipped file without a reason" 'echo "1..0 # SKIP"'
judged '1 passed, 1 failed, 0 skipped' "a test that takes too long" \
	'# timeout: 1'$'\n''echo "ok 1 - a"; sleep 30; echo 1..1'
like "$output" 'took more than its time' "that it did is said"
judged '2 passed, 0 failed, 0 skipped' "a last line without its newline" 'printf "ok 1 - a\nok 2 - b\n1..2"'
exits 2 "neither a level nor a test" scripts/run-tests nonsense
done_testing
