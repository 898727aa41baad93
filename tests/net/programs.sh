#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
#
# Names and addresses with the programs that people use: each worked before, is refused while the
# policy is loaded, soon and not after its time-outs, and a thousand names that look alike work on.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

for program in dnsmasq nginx curl openssl; do
	command -v $program >/dev/null || [ -x /usr/sbin/$program ] || skip_all "$program is not here"
done
PATH=$PATH:/usr/sbin
mkdir "$work/nginx"
chmod 755 "$work" "$work/nginx"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key" -out "$work/cert" \
	-subj /CN=test -days 2 2>/dev/null
cat >"$work/nginx.conf" <<-NGINX
	daemon off; master_process off; pid $work/nginx/pid; error_log $work/nginx/errors;
	events { }
	http {
		access_log off;
		client_body_temp_path $work/nginx/a; proxy_temp_path $work/nginx/b; fastcgi_temp_path $work/nginx/c;
		uwsgi_temp_path $work/nginx/d; scgi_temp_path $work/nginx/e;
		server {
			listen 198.51.100.10:80; listen 198.51.100.10:443 ssl;
			ssl_certificate $work/cert; ssl_certificate_key $work/key; ssl_protocols TLSv1.2 TLSv1.3;
			location / { return 200 "hello\n"; }
		}
	}
NGINX
background() {
	(echo 0 >"$home/cgroup.procs" && exec "$@") >/dev/null 2>&1 &
	at_exit "kill $!"
}
background nginx -c "$work/nginx.conf"
background dnsmasq -k --no-hosts --no-resolv --conf-file=/dev/null --bind-interfaces --listen-address=192.0.2.53 \
	--listen-address=8.8.8.8 --address=/#/198.51.100.10 --pid-file= -u root
echo "nameserver 192.0.2.53" >"$work/resolv.conf"
mount --bind "$work/resolv.conf" /etc/resolv.conf
sleep 1
cat >"$work/policy.yaml" <<-'POLICY'
	ban: test
	rules:
	  - domain: kaspersky.com
	  - network: 203.0.113.7
POLICY

at=198.51.100.10
rows=(
	"getent|getent ahosts NAME"
	"curl, name and all|curl -skf -m 8 https://NAME/"
	"curl, TLS 1.3, another resolver's address|curl -skf -m 8 --resolve NAME:443:$at https://NAME/"
	"curl, TLS 1.2|curl -skf -m 8 --tls-max 1.2 --resolve NAME:443:$at https://NAME/"
	"curl, HTTP|curl -sf -m 8 --resolve NAME:80:$at http://NAME/"
	"curl, Host alone|curl -sf -m 8 -H Host:NAME http://$at/"
	"curl, a proxy|curl -sf -m 8 -x http://$at:80 http://NAME/"
	"openssl s_client|openssl s_client -connect $at:443 -servername NAME -brief"
)
command -v dig >/dev/null && rows+=("dig over TCP|dig +tcp +tries=1 +time=5 @8.8.8.8 NAME")
command -v wget >/dev/null && rows+=("wget|wget -q -T 8 -t 1 -O - --no-check-certificate https://NAME/")
command -v node >/dev/null && rows+=("node|node -e require('https').get('https://NAME/',{rejectUnauthorized:false},r=>process.exit(0)).on('error',e=>process.exit(1))")
[ -x /usr/bin/python3 ] && rows+=("python|/usr/bin/python3 -c import\ http.client,ssl;h=http.client.HTTPSConnection('NAME',context=ssl._create_unverified_context());h.request('GET','/');h.getresponse().read()")

each yes www.kaspersky.com "works before"
enforce "$work/policy.yaml"
each no www.kaspersky.com "refused while loaded, within two seconds of what it takes"
each yes www.notkaspersky.com "its neighbour works"

good=0
for i in {1..250}; do
	for name in notkaspersky.com$i.example kaspersky.com.example$i.org a${i}kaspersky.com kaspersky$i.com; do
		getent ahosts "$name" >/dev/null && good=$((good + 1))
	done
done
is $good 1000 "a thousand names that look alike"
told 'denied +dns +www.kaspersky.com .*getent' "an event names getent"
told 'denied +tls +www.kaspersky.com .*curl' "an event names curl"
told 'denied +http +www.kaspersky.com .*curl' "an event of HTTP names curl"
stop
lift
each yes www.kaspersky.com "works after"
done_testing
