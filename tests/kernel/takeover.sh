#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1 7.3
# timeout: 180
# What one controller has learnt of certificates is in force under the next one, too.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

for name in banned later neighbour; do
	sign "$(type -P nl)" "$work/$name" $name
done
policy=$work/policy.yaml
put() {
	printf 'ban: test\nrules:\n' >"$policy"
	printf '  - certificate: { subject: { CN: %s } }\n' "$@" >>"$policy"
}
put banned
controller -p "$policy"
for name in later neighbour; do
	runs "$name is not banned" "$work/$name" /dev/null
done
is_denied "the banned one is refused" "$work/banned" /dev/null
kill -9 "$controller"
wait "$controller" 2>/dev/null
is_denied "with no controller: still" "$work/banned" /dev/null
controller -p "$policy"
is_denied "another controller, which has not seen it: still" "$work/banned" /dev/null
runs "reloaded by that one" "$DEBAR" reload
is_denied "still" "$work/banned" /dev/null
put banned later
runs "another policy" "$DEBAR" reload
is_denied "the banned one is refused" "$work/banned" /dev/null
kill -9 "$controller"
wait "$controller" 2>/dev/null
put later
controller -p "$policy" --force
is_denied "another controller with another policy: what is banned is refused" "$work/later" /dev/null
runs "what is no more is not" "$work/banned" /dev/null
runs "nor what never was" "$work/neighbour" /dev/null
stop_controller
unload
done_testing
