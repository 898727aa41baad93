#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1
# timeout: 240
# Two boots that were not found good, and the next one only reports; one that was, and it enforces.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

state=/var/lib/debar/boots
number=0
boot() { # what comes now is another boot
	umount /proc/sys/kernel/random/boot_id 2>/dev/null
	printf '%08d-0000-4000-8000-000000000000\n' $((++number)) >"$work/boot_id"
	mount --bind "$work/boot_id" /proc/sys/kernel/random/boot_id
}
at_exit "umount /proc/sys/kernel/random/boot_id; rm -f $state"
fail() { # the boot ends as one that has to be switched off
	kill -9 "$controller"
	wait "$controller" 2>/dev/null
}
mode() { "$DEBAR" status --json | jq -r "${1-.mode}"; }

# Of names alone: that takes less to load, and the question is the mode.
policy=$work/policy.yaml
printf 'ban: test\nrules:\n  - domain: banned.example\n' >"$policy"
rm -f $state
boot
controller -p "$policy"
is "$(mode)" enforce "the first boot enforces"
is "$(stat -c '%a %U' $state)" "600 root" "and is noted before it can fail"
fail
controller -p "$policy"
fail
controller -p "$policy"
is "$(mode)" enforce "a controller that dies twice is no boot that fails"
fail
boot
controller -p "$policy"
is "$(mode)" enforce "the second enforces"
fail
boot
controller -p "$policy"
is "$(mode)" audit "the third only reports"
like "$(cat "$work/messages")" 'warning: 2 boots under enforcement were not found good: this one only reports' "and says so"
is "$(mode .audit_because)" "boots under enforcement were not found good" "debar status knows why"
runs "a reload" "$DEBAR" reload
is "$(mode)" audit "does not change it"
fail
export DEBAR_GOOD_AFTER=1
controller -p "$policy"
is "$(mode)" audit "nor does another controller in the same boot"
tries=0
until grep -q 'end good' $state || [ $((++tries)) -gt 100 ]; do sleep 0.2; done
like "$(cat $state)" 'end good' "having lived for long enough it is a good boot"
unset DEBAR_GOOD_AFTER
fail
boot
controller -p "$policy"
is "$(mode)" enforce "after which it is enforced again"
sleep 6
stop_controller
like "$(cat $state)" 'end good' "stopped in order after the start-up, it is a good boot at once"
boot
export DEBAR_FAILED_BOOTS=x
printf 'boot x\nfailed 9\nmode enforce\nend open\n' >$state
controller -p "$policy"
like "$(cat "$work/messages")" 'DEBAR_FAILED_BOOTS=x is no number that makes sense: 2 it is' "a setting that is none is told"
is "$(mode)" audit "and changes nothing"
fail
boot
export DEBAR_FAILED_BOOTS=0
printf 'boot x\nfailed 9\nmode enforce\nend open\n' >$state
controller -p "$policy"
is "$(mode)" enforce "who does not want it can say so"
like "$(cat $state)" '^failed 9' "and nothing is counted"
unset DEBAR_FAILED_BOOTS
stop_controller
unload
done_testing
