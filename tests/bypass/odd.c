// SPDX-License-Identifier: MIT
/*
 * What peer.c says, said in ways that few programs use.
 *
 *	odd dns SERVER PORT NAME WAY		uring udplite dstopts ipoptions big gso mptcp
 *	odd tls ADDRESS PORT NAME WAY		uring mptcp bound (to a device)
 *	odd connect ADDRESS PORT WAY		uring udplite mptcp sctp
 *	odd send ADDRESS OTHER hdrincl		a datagram to ADDRESS, made by hand, on a raw socket
 *						that is connected to OTHER
 *
 * Prints "answer", "connected", an errno, "timeout" after two seconds, or "none": this kernel has no
 * such way.
 */
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bypass/peer.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* One request of io_uring; what came of it, or -ENOSYS. */
static int uring(const struct io_uring_sqe *sqe)
{
	struct io_uring_params params = {};
	int fd = syscall(SYS_io_uring_setup, 4, &params);
	struct io_uring_cqe *cqes;
	char *sq, *cq, *sqes;

	if (fd < 0)
		return -ENOSYS;
	sq = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_CQ_RING);
	sqes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || sqes == MAP_FAILED)
		return -ENOSYS;
	memcpy(sqes, sqe, sizeof(*sqe));
	*(unsigned int *)(void *)(sq + params.sq_off.array) = 0;
	__atomic_store_n((unsigned int *)(void *)(sq + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	cqes = (void *)(cq + params.cq_off.cqes);
	return cqes[0].res;
}

static int uring_connect(int fd, const union address *to, socklen_t len)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_CONNECT, .fd = fd, .addr = (__u64)to, .off = len
	};
	int ret = uring(&sqe);

	errno = ret < 0 ? -ret : 0;
	return ret < 0 ? -1 : 0;
}

static int uring_send(int fd, const void *bytes, size_t size)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_SEND, .fd = fd, .addr = (__u64)bytes, .len = size
	};
	int ret = uring(&sqe);

	errno = ret < 0 ? -ret : 0;
	return ret;
}

/* A socket of the way's own kind, or the usual; -1: there are none here. */
static int way_socket(int family, bool stream, const char *way)
{
	int protocol = !strcmp(way, "mptcp")   ? IPPROTO_MPTCP :
		       !strcmp(way, "sctp")    ? IPPROTO_SCTP :
		       !strcmp(way, "udplite") ? IPPROTO_UDPLITE :
						 0;

	int fd = socket(family, stream ? SOCK_STREAM : SOCK_DGRAM, protocol);

	if (!strcmp(way, "bound") && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3))
		return -1;
	return fd;
}

static int way_connect(int fd, const union address *to, socklen_t len, const char *way)
{
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return !strcmp(way, "uring") ? uring_connect(fd, to, len) : connect(fd, &to->any, len);
}

/* ---- datagrams ------------------------------------------------------------------------------ */

static int set_headers(int fd, const char *way)
{
	/* Eight bytes of padding before the datagram; four that say nothing in the header. */
	static const unsigned char destination[8] = { 0, 0, 1, 4, 0, 0, 0, 0 };
	static const unsigned char nothing[4] = { 1, 1, 1, 0 };

	if (!strcmp(way, "dstopts"))
		return setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, destination, sizeof(destination));
	if (!strcmp(way, "ipoptions"))
		return setsockopt(fd, IPPROTO_IP, IP_OPTIONS, nothing, sizeof(nothing));
	return 0;
}

/* Two questions in one send, each a datagram of its own: the first is harmless. */
static int send_gso(int fd, const unsigned char *query, size_t size)
{
	static const char first[] =
		"012345678901234567890123456789012345678901234567890123456789012."
		"012345678901234567890123456789012345678901234567890123456789012.harmless.example";
	unsigned char both[2048];
	int segment = query_make(both, first, "udp");

	memcpy(both + segment, query, size);
	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)))
		return -1;
	return send(fd, both, segment + size, 0) < 0 ? -1 : 0;
}

/* An option of EDNS that makes it too large for a frame. */
static size_t pad(unsigned char *query, size_t size)
{
	query[11] = 1;
	memcpy(query + size, "\0\0\x29\x10\0\0\0\0\0\x0b\xbc\0\x0c\x0b\xb8", 15);
	memset(query + size + 15, 0, 3000);
	return size + 15 + 3000;
}

static int dns(const char *server, int port, const char *name, const char *way)
{
	bool stream = !strcmp(way, "mptcp");
	unsigned char message[8192];
	union address to;
	socklen_t len = address_parse(server, port, &to);
	int fd = way_socket(to.any.sa_family, stream, way);
	size_t size = query_make(message + 2, name, "udp");
	int ret;

	if (fd < 0 || set_headers(fd, way))
		return tell("none");
	if (!strcmp(way, "big"))
		size = pad(message + 2, size);
	message[0] = size >> 8;
	message[1] = size;
	if (way_connect(fd, &to, len, stream ? way : ""))
		return tell_errno();
	if (!strcmp(way, "gso"))
		ret = send_gso(fd, message + 2, size);
	else if (!strcmp(way, "uring"))
		ret = uring_send(fd, message + 2, size);
	else
		ret = send(fd, stream ? message : message + 2, size + 2 * stream, MSG_NOSIGNAL);
	return ret < 0 ? tell_errno() : tell_reply(fd);
}

/* ---- streams -------------------------------------------------------------------------------- */

static int tls(const char *where, int port, const char *name, const char *way)
{
	unsigned char hello[4096];
	union address to;
	socklen_t len = address_parse(where, port, &to);
	int fd = way_socket(to.any.sa_family, true, way), ret;
	size_t size = hello_make(hello + 5, name, "tcp");

	if (fd < 0)
		return tell("none");
	memcpy(hello, "\x16\3\1", 3);
	put16(hello + 3, size);
	if (way_connect(fd, &to, len, way))
		return tell_errno();
	ret = !strcmp(way, "uring") ? uring_send(fd, hello, size + 5) :
				      send(fd, hello, size + 5, MSG_NOSIGNAL);
	return ret < 0 ? tell_errno() : tell_reply(fd);
}

static int try_connect(const char *where, int port, const char *way)
{
	union address to;
	socklen_t len = address_parse(where, port, &to);
	int fd = way_socket(to.any.sa_family, strcmp(way, "udplite") != 0, way);

	if (fd < 0)
		return tell("none");
	if (!way_connect(fd, &to, len, way))
		return strcmp(way, "udplite") || send(fd, "x", 1, 0) > 0 ? tell("connected") :
									   tell_errno();
	return errno == EINPROGRESS ? tell("timeout") : tell_errno();
}

static int send_handmade(const char *where, const char *other)
{
	struct {
		struct iphdr ip;
		struct udphdr udp;
		char text[4];
	} packet = { .ip = { .version = 4,
			     .ihl = 5,
			     .ttl = 64,
			     .protocol = IPPROTO_UDP,
			     .tot_len = htons(sizeof(packet)) },
		     .udp = { .source = htons(4444),
			      .dest = htons(7777),
			      .len = htons(sizeof(packet) - sizeof(packet.ip)) } };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	union address to;
	socklen_t len = address_parse(other, 0, &to);

	packet.ip.daddr = inet_addr(where);
	if (fd < 0 || connect(fd, &to.any, len) || send(fd, &packet, sizeof(packet), 0) < 0)
		return tell_errno();
	return tell("answer");
}

int main(int argc, char **argv)
{
	const char *verb = argc > 4 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(verb, "dns") && argc == 6)
		return dns(argv[2], atoi(argv[3]), argv[4], argv[5]);
	if (!strcmp(verb, "tls") && argc == 6)
		return tls(argv[2], atoi(argv[3]), argv[4], argv[5]);
	if (!strcmp(verb, "connect") && argc == 5)
		return try_connect(argv[2], atoi(argv[3]), argv[4]);
	if (!strcmp(verb, "send") && argc == 5 && !strcmp(argv[4], "hdrincl"))
		return send_handmade(argv[2], argv[3]);
	fprintf(stderr, "odd: see the head of tests/bypass/odd.c\n");
	return 2;
}
