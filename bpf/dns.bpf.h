/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DNS messages: the questions of a query, and the names that answers lead on to. A name is taken
 * apart in one pass; a compression pointer may only point below where the last one led, so that
 * every walk ends.
 */
#ifndef DEBAR_DNS_BPF_H
#define DEBAR_DNS_BPF_H

#include "bpf/name.bpf.h"

#include <linux/errno.h>

#define DNS_HEADER 12
#define DNS_MESSAGE_MAX 4096  /* of which bytes are read; behind it a message is cut */
#define DNS_QUESTIONS_MAX 128 /* in one message; mDNS asks for many */
#define DNS_RECORDS_MAX 256   /* in one answer */
#define DNS_STEPS_MAX 512     /* bytes and pointers of one name */

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_DNAME = 39,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_SVCB = 64,
	DNS_TYPE_HTTPS = 65,
};

struct dns_message {
	__u8 bytes[DNS_MESSAGE_MAX];
};

struct dns_header {
	__u16 id;
	__u16 questions;
	__u16 answers;
	__u16 authorities;
	__u16 additionals;
	__u8 response;
	__u8 opcode;
	__u8 truncated;
	__u8 recursion; /* desired */
	__u8 code;
};

struct dns_walk {
	const struct dns_message *message;
	struct name *name;
	__u32 end; /* of the message */
};

static __always_inline __u8 dns_byte(const struct dns_message *message, __u32 at)
{
	opaque(at);
	return message->bytes[at & (DNS_MESSAGE_MAX - 1)];
}

static __always_inline __u16 dns_short(const struct dns_message *message, __u32 at)
{
	return dns_byte(message, at) << 8 | dns_byte(message, at + 1);
}

static __always_inline void dns_header_read(const struct dns_message *message,
					    struct dns_header *ret_header)
{
	ret_header->id = dns_short(message, 0);
	ret_header->response = dns_byte(message, 2) >> 7;
	ret_header->opcode = dns_byte(message, 2) >> 3 & 15;
	ret_header->truncated = dns_byte(message, 2) >> 1 & 1;
	ret_header->recursion = dns_byte(message, 2) & 1;
	ret_header->code = dns_byte(message, 3) & 15;
	ret_header->questions = dns_short(message, 4);
	ret_header->answers = dns_short(message, 6);
	ret_header->authorities = dns_short(message, 8);
	ret_header->additionals = dns_short(message, 10);
}

/* One plain question, to which no can be said. */
static __always_inline bool dns_wants_answer(const struct dns_header *header)
{
	return !header->response && !header->opcode && header->questions == 1;
}

/* A byte where a label begins: its length, the end, or a pointer. */
static __always_inline long dns_label(struct dns_walk *walk, __u8 byte)
{
	struct name *name = walk->name;
	__u32 to;

	if (!byte) {
		name->done = 1;
		name->at++;
		return 1;
	}
	if (byte < 64) {
		name->left = byte;
		name->at++;
		return !name_label_begin(name);
	}
	if (byte < 0xc0 || name->at + 1 >= walk->end)
		return 1;
	to = (byte & 0x3f) << 8 | dns_byte(walk->message, name->at + 1);
	if (!name->after)
		name->after = name->at + 2;
	if (to >= name->floor || to < DNS_HEADER)
		return 1;
	name->floor = name->at = to;
	return 0;
}

static long dns_name_step(__u32 i, struct dns_walk *walk)
{
	struct name *name = walk->name;
	__u8 byte;

	if (name->at >= walk->end)
		return 1;
	byte = dns_byte(walk->message, name->at);
	if (!name->left)
		return dns_label(walk, byte);
	name->at++;
	if (!name_byte(name, byte))
		return 1;
	if (!--name->left)
		name_label_end(name);
	return 0;
}

/* The name at @at of a message of @end bytes: where it ends there, 0 when it is none. */
__weak __u32 debar_dns_name(const struct dns_message *message, struct name *name, __u32 end,
			    __u32 at)
{
	struct dns_walk walk = { .message = message, .name = name };

	if (!message || !name)
		return 0;
	walk.end = end < DNS_MESSAGE_MAX ? end : DNS_MESSAGE_MAX;
	name_reset(name);
	name->at = name->floor = at;
	name->done = 0;
	bpf_loop(DNS_STEPS_MAX, dns_name_step, &walk, 0);
	if (!name->done)
		return 0;
	name_end(name);
	return name->after ? name->after : name->at;
}

static long dns_skip_step(__u32 i, struct dns_walk *walk)
{
	struct name *name = walk->name;
	__u8 byte;

	if (name->at >= walk->end)
		return 1;
	byte = dns_byte(walk->message, name->at);
	name->done = !byte || byte >= 0xc0;
	name->at += byte >= 0xc0 ? 2 : 1 + byte;
	return byte < 1 || byte >= 64;
}

/* Where the name at @at ends, without reading it; 0 when it is none. @name keeps count. */
static __always_inline __u32 dns_skip(const struct dns_message *message, struct name *name,
				      __u32 end, __u32 at)
{
	struct dns_walk walk = { .message = message, .name = name, .end = end };

	/* What all records of most answers have. */
	if (at < end && dns_byte(message, at) >= 0xc0)
		return at + 2;
	name->at = at;
	name->done = 0;
	bpf_loop(DEBAR_LABELS_MAX + 1, dns_skip_step, &walk, 0);
	return name->done ? name->at : 0;
}

/* One record of an answer. */
struct dns_record {
	__u32 owner; /* offset of its name */
	__u32 data;  /* offset */
	__u32 size;  /* of the data */
	__u32 ttl;
	__u16 type;
	__u16 class;
};

/* The record at @at: where it ends, 0 when it is none. @name keeps count. */
static __always_inline __u32 dns_record(const struct dns_message *message, struct name *name,
					__u32 end, __u32 at, struct dns_record *ret_record)
{
	__u32 body = dns_skip(message, name, end, at);

	if (!body || body + 10 > end)
		return 0;
	ret_record->owner = at;
	ret_record->type = dns_short(message, body);
	ret_record->class = dns_short(message, body + 2);
	ret_record->ttl = (__u32)dns_short(message, body + 4) << 16 | dns_short(message, body + 6);
	ret_record->size = dns_short(message, body + 8);
	ret_record->data = body + 10;
	if (ret_record->data + ret_record->size > end)
		return 0;
	return ret_record->data + ret_record->size;
}

/* Where in the record's data the name stands that it leads on to; 0: it leads nowhere. */
static __always_inline __u32 dns_target(const struct dns_record *record)
{
	switch (record->type) {
	case DNS_TYPE_CNAME:
	case DNS_TYPE_DNAME:
		return record->data;
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		return record->size > 2 ? record->data + 2 : 0;
	default:
		return 0;
	}
}

#endif
