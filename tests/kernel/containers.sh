#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1 7.3
# timeout: 600
# memory: 2048
# cpus: 2
# disk: ext4
# add: build/debs/usr/bin/podman:/usr/bin/podman build/debs/usr/bin/crun:/usr/bin/crun build/debs/usr/bin/conmon:/usr/bin/conmon
#
# Podman's containers: what is banned is refused in an image's layer, in a volume and when it was written
# in the container, and told as of that container; its neighbours in it and beside it go on. An exception
# by cgroup frees one of them.
# shellcheck source=tests/kernel/podman
. "$(dirname "$0")/podman"

refused_in_containers

# ---- an exception for one ------------------------------------------------------------------------
cp "$policy" "$work/no-exception"
cat >>"$policy" <<END
except:
  - cgroup: $group/libpod-${ids[one]}
    reason: an analysis of samples
END
runs "an exception for one" "$DEBAR" reload
is "$(acts one)" "$(all ran)" "frees all of it"
is "$(acts two)" "$(all refused)" "and nothing of two"
is_denied "nor of the host" "$image/opt/layer"
runs "podman stops one" podman stop -t 1 one
runs "and starts it again" podman start one
settled one ran "and it is free, though its cgroup is another"
is "$(acts two)" "$(all refused)" "and two is not"
cp "$work/no-exception" "$policy"
runs "the exception is taken back" "$DEBAR" reload
is "$(acts one)" "$(all refused)" "and one is refused"
works_after
done_testing
