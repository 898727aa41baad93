#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 1200
# boot: own
# cpus: 2
# Policies are reloaded under a storm of execs and DNS queries, by a controller and without one: there
# is no gap in which what every policy bans passes, none in which what no policy bans is refused, and
# what a decision says (its generation, the rule and the line it names) is all of one policy. Every
# refusal is counted. DEBAR_LONG=1 reloads more often.
# kernels: 6.1
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

swap=build/tests/kernel/swap
reloads=2
[ -z "${DEBAR_LONG-}" ] || reloads=30
for name in always never one other; do
	build/tests/kernel/race make "$work/$name" banned # small, static, ends with 0
	printf %s $name >>"$work/$name"
done

# policy EXTRA WHICH: EXTRA lines shift the others, so that an event's line tells of its policy.
policy() {
	printf 'ban: test\nrules:\n%s' "$1"
	printf '  - sha256: %s\n' "$(sha256sum <"$work/always" | cut -c1-64)" "$(sha256sum <"$work/$2" | cut -c1-64)"
	printf '  - domain: %s.example\n' always "$2"
}
policy '' one >"$work/odd"
policy $'\n\n\n\n\n' other >"$work/even"
policy=$work/policy.yaml
cp "$work/odd" "$policy"

declare -A before

field() { # FILE NAME
	sed "s/.*\b$2=\([0-9]*\).*/\1/" "$work/$1"
}

# Acts refused, as the kernel counts them: files, then names (element 5 of debar_netcount).
count_execs() {
	"$DEBAR" status --json | jq .counters.deny
}
count_names() {
	bpftool -j map lookup pinned /sys/fs/bpf/debar/debar_netcount key 5 0 0 0 |
		jq -r '.values[].value | reverse | map(ltrimstr("0x")) | join("")' |
		while read -r hex; do echo $((16#$hex)); done | awk '{ n += $1 } END { print n }'
}

storm() {
	rm -f "$work/stop"
	before[execs]=$(count_execs)
	before[names]=$(count_names)
	"$swap" "$work"/{always,never,one,other} "$work/stop" >"$work/execs" &
	execs=$!
	"$swap" {always,never,one,other}.example "$work/stop" >"$work/names" &
	names=$!
}

# reload N: so many of them, back and forth.
reload() {
	local i failed=0
	for ((i = 1; i <= $1; i++)); do
		case $((i % 2)) in
		1) cp "$work/even" "$policy.new" ;;
		0) cp "$work/odd" "$policy.new" ;;
		esac
		mv "$policy.new" "$policy"
		# A controller that is starved may answer too late: it is asked again.
		"$DEBAR" reload >/dev/null 2>"$work/messages" || "$DEBAR" reload >/dev/null 2>>"$work/messages" || {
			failed=$((failed + 1))
			tap_note "$(cat "$work/messages")"
		}
		sleep 0.3
	done
	touch "$work/stop"
	wait $execs $names
	is $failed 0 "every reload was done"
}

# calm WHAT: what the storm saw.
calm() {
	local kind refused
	for kind in execs names; do
		is "$(field $kind always_ran)" 0 \
			"$1, $kind: what every policy bans was refused $(field $kind always_refused) times, and never passed"
		is "$(field $kind never_refused)" 0 \
			"$1, $kind: what none bans passed $(field $kind never_ran) times, and was never refused"
		is "$(($(field $kind one_ran) && $(field $kind one_refused) && $(field $kind other_ran) && $(field $kind other_refused)))" \
			1 "$1, $kind: the others passed and were refused in turn: $(cat "$work/$kind")"
		refused=$(($(field $kind always_refused) + $(field $kind one_refused) + $(field $kind other_refused)))
		is "$(($(count_$kind) - ${before[$kind]}))" $refused "$1, $kind: the kernel counted each of $refused refusals"
	done
}

# whole WHAT: every event names rule and line of one policy, and all events of a generation the same.
whole() {
	"$DEBAR" events --json >"$work/told"
	jq -r 'select(.rule.ruleset == "test") | [.debar.generation, (.rule.id | split(":")[-1]),
		(.file.path // .dns.question.name | split("/")[-1])] | @tsv' "$work/told" >"$work/rows"
	is "$(awk -F '\t' '
		BEGIN {
			split("3 always 4 one 5 always.example 6 one.example", odd, " ")
			split("8 always 9 other 10 always.example 11 other.example", even, " ")
			for (i = 1; i < 8; i += 2) {
				of[odd[i], odd[i + 1]] = "odd"
				of[even[i], even[i + 1]] = "even"
			}
		}
		{
			policy = of[$2, $3]
			if (!($1 in first))
				first[$1] = policy
			mixed += policy == "" || policy != first[$1]
		}
		END { print mixed + 0 }' "$work/rows")" \
		0 "$1: each of $(wc -l <"$work/rows") events is of one policy, and those of each generation of the same"
	is "$(cut -f 2 "$work/rows" | sort -u | wc -l)" 8 "$1: all eight rules of both are among them"
}

load "$policy"
storm
reload $((2 * reloads))
calm "without a controller"
whole "without a controller"
controller -p "$policy"
storm
reload $((2 * reloads))
calm "with a controller"
whole "with a controller"
is "$("$DEBAR" status --json | jq .counters.torn)" 0 "no decision was overtaken by reloads"
stop_controller
unload
done_testing
