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
done_testing
