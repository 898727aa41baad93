# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What phones home: real programs and servers, every way to a banned name, its neighbour, and who tried.
cd /tmp || exit
mkdir -p net/nginx
for program in curl dig dnsmasq nginx; do
	command -v $program >/dev/null && continue
	say "(the scene of the network is left out: $program is not here; scripts/setup has it)"
	return 0
done
ip link set lo up
for address in 192.0.2.53 8.8.8.8 198.51.100.10 203.0.113.7; do
	ip addr add $address/32 dev lo
done
printf '[req]\ndistinguished_name=dn\n[dn]\n' >net/openssl.conf
openssl req -config net/openssl.conf -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout net/key -out net/cert \
	-subj /CN=demo -days 2 2>/dev/null
cat >net/nginx.conf <<'EOF'
daemon off; master_process off; pid /tmp/net/nginx/pid; error_log /tmp/net/nginx/errors; user root;
events { }
http {
	access_log off; client_body_temp_path /tmp/net/nginx/a; proxy_temp_path /tmp/net/nginx/b;
	fastcgi_temp_path /tmp/net/nginx/c; uwsgi_temp_path /tmp/net/nginx/d; scgi_temp_path /tmp/net/nginx/e;
	server {
		listen 80; listen 443 ssl; ssl_certificate /tmp/net/cert; ssl_certificate_key /tmp/net/key;
		location / { return 200 "hello from $host\n"; }
	}
}
EOF
mkdir -p /var/log/nginx /var/lib/nginx
nginx -c /tmp/net/nginx.conf >net/servers 2>&1 &
dnsmasq -k --no-hosts --no-resolv --conf-file=/dev/null --pid-file= -u root --address=/#/198.51.100.10 \
	--host-record=www.vendor.example,198.51.100.10 --cname=alias.example.net,www.vendor.example >>net/servers 2>&1 &
echo 'nameserver 192.0.2.53' >/etc/resolv.conf
cat >net/policy.yaml <<'EOF'
ban: demo-network
rules:
  - domain: vendor.example
  - network: 203.0.113.0/24
EOF
until curl -so /dev/null http://198.51.100.10/ && dig +tries=1 +time=1 @192.0.2.53 x.example >/dev/null; do
	sleep 0.2
	tries=$((${tries-0} + 1))
	[ $tries -lt 50 ] || break
done
if [ "${tries-0}" -ge 50 ]; then
	show 'cat net/servers; false'
	expect ok "the servers start"
	return 0
fi

# Each row: a command with @ for the name, and what it is.
rows=(
	'getent hosts @|the resolver of the system'
	'dig +short +tries=1 +time=2 @8.8.8.8 @ | grep ^198|another resolver'
	'dig +short +tcp +tries=1 +time=2 @8.8.8.8 @ | grep ^198|and over TCP'
	'curl -sk -m 5 https://@/|a fetch'
	'curl -sk -m 5 --resolve @:443:198.51.100.10 https://@/|with an address from elsewhere: the name in TLS'
	'curl -s -m 5 -H Host:@ http://198.51.100.10/|in HTTP'
	'curl -s -m 5 -x http://198.51.100.10:80 http://@/|through a proxy'
)
each() { # NAME ok|refused
	local row
	for row in "${rows[@]}"; do
		line=${row%|*}
		line=${line//@8.8.8.8/RESOLVER}
		line=${line//@/$1}
		show "${line//RESOLVER/@8.8.8.8}"
		expect "$2" "${row##*|}: $2"
	done
}

title "A vendor's names and addresses, by real programs"
show cat net/policy.yaml
show curl -sk https://www.vendor.example/ https://203.0.113.7/
expect ok "before"
debar run -p net/policy.yaml >net/events 2>&1 &
controller=$!
until grep -q ^running net/events; do sleep 0.1; done
each www.Vendor.example refused
show 'dig +short +tries=1 +time=2 alias.example.net | grep ^198'
expect refused "an alias of it: the answer is refused"
for address in 203.0.113.7 '[::ffff:203.0.113.7]'; do
	show curl -sk -m 5 "https://$address/"
	expect refused "an address, however it is written"
done
title "Its neighbour works"
each www.notvendor.example ok
title "And who tried is named"
sleep 0.5
show 'grep denied net/events | cut -c 1-160'
for who in getent curl isc-net; do # dig calls itself so
	show "grep -c 'denied.*$who' net/events"
	expect ok "$who"
done
kill $controller
wait $controller
show debar unload
expect ok
show curl -sk https://www.vendor.example/
expect ok "afterwards"
