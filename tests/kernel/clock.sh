#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 400
# boot: own
# A clock that is set back, by somebody or by a boot without a valid time: a phase once entered is not
# left, whatever is loaded again, and `--force` believes the clock.
# kernels: 6.1
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

started=$(date +%s) uptime=$(cut -d. -f1 /proc/uptime)
right() { # the clock, as it would be
	date -s "@$((started + $(cut -d. -f1 /proc/uptime) - uptime))"
}
make_pair
policy=$work/policy.yaml
{
	printf 'ban: test\nphases:\n  - from: 2030-01-01T00:00:00Z\n    exec: deny\n    network: deny\n'
	printf 'rules:\n  - sha256: %s\n' "$(sha256sum <"$work/banned" | cut -c1-64)"
} >"$policy"
rm -f /var/lib/debar/clock

date -s 2029-12-31 >/dev/null
load "$policy"
runs "before its phase begins, it runs" "$work/banned"
date -s 2030-01-02 >/dev/null
is_denied "the clock reaches the phase: refused, and nothing was loaded again" "$work/banned"
date -s 2029-06-01 >/dev/null
is_denied "set back: still refused" "$work/banned"
like "$("$DEBAR" status)" 'the clock was set back before a phase that has begun' "status says so"
try "$DEBAR" reload
is $status 0 "a reload is done"
like "$errors" 'the clock says 2029-06-01T.*, and it was 2030-01-01T.* already: phases that had begun stay' \
	"and warns"
is_denied "it is refused after it, too" "$work/banned"
unload
runs "works after" "$work/banned"

# A later boot: what is in the kernel is gone, and the clock begins in 1970.
date -s 2030-01-03 >/dev/null
load "$policy"
is_denied "in its phase: refused" "$work/banned"
unload
date -s @1000 >/dev/null
try "$DEBAR" load -p "$policy"
is $status 0 "no valid time: it loads"
like "$errors" 'the clock says 1970-01-01T.*, and it was 2030-01-03T' "and warns"
is_denied "no valid time: what had begun stays" "$work/banned"
load "$policy" --force
runs "--force believes the clock" "$work/banned"
unload

# Nothing is remembered, either: the clock is all there is, and phases begin when it is set.
rm -f /var/lib/debar/clock
date -s @1000 >/dev/null
load "$policy"
runs "no valid time ever: the phase has not begun" "$work/banned"
date -s 2030-01-04 >/dev/null
is_denied "and begins when the clock is set" "$work/banned"
unload

# A controller remembers, and takes up where another left.
date -s 2031-01-01 >/dev/null
controller -p "$policy"
is_denied "with a controller: refused" "$work/banned"
stop_controller
unload
date -s @2000 >/dev/null
controller -p "$policy"
is_denied "another one, no valid time: refused" "$work/banned"
stop_controller
unload
right >/dev/null
done_testing
