#!/bin/bash
# SPDX-License-Identifier: MIT
# boot: own
# kernels: 6.1 7.3
# timeout: 400
#
# E17: what root can try against debar's own objects, with --guard: by number, by pin, by mount, by
# the controller, by its libraries, by what it reads, and through debar itself. Each attempt is seen to
# work without the guard where that leaves something to go on with.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

make_pair
banned=$work/banned
attack=$(realpath build/tests/kernel/attack)
DEBAR=$(realpath "$DEBAR")
mkdir -p /var/lib/debar /etc/debar/trust.d /etc/debar/policy.d
touch /var/lib/debar/booted-off # tests/kernel/guard.sh tries it

# ---- without the guard: the attempts are real ----------------------------------------------------
mv "$(ban "$banned")" /etc/debar/policy.d/test.yaml
load /etc/debar/policy.d/test.yaml
sleep 600 &
victim=$!
at_exit "kill -9 $victim"
try unshare -m --propagation private "$attack" "$victim"
tap_note "$output"
echo 1 >/proc/sys/kernel/ftrace_enabled
worked=$(grep -c '^WORKED' <<<"$output")
runs "$worked attempts work without the guard" test "$worked" -ge 14
runs "and what is banned runs after them" bash -c "sleep 1; $banned"
rm -rf /sys/fs/bpf/* /run/debar
sleep 1

# ---- armed, with a policy that somebody signed ---------------------------------------------------
printf '[req]\ndistinguished_name = dn\n[dn]\n' >"$work/openssl.cnf"
certificate() {
	openssl req -config "$work/openssl.cnf" -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/$1.key" \
		-out "$work/$1.pem" -days 30 -subj "/CN=$1" 2>/dev/null
}
certificate ours
certificate theirs
sign() {
	DEBAR_TRUST=$work/none "$DEBAR" policy sign --key "$work/$1.key" --certificate "$work/$1.pem" "$2"
}
cp "$work/ours.pem" /etc/debar/trust.d/
runs "the policy is signed" sign ours /etc/debar/policy.d/test.yaml
library=$(realpath "$(ldd "$DEBAR" | awk '/libjansson/ { print $3 }')")
exec 9<>"$library"
exits 2 "not armed while somebody has a library of debar's open for writing" "$DEBAR" load --guard
like "$errors" "has a library of debar's open for writing" "and told why"
exec 9<&-
controller --guard
stands() {
	is_denied "$1" bash -c "$banned"
}
stands "armed: it is enforced"

right_policy() {
	sed -i "s/sha256: .*/sha256: $(sha256sum <"$banned" | cut -c1-64)/" /etc/debar/policy.d/test.yaml
	sign ours /etc/debar/policy.d/test.yaml
}

# refused WHAT COMMAND...: it does not end well, and what is in force stays.
refused() {
	local what=$1
	shift
	try "$@"
	if [ "$status" -eq 0 ]; then
		not_ok "refused: $what" "$output$errors"
	elif "$banned" 2>/dev/null; then
		not_ok "refused: $what" "but what is banned runs after it"
	else
		ok "refused: $what"
	fi
}

try "$attack" "$controller"
tap_note "$output"
unlike "$output" '^WORKED' "none of root's attempts works"
attempts=$(grep -c '^refused' <<<"$output")
runs "$attempts attempts are no fewer than 44" test "$attempts" -ge 44
runs "the controller lives" kill -0 "$controller"
stands "it is enforced"
is "$(cat /proc/sys/kernel/ftrace_enabled)" 1 "the switch is as it was"
acts=$(cat /run/debar/events.json* | jq -r 'select(.event.action == "guard") | .debar.guard' | sort -u | tr '\n' ' ')
for act in code limit link map mount pin program signal switch trace; do
	like " $acts" " $act " "an event tells of $act"
done
is "$(jq -r 'select(.event.action == "guard") | .event.outcome' /run/debar/events.json | sort -u)" failure "as refused"

# ---- impostors -----------------------------------------------------------------------------------
cp "$DEBAR" "$work/impostor" && echo >>"$work/impostor"
refused "another build of debar" "$work/impostor" reload
like "$errors" "admits only the version that armed it" "and it is told why"
refused "debar by the loader" /lib64/ld-linux-x86-64.so.2 "$DEBAR" reload
refused "debar under strace" strace -f -o /dev/null "$DEBAR" reload
cp "$library" "$work/libjansson.so.4" && echo >>"$work/libjansson.so.4"
bound() {
	mount --bind "$work/libjansson.so.4" "$library"
	"$DEBAR" reload
	local result=$?
	umount "$library"
	return "$result"
}
refused "debar with another library in the place of one" bound
runs "LD_LIBRARY_PATH says nothing to it" env LD_LIBRARY_PATH="$work" "$DEBAR" status
# It is ignored, so debar is itself and does what it does with the guard on.
exits 2 "nor does LD_PRELOAD" env LD_PRELOAD="$work/libjansson.so.4" "$DEBAR" unload
runs "the real one is admitted" "$DEBAR" reload
stands "and it is enforced"

# ---- through debar itself ------------------------------------------------------------------------
refused "debar unload" "$DEBAR" unload
sed -i 's/sha256: .*/sha256: 1111111111111111111111111111111111111111111111111111111111111111/' /etc/debar/policy.d/test.yaml
refused "a policy that nobody signed" "$DEBAR" reload
sign theirs /etc/debar/policy.d/test.yaml
refused "one that somebody else signed" "$DEBAR" reload
cp "$work/theirs.pem" /etc/debar/trust.d/
refused "his certificate beside the one that was there" "$DEBAR" reload
rm /etc/debar/trust.d/ours.pem
refused "his certificate in its place" "$DEBAR" reload
rm /etc/debar/trust.d/*
refused "no certificate at all" "$DEBAR" reload
mkdir "$work/trust"
cp "$work/theirs.pem" "$work/trust"
refused "another directory of certificates" env DEBAR_TRUST="$work/trust" "$DEBAR" reload
cp "$work/ours.pem" /etc/debar/trust.d/
mkdir -p /sys/fs/cgroup/ended
echo "$controller" >/sys/fs/cgroup/ended/cgroup.procs
echo 1 >/sys/fs/cgroup/ended/cgroup.kill
wait "$controller" 2>/dev/null
stands "killed with its cgroup: it is enforced"
try "$attack"
unlike "$output" '^WORKED' "and guarded, with no controller"
right_policy
for option in --audit --force "--for 1s" "--cgroup /sys/fs/cgroup/ended"; do
	# shellcheck disable=SC2086 # words
	refused "debar load $option" "$DEBAR" load $option
done
jq -c '.audit = true' /run/debar/options.json >"$work/options" && cp "$work/options" /run/debar/options.json
refused "options that say audit" "$DEBAR" reload
echo "$(cat /proc/cmdline) debar=audit" >"$work/cmdline"
mount --bind "$work/cmdline" /proc/cmdline
refused "another command line of the kernel" "$DEBAR" load
umount /proc/cmdline
sed -i 's/sha256: .*/sha256: 1111111111111111111111111111111111111111111111111111111111111111/' /etc/debar/policy.d/test.yaml
refused "a new controller for another policy" timeout 20 "$DEBAR" run
cp -r /var/lib/debar "$work/state"
rm -rf /run/debar /var/lib/debar/*
refused "without what it has noted" timeout 20 "$DEBAR" run
cp -r "$work/state/." /var/lib/debar

right_policy

# What it believes to have left behind itself is what is in force.
swapped='
	mkdir /sys/fs/bpf/debar-new
	mount --bind /sys/fs/bpf/debar /sys/fs/bpf/debar-new &&
	mount -t bpf bpf /mnt && mkdir -p /mnt/debar && mount --bind /mnt/debar /sys/fs/bpf/debar || exit 3
	'"$DEBAR"' load; '"$DEBAR"' unload
	umount -l /mnt'
count_pins() {
	find /sys/fs/bpf/debar -type f | wc -l
}
pins=$(count_pins)
try unshare -m --propagation private bash -c "$swapped"
tap_note "$status $output$errors"
is "$(count_pins)" "$pins" "debar in another view of the mounts takes no pin away"
stands "and it is enforced"
# A directory of some of its pins, without those that say that it is guarded, and of others' maps.
# shellcheck disable=SC2016 # for the other shell
partly='
	mount -t tmpfs tmpfs /mnt && mkdir /mnt/pins
	for pin in /sys/fs/bpf/debar/*; do
		case $pin in */debar_g_*) continue ;; esac
		touch /mnt/pins/${pin##*/} && mount --bind $pin /mnt/pins/${pin##*/}
	done
	[ -z "$1" ] || { touch /mnt/pins/debar_g_state && mount --bind /sys/fs/bpf/fake /mnt/pins/debar_g_state; }
	mount --rbind /mnt/pins /sys/fs/bpf/debar || exit 3
	'"$DEBAR"' unload; '"$DEBAR"' load --audit; '"$DEBAR"' reload'
bpftool map create /sys/fs/bpf/fake type array key 4 value 16 entries 1 name debar_g_state
for fake in "" fake; do
	try unshare -m --propagation private bash -c "$partly" - $fake
	tap_note "$status $output$errors"
	stands "among ${fake:-some of its} pins debar does nothing to what is in force"
done
rm /sys/fs/bpf/fake
try "$attack"
unlike "$output" '^WORKED' "and guarded"
rmdir /sys/fs/bpf/debar-new

# ---- and the real controller, for the real policy ------------------------------------------------
controller --guard
stands "a restart of the real controller is admitted"
try "$attack" "$controller"
unlike "$output" '^WORKED' "and guarded like the first"
runs "its neighbour runs" "$work/neighbour"
done_testing
