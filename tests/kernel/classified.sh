#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
# kernels: 6.1
# What was classified beforehand is refused with no controller there; what was not, as `unclassified` says,
# also when a controller stops or dies with a program in its hands.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

act=build/tests/kernel/act
state=build/tests/kernel/state
fresh=0

# put HEAD RULE...
put() {
	{
		printf 'ban: test\n%s\nrules:\n' "$1"
		printf '  - %s\n' "${@:2}"
	} >"$work/policy.yaml"
}

# fresh: a program that nobody has seen, in $program; it ends with 0.
# Made beforehand: what makes them may be unknown when they are needed.
for n in {1..9}; do
	build/tests/kernel/race make "$work/fresh.$n" banned note
	echo "$n" >>"$work/fresh.$n"
done
fresh() {
	program=$work/fresh.$((++fresh))
}

mkdir -p "$work/tree/deep"
cp "$(type -P nl)" "$work/tree/deep/banned"
cp "$(type -P tac)" "$work/tree/neighbour"
cp "$work/tree/deep/banned" "$work/longer"
echo >>"$work/longer"
module "$work/tree/signed.ko"
mkfifo "$work/fifo" "$work/tree/fifo"
truncate -s 4T "$work/tree/sparse" 2>/dev/null || truncate -s 1G "$work/tree/sparse"
chmod 755 "$work/tree/sparse"
buildid=$(fact "$work/longer" .buildid)
serial=$(fact "$work/tree/signed.ko" '.signers[0].serial')

# ---- load --scan ------------------------------------------------------------------------------

put '' "buildid: $buildid" "certificate: { serial: $serial }"
exits 2 "debar load refuses rules that files have to be read for" "$DEBAR" load -p "$work/policy.yaml"
like "$errors" '--scan PATH' "and says how they can be"
exits 2 "a tree that is not there" "$DEBAR" load -p "$work/policy.yaml" --scan "$work/nowhere"
exits 2 "a FIFO is no tree" "$DEBAR" load -p "$work/policy.yaml" --scan "$work/fifo"
runs "nothing is loaded by that" "$work/tree/deep/banned" /dev/null
runs "debar load --scan" "$DEBAR" load -p "$work/policy.yaml" --scan "$work/tree" "$work/none.yaml"
like "$errors" '[0-9]+ files were classified' "says how many files"
like "$errors" '1 files could not be read' "and that one could not be"
is_denied "a program in the tree: refused" "$work/tree/deep/banned" /dev/null
runs "its neighbour is not" "$work/tree/neighbour" /dev/null
cp "$work/tree/deep/banned" "$work/copy"
is_denied "a copy elsewhere: refused" "$work/copy" /dev/null
is_denied "a module, by its signer: refused" "$act" finit "$work/tree/signed.ko"
limit "other bytes that nobody classified: unclassified: allow" "$work/longer" /dev/null
unload
runs "it works after" "$work/tree/deep/banned" /dev/null
put '' "buildid: $buildid" "path: $work/tree/"
exits 2 "places of files are not known beforehand" "$DEBAR" load -p "$work/policy.yaml" --scan "$work/tree"
like "$errors" 'policy.yaml:5: ' "which rule, is said"

# ---- unclassified: deny -----------------------------------------------------------------------

put 'unclassified: deny' "buildid: $buildid"
exits 2 "unclassified: deny is not for debar load" "$DEBAR" load -p "$work/policy.yaml" --scan "$work/tree"
like "$errors" 'policy.yaml:1: unclassified: deny needs a controller' "and says so"
runs "debar load --partial" "$DEBAR" load -p "$work/policy.yaml" --partial
fresh
runs "which leaves it out" "$program"
unload
controller -p "$work/policy.yaml"
is_denied "with a controller, what is banned: refused" "$work/longer" /dev/null
fresh
runs "a new program runs" "$program"
known=$program
runs "and a tool of this test" "$state" seen "$known"
kill -STOP "$controller"
fresh
is_denied "while the controller is stopped, a new program: refused" "$program"
runs "a known one is not" "$known"
runs "nor what helps in need, though it has not run" bash -c 'echo | cat'
kill -CONT "$controller"
fresh
kill -STOP "$controller"
"$program" 2>"$work/held" &
held=$!
sleep 0.3
kill -9 "$controller"
wait $held
is "$(($? != 0))" 1 "a program that was held by a controller that died: refused"
like "$(cat "$work/held")" 'not permitted|busy' "with an error that says so"
wait "$controller" 2>/dev/null
fresh
is_denied "without a controller, a new program: refused" "$program"
runs "a known one is not" "$known"
runs "a minute later" "$state" silent 61
runs "on_controller_loss: allow lets it run" "$program"
unload
put $'unclassified: deny\non_controller_loss: deny' "buildid: $buildid"
controller -p "$work/policy.yaml"
runs "with a controller it runs" "$program"
runs "and a tool of this test" "$state" seen "$program"
kill -9 "$controller"
wait "$controller" 2>/dev/null
runs "a minute later" "$state" silent 61
fresh
is_denied "on_controller_loss: deny refuses a new program" "$program"
unload
runs "which works after" "$program"
done_testing
