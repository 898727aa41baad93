#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
# The hook of apt: a package that a ban denies ends apt's run before a line of it has run. Real apt and
# dpkg, in a root of their own; the package's preinst leaves a mark there.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

for program in apt-get dpkg dpkg-deb; do
	type -P $program >/dev/null || skip_all "no $program here"
done
root=$work/root
mkdir -p "$root"/var/lib/dpkg/{info,updates} "$root"/state/lists/partial "$root"/cache/archives/partial \
	"$root"/etc/apt/{apt.conf.d,preferences.d,sources.list.d,trusted.gpg.d} "$root"/log "$work/policy.d"
touch "$root"/var/lib/dpkg/{status,available}
DEBAR=$(realpath "$DEBAR")
export DEBAR DEBAR_POLICY_DIR=$work/policy.d APT_CONFIG=$work/apt.conf
make -s install DESTDIR="$work/install" PREFIX=/usr >"$work/install.log" 2>&1
hook=$work/install/usr/share/debar/apt-hook
cat >"$APT_CONFIG" <<END
Dir::State "$root/state";
Dir::State::status "$root/var/lib/dpkg/status";
Dir::Cache "$root/cache";
Dir::Etc "$root/etc/apt";
Dir::Log "$root/log";
APT::Sandbox::User "root";
DPkg::Options { "--root=$root"; "--force-script-chrootless"; "--force-not-root"; "--log=$root/log/dpkg"; };
Dpkg::Use-Pty "false";
END

# build NAME [DEPENDS]: $work/NAME.deb, whose preinst leaves $root/NAME.
build() {
	mkdir -p "$work/$1/DEBIAN" "$work/$1/opt/$1"
	echo "$1" >"$work/$1/opt/$1/file"
	printf 'Package: %s\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: a test\n%s' \
		"$1" "${2:+Depends: $2$'\n'}" >"$work/$1/DEBIAN/control"
	# shellcheck disable=SC2016 # for dpkg to expand
	printf '#!/bin/sh\ntouch "$DPKG_ROOT/%s"\n' "$1" >"$work/$1/DEBIAN/preinst"
	chmod 755 "$work/$1/DEBIAN/preinst"
	dpkg-deb --root-owner-group -b "$work/$1" "$work/$1.deb" >"$work/build.log" 2>&1
}

install() {
	apt-get -y install "$@"
}

again() { # nothing was ever installed
	rm -rf "$root"/{banned,neighbour,opt}
	: >"$root/var/lib/dpkg/status"
	rm -f "$root"/var/lib/dpkg/info/*
}

marks() {
	for mark in banned neighbour; do
		[ ! -e "$root/$mark" ] || printf '%s ' $mark
	done
}

put() {
	printf 'ban: test\n%s\nrules:\n  - %s\n' "${2-}" "$1" >"$work/policy.d/test.yaml"
}

build banned
build neighbour banned
runs "without the hook a package is installed" install "$work/banned.deb" "$work/neighbour.deb"
is "$(marks)" "banned neighbour " "and its preinst leaves a mark"

sed "s,/usr/share/debar,$work/install/usr/share/debar,g" "$work/install/usr/share/debar/apt.conf" \
	>"$root/etc/apt/apt.conf.d/90debar"
again
runs "with the hook and no policy it is, too" install "$work/banned.deb"
sum=$(sha256sum <"$work/banned.deb" | cut -c1-64)
for rule in "package: banned" "package: bann*" "sha256: $sum"; do
	again
	put "$rule"
	exits 100 "$rule: apt ends" install "$work/banned.deb"
	is "$(marks)" "" "before the preinst has run"
	like "$errors" 'banned.deb: denied' "and says which package"
	exits 100 "$rule: and with what needs it" install "$work/neighbour.deb" "$work/banned.deb"
	is "$(marks)" "" "nothing of the run is installed"
done
cp tests/fuzz/corpus/deb/acme_sig.deb "$work/"
put "certificate: { issuer: { CN: OpenPGP }, serial: 0ffb6299a8703ac5 }"
plan() {
	printf 'VERSION 3\nAPT::Architecture=amd64\n\n'
	printf '%s - - none < 1.0 all none %s\n' "$@"
}
hook() {
	plan "$@" >"$work/plan"
	"$hook" <"$work/plan"
}
exits 1 "a signing key" hook acme-agent "$work/acme_sig.deb"
exits 0 "another one" hook banned "$work/banned.deb"

again
put "package: banned" "phases: [{from: 2020-01-01T00:00:00Z, exec: audit, network: audit}]"
runs "what is only reported is installed" install "$work/banned.deb"
again
put "package: other"
runs "another package is installed" install "$work/banned.deb"
put "package: banned"
runs "what is banned can be removed" apt-get -y remove banned

# what cannot be read
exits 0 "nothing to unpack" hook banned '**CONFIGURE**' other '**REMOVE**'
exits 1 "a package that is not there" hook banned "$work/nowhere.deb"
exits 1 "a file without a path" hook banned nowhere.deb
mkdir "$work/with space"
cp "$work/banned.deb" "$work/with space/a \"verdict\":\"allow\".deb"
exits 1 "a name with spaces and quotes" hook banned "$work/with space/a \"verdict\":\"allow\".deb"
try "$hook" </dev/null
is $status 1 "no plan at all"
printf 'VERSION 2\n\n' >"$work/plan"
try bash -c "'$hook' <'$work/plan'"
is $status 1 "a plan of another version"
printf 'nonsense' >"$work/policy.d/test.yaml"
exits 1 "a broken policy" hook banned "$work/banned.deb"
rm "$work/policy.d/test.yaml"
exits 0 "no policy" hook banned "$work/banned.deb"
done_testing
