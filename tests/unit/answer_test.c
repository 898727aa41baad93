// SPDX-License-Identifier: MIT
/* What the asker of a refused question reads, byte by byte. */
#include <string.h>

#include "loader/answer.h"
#include "tests/unit/tap.h"

static struct debar_net_event sample(void)
{
	static const char name[] = "\3www\6vendor\7example";
	struct debar_net_event event = {
		.flags = DEBAR_NETEV_NAME | DEBAR_NETEV_ANSWER,
		.name_len = sizeof(name) - 1,
		.question = { .id = 0x1234, .type = 28, .class = 1, .recursion = 1 },
	};

	memcpy(event.name, name, sizeof(name) - 1);
	return event;
}

static void test_plain(void)
{
	static const __u8 want[] = "\x12\x34\x81\x83\0\1\0\0\0\0\0\0"
				   "\3www\6vendor\7example\0\0\x1c\0\1";
	struct debar_net_event event = sample();
	__u8 message[ANSWER_MAX];
	size_t len = answer_make(&event, message);

	tap_ok(len == sizeof(want) - 1 && !memcmp(message, want, len),
	       "the id, NXDOMAIN, and the question again");
	event.question.recursion = 0;
	answer_make(&event, message);
	tap_ok(message[2] == 0x80, "recursion was not desired");
}

static void test_extended(void)
{
	static const __u8 want[] = "\0\0\x29\4\xd0\0\0\0\0\0\x15\0\x0f\0\x11\0\x0f"
				   "banned by debar";
	struct debar_net_event event = sample();
	__u8 message[ANSWER_MAX];
	size_t len, plain = answer_make(&event, message);

	event.question.extended = 1;
	len = answer_make(&event, message);
	tap_ok(message[11] == 1 && len == plain + sizeof(want) - 1 &&
		       !memcmp(message + plain, want, sizeof(want) - 1),
	       "a query with EDNS is told why");
}

static void test_bounds(void)
{
	struct debar_net_event event = sample();
	__u8 message[ANSWER_MAX];

	memset(event.name, 1, sizeof(event.name));
	event.name_len = DEBAR_NAME_MAX;
	event.question.extended = 1;
	tap_ok(answer_make(&event, message) == 12 + 255 + 4 + 11 + 21, "the longest name fits");
	event.name_len = 255;
	tap_ok(answer_make(&event, message) == 0, "a name that is too long has no answer");
	event.name_len = 10;
	event.flags = DEBAR_NETEV_ANSWER;
	tap_ok(answer_make(&event, message) == 0, "no name, no answer");
}

int main(void)
{
	test_plain();
	test_extended();
	test_bounds();
	return tap_done();
}
