#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
#
# Broken packets of every kind through the programs themselves: nothing comes to harm, and what is
# whole is judged as before.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../net/lib.sh"

printf '%s\n' 'ban: test' 'malformed: deny' 'learn: true' 'rules:' '  - domain: banned.example' \
	'  - network: 203.0.113.0/24' >"$work/policy.yaml"
runs "debar load" "$DEBAR" load -p "$work/policy.yaml" --cgroup "$cgroup"
count=100000
[ ! -e /job.env ] || count=20000
try build/tests/bypass/packets $count "$$"
is "$status" 0 "$count packets, seed $$"
is "$(grep -c 'banned.*: refused' <<<"$output")" 20 "a banned name is refused in all of them, before and after"
is "$(grep -c 'harmless.*: passed' <<<"$output")" 20 "a harmless one passes"
unlike "$output" 'banned.*passed|harmless.*refused|none' "and no other way"
tried=$(sed -n 's/^tried //p' <<<"$output")
is $((tried > count / 2)) 1 "the kernel took most of the broken ones ($tried)"
lift
done_testing
