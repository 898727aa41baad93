#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
#
# When and for whom names and addresses are banned: phases, the word of a rule, exceptions of every
# kind and their end, several bans; all by the kernel's own clock, with nothing reloaded.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

serve 192.0.2.53 198.51.100.10 203.0.113.7 203.0.113.8
mkdir "$cgroup/free"
at_exit "rmdir $cgroup/free"
below=${cgroup#"$cgroups"}

later() { # SECONDS
	date -u -d "+$1 seconds" +%FT%TZ
}

n=192.0.2.53
dns() { # WANT WHAT NAME [COMMAND...]
	says "$1" "$2" "${@:4}" "$peer" dns $n 53 "$3"
}

# ---- phases ---------------------------------------------------------------------------------------

cat >"$work/phases.yaml" <<-POLICY
	ban: phases
	phases:
	  - from: 2024-01-01T00:00:00Z
	    exec: off
	    network: audit
	  - from: $(later 8)
	    exec: off
	    network: deny
	  - from: $(later 14)
	    exec: off
	    network: off
	rules:
	  - domain: phased.example
	  - domain: watched.example
	    action: audit
	  - network: 203.0.113.7
POLICY
enforce "$work/phases.yaml"
began=$SECONDS
dns answer "phase audit: a name passes" www.phased.example
says connected "phase audit: an address passes" "$peer" connect 203.0.113.7 443
told 'audited +dns +www.phased.example .*peer' "phase audit: an event says what would be"
told 'audited +connect +203.0.113.7 .*peer' "phase audit: and of the address"
sleep $((began + 9 - SECONDS))
dns EPERM "phase deny has come by itself: the name" www.phased.example
says ECONNREFUSED "phase deny: the address" "$peer" connect 203.0.113.7 443
dns answer "phase deny: a rule that says audit" www.watched.example
told 'audited +dns +www.watched.example' "phase deny: that rule is told of"
told 'denied +dns +www.phased.example' "phase deny: and the others"
sleep $((began + 15 - SECONDS))
dns answer "phase off: the name" www.phased.example
says connected "phase off: the address" "$peer" connect 203.0.113.7 443
stop
lift

# ---- exceptions -----------------------------------------------------------------------------------

cat >"$work/excepts.yaml" <<-POLICY
	ban: excepts
	rules:
	  - domain: vendor.example
	  - network: 203.0.113.0/24
	except:
	  - domain: tools.vendor.example
	    reason: removal
	  - domain: =exactly.vendor.example
	    reason: this name only
	  - domain: soon.vendor.example
	    reason: for a moment
	    until: $(later 8)
	  - network: 203.0.113.8
	    reason: a neighbour
	  - uid: 4242
	    reason: forensics
	  - cgroup: $below/free
	    reason: forensics
POLICY
cat >"$work/other.yaml" <<-'POLICY'
	ban: other
	rules:
	  - domain: shared.vendor.example
	except:
	  - domain: only-there.vendor.example
	    reason: speaks for this ban alone
POLICY
enforce "$work/excepts.yaml" -p "$work/other.yaml"
began=$SECONDS
as=(setpriv --reuid 4242 --clear-groups)
in_free=(bash -c "echo \$\$ >$cgroup/free/cgroup.procs; exec \"\$@\"" -)
dns EPERM "a name" www.vendor.example
dns answer "an excepted name" tools.vendor.example
dns answer "a name below it" x.tools.vendor.example
dns answer "an excepted name, exactly" exactly.vendor.example
dns EPERM "a name below that" x.exactly.vendor.example
dns answer "an exception with an end" soon.vendor.example
dns EPERM "an exception of another ban" only-there.vendor.example
says ECONNREFUSED "an address" "$peer" connect 203.0.113.7 443
says connected "an excepted address in a banned network" "$peer" connect 203.0.113.8 443
dns answer "an excepted user: a name" www.vendor.example "${as[@]}"
says connected "an excepted user: an address" "${as[@]}" "$peer" connect 203.0.113.7 443
says answer "an excepted user: TLS" "${as[@]}" "$peer" tls 198.51.100.10 443 www.vendor.example tcp
says ECONNABORTED "another user: TLS" "$peer" tls 198.51.100.10 443 www.vendor.example tcp
dns EPERM "an excepted user, a name of the other ban, too" shared.vendor.example "${as[@]}"
dns answer "an excepted cgroup: a name" www.vendor.example "${in_free[@]}"
says connected "an excepted cgroup: an address" "${in_free[@]}" "$peer" connect 203.0.113.7 443
says answer "an excepted cgroup: TLS" "${in_free[@]}" "$peer" tls 198.51.100.10 443 www.vendor.example tcp
sleep $((began + 9 > SECONDS ? began + 9 - SECONDS : 0))
dns EPERM "an exception that has ended" soon.vendor.example

rmdir "$cgroup/free"
mkdir "$cgroup/free.other" "$cgroup/free" # so that the number is another
at_exit "rmdir $cgroup/free.other"
sleep 1.5
dns answer "an excepted cgroup that was made again" www.vendor.example "${in_free[@]}"
stop
lift
dns answer "afterwards" www.vendor.example
done_testing
