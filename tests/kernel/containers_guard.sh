#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1 7.3
# timeout: 600
# memory: 2048
# cpus: 2
# disk: ext4
# add: build/debs/usr/bin/podman:/usr/bin/podman build/debs/usr/bin/crun:/usr/bin/crun build/debs/usr/sbin/runc:/usr/sbin/runc build/debs/usr/bin/conmon:/usr/bin/conmon
#
# With the guard podman and both of its runtimes start and stop containers, in which it is enforced.
# shellcheck source=tests/kernel/podman
. "$(dirname "$0")/podman"

import test "$image"
create before -v volume:/volume
count before
mkdir -p /var/lib/debar
touch /var/lib/debar/booted-off # tests/kernel/guard.sh tries it
controller -p "$policy" --guard
is "$(acts before)" "$(all refused)" "with the guard: refused in one that ran before"
for runtime in crun runc; do
	[ -x "$(type -P $runtime)" ] || { skip "$runtime" "it is not here"; continue; }
	create $runtime
	is "$(acts $runtime)" "$(all refused)" "with the guard and $runtime: refused"
	is_refused_at_start "started with it, a container is refused"
	told $runtime
	runs "podman stops the container" podman stop -t 1 $runtime
	is "$(podman inspect -f '{{.State.Status}}' $runtime)" exited "which has stopped"
	runs "podman starts it again" podman start $runtime
	is "$(acts $runtime)" "$(all refused)" "and it is refused"
	runs "podman removes it" podman rm -f -t 1 $runtime
done
unlike "$(jq -r .event.action /run/debar/events.json)" guard "the guard refused nobody anything"
counts before
done_testing
