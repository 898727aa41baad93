#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 240
# boot: own
# kernels: 6.1 7.3
# disk: ext4
# A user mounts an overlay in a namespace of their own, upon a file server of their own, which does not
# answer debar. Nobody else waits for it: not while the controller lives, and not when it is killed while
# its threads wait in the kernel, which no signal ends.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

modprobe -a fuse overlay
[ -c /dev/fuse ] || skip_all "this kernel has no FUSE"
chmod 666 /dev/fuse # as udev has it
sysctl -q kernel.unprivileged_userns_clone=1 2>/dev/null
sysctl -q user.max_user_namespaces=1000
user=$work/user
mkdir -p "$user"/{served,upper,overlay}
cp "$(type -P tac)" "$user/program"
cp build/tests/kernel/unanswered "$user/server"
chown -R 1000:1000 "$user"
chmod 755 "$work"
for n in {1..5}; do
	for kind in nl tac; do
		cp "$(type -P $kind)" "/mnt/ext4/$kind$n"
		echo "$n" >>"/mnt/ext4/$kind$n"
	done
done
at_exit "rm -f /mnt/ext4/nl? /mnt/ext4/tac?"
printf 'ban: test\nrules:\n  - buildid: %s\n' "$(fact /mnt/ext4/nl1 .buildid)" >"$work/policy.yaml"

end_attack() {
	ps -u 1000 -o pid= | xargs -r kill -9
}

cat >"$user/attack" <<'END'
cd "$1" || exit
./server program served silent
mount -t tmpfs none upper && mkdir upper/{upper,work}
mount -t overlay none overlay -o lowerdir=served,upperdir=upper/upper,workdir=upper/work,userxattr || exit
overlay/1 /dev/null && overlay/2 /dev/null && touch ran
touch silent
for n in {3..20}; do
	overlay/$n /dev/null &
done
sleep 600
END

runs "a program runs before" /mnt/ext4/nl1 /dev/null
controller -p "$work/policy.yaml"
is_denied "and is refused" /mnt/ext4/nl1 /dev/null
runs "its neighbour runs" /mnt/ext4/tac1 /dev/null
setsid setpriv --reuid 1000 --regid 1000 --clear-groups unshare -Urm --propagation private \
	bash "$user/attack" "$user" >"$work/attack" 2>&1 &
at_exit end_attack
until [ -e "$user/silent" ] || [ $((++tries)) -gt 200 ]; do
	sleep 0.1
done
[ -e "$user/ran" ]
passed $? "the user's own programs run from there while the server answers: $(cat "$work/attack")"
sleep 4
is_denied "it does not answer: what is banned is refused" timeout -s KILL 20 /mnt/ext4/nl2 /dev/null
runs "a neighbour that nobody has seen runs" timeout -s KILL 20 /mnt/ext4/tac2 /dev/null
kill -0 "$controller"
passed $? "the controller lives"
like "$(cat /proc/"$controller"/task/*/wchan)" request_wait_answer "threads of it wait for the server"

kill -9 "$controller"
runs "it is killed: a neighbour runs" timeout -s KILL 20 /mnt/ext4/tac3 /dev/null
is "$(awk '/^State:/ { print $2 }' "/proc/$controller/status")" Z "it is dead, and not gone"
sleep 3
runs "so does another, once the watchdog has acted" timeout -s KILL 5 /mnt/ext4/tac4 /dev/null

end_attack
wait "$controller"
controller -p "$work/policy.yaml"
is_denied "the next controller: what is banned is refused" /mnt/ext4/nl3 /dev/null
runs "its neighbour runs" /mnt/ext4/tac5 /dev/null
stop_controller
unload
runs "what was banned runs after" /mnt/ext4/nl4 /dev/null
done_testing
