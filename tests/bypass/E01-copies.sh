#!/bin/bash
# SPDX-License-Identifier: MIT
# E1: copied, renamed, linked, bound, in another mount namespace, under another root.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

make_pair
mkdir "$work"/{bin,root}
cp /usr/bin/busybox "$work/root/busybox-banned" && printf b >>"$work/root/busybox-banned"
cp /usr/bin/busybox "$work/root/busybox-neighbour" && printf n >>"$work/root/busybox-neighbour"
touch "$work/bin/bound"
DEBAR=$(realpath "$DEBAR")
cd "$work" || exit
ways=(
	[copy]="cp banned bin/copy; bin/copy"
	[copy to another file system]="cp banned /mnt/ext4/copy; /mnt/ext4/copy"
	[rename]="cp banned bin/old; mv bin/old bin/new; bin/new"
	[hard link]="ln -f banned bin/hard; bin/hard"
	[symbolic link]="ln -sf $work/banned bin/soft; bin/soft"
	[bind mount]="unshare -m bash -c 'mount --bind banned bin/bound; bin/bound'"
	[mount namespace with a file system of its own]="unshare -m bash -c 'mount -t tmpfs t bin; cp banned bin/; exec bin/banned'"
	[chroot]="chroot root /busybox-banned true"
	[set user id]="cp banned bin/suid; chmod 4755 bin/suid; setpriv --reuid 1000 --clear-groups bin/suid"
)
prove "$(ban banned root/busybox-banned)"
done_testing
