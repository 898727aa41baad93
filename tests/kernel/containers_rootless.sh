#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1 7.3
# timeout: 600
# memory: 2048
# cpus: 2
# disk: ext4
# add: build/debs/usr/bin/newuidmap:/usr/bin/newuidmap build/debs/usr/bin/newgidmap:/usr/bin/newgidmap /usr/bin/fuse-overlayfs build/debs/usr/bin/podman:/usr/bin/podman build/debs/usr/bin/crun:/usr/bin/crun build/debs/usr/bin/conmon:/usr/bin/conmon
#
# The containers of a user without rights, whose overlays are mounted in a user namespace: refused and
# told as root's are. What he has in a cgroup of its own an exception can free.
export podman_user=user
# shellcheck source=tests/kernel/podman
. "$(dirname "$0")/podman"

refused_in_containers
is "$(podman info -f '{{.Host.Security.Rootless}} {{.Store.GraphDriverName}}')" "true overlay" \
	"all of it without rights, on overlays"
cat >>"$policy" <<END
except:
  - cgroup: $group/libpod-${ids[one]}
    reason: an analysis of samples
END
runs "an exception for one" "$DEBAR" reload
is "$(acts one)" "$(all ran)" "frees all of it"
is "$(acts two)" "$(all refused)" "and nothing of two"
works_after
done_testing
