// SPDX-License-Identifier: MIT
/*
 * The servers of the network's tests, which answer anything: DNS (UDP and TCP 53, 5300, UDP 5353),
 * and an "ok" on TCP 80, 443, 853, 7777 and UDP 443, 7777.
 *
 *	serve ADDRESS [PORT]		on this port alone
 */
#include <netinet/tcp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bypass/peer.h"

/* ---- answers ------------------------------------------------------------------------------- */

static size_t put_a(unsigned char *record, unsigned int address)
{
	memcpy(record, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4", 12);
	address = htonl(address);
	memcpy(record + 12, &address, 4);
	return 16;
}

/* Words of a first label: "alias-www-vendor-example" leads on to www.vendor.example. */
static size_t put_target(unsigned char *record, int type, size_t before, const char *words, int len)
{
	char target[256];
	size_t size;

	snprintf(target, sizeof(target), "%.*s", len, words);
	for (char *at = target; *at; at++)
		if (*at == '-')
			*at = '.';
	memcpy(record, "\xc0\x0c\0\0\0\1\0\0\0\x3c\0\0\0\1", 14);
	record[3] = type;
	size = before + put_name(record + 12 + before, target);
	record[11] = size;
	return 12 + size;
}

/* "at-9-9-9-9" */
static unsigned int words_address(const char *words)
{
	unsigned int a = 0, b = 0, c = 0, d = 0;

	sscanf(words, "%u-%u-%u-%u", &a, &b, &c, &d);
	return a << 24 | b << 16 | c << 8 | d;
}

/*
 * The records that the first label of the name asks for; else one address, 198.51.100.10.
 *	alias- dname- svcb- https-	lead on to the name behind, with - for dots
 *	at-A-B-C-D			that address
 *	v6-32 hex digits		that one
 *	roll-N				N addresses, of 9.0.0.0/8, never the same
 *	chain-A-B-C-D			an alias x.example, which has that address
 *	other-A-B-C-D			that address, of another name
 */
static size_t put_records(unsigned char *record, const unsigned char *label, int *ret_count)
{
	static const struct {
		const char *word;
		int type;
		size_t before;
	} ways[] = {
		{ "alias-", 5, 0 }, { "dname-", 39, 0 }, { "svcb-", 64, 2 }, { "https-", 65, 2 }
	};
	static unsigned int rolled = 0x09000000;
	const char *words = (const char *)label + 1;
	char copy[64];
	size_t size = 0;

	*ret_count = 1;
	snprintf(copy, sizeof(copy), "%.*s", label[0], words);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		size_t len = strlen(ways[i].word);

		if (!strncmp(copy, ways[i].word, len))
			return put_target(record, ways[i].type, ways[i].before, words + len,
					  label[0] - (int)len);
	}
	if (!strncmp(copy, "at-", 3))
		return put_a(record, words_address(copy + 3));
	if (!strncmp(copy, "v6-", 3)) {
		memcpy(record, "\xc0\x0c\0\x1c\0\1\0\0\0\x3c\0\x10", 12);
		for (int i = 0; i < 16; i++)
			sscanf(copy + 3 + 2 * i, "%2hhx", &record[12 + i]);
		return 28;
	}
	if (!strncmp(copy, "roll-", 5)) {
		*ret_count = atoi(copy + 5);
		for (int i = 0; i < *ret_count; i++)
			size += put_a(record + size, ++rolled);
		return size;
	}
	if (!strncmp(copy, "chain-", 6)) {
		*ret_count = 2;
		memcpy(record, "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\x0b\1x\7example\0", 23);
		size = 23;
		memcpy(record + size, "\1x\7example", 10);
		size += 10;
		memcpy(record + size, "\0\0\1\0\1\0\0\0\x3c\0\4", 11);
		*(unsigned int *)(void *)copy = htonl(words_address(copy + 6));
		memcpy(record + size + 11, copy, 4);
		return size + 15;
	}
	if (!strncmp(copy, "other-", 6)) {
		memcpy(record, "\1y\7example\0\0\1\0\1\0\0\0\x3c\0\4", 21);
		*(unsigned int *)(void *)copy = htonl(words_address(copy + 6));
		memcpy(record + 21, copy, 4);
		return 25;
	}
	return put_a(record, 0xc633640a);
}

static size_t answer_make(unsigned char *message, size_t len)
{
	unsigned char *record;
	int count;

	if (len < 17 || len > 4096)
		return 0;
	message[2] |= 0x80;
	message[4] = 0;
	message[5] = 1;
	memset(message + 8, 0, 4);
	len = 12;
	while (message[len] && len < 300)
		len += 1 + message[len];
	record = message + len + 5;
	record += put_records(record, message + 12, &count);
	message[6] = count >> 8;
	message[7] = count;
	return record - message;
}

/* ---- servers ------------------------------------------------------------------------------- */

/*
 * To "spoof...": answers that are none, each with an address of its own in 9.9.9.0/24: another id, from
 * another port, about another question; then one, and the same again with another address.
 */
static void spoof(int fd, unsigned char *message, size_t len, const union address *to,
		  socklen_t size)
{
	unsigned char *address = message + len - 4;
	int other = socket(to->any.sa_family, SOCK_DGRAM, 0);

	memcpy(address, "\x09\x09\x09\x01", 4);
	message[0] ^= 1;
	sendto(fd, message, len, 0, &to->any, size);
	message[0] ^= 1;
	address[3] = 2;
	sendto(other, message, len, 0, &to->any, size);
	address[3] = 3;
	message[13] ^= 1;
	sendto(fd, message, len, 0, &to->any, size);
	message[13] ^= 1;
	address[3] = 4;
	sendto(fd, message, len, 0, &to->any, size);
	address[3] = 5;
	sendto(fd, message, len, 0, &to->any, size);
	close(other);
}

static void serve_datagrams(int fd, bool dns)
{
	unsigned char message[8192];
	union address from;
	socklen_t len;

	for (;;) {
		ssize_t got;

		len = sizeof(from);
		got = recvfrom(fd, message, 4096, 0, &from.any, &len);
		if (got > 0 && dns)
			got = answer_make(message, got);
		if (got > 0 && dns && !memcmp(message + 13, "spoof", 5))
			spoof(fd, message, got, &from, len);
		else if (got > 0)
			sendto(fd, message, got, 0, &from.any, len);
	}
}

/* Is that the end of what the client has to say? Else it is waited for a moment. */
static bool looks_whole(const unsigned char *message, size_t len)
{
	size_t at = 0, hello = 4, have = 0;

	if (message[0] != 22)
		return message[0] == 'x' || (len > 4 && !memcmp(message + len - 4, "\r\n\r\n", 4));
	while (at + 9 <= len) {
		size_t record = message[at + 3] << 8 | message[at + 4];

		if (!at)
			hello += message[7] << 8 | message[8];
		have += record;
		at += 5 + record;
	}
	return at == len && have >= hello;
}

static void serve_connection(int fd, bool dns)
{
	unsigned char message[8192];
	ssize_t have = 0;

	for (;;) {
		ssize_t got = recv(fd, message + have, sizeof(message) / 2 - have, 0);
		size_t size;

		if (got <= 0)
			_exit(0);
		have += got;
		if (!dns) {
			if (!looks_whole(message, have))
				continue;
			send(fd, "ok", 2, MSG_NOSIGNAL);
			have = 0;
			continue;
		}
		size = have > 2 ? message[0] << 8 | message[1] : 65535;
		if ((size_t)have < size + 2)
			continue;
		have = 0;
		size = answer_make(message + 2, size);
		message[0] = size >> 8;
		message[1] = size;
		send(fd, message, size + 2, MSG_NOSIGNAL);
	}
}

static void serve_stream(int fd, bool dns)
{
	int queue = 16;

	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
	listen(fd, 64);
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		if (peer < 0)
			continue;
		if (!fork())
			serve_connection(peer, dns);
		close(peer);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

int main(int argc, char **argv)
{
	static const struct {
		int port, type;
		bool dns;
		int protocol;
	} servers[] = {
		{ 53, SOCK_DGRAM, true, 0 },
		{ 53, SOCK_STREAM, true, 0 },
		{ 5353, SOCK_DGRAM, true, 0 },
		{ 5300, SOCK_DGRAM, true, 0 },
		{ 5300, SOCK_STREAM, true, 0 },
		{ 80, SOCK_STREAM, false, 0 },
		{ 443, SOCK_STREAM, false, 0 },
		{ 853, SOCK_STREAM, false, 0 },
		{ 443, SOCK_DGRAM, false, 0 },
		{ 7777, SOCK_DGRAM, false, 0 },
		{ 7777, SOCK_STREAM, false, 0 },
		{ 53, SOCK_DGRAM, true, IPPROTO_UDPLITE },
		{ 7777, SOCK_STREAM, false, IPPROTO_SCTP },
	};

	if (argc != 2 && argc != 3)
		return 2;
	for (size_t i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
		union address at;
		socklen_t len = address_parse(argv[1], servers[i].port, &at);
		int fd, on = 1;

		if (argc == 3 && servers[i].port != atoi(argv[2]))
			continue;
		fd = socket(at.any.sa_family, servers[i].type, servers[i].protocol);
		if (fd < 0 && servers[i].protocol)
			continue; /* not in this kernel */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, &at.any, len)) {
			perror("peer: bind");
			return 2;
		}
		if (fork())
			continue;
		if (servers[i].type == SOCK_DGRAM)
			serve_datagrams(fd, servers[i].dns);
		serve_stream(fd, servers[i].dns);
	}
	puts("serving");
	fflush(stdout);
	pause();
	return 0;
}
