#!/bin/bash
# SPDX-License-Identifier: MIT
# E20: user namespaces, with mounts, overlays and roots of their own.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

make_pair
chmod 777 "$work"
own="setpriv --reuid 1000 --clear-groups unshare -Urm bash -c"
ways=(
	[user namespace]="$own $work/banned"
	[its own file system]="$own 'mount -t tmpfs t /mnt && cp $work/banned /mnt/x && exec /mnt/x'"
	[its own overlay]="$own 'mount -t tmpfs t /mnt && cd /mnt && mkdir l u w m && cp $work/banned l/x && mount -t overlay o m -o lowerdir=l,upperdir=u,workdir=w && exec m/x'"
	[pid and net namespaces]="unshare -pfn $work/banned"
)
prove "$(ban "$work/banned")"
done_testing
