// SPDX-License-Identifier: MIT
/*
 * A refused datagram is EPERM for its sender. The C library of GNU ends there; libuv (and so dig) and
 * musl do not look, and wait for seconds. So they get an answer, from a raw socket in their namespace.
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/answer.h"
#include "loader/netns.h"
#include "policy/cleanup.h"

/* ---- does the socket still wait? ------------------------------------------------------------ */

/*
 * Asked by the cookie of the one socket. To a port that was closed meanwhile nothing is sent: the
 * kernel would complain about it to the server, by ICMP and with the name in it.
 */
static int socket_there(const struct debar_net_event *event)
{
	cleanup(cleanup_fd) int fd =
		netns_socket(event->actor.pid, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = event->local.family == 4 ? AF_INET : AF_INET6,
			  .sdiag_protocol = IPPROTO_UDP,
			  .idiag_states = ~0U,
			  /* Of datagrams the kernel wants the two sides the other way round. */
			  .id = { .idiag_sport = htons(event->port),
				  .idiag_dport = htons(event->local_port),
				  .idiag_cookie = { event->cookie, event->cookie >> 32 } } },
	};
	union {
		struct nlmsghdr header;
		char bytes[1024];
	} reply;

	if (fd < 0)
		return fd;
	memcpy(request.body.id.idiag_src, event->remote.bytes, 16);
	memcpy(request.body.id.idiag_dst, event->local.bytes, 16);
	if (send(fd, &request, sizeof(request), 0) < 0)
		return -errno;
	if (recv(fd, &reply, sizeof(reply), 0) < (ssize_t)sizeof(reply.header))
		return -EIO;
	return reply.header.nlmsg_type == SOCK_DIAG_BY_FAMILY ? 0 : -ENOENT;
}

/* ---- the packet ----------------------------------------------------------------------------- */

static __u32 sum_add(__u32 sum, const void *bytes, size_t len)
{
	const __u8 *at = bytes;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += at[i] << 8 | at[i + 1];
	return len & 1 ? sum + (at[len - 1] << 8) : sum;
}

/* Over the addresses, the protocol, the length, and all of the datagram. */
static __u16 checksum(const struct debar_net_event *event, const void *datagram, size_t len)
{
	size_t size = event->local.family == 4 ? 4 : 16;
	__u32 sum = IPPROTO_UDP + len;

	sum = sum_add(sum, event->remote.bytes, size);
	sum = sum_add(sum, event->local.bytes, size);
	sum = sum_add(sum, datagram, len);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum ? (__u16)~sum : 0xffff;
}

static int send_v4(const struct debar_net_event *event, const void *datagram, size_t len)
{
	cleanup(cleanup_fd) int fd = netns_socket(event->actor.pid, AF_INET, SOCK_RAW, IPPROTO_RAW);
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct ip ip = { .ip_v = 4,
			 .ip_hl = 5,
			 .ip_len = htons(sizeof(ip) + len),
			 .ip_ttl = 64,
			 .ip_p = IPPROTO_UDP };
	char packet[sizeof(ip) + sizeof(struct udphdr) + ANSWER_MAX];

	if (fd < 0)
		return fd;
	memcpy(&ip.ip_src, event->remote.bytes, sizeof(ip.ip_src));
	memcpy(&ip.ip_dst, event->local.bytes, sizeof(ip.ip_dst));
	to.sin_addr = ip.ip_dst;
	memcpy(packet, &ip, sizeof(ip));
	memcpy(packet + sizeof(ip), datagram, len);
	return sendto(fd, packet, sizeof(ip) + len, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ?
		       -errno :
		       0;
}

static int send_v6(const struct debar_net_event *event, const void *datagram, size_t len)
{
	cleanup(cleanup_fd) int fd =
		netns_socket(event->actor.pid, AF_INET6, SOCK_RAW, IPPROTO_RAW);
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };
	struct ip6_hdr ip = { .ip6_vfc = 6 << 4 };
	char packet[sizeof(ip) + sizeof(struct udphdr) + ANSWER_MAX];

	if (fd < 0)
		return fd;
	ip.ip6_plen = htons(len);
	ip.ip6_nxt = IPPROTO_UDP;
	ip.ip6_hlim = 64;
	memcpy(&ip.ip6_src, event->remote.bytes, sizeof(ip.ip6_src));
	memcpy(&ip.ip6_dst, event->local.bytes, sizeof(ip.ip6_dst));
	to.sin6_addr = ip.ip6_dst;
	memcpy(packet, &ip, sizeof(ip));
	memcpy(packet + sizeof(ip), datagram, len);
	return sendto(fd, packet, sizeof(ip) + len, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ?
		       -errno :
		       0;
}

int answer_question(const struct debar_net_event *event)
{
	__u8 datagram[sizeof(struct udphdr) + ANSWER_MAX];
	size_t len = answer_make(event, datagram + sizeof(struct udphdr));
	struct udphdr udp = { .source = htons(event->port), .dest = htons(event->local_port) };
	__u16 sum;
	int ret;

	if (!len || event->protocol != IPPROTO_UDP || event->local.family != event->remote.family)
		return -EINVAL;
	ret = socket_there(event);
	if (ret)
		return ret;
	len += sizeof(udp);
	udp.len = htons(len);
	memcpy(datagram, &udp, sizeof(udp));
	sum = htons(checksum(event, datagram, len));
	memcpy(datagram + offsetof(struct udphdr, check), &sum, sizeof(sum));
	return event->local.family == 4 ? send_v4(event, datagram, len) :
					  send_v6(event, datagram, len);
}
