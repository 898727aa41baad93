// SPDX-License-Identifier: MIT
/*
 * NXDOMAIN and not REFUSED: musl goes on waiting after REFUSED, others ask the next server, and both
 * take NXDOMAIN for an end. It has no SOA, so that nobody may keep it (RFC 2308, 5), and the extended
 * error of RFC 8914 says what really happened.
 */
#include <arpa/inet.h>
#include <string.h>

#include "loader/answer.h"

#define NXDOMAIN 3
#define TYPE_OPT 41
#define OPTION_EXTENDED_ERROR 15
#define ERROR_BLOCKED 15

static size_t put16(__u8 *to, unsigned int value)
{
	to[0] = value >> 8;
	to[1] = value;
	return 2;
}

/* The record of RFC 6891 that carries the reason. */
static size_t put_reason(__u8 *to)
{
	static const char words[] = "banned by debar";
	size_t at = 0, len = sizeof(words) - 1;

	to[at++] = 0; /* the root's name */
	at += put16(to + at, TYPE_OPT);
	at += put16(to + at, 1232); /* bytes of a datagram that would be taken */
	memset(to + at, 0, 4);
	at += 4;
	at += put16(to + at, 4 + 2 + len);
	at += put16(to + at, OPTION_EXTENDED_ERROR);
	at += put16(to + at, 2 + len);
	at += put16(to + at, ERROR_BLOCKED);
	memcpy(to + at, words, len);
	return at + len;
}

size_t answer_make(const struct debar_net_event *event, __u8 message[ANSWER_MAX])
{
	const struct debar_question *question = &event->question;
	size_t at = 0;

	if (!(event->flags & DEBAR_NETEV_NAME) || event->name_len > DEBAR_NAME_MAX)
		return 0;
	at += put16(message + at, question->id);
	message[at++] = 0x80 | (question->recursion ? 1 : 0);
	message[at++] = 0x80 | NXDOMAIN; /* recursion is available */
	at += put16(message + at, 1);
	at += put16(message + at, 0);
	at += put16(message + at, 0);
	at += put16(message + at, question->extended ? 1 : 0);
	memcpy(message + at, event->name, event->name_len);
	at += event->name_len;
	message[at++] = 0;
	at += put16(message + at, question->type);
	at += put16(message + at, question->class);
	if (question->extended)
		at += put_reason(message + at);
	return at;
}
