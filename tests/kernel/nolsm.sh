#!/bin/bash
# SPDX-License-Identifier: MIT
# lsm: landlock,lockdown,yama,integrity,apparmor
# kernels: 6.1
# bpf is not among the security modules: programs would attach, and never run.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

make_pair
policy=$(ban "$work/banned")
unlike "$(cat /sys/kernel/security/lsm)" bpf "bpf is not there"
exits 2 "load is refused" "$DEBAR" load -p "$policy"
like "$errors" 'bpf is not among' "it says why"
like "$errors" "lsm=$(cat /sys/kernel/security/lsm),bpf" "and writes out what to add"
exits 2 "so is run in kernel mode" "$DEBAR" run --mode kernel -p "$policy"
runs "nothing is enforced" "$work/banned"

printf 'ban: names\nrules:\n  - domain: banned.example\n  - network: 192.0.2.1\n  - sha256: %s\n' \
	"$(sha256sum <"$work/banned" | cut -c1-64)" >"$work/names.yaml"
controller -p "$policy"
like "$(cat "$work/messages")" 'BPF LSM cannot be used: bpf is not among' "run picks gate mode and says why"
like "$(cat "$work/messages")" "lsm=$(cat /sys/kernel/security/lsm),bpf" "and what to add for kernel mode"
like "$(cat "$work/messages")" 'not covered: ' "and what is not covered"
is_denied "the banned program is refused" "$work/banned"
runs "its neighbour is not" "$work/neighbour"
runs "status: it enforces" "$DEBAR" status
like "$output" 'gate mode' "in gate mode"
is "$("$DEBAR" status --json | jq -r .run_mode)" gate "which has a field"
stop_controller
controller -p "$work/names.yaml"
is_denied "with names and networks: the banned program is refused" "$work/banned"
ip route add 192.0.2.0/24 dev lo
at_exit "ip route del 192.0.2.0/24 dev lo"
runs "its neighbour's address is reached" bash -c 'echo >/dev/udp/192.0.2.2/9'
try bash -c 'echo >/dev/udp/192.0.2.1/9'
like "$status $errors" '^1 .*(refused|not permitted)' "and the banned one is not"
stop_controller

# A reload brings the programs of names and networks.
runs "unload" "$DEBAR" unload
controller -p "$policy"
runs "before a reload its address is reached" bash -c 'echo >/dev/udp/192.0.2.1/9'
cp "$work/names.yaml" "$policy"
runs "a reload with names and networks" "$DEBAR" reload --force
try bash -c 'echo >/dev/udp/192.0.2.1/9'
like "$status $errors" '^1 .*(refused|not permitted)' "and the address is refused"
is_denied "and the program" "$work/banned"
stop_controller
done_testing
