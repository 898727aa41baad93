# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# For tests in the guest: everything of tests/tap.sh, and loading debar. See scripts/run-tests for
# what the comments at a test's head choose (kernels, timeout, own boot). $work is on tmpfs, and
# /mnt/ext4 is an ext4 file system.

# shellcheck source=tests/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"

[ -e /job.env ] || skip_all "only in a guest: scripts/run-tests kernel"
at_exit "$DEBAR unload"
rm -f /run/debar/events.json /run/debar/events.json.1 # of the tests before in this guest

# ban FILE...: a policy that bans these contents; its path.
ban() {
	local policy file
	policy=$(mktemp "$work/policy.XXXXXX")
	{
		printf 'ban: test\nrules:\n'
		for file; do
			printf '  - sha256: %s\n' "$(sha256sum <"$file" | cut -c1-64)"
		done
	} >"$policy"
	mv "$policy" "$policy.yaml"
	echo "$policy.yaml"
}

# fact FILE FILTER: what debar check says of it, by jq, banned or not.
fact() {
	printf 'ban: none\nrules:\n  - sha256: %064d\n' 1 >"$work/none.yaml"
	"$DEBAR" check --json -p "$work/none.yaml" "$1" | jq -r "$2"
}

# sign FILE INTO SIGNER...: FILE with one signature by all of these, appended as on kernel modules.
# $sign_with: words for openssl cms, such as -nocerts.
export sign_with=''
sign() {
	local file=$1 into=$2 signers=() name
	shift 2
	printf '[req]\ndistinguished_name = name\n[name]\n' >"$work/openssl.cnf"
	for name; do
		[ -e "$work/$name.pem" ] || openssl req -config "$work/openssl.cnf" -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
			-keyout "$work/$name.key" -out "$work/$name.pem" -subj "/O=Test/CN=$name" 2>"$work/req" ||
			tap_note "$(cat "$work/req")"
		signers+=(-signer "$work/$name.pem" -inkey "$work/$name.key")
	done
	# shellcheck disable=SC2086 # no word, or some
	openssl cms -sign -binary $sign_with -outform DER -md sha256 -in "$file" -out "$work/cms" "${signers[@]}"
	{
		cat "$file" "$work/cms"
		printf '\0\0\2\0\0\0\0\0'
		printf '%08x' "$(stat -c %s "$work/cms")" | sed 's/../\\x&/g' | xargs -0 printf %b
		printf '~Module signature appended~\n'
	} >"$into"
	chmod 755 "$into"
}

# unsign FILE INTO: without what sign put there.
unsign() {
	local signature
	signature=$((16#$(tail -c 32 "$1" | od -An -tx1 -N4 | tr -d ' \n')))
	head -c $(($(stat -c %s "$1") - signature - 40)) "$1" >"$2"
}

# module INTO: the kernel's own dummy, signed as Debian signs it; rmmod dummy takes it out.
module() {
	local file
	file=$(modprobe -S "$(uname -r)" --show-depends dummy | sed -n 's/^insmod //p' | tr -d ' ')
	case $file in
	*.xz) xz -dc <"$file" >"$1" ;;
	*) cp "$file" "$1" ;;
	esac
}

# binfmt RULE...: programs for which an interpreter is named, until the test's end.
binfmt() {
	local misc=/proc/sys/fs/binfmt_misc rule
	if [ ! -e $misc/status ]; then
		modprobe binfmt_misc 2>/dev/null
		mount -t binfmt_misc binfmt_misc $misc
		at_exit "echo -1 >$misc/status; umount $misc"
	fi
	for rule; do
		echo "$rule" >$misc/register
	done
}

# load POLICY [OPTION]...: enforce it, with no controller left running.
load() {
	local policy=$1
	shift
	runs "debar load" "$DEBAR" load -p "$policy" "$@"
}

unload() {
	runs "debar unload" "$DEBAR" unload
}

# controller [ARG]...: debar run with these arguments, in the background, until stop_controller or
# the test's end. Its events are in $work/events and its messages in $work/messages.
controller() {
	local tries=0
	# Here, not by the one in the background: an earlier start's words would be taken for this one's.
	truncate -s 0 "$work/events" "$work/messages"
	"$DEBAR" run "$@" >"$work/events" 2>"$work/messages" &
	controller=$!
	at_exit "kill -9 $controller"
	until grep -q running "$work/events"; do
		if ! kill -0 $controller 2>/dev/null || [ $((++tries)) -gt 200 ]; then
			not_ok "debar run starts" "$(cat "$work/messages")"
			return 1
		fi
		sleep 0.1
	done
	ok "debar run starts"
}

stop_controller() {
	kill -TERM "$controller"
	wait "$controller"
	is $? 0 "debar run ends cleanly"
}

# make_pair: $work/banned and $work/neighbour, programs that are nobody else's, one byte apart.
make_pair() {
	cp /usr/bin/true "$work/banned" && printf b >>"$work/banned"
	cp /usr/bin/true "$work/neighbour" && printf n >>"$work/neighbour"
	chmod 755 "$work" # so that other users reach it
}

export why='' # a scratch could not be had

# Ways round, by name: lines of shell about a file called banned.
declare -A ways=()

# all_run WHEN [SED]: every way works; SED makes of it what the neighbour does.
all_run() {
	local way
	for way in "${!ways[@]}"; do
		runs "$way: $1" bash -c "$(sed "${2-}" <<<"${ways[$way]}")"
	done
}

all_refused() {
	local way
	for way in "${!ways[@]}"; do
		is_denied "$way: refused while loaded" bash -c "${ways[$way]}"
	done
}

# prove POLICY: every way works before, is refused while loaded, not for the neighbour, works after.
prove() {
	all_run "works before"
	load "$1"
	all_refused
	all_run "its neighbour runs" 's/banned/neighbour/g'
	unload
	all_run "works after"
}

# limit WHAT COMMAND [ARG]...: debar does not stop this, and the README says so. Should it one day,
# then that is news, and this test fails.
limit() {
	local what=$1
	shift
	runs "STATED LIMIT: $what" "$@"
}

# refused_while_loaded WHAT POLICY COMMAND NEIGHBOUR: the proof that a refusal is debar's and hits
# nothing else. Both commands are lines of shell.
refused_while_loaded() {
	runs "$1: works before" bash -c "$3"
	load "$2"
	is_denied "$1: refused while loaded" bash -c "$3"
	runs "$1: its neighbour runs" bash -c "$4"
	unload
	runs "$1: works after" bash -c "$3"
}

# The kernel's own NFS server, told by hand what a mountd would tell it, and a mount of it.
mount_nfs() { # DIRECTORY MOUNT
	modprobe -a nfsd nfsv4 2>/dev/null || { why="this kernel has no NFS server"; return 1; }
	mkdir -p /var/lib/nfs/v4recovery
	grep -q ' nfsd ' /proc/mounts || mount -t nfsd nfsd /proc/fs/nfsd
	echo "-2 -3 +4" >/proc/fs/nfsd/versions # those need a portmapper
	echo 10 >/proc/fs/nfsd/nfsv4leasetime
	echo 10 >/proc/fs/nfsd/nfsv4gracetime
	echo "nfsd 127.0.0.1 2147483647 here" >/proc/net/rpc/auth.unix.ip/channel
	# 9218: fsid 0, any port, no subtree check; nobody is made another user.
	echo "here $1 2147483647 9218 65534 65534 0" >/proc/net/rpc/nfsd.export/channel
	printf '%s\n' "here 1 \\x00000000 2147483647 $1" >/proc/net/rpc/nfsd.fh/channel
	echo "tcp 2049" >/proc/fs/nfsd/portlist
	echo 2 >/proc/fs/nfsd/threads
	at_exit "echo 0 >/proc/fs/nfsd/threads"
	echo Y >/proc/fs/nfsd/v4_end_grace
	why=$(mount -i -t nfs4 127.0.0.1:/ "$2" \
		-o vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1,sec=sys,noac 2>&1)
}

mount_fuse() { # DIRECTORY MOUNT
	local program=/usr/bin/fuse-overlayfs
	modprobe fuse 2>/dev/null
	[ -x $program ] || { why="fuse-overlayfs is not installed"; return 1; }
	[ -c /dev/fuse ] || { why="this kernel has no FUSE"; return 1; }
	mkdir -p "$work"/fuse/{lower,work}
	why=$($program -o "lowerdir=$work/fuse/lower,upperdir=$1,workdir=$work/fuse/work" "$2" 2>&1)
}

# scratch KIND: an empty directory on tmpfs, ext4 or overlay; its path in $scratch. Or on fuse or nfs:
# then what it is served from is in $server; it fails, and $why says why, where there is none.
scratch() {
	scratch=$work/$1
	case $1 in
	tmpfs) mkdir -p "$scratch" ;;
	ext4)
		scratch=$(mktemp -d /mnt/ext4/XXXXXX)
		at_exit "rm -rf $scratch"
		;;
	overlay)
		mkdir -p "$scratch" "$work"/layers/{lower,upper,work}
		modprobe overlay
		mount -t overlay overlay "$scratch" \
			-o "lowerdir=$work/layers/lower,upperdir=$work/layers/upper,workdir=$work/layers/work"
		at_exit "umount -l $scratch"
		;;
	fuse | nfs)
		server=$work/server-$1
		mkdir -p "$scratch" "$server"
		"mount_$1" "$server" "$scratch" || return
		at_exit "umount -l $scratch"
		;;
	esac
}
