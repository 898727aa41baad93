#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1 7.3
# E18: running already, or mapped, when the ban arrives.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

stay=build/tests/kernel/stay
for name in banned neighbour; do
	cp $stay "$work/$name" && echo $name >>"$work/$name"
	cp /usr/bin/true "$work/$name.so" && echo $name >>"$work/$name.so"
done
declare -A pids=()
for name in banned neighbour; do
	"$work/$name" >"$work/out" &
	pids[$name]=$!
	$stay map "$work/$name.so" >"$work/out.so" &
	pids[$name.so]=$!
	at_exit "kill -9 ${pids[$name]} ${pids[$name.so]}"
	until grep -q ready "$work/out" && grep -q ready "$work/out.so"; do sleep 0.1; done
done
policy=$(ban "$work/banned" "$work/banned.so")
sed -i 's/^rules:/on_running: kill\n&/' "$policy"
for name in "${!pids[@]}"; do
	runs "before: $name runs" kill -0 "${pids[$name]}"
done
controller -p "$policy"
for name in banned banned.so; do
	wait "${pids[$name]}" 2>/dev/null
	is $? 137 "$name: ended when the ban arrives"
done
for name in neighbour neighbour.so; do
	runs "$name: runs on" kill -0 "${pids[$name]}"
done
sleep 1
is "$("$DEBAR" events --json | jq -rs 'map(select(.event.action == "kill") | .process.pid) | sort | tostring')" \
	"$(jq -nc "[${pids[banned]}, ${pids[banned.so]}] | sort")" "and each is told"
stop_controller
done_testing
