#!/bin/bash
# SPDX-License-Identifier: MIT
# Just-in-time compilers and odd loaders go on under a policy that denies.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

make_pair
scratch ext4
echo 4 >/proc/sys/vm/nr_hugepages
at_exit 'echo 0 >/proc/sys/vm/nr_hugepages'
build/tests/kernel/jit >"$work/before"
load "$(ban "$work/banned")"
is_denied "the policy is in force" "$work/banned"
build/tests/kernel/jit >"$work/while"
while read -r word what; do
	if ! grep -qxF "works $what" "$work/before"; then
		skip "$what" "it does not without debar either"
	elif [ "$word" = works ]; then
		ok "$what"
	else
		not_ok "$what"
	fi
done < <(sed 's/^fails \(.*\): [^:]*$/fails \1/' "$work/while")
is "$(wc -l <"$work/while")" "$(wc -l <"$work/before")" "all were tried"
unload
done_testing
