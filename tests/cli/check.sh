#!/bin/bash
# SPDX-License-Identifier: MIT
# debar check: what it says of files, names and addresses, and what it refuses to look at.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

runs "debar can be run" "$DEBAR" help
export DEBAR_BANS=$PWD/policy/bans
cd "$work" || exit
DEBAR=$(cd "$OLDPWD" && realpath "$DEBAR")
field() { jq -r "$1" <<<"$output"; }

printf 'plain words\n' >file
printf 'other words\n' >neighbour
sha=$(sha256sum <file | cut -c1-64)
cat >policy.yaml <<END
ban: test
phases:
  - {from: 2024-01-01T00:00:00Z, exec: audit, network: audit}
  - {from: 2024-06-01T00:00:00Z, exec: deny, network: deny}
rules:
  - sha256: $sha
    note: plain.deb
  - domain: bad.example
  - domain: =only.example
  - network: 203.0.113.0/24
  - path: $work/banned/
except:
  - {domain: ok.bad.example, reason: support, until: 2099-01-01T00:00:00Z}
END

# files
exits 1 "a banned file" "$DEBAR" check -p policy.yaml file
is "$(head -n 2 <<<"$output")" "file: denied
  because       its sha256 $sha is banned by $work/policy.yaml:6 (plain.deb) of ban test: denied since 2024-06-01T00:00:00Z" \
	"is denied, with the key, the line, and since when"
unlike "$output" $'\033' "without colours where there is no terminal"
exits 0 "its neighbour" "$DEBAR" check -p policy.yaml neighbour
like "$output" '^neighbour: allowed$' "is allowed"
exits 1 "--at an instant of audit" "$DEBAR" check -p policy.yaml --at 2024-03-01T00:00:00Z file
like "$output" 'only reported until 2024-06-01T00:00:00Z' "only reported, until then"
exits 0 "--at an instant before all phases" "$DEBAR" check -p policy.yaml --at 2023-03-01T00:00:00Z file
like "$output" 'which is off until 2024-01-01T00:00:00Z' "off, until then"
cp file copy
ln -s copy link
exits 1 "a copy by another name, through a link" "$DEBAR" check -p policy.yaml link
mkdir banned
cp neighbour banned/
exits 1 "a file below a banned path" "$DEBAR" check -p policy.yaml banned/neighbour
like "$output" "its path $work/banned/ is banned" "is denied by its path"
exits 0 "the same file elsewhere" "$DEBAR" check -p policy.yaml neighbour

# too large to be hashed when it runs
cp /bin/true huge
truncate -s 513M huge
exits 0 "a program above the cap" "$DEBAR" check -p policy.yaml huge
sed '1a oversize: deny' policy.yaml >oversize.yaml
exits 1 "where the ban says oversize: deny" "$DEBAR" check -p oversize.yaml huge
like "$output" 'it is above 512 MiB.*ban test says oversize: deny: denied since 2024-06-01' "is denied for its size"
exits 1 "at an instant of audit" "$DEBAR" check --json -p oversize.yaml --at 2024-03-01T00:00:00Z huge
is "$(field '[.verdict, .ban, .rule] | tostring')" '["audit","test",null]' "is audited, by no rule"
printf 'data' | dd of=huge conv=notrunc status=none
exits 0 "data of that size, which does not run" "$DEBAR" check -p oversize.yaml huge
rm huge

# JSON
exits 1 "--json" "$DEBAR" check --json -p policy.yaml file
is "$(field 'keys_unsorted | join(" ")')" \
	"path size type sha256 authenticode buildid package signers verdict ban rule because" \
	"the keys of the contract, in its order"
is "$(field '[.path, .size, .type, .sha256, .authenticode, .buildid, .package, .signers, .verdict, .ban, .rule] | tostring')" \
	"[\"file\",12,\"data\",\"$sha\",null,null,null,[],\"deny\",\"test\",\"test/policy.yaml:6\"]" "and their values"
exits 0 "--json of an allowed file" "$DEBAR" check --json -p policy.yaml neighbour
is "$(field '[.verdict, .ban, .rule] | tostring')" '["allow",null,null]' "no ban and no rule"
exits 0 "an ELF" "$DEBAR" check --json -p policy.yaml /bin/sh
is "$(field '[.type, .sha256] | join(" ")')" "elf $(sha256sum /bin/sh | cut -c1-64)" "is one"
is "$(field .buildid)" "$(readelf -n /bin/sh | sed -n 's/.*Build ID: //p')" "with the build-id that readelf sees"

# names
while read -r name want; do
	try "$DEBAR" check --json -p policy.yaml "$name"
	is "$(field '"\(.name) \(.verdict)"')" "$want" "the name $name"
done <<'END'
bad.example bad.example deny
www.bad.example www.bad.example deny
WWW.Bad.Example. www.bad.example deny
notbad.example notbad.example allow
bad.example.org bad.example.org allow
ok.bad.example ok.bad.example allow
a.ok.bad.example a.ok.bad.example allow
only.example only.example deny
www.only.example www.only.example allow
bücher.example xn--bcher-kva.example allow
END
exits 0 "an excepted name" "$DEBAR" check -p policy.yaml ok.bad.example
like "$output" 'but an exception of that ban lets it pass' "says so"

# addresses
while read -r address want; do
	try "$DEBAR" check --json -p policy.yaml "$address"
	is "$(field '"\(.address) \(.verdict)"')" "$want" "the address $address"
done <<'END'
203.0.113.0 203.0.113.0 deny
203.0.113.255 203.0.113.255 deny
203.0.114.0 203.0.114.0 allow
::ffff:203.0.113.7 203.0.113.7 deny
64:ff9b::203.0.113.7 203.0.113.7 deny
2001:db8::1 2001:db8::1 allow
END

# several at once; a file before a name
printf x >bad.example
exits 0 "what exists is a file, not a name" "$DEBAR" check -p policy.yaml bad.example
rm bad.example
exits 1 "several, one banned" "$DEBAR" check --json -p policy.yaml neighbour file bad.example
is "$(jq -r .verdict <<<"$output" | tr '\n' ' ')" "allow deny deny " "are answered in their order"

# shipped bans, where nothing is configured
if [ -e /etc/debar/policy.d ]; then
	skip "without -p, all shipped bans" "policies are configured on this machine"
else
	exits 1 "without -p, all shipped bans" "$DEBAR" check --json www.kaspersky.com
	like "$(field .ban)" '^kaspersky' "say kaspersky"
fi
exits 1 "a shipped ban by its id" "$DEBAR" check -p tiktok tiktok.com

# what is not looked at: a line each, and the others are answered
mkfifo fifo
mkdir dir
ln -s nowhere dangling
ln -s loop loop
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")' 2>/dev/null
refused() {
	exits 2 "$1" timeout 20 "$DEBAR" check -p policy.yaml "$2" file
	is "$(grep -c . <<<"$errors")" 1 "is refused in one line"
	like "$errors" "^debar: cannot check $2: $3" "that says why"
	like "$output" '^file: denied' "and the next is answered"
}
refused "a FIFO" fifo "is a FIFO, a socket or a device, not a file"
refused "a directory" dir "is a directory; debar scan takes trees"
refused "a device" /dev/zero "is a FIFO, a socket or a device, not a file"
refused "a device that is a terminal" /dev/tty "is a FIFO, a socket or a device, not a file"
[ ! -e socket ] || refused "a socket" socket "is a FIFO, a socket or a device, not a file"
refused "nothing" ./missing "No such file or directory"
refused "a link to nothing" dangling "No such file or directory"
refused "a link to itself" loop "Too many levels of symbolic links"
refused "a file as a directory" file/x "Not a directory"
refused "a word" missing "is neither a file here, nor a name, nor an address"
refused "a name with an empty label" a..example "."
refused "a name with a label of 64" "$(printf 'a%.0s' {1..64}).example" "."
refused "almost an address" 203.0.113.256 "."
refused "an address and a port" 203.0.113.7:443 "."
exits 2 "an empty word" "$DEBAR" check -p policy.yaml ""
exits 2 "a path longer than any" "$DEBAR" check -p policy.yaml "/$(printf 'a%.0s' {1..5000})"
: >empty
exits 0 "an empty file" "$DEBAR" check -p policy.yaml empty
truncate -s 2T sparse 2>/dev/null && rm -f sparse

# names that could write to a terminal
printf x >$'evil\033[2J\nname'
exits 0 "a hostile name" "$DEBAR" check -p policy.yaml $'evil\033[2J\nname'
is "$(head -n 1 <<<"$output")" 'evil\x1b[2J\x0aname: allowed' "is printed harmlessly"
printf x >$'bytes\xff'
exits 0 "a name that is not UTF-8" "$DEBAR" check --json -p policy.yaml $'bytes\xff'
is "$(field .path)" 'bytes\xff' "is JSON all the same"

# usage
usage() {
	exits 2 "$1" "$DEBAR" check "${@:3}"
	like "$errors" "$2" "$1: says what is wrong"
	is "$output" "" "$1: prints no result"
}
usage "nothing named" "nothing is named that could be checked"
usage "an unknown option" "does not take --nope" --nope file
usage "an unknown letter" "does not take -x" -x file
usage "-p without a value" "needs a value" -p
usage "--at without a value" "needs a value" --at
usage "--at twice" "--at is given twice" --at 2024-01-01T00:00:00Z --at 2024-01-01T00:00:00Z file
usage "--json twice" "--json is given twice" --json --json file
usage "--at without a zone" "a time without a zone" --at 2024-01-01T00:00:00 file
usage "--at that is no day" "^debar: --at 2024-02-30" --at 2024-02-30T00:00:00Z file
usage "a policy that is not there" "cannot read policy ./none.yaml" -p ./none.yaml file
usage "a shipped ban that is not there" "cannot read policy nobody" -p nobody file
printf 'ban: t\nrules:\n  - sha256: xyz\n' >bad.yaml
usage "a policy with an error" "bad.yaml:3:" -p bad.yaml file
# shellcheck disable=SC2016 # for the inner shell
exits 2 "a full disk" bash -c '"$0" check --json -p policy.yaml file >/dev/full' "$DEBAR"
like "$errors" 'cannot write to stdout' "is an error"
# shellcheck disable=SC2016 # for the inner shell
exits 2 "a closed stdout" bash -c '"$0" check --json -p policy.yaml file >&-' "$DEBAR"
done_testing
