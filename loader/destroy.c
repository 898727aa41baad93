// SPDX-License-Identifier: MIT
/* SOCK_DESTROY over NETLINK_SOCK_DIAG, in the namespace in which the netlink socket was made. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/destroy.h"
#include "loader/netns.h"
#include "policy/cleanup.h"

/*
 * An address as the socket has it: IPv4 on an IPv6 socket is ::ffff:a.b.c.d there, and behind NAT64,
 * where the socket's own address is IPv6, 64:ff9b::a.b.c.d.
 */
static void diag_address(__be32 to[4], const struct debar_address *address, int family, bool nat64)
{
	static const __u8 prefix[4] = { 0, 0x64, 0xff, 0x9b };
	__u8 bytes[16] = {};

	if (family == AF_INET6 && address->family == 4 && nat64) {
		memcpy(bytes, prefix, sizeof(prefix));
		memcpy(bytes + 12, address->bytes, 4);
	} else if (family == AF_INET6 && address->family == 4) {
		memset(bytes + 10, 0xff, 2);
		memcpy(bytes + 12, address->bytes, 4);
	} else {
		memcpy(bytes, address->bytes, family == AF_INET ? 4 : 16);
	}
	memcpy(to, bytes, sizeof(bytes));
}

static int diag_destroy(int fd, const struct debar_net_event *event, int family)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = SOCK_DESTROY,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.body = { .sdiag_family = family,
			  .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = ~0U,
			  .id = { .idiag_sport = htons(event->local_port),
				  .idiag_dport = htons(event->port),
				  .idiag_if = event->device,
				  .idiag_cookie = { event->cookie, event->cookie >> 32 } } },
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[512];
	} answer;

	diag_address(request.body.id.idiag_src, &event->local, family, false);
	diag_address(request.body.id.idiag_dst, &event->remote, family, event->local.family == 6);
	if (send(fd, &request, sizeof(request), 0) < 0)
		return -errno;
	if (recv(fd, &answer, sizeof(answer), 0) < (ssize_t)sizeof(answer.header) + 4)
		return -EIO;
	return answer.header.nlmsg_type == NLMSG_ERROR ? answer.error.error : -EIO;
}

int destroy_socket(const struct debar_net_event *event)
{
	cleanup(cleanup_fd) int fd = -1;
	int result;

	if (event->protocol != IPPROTO_TCP || !event->local.family)
		return -EINVAL;
	fd = netns_socket(event->actor.pid, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return fd;
	if (event->remote.family == 6 || event->local.family == 6)
		return diag_destroy(fd, event, AF_INET6);
	result = diag_destroy(fd, event, AF_INET);
	return result == -ENOENT ? diag_destroy(fd, event, AF_INET6) : result;
}
