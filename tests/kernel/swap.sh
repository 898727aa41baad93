#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 900
# boot: own
# cpus: 2
# memory: 2048
# Programs run while policies are swapped: no decision is lost, none mixes two policies, no file is
# read again. Then the same with large policies: DEBAR_LONG=1 makes them a million rules, and swaps
# more often.
# kernels: 6.1
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

swap=build/tests/kernel/swap
race=build/tests/kernel/race
swaps=2 rules=20000
[ -z "${DEBAR_LONG-}" ] || swaps=10 rules=1000000
for name in always never one other; do
	"$race" make "$work/$name" banned # small, static, ends with 0
	printf %s $name >>"$work/$name"
done

# One in odd generations, the other in even ones, and on lines of their own, which events name.
{ sed '$d' "$(ban "$work/always" "$work/one")"; echo "  - sha256: $(sha256sum <"$work/one" | cut -c1-64)"; } >"$work/odd"
{ sed 's/^rules:/\n&/' "$(ban "$work/always" "$work/other")"; } >"$work/even"
policy=$work/policy.yaml

# swap_to FILE: by the controller; waits until it says so.
swap_to() {
	local lines tries=0
	lines=$(grep -c '^reloaded' "$work/events")
	cp "$1" "$policy.new" && mv "$policy.new" "$policy"
	kill -HUP "$controller"
	while [ "$(grep -c '^reloaded' "$work/events")" = "$lines" ] && [ $((++tries)) -lt 15000 ]; do
		sleep 0.02
	done
	[ $tries -lt 15000 ]
}

field() {
	sed "s/.*\b$1=\([0-9]*\).*/\1/" "$work/counts"
}

# during N ODD EVEN: runs while so many swaps are made.
during() {
	local n=$1 i
	rm -f "$work/stop"
	"$swap" "$work"/{always,never,one,other} "$work/stop" >"$work/counts" &
	local runner=$!
	sleep 0.3
	for ((i = 0; i < n; i++)); do
		swap_to "$2" || break
		swap_to "$3" || break
	done
	touch "$work/stop"
	wait $runner
	is "$i" "$n" "$((2 * n)) swaps were made while $(field all) programs were started"
	is "$(field always_ran)" 0 "what every policy bans was refused $(field always_refused) times, and never ran"
	is "$(field never_refused)" 0 "what none bans ran $(field never_ran) times, and was never refused"
	is "$(($(field one_ran) > 0 && $(field one_refused) > 0 && $(field other_ran) > 0 && $(field other_refused) > 0))" \
		1 "the others ran and were refused in turn: $(cat "$work/counts")"
}

cp "$work/odd" "$policy"
controller -p "$policy"
"$DEBAR" status --json | jq . >/dev/null
during 1 "$work/even" "$work/odd" # so that all that this test runs was seen once
# status itself tries the canary, which is hashed each time.
hashes() {
	"$DEBAR" status --json | jq .counters.hash
}
before=$(hashes)
canary=$(($(hashes) - before))
before=$((before + canary))
during $swaps "$work/even" "$work/odd"
is "$(($(hashes) - before - canary))" 0 "no file was read again"
mixed=$("$DEBAR" events --json | jq -c 'select(.event.action == "exec" and .rule.ruleset == "test") |
	select((.debar.generation % 2 == 1 and (.file.path | endswith("/other"))) or
	       (.debar.generation % 2 == 0 and (.file.path | endswith("/one"))))' | wc -l)
is "$mixed" 0 "no event names a file that its generation does not ban"
is "$("$DEBAR" status --json | jq .counters.torn)" 0 "no decision was overtaken by swaps"

# Large ones.
"$swap" digests $rules 1 >"$work/list-odd"
"$swap" digests $rules 2 >"$work/list-even"
for which in odd even; do
	{
		cat "$work/$which"
		printf '  - list: list-%s\n    kind: sha256\n' $which
	} >"$work/large-$which"
done
free_before=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
started=$(date +%s%N)
if swap_to "$work/large-even"; then
	ok "$rules rules: swapped in within $((($(date +%s%N) - started) / 1000000)) ms of this guest's"
else
	not_ok "$rules rules were not swapped in" "$(tail -n 3 "$work/messages")"
fi
during 1 "$work/large-odd" "$work/large-even"
tap_note "memory: $((free_before - $(awk '/^MemAvailable/ { print $2 }' /proc/meminfo))) kB less available than before the large ones"
stop_controller
unload
done_testing
