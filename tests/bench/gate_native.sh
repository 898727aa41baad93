# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Gate mode and fapolicyd on this machine's own kernel: what does a repeated exec cost, by the clock?
# In a mount and a process namespace where there is nothing but a tmpfs made for it, a bpffs and proc,
# so that neither can mark or see anything else.
#
# subject: a repeated exec on this machine, by the clock
# timeout: 300
# limit: * debar-gate 50 % of fapolicyd's extra
set -eu

# ---- inside: the tmpfs is the root ------------------------------------------------------------------

inside() {
	local integrity
	umount -l /old
	if grep -vE '^[^ ]+ [^ ]+ (tmpfs|proc|bpf) ' /proc/mounts; then
		echo "no rows of gate mode here: the above would be marked, too" >&2
		return 1
	fi
	# shellcheck source=tests/bench/lib.sh
	. tests/bench/lib.sh
	fapolicyd_unpack
	fapolicyd_trust build
	fapolicyd_settings none
	fapolicyd_settings sha256
	sed -i 's/^\(uid\|gid\) *=.*/\1 = root/' /etc/fapolicyd/*.conf # its own user it cannot become here
	{
		arm nothing
		echo "run . tests/bench/gate_native.sh; gate_start"
		arm debar-gate
		echo "run . tests/bench/gate_native.sh; gate_stop"
		for integrity in none sha256; do
			echo "run . tests/bench/lib.sh; fapolicyd_start $integrity"
			arm fapolicyd-$integrity
			echo "run . tests/bench/lib.sh; fapolicyd_stop"
		done
		arm nothing-again
	} >/tmp/script
	KERNEL=host build/stopwatch /tmp/script
}

arm() {
	echo "median static $1 1000 build/nothing_static"
	echo "median dynamic $1 1000 build/nothing"
}

gate_start() {
	local tries=0
	build/debar run --mode gate -p /bench/1.yaml >/tmp/gate.out 2>/tmp/gate.err &
	echo $! >/tmp/gate.pid
	until grep -q running /tmp/gate.out; do
		if ! kill -0 "$(cat /tmp/gate.pid)" 2>/dev/null || [ $((++tries)) -gt 300 ]; then
			cat /tmp/gate.err >&2
			return 1
		fi
		sleep 0.1
	done
}

gate_stop() {
	kill "$(cat /tmp/gate.pid)"
	while kill -0 "$(cat /tmp/gate.pid)" 2>/dev/null; do
		sleep 0.1
	done
}

# ---- outside: make it ---------------------------------------------------------------------------------

populate() {
	local root=$1 file to
	mkdir -p "$root"/{proc,sys/{fs/{bpf,cgroup},kernel/btf},dev,old,run,etc/debar/policy.d,var/{lib,log},bench} \
		"$root"/{debar/{build,tests},usr/{bin,sbin,lib,lib64}}
	mkdir -m 1777 "$root/tmp"
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$root/"
	mknod -m 666 "$root/dev/null" c 1 3
	ln -s /proc/self/fd "$root/dev/fd"
	echo root:x:0:0:root:/:/bin/bash >"$root/etc/passwd"
	echo root:x:0: >"$root/etc/group"
	cp -L build/debar build/tests/bench/{stopwatch,nothing,nothing_static} "$root/debar/build/"
	for file in awk bash cat cp cut date find grep install kill ldconfig ln mkdir paste realpath rm sed sha256sum sleep \
		sort stat tail tar tee umount xargs; do
		cp -L "$(PATH=$PATH:/sbin type -P $file)" "$root/usr/bin/"
	done
	ln -s bash "$root/usr/bin/sh"
	cp -r tests/bench "$root/debar/tests/"
	cp "$inputs"/{fapolicyd.tar,1.yaml,1.txt} "$root/bench/"
	cp /sys/kernel/btf/vmlinux "$root/sys/kernel/btf/"
	ldd "$root"/debar/build/* "$root"/usr/bin/* 2>/dev/null | awk '/=> \// { print $3 } /^\t\// { print $1 }' | sort -u |
		while read -r file; do
			to=$root$(realpath "$(dirname "$file")")
			mkdir -p "$to"
			cp -L "$file" "$to/"
		done
	mount -t proc proc "$root/proc"
	mount -t bpf bpf "$root/sys/fs/bpf"
}

inputs=$PWD/${BENCH_BUILD:-build}/bench
case ${BENCH_STAGE-} in
'')
	[ "$(id -u)" = 0 ] || { echo "no rows of gate mode here: it needs root" >&2; exit 0; }
	[ -e "$inputs/fapolicyd.tar" ] || { echo "no rows of gate mode here: fapolicyd could not be fetched" >&2; exit 0; }
	mkdir -p "$inputs/root"
	BENCH_STAGE='make' unshare --mount --pid --fork --propagation private bash "$0" | jq -c -s '
		map(.unit = "ns") as $rows
		| def of($name; $variant): [$rows[] | select(.name == $name and (.variant | test("^" + $variant))).value] | min;
		$rows[], ("static", "dynamic" | {name: ., variant: "debar-gate", kernel: "host",
			unit: "% of fapolicyd'"'"'s extra",
			value: ((of(.; "debar-gate") - of(.; "nothing")) * 100 / (of(.; "fapolicyd-none") - of(.; "nothing")) | round)})'
	rmdir "$inputs/root"
	;;
make)
	mount -t tmpfs -o mode=755 tmpfs "$inputs/root"
	populate "$inputs/root"
	cd "$inputs/root"
	pivot_root . old
	cd /debar
	BENCH_STAGE=inside /usr/bin/bash tests/bench/gate_native.sh
	;;
inside) [ "${0##*/}" != gate_native.sh ] || inside ;;
esac
