#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 5.10 7.3
# timeout: 300
# Every way round again, where fanotify is all there is: refused, or a stated limit of gate mode. E13 is
# for the reader of files, which is the same; E17 has nothing to attack but the controller (E16); E21 and
# E22 are limits of any mode; E23 finds no cache to flood, since what is not clean is read each time.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

act=$(realpath build/tests/kernel/act)
uring=$(realpath build/tests/bypass/uring)
make_pair
scratch ext4
ext4=$scratch
scratch overlay
lower=$work/layers/lower upper=$work/layers/upper
cp "$work"/{banned,neighbour} "$lower/"
cp "$work/banned" "$ext4/"
mkdir "$work"/{bound,root}
printf '#!/usr/bin/bash\nexit 0\n' >"$work/script-banned"
printf '#!/usr/bin/bash\nexit 0 # n\n' >"$work/script-neighbour"
cp /usr/bin/bash "$work/sh-banned" && printf b >>"$work/sh-banned"
cp /usr/bin/bash "$work/sh-neighbour" && printf n >>"$work/sh-neighbour"
printf '#!%s\n' "$work/sh-banned" >"$work/by-banned"
printf '#!%s\n' "$work/sh-neighbour" >"$work/by-neighbour"
chmod 755 "$work"/*
cp "$(ldd "$(type -P ip)" | awk '/libmnl/ { print $3 }')" "$work/lib-banned.so"
cp "$(ldd "$(type -P ip)" | awk '/libcap/ { print $3 }')" "$work/lib-neighbour.so"
module=$(modprobe -S "$(uname -r)" --show-depends dummy | sed -n 's/^insmod //p' | tr -d ' ')
for name in banned neighbour; do
	case $module in
	*.xz) xz -dc <"$module" >"$work/ko-$name" ;;
	*) cp "$module" "$work/ko-$name" ;;
	esac
	head -c 16 /dev/zero | tr '\0' "${name:0:1}" >>"$work/ko-$name"
	gzip <"$work/$name" >"$work/$name.gz"
done
# The neighbour again, with another byte where no loader looks: 16 bytes are enough to make it.
cp "$work/neighbour" "$work/padded"
head -c 16 "$work/neighbour" >"$work/head"
for name in head padded; do
	printf b | dd of="$work/$name" bs=1 seek=12 conv=notrunc 2>/dev/null
done
own="setpriv --reuid 1000 --clear-groups unshare -Urm bash -c"
# preload TEXT: the loader goes on without a library that is refused, and says so.
preload() {
	local said
	said=$(eval "$1" 2>&1)
	[ -z "$said" ] || { echo "${said/cannot be preloaded/Operation not permitted}" >&2; return 1; }
}
export -f preload

ways=(
	[E1 copy]="cp $work/banned $work/copy-banned && $work/copy-banned"
	[E1 renamed]="mv $work/banned $work/y; $work/y; r=\$?; mv $work/y $work/banned; exit \$r"
	[E1 hard link]="ln -f $work/banned $work/link-banned; $work/link-banned"
	[E1 symbolic link]="ln -sf $work/banned $work/sym-banned; $work/sym-banned"
	[E1 bind mount]="mount --bind $work $work/bound; $work/bound/banned; r=\$?; umount $work/bound; exit \$r"
	[E1 another mount namespace]="unshare -m $work/banned"
	[E2 the loader]="/lib64/ld-linux-x86-64.so.2 $work/banned"
	[E3 LD_PRELOAD]="preload 'LD_PRELOAD=$work/lib-banned.so /usr/bin/true'"
	[E3 mapped]="$act mmap $work/banned"
	[E4 mprotect]="$act mprotect $work/banned"
	[E5 memfd filled from the file]="$act memfd $work/banned"
	[E5 O_TMPFILE]="$act tmpfile $work/banned $work"
	[E5 /dev/shm]="rm -f /dev/shm/x; cp $work/banned /dev/shm/x && /dev/shm/x"
	[E5 by an O_PATH descriptor]="$act exec $work/banned"
	[E6 overlay, a lower layer]="$scratch/banned"
	[E8 O_DIRECT]="$act direct $ext4/banned"
	[E10 banned script]="$work/script-banned"
	[E10 banned interpreter]="$work/by-banned"
	[E12 finit_module]="$act finit $work/ko-banned && rmmod dummy"
	[E12 init_module]="$act init $work/ko-banned && rmmod dummy"
	[E20 user namespace]="$own $work/banned"
	[E20 pid and net namespaces]="unshare -pfn $work/banned"
)
cp "$work/neighbour" "$ext4/"
modprobe -q binfmt_misc
if mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc; then
	at_exit "echo -1 >/proc/sys/fs/binfmt_misc/status; umount /proc/sys/fs/binfmt_misc"
	echo ":xyz:E::xyz::$(type -P true):" >/proc/sys/fs/binfmt_misc/register
	for name in banned neighbour; do
		cp "$work/$name" "$work/$name.xyz"
	done
	ways[E11 binfmt_misc]="$work/banned.xyz"
else
	skip "E11 binfmt_misc" "this kernel has none"
fi
if "$uring" map "$work/banned"; then
	ways[E19 io_uring]="$uring exec $work/banned"
else
	skip "E19 io_uring" "this kernel has no io_uring"
fi

# memory FILE: what it unpacks to runs from memory, and was never a file.
memory() {
	perl -e '$n = "m"; $f = syscall(319, $n, 0); open(M, "+<&=", $f); open(X, "-|", "zcat", $ARGV[0]);
		local $/; syswrite(M, <X>); close X; exec "/proc/self/fd/$f"; die "$!\n"' "$1"
}
export -f memory

all_run "works before"
policy=$(ban "$work"/{banned,padded,sh-banned,script-banned,lib-banned.so,ko-banned})
echo 'oversize: deny' >>"$policy"
controller --mode gate -p "$policy"
all_refused
rm -f "$work"/{copy,link,sym}-banned
all_run "its neighbour runs" 's/banned/neighbour/g'

# ---- E7: other bytes after it was seen --------------------------------------------------------

for kind in tmpfs ext4 overlay; do
	case $kind in
	tmpfs) file=$work/file ;;
	ext4) file=$ext4/file ;;
	overlay) file=$scratch/file ;;
	esac
	for how in written renamed mapped; do
		rm -f "$file"
		cp "$work/neighbour" "$file"
		runs "E7 $kind, $how: innocent, it runs" "$file"
		case $how in
		written) zcat "$work/banned.gz" >"$file" ;;
		renamed) zcat "$work/banned.gz" >"$file.new" && chmod 755 "$file.new" && mv "$file.new" "$file" ;;
		mapped)
			"$act" overwrite "$file" "$work/head"
			sleep 0.3
			;;
		esac
		is_denied "E7 $kind, $how: refused" "$file"
	done
done
cp "$work/neighbour" "$upper/under"
chmod 777 "$upper/under"
runs "E6 beneath an overlay, where others than root may write: innocent, it runs" "$scratch/under"
zcat "$work/banned.gz" >"$upper/under"
is_denied "E6 rewritten beneath: refused" "$scratch/under"
truncate -s 600M "$work/sparse"
printf '\177ELF' | dd of="$work/sparse" conv=notrunc 2>/dev/null
chmod 755 "$work/sparse"
is_denied "E9 too large to hash: refused, as oversize says" "$work/sparse"
ran=0
for _ in {1..300}; do
	! "$work/banned" 2>/dev/null || ran=$((ran + 1))
done
is $ran 0 "E15 a flood of events: none runs"
is_denied "E15 after a flood of events: refused" "$work/banned"

# ---- stated limits, see README ----------------------------------------------------------------

limit "E5 unpacked into memory: memfd raises no event" bash -c "memory $work/banned.gz"
limit "E10 sh SCRIPT reads the script, nobody executes it" bash "$work/script-banned"
cp "$work/neighbour" "$work/changed"
limit "E14 one byte more is another file" bash -c "(zcat $work/banned.gz; echo) >$work/changed; $work/changed"
fill="mount -t tmpfs t /mnt && zcat $work/banned.gz >/mnt/x && chmod 755 /mnt/x"
# In the first second it may run: which, is a matter of luck.
is_denied "E20 a file system that only another mount namespace has, in a while: refused" bash -c "$own '$fill && sleep 3 && exec /mnt/x'"
kill -9 "$controller"
wait "$controller" 2>/dev/null
limit "E16 nothing outlives the controller" "$work/banned"
exits 1 "and status says so" "$DEBAR" status
unload
cp "$(type -P sleep)" "$work/sleep-banned"
"$work/sleep-banned" 60 &
sleeper=$!
controller --mode gate -p "$(ban "$work"/{banned,sleep-banned})"
is_denied "E18 what runs is not refused, the next of it is" "$work/sleep-banned" 0
limit "E18 what runs already goes on" kill -0 "$sleeper"
kill "$sleeper"
stop_controller
all_run "works after"
done_testing
