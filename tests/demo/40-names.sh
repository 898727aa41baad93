# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Names and addresses; then a shipped ban, which says why.
cd /tmp || exit
title "Names, in the packets of any program; addresses"
cat >names.yaml <<EOF
ban: demo-names
rules:
  - domain: vendor.example
  - network: 192.0.2.0/24
EOF
show cat names.yaml
show debar load -p names.yaml
expect ok
show busybox nslookup Updates.VENDOR.example 127.0.0.1
expect refused "a question to any resolver, in any case of letters, does not leave"
show 'exec 3<>/dev/tcp/192.0.2.1/443'
expect refused "a connection is refused at once"
show debar events '|' grep demo-names
expect ok
show "debar events | grep -q ' dns .*vendor.example'"
expect ok "the question was refused by the policy, and not for want of a resolver"
show debar unload
expect ok
cd /debar || exit

title "A shipped ban: why, since when, by whose authority"
export DEBAR_BANS=/debar/policy/bans
show debar policy explain -p kaspersky s00.upd.kaspersky.com
expect ok
title "What would happen, and what would have at another time"
show debar check -p kaspersky s00.upd.kaspersky.com
expect 1 "denied, and exit status 1"
show debar check -p kaspersky --at 2024-08-01T00:00:00Z s00.upd.kaspersky.com
expect 1 "only reported then"
show debar check -p kaspersky support.kaspersky.com
expect ok "an exception: removal tools"
