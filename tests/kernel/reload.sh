#!/bin/bash
# SPDX-License-Identifier: MIT
# The policy is swapped while it is in force, by whichever door; what is wrong leaves the old one.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

for name in one two three; do
	cp /usr/bin/true "$work/$name" && printf %s $name >>"$work/$name"
done
policy=$work/policy.yaml

# put FILE...: the policy's text bans these from now on, but nobody was told.
put() {
	cp "$(ban "$@")" "$policy.new"
	mv "$policy.new" "$policy"
}

# in_force ONE TWO WHAT: who runs, of the first two: runs or refused
in_force() {
	local said=''
	for name in one two; do
		try "$work/$name"
		[ $status -eq 0 ] && said+=' runs' || said+=' refused'
	done
	is "$said" " $1 $2" "$3"
}

generation() {
	"$DEBAR" status --json | jq .generation
}

put "$work/one"
load "$policy"
in_force refused runs "load"
put "$work/two"
in_force refused runs "a changed file alone changes nothing"
runs "debar reload, without a controller" "$DEBAR" reload
in_force runs refused "reload"
echo 'rules: [' >"$policy"
exits 2 "a broken policy is refused" "$DEBAR" reload
like "$errors" 'policy.yaml:[0-9]+:[0-9]+: ' "and where it breaks is told"
in_force runs refused "and the old one stays"
rm "$policy"
exits 2 "so is one that is gone" "$DEBAR" reload
in_force runs refused "and the old one stays"
put "$work"/{one,two,three}
runs "debar reload to more rules" "$DEBAR" reload
put "$work/one"
exits 2 "one that lost most of itself is refused" "$DEBAR" reload
in_force refused refused "and the old one stays"
runs "unless it is meant" "$DEBAR" reload --force
in_force refused runs "then it holds"
before=$(generation)
load "$policy"
is "$(generation)" $((before + 1)) "load twice is another generation"
in_force refused runs "of the same"

# A controller takes over what is loaded, is the only one, and reloads by signal and by request.
controller -p "$policy"
in_force refused runs "a controller took over"
exits 2 "a second one is refused" "$DEBAR" run -p "$policy"
like "$errors" 'a controller runs as pid [0-9]+' "and told who is there"
exits 2 "so is load" "$DEBAR" load -p "$policy"
put "$work/two"
kill -HUP "$controller"
tries=0
until grep -q '^reloaded' "$work/events" || [ $((++tries)) -gt 100 ]; do
	sleep 0.1
done
in_force runs refused "SIGHUP reloads"
echo broken >"$policy"
kill -HUP "$controller"
tries=0
until grep -q 'stays' "$work/messages" || [ $((++tries)) -gt 100 ]; do
	sleep 0.1
done
like "$(cat "$work/messages")" 'policy.yaml:1:1: ' "SIGHUP with a broken policy is told"
in_force runs refused "and the old one stays"
put "$work/one"
runs "debar reload, with a controller" "$DEBAR" reload
in_force refused runs "it reloads"
kill -9 "$controller"
wait "$controller" 2>/dev/null
in_force refused runs "a killed controller leaves its policy in force"
controller -p "$policy"
stop_controller
in_force refused runs "so does one that ended"
unload
in_force runs runs "unload"

# Names and networks need programs of their own, which a reload brings.
ip link set lo up
ip route add 192.0.2.0/24 dev lo
at_exit "ip route del 192.0.2.0/24 dev lo"
says() { # refused|passes ADDRESS WHAT
	try bash -c "echo >/dev/udp/$2/9"
	if [ "$1" = passes ]; then
		is "$status" 0 "$3"
	else
		like "$status $errors" '^1 .*(refused|not permitted)' "$3"
	fi
}
doors='load controller'
[[ $(uname -r) == 6.1.* ]] || doors=controller # it takes a slow guest long to check these programs
for way in $doors; do
	put "$work/one"
	if [ "$way" = load ]; then
		load "$policy"
	else
		controller -p "$policy"
	fi
	says passes 192.0.2.1 "$way: no rule names the address"
	printf '  - network: 192.0.2.1\n' >>"$policy"
	runs "$way: a reload with a network" "$DEBAR" reload
	says refused 192.0.2.1 "$way: which is refused then"
	says passes 192.0.2.2 "$way: and its neighbour not"
	in_force refused runs "$way: and the file as before"
	[ "$way" = load ] || stop_controller
	says refused 192.0.2.1 "$way: and goes on"
	unload
	says passes 192.0.2.1 "$way: until it is unloaded"
done
done_testing
