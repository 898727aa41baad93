#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 180
# boot: own
# kernels: 6.1
# add: /usr/bin/fuse-overlayfs
# A file server that answers nobody: what was opened from it before is mapped, the controller is asked what
# it is and cannot read it. It goes on telling, answering and reloading all the same.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

act=build/tests/kernel/act
scratch fuse || skip_all "$why"
fuse=$(ps -eo pid=,args= | awk '/fuse-overlayf[s]/ { print $1; exit }')
library=$(ldd "$(type -P ip)" | awk '/libmnl/ { print $3 }')
for n in {1..3}; do
	cp "$library" "$scratch/lib$n.so"
	echo "$n" >>"$scratch/lib$n.so"
	: >"$work/wait$n"
done
cp "$(type -P nl)" "$work/banned"
cp "$library" "$work/banned.so"
cp "$(type -P tac)" "$work/neighbour"
printf 'ban: test\nrules:\n  - buildid: %s\n  - buildid: %s\n' "$(fact "$work/banned" .buildid)" \
	"$(fact "$library" .buildid)" >"$work/policy.yaml"
controller -p "$work/policy.yaml"
for n in {1..3}; do
	"$act" mmap-later "$scratch/lib$n.so" "$work/wait$n" 2>"$work/err$n" &
	mapper[n]=$!
done
sleep 2
kill -STOP "$fuse"
at_exit "kill -CONT $fuse"
rm "$work"/wait*
for n in {1..3}; do
	wait "${mapper[n]}"
	tap_note "mapped while its server hangs: exit $? $(cat "$work/err$n")"
done
is_denied "while three are stuck: a program is refused" "$work/banned" /dev/null
is_denied "and a library" "$act" mmap "$work/banned.so"
runs "its neighbour runs" "$work/neighbour" /dev/null
sleep 2
is "$(grep -c "$work/banned" "$work/events")" 2 "both are told"
runs "debar reload" timeout 10 "$DEBAR" reload
runs "debar status" timeout 10 "$DEBAR" status --json
kill -0 "$controller"
passed $? "the controller lives"
kill -CONT "$fuse"
sleep 1
is_denied "the server answers again: a library from there is refused" "$act" mmap "$scratch/lib1.so"
stop_controller
unload
done_testing
