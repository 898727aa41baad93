# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A banned copy of a real program, by every way in.
title "A program is banned by what it is, not by where it lies"
cd /tmp || exit
cp /usr/bin/nl ./banned-tool && cp /usr/bin/paste ./neighbour
cp "$(ldd /usr/bin/ls | awk '/libselinux/ { print $3 }')" ./banned-library.so
printf x >>./banned-library.so # so that Debian's own goes on
cat >ban.yaml <<EOF
ban: demo
title: A tool that this demonstration does not want
rules:
  - sha256: $(sha256sum <banned-tool | cut -c1-64)
    note: nl, as Debian ships it
  - sha256: $(sha256sum <banned-library.so | cut -c1-64)
EOF
show cat ban.yaml
show ./banned-tool --version '|' head -n 1
expect ok "nothing is loaded: it runs"
show debar load -p ban.yaml
expect ok
show ./banned-tool --version
expect refused "refused by exec"
show cp banned-tool innocent '&&' ./innocent --version
expect refused "a copy under another name is the same content"
show /lib64/ld-linux-x86-64.so.2 ./banned-tool --version
expect refused "the dynamic loader may not map it either"
show /debar/build/tests/kernel/act memfd ./banned-tool
expect refused "nor is it run from memory, with no file at all"
show LD_PRELOAD=./banned-library.so /usr/bin/true
expect ok "a banned library is left out"
show /usr/bin/nl --version
expect refused "and Debian's own is the same content, too"
show ./neighbour --version '|' head -n 1
expect ok "its neighbour runs"
cd /debar || exit
