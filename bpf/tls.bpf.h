/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLS: the server name in a ClientHello. Records may cut the hello anywhere, extensions come in any
 * order, and the hello may be larger than any segment: one counter runs for the record and one for
 * the hello, and what is of no interest is skipped. Included by stream.bpf.h.
 */
#ifndef DEBAR_TLS_BPF_H
#define DEBAR_TLS_BPF_H

#include "bpf/stream.bpf.h"

#define TLS_HANDSHAKE 22
#define TLS_CLIENT_HELLO 1
#define TLS_RECORD_MAX (16384 + 2048)
#define TLS_VERSION_AND_RANDOM 34
#define TLS_SERVER_NAME 0
#define TLS_ENCRYPTED_HELLO 0xfe0d

enum tls_state {
	TLS_MESSAGE,  /* type of the handshake message */
	TLS_SIZE,     /* its length */
	TLS_SESSION,  /* length of the session */
	TLS_SUITES,   /* length of the suites */
	TLS_METHODS,  /* length of the compression methods */
	TLS_ALL,      /* length of all extensions */
	TLS_TYPE,     /* of an extension */
	TLS_LENGTH,   /* of it */
	TLS_LIST,     /* length of the list of names */
	TLS_NAMETYPE, /* of a name */
	TLS_NAMESIZE, /* length of the name */
	TLS_NAME,
};

static __always_inline void tls_next(struct stream *s, __u8 state, __u32 skip)
{
	s->state = state;
	s->skip = skip;
	s->at = 0;
	s->number = 0;
}

/* The header of a record: type, version, length. */
static __always_inline void tls_record(struct stream *s, __u8 byte)
{
	__u8 at = s->header++;

	if ((at == 0 && byte != TLS_HANDSHAKE) || (at == 1 && byte != 3)) {
		s->found = STREAM_OVER;
		return;
	}
	s->record = s->record << 8 | byte; /* of five bytes the last two stay */
	if (at < 4)
		return;
	s->header = 0;
	s->left = s->record; /* of an empty one nothing: the next goes on */
	if (s->left > TLS_RECORD_MAX)
		s->found = STREAM_OVER;
}

/* A number is whole: what it is the length or the type of. */
static __always_inline void tls_number(struct stream *s)
{
	__u32 number = s->number;

	switch (s->state) {
	case TLS_SIZE:
		s->inner = number;
		tls_next(s, TLS_SESSION, TLS_VERSION_AND_RANDOM);
		break;
	case TLS_SESSION:
		tls_next(s, TLS_SUITES, number);
		break;
	case TLS_SUITES:
		tls_next(s, TLS_METHODS, number);
		break;
	case TLS_METHODS:
		tls_next(s, TLS_ALL, number);
		break;
	case TLS_ALL:
		tls_next(s, TLS_TYPE, 0);
		break;
	case TLS_TYPE:
		s->type = number;
		if (number == TLS_ENCRYPTED_HELLO)
			s->encrypted = 1;
		tls_next(s, TLS_LENGTH, 0);
		break;
	case TLS_LENGTH:
		tls_next(s, s->type == TLS_SERVER_NAME && number ? TLS_LIST : TLS_TYPE,
			 s->type == TLS_SERVER_NAME ? 0 : number);
		break;
	case TLS_LIST:
		s->list = number;
		tls_next(s, number >= 3 ? TLS_NAMETYPE : TLS_TYPE, number >= 3 ? 0 : number);
		break;
	case TLS_NAMETYPE:
		tls_next(s, TLS_NAMESIZE, 0);
		break;
	default: /* TLS_NAMESIZE */
		s->name_left = number;
		s->list = s->list > number + 3 ? s->list - number - 3 : 0;
		s->text_len = 0;
		tls_next(s, number ? TLS_NAME : TLS_TYPE, 0);
		break;
	}
}

/* Bytes of the number that the state reads. */
static __always_inline __u8 tls_size(__u8 state)
{
	if (state == TLS_SIZE)
		return 3;
	return state == TLS_SESSION || state == TLS_METHODS || state == TLS_NAMETYPE ? 1 : 2;
}

static __always_inline void tls_hello(struct stream *s, __u8 byte)
{
	if (s->state == TLS_MESSAGE) {
		s->state = TLS_SIZE;
		if (byte != TLS_CLIENT_HELLO)
			s->found = STREAM_OVER;
		return;
	}
	if (s->state == TLS_NAME) {
		stream_text(s, byte);
		if (--s->name_left)
			return;
		s->found = STREAM_NAME;
		tls_next(s, s->list >= 3 ? TLS_NAMETYPE : TLS_TYPE, s->list >= 3 ? 0 : s->list);
		return;
	}
	s->number = s->number << 8 | byte;
	if (++s->at == tls_size(s->state))
		tls_number(s);
}

static __always_inline void tls_byte(struct stream *s, __u8 byte)
{
	if (!s->left) {
		tls_record(s, byte);
		return;
	}
	s->left--;
	if (s->state > TLS_SIZE) {
		/* The end of the hello, whatever its parts said of themselves. */
		if (!s->inner) {
			s->found = STREAM_OVER;
			return;
		}
		s->inner--;
	}
	tls_hello(s, byte);
}

#endif
