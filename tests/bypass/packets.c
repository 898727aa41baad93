// SPDX-License-Identifier: MIT
/*
 * Packets that nobody sends, through the programs that are pinned, by the kernel's own test run: real
 * ones of every kind that are parsed, cut off anywhere, with bytes changed, and plain noise.
 *
 *	packets COUNT SEED
 *
 * Prints what came of banned and harmless ones before and after, as "refused" or "passed", and how
 * many were tried in between.
 */
#include <linux/bpf.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bypass/peer.h"

#define FRAME_MAX 4096

static uint64_t state;

static uint32_t noise(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 16;
}

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* The program behind a pinned link. */
static int program(const char *path)
{
	struct bpf_link_info info = {};
	union bpf_attr attr = { .pathname = (uintptr_t)path };
	int link = bpf(BPF_OBJ_GET, &attr);

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = link;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	if (link < 0 || bpf(BPF_OBJ_GET_INFO_BY_FD, &attr))
		return -1;
	memset(&attr, 0, sizeof(attr));
	attr.prog_id = info.prog_id;
	return bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

/* What the program says of the frame; -1: the kernel takes no such frame. */
static int run(int prog, const unsigned char *frame, size_t len)
{
	union bpf_attr attr = {
		.test = { .prog_fd = prog, .data_size_in = len, .data_in = (uintptr_t)frame }
	};

	return bpf(BPF_PROG_TEST_RUN, &attr) ? -1 : (int)attr.test.retval;
}

/* ---- whole packets --------------------------------------------------------------------------- */

enum payload {
	QUERY,
	ANSWER,
	STREAM_QUERY,
	HELLO,
	REQUEST,
	PAYLOADS
};

static size_t payload_make(unsigned char *to, enum payload kind, const char *name)
{
	unsigned char *record;
	size_t size;

	switch (kind) {
	case QUERY:
		return query_make(to, name, "edns");
	case ANSWER:
		size = query_make(to, "alias.example.org", "udp");
		to[2] |= 0x80;
		to[7] = 1;
		record = to + size;
		memcpy(record, "\xc0\x0c\0\5\0\1\0\0\0\x3c\0", 11);
		record[11] = put_name(record + 12, name);
		return size + 12 + record[11];
	case STREAM_QUERY:
		size = query_make(to + 2, name, "udp");
		put16(to, size);
		return size + 2;
	case HELLO:
		size = hello_make(to + 5, name, "tcp");
		memcpy(to, "\x16\3\1", 3);
		put16(to + 3, size);
		return size + 5;
	default:
		return sprintf((char *)to, "GET / HTTP/1.1\r\nAccept: *\r\nHost: %s\r\n\r\n", name);
	}
}

/* An answer comes in, the others leave; IPv6 has headers in between. */
static size_t frame_make(unsigned char *frame, enum payload kind, const char *name, bool v6)
{
	bool tcp = kind >= STREAM_QUERY;
	unsigned char payload[2048], *at = frame;
	size_t size = payload_make(payload, kind, name), head = tcp ? 20 : 8;
	int port = kind == HELLO ? 443 : kind == REQUEST ? 80 : 53;

	memset(frame, 0, 14);
	put16(frame + 12, v6 ? 0x86dd : 0x0800);
	at += 14;
	if (v6) {
		memset(at, 0, 56);
		at[0] = 0x60;
		put16(at + 4, 16 + head + size);
		at[7] = 64;
		at[39] = at[23] = 1;
		at[40] = 60; /* hop-by-hop, then for the destination */
		at[42] = at[50] = 1;
		at[43] = at[51] = 4;
		at[48] = tcp ? 6 : 17;
		at += 56;
	} else {
		memset(at, 0, 20);
		at[0] = 0x45;
		put16(at + 2, 20 + head + size);
		at[8] = 64;
		at[9] = tcp ? 6 : 17;
		memcpy(at + 12, "\xc0\0\2\1\xc0\0\2\x35", 8);
		at += 20;
	}
	memset(at, 0, head);
	put16(at, kind == ANSWER ? port : 4444);
	put16(at + 2, kind == ANSWER ? 4444 : port);
	if (tcp) {
		at[12] = 0x50;
		at[13] = 0x18;
	} else {
		put16(at + 4, head + size);
	}
	memcpy(at + head, payload, size);
	return at + head + size - frame;
}

static void tell_whole(const int progs[2], const char *when)
{
	static const char *const names[] = { "www.banned.example", "www.harmless.example" };
	unsigned char frame[FRAME_MAX];

	for (int kind = 0; kind < PAYLOADS; kind++)
		for (int i = 0; i < 4; i++) {
			size_t len = frame_make(frame, kind, names[i & 1], i & 2);
			int verdict = run(progs[kind == ANSWER], frame, len);

			printf("%s kind %d IPv%d %s: %s\n", when, kind, i & 2 ? 6 : 4, names[i & 1],
			       verdict < 0 ? "none" :
			       verdict & 1 ? "passed" :
					     "refused");
		}
}

/* ---- broken ones ------------------------------------------------------------------------------ */

static size_t spoil(unsigned char *frame, size_t len)
{
	uint32_t how = noise() % 4;

	if (how == 0)
		for (size_t i = 14; i < len; i++)
			frame[i] = noise();
	else
		for (uint32_t n = noise() % 12; n; n--)
			frame[14 + noise() % (len - 14)] = noise() % 3 ? noise() :
							   noise() & 1 ? 0xff :
									 0;
	if (how == 1)
		len = 14 + noise() % (len - 14);
	return len;
}

int main(int argc, char **argv)
{
	int progs[2] = { program("/sys/fs/bpf/debar/debar_egress"),
			 program("/sys/fs/bpf/debar/debar_ingress") };
	unsigned char frame[FRAME_MAX];
	long tried = 0;

	if (argc != 3 || progs[0] < 0 || progs[1] < 0) {
		perror("packets");
		return 2;
	}
	state = strtoull(argv[2], NULL, 0) | 1;
	tell_whole(progs, "before");
	for (long i = atol(argv[1]); i > 0; i--) {
		size_t len = frame_make(frame, noise() % PAYLOADS,
					noise() & 1 ? "www.banned.example" : "www.harmless.example",
					noise() & 1);

		tried += run(progs[noise() & 1], frame, spoil(frame, len)) >= 0;
	}
	tell_whole(progs, "after");
	printf("tried %ld\n", tried);
	return 0;
}
