/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TCP connection's bytes, in order, whatever segments they come in: a small machine for each
 * protocol, fed byte by byte, that hands out names. What it may skip it skips at once.
 */
#ifndef DEBAR_STREAM_BPF_H
#define DEBAR_STREAM_BPF_H

#include "bpf/name.bpf.h"

enum stream_kind {
	STREAM_NONE, /* nothing here is of interest: look at the next segment's first bytes */
	STREAM_TLS,
	STREAM_HTTP,
	STREAM_DNS,
};

/* What the last byte brought. */
enum stream_found {
	STREAM_MORE,
	STREAM_NAME,	/* text holds a name */
	STREAM_MESSAGE, /* text holds the front of a DNS message */
	STREAM_OVER,	/* nothing of interest will follow */
};

#define STREAM_TEXT 512
#define STREAM_STEPS_MAX (1 << 18) /* more than a packet has bytes */

/* Kept with the socket only while something has begun and not ended. */
struct stream {
	__u32 skip;	/* bytes of no interest */
	__u32 left;	/* TLS: of the record; DNS: of the message */
	__u32 inner;	/* TLS: of the hello */
	__u32 text_len; /* bytes of the name or message; of a name the ring keeps the last TEXT_SIZE */
	__u32 number; /* being read */
	__u16 record; /* TLS: length of the record, being read */
	__u16 type;   /* TLS: of the extension */
	__u16 list;   /* TLS: bytes left of the list of names, behind this name */
	__u16 name_left;
	__u8 kind;  /* enum stream_kind */
	__u8 found; /* enum stream_found */
	__u8 state;
	__u8 at;	/* bytes of the state that were read */
	__u8 header;	/* TLS: bytes of the record's header that were read */
	__u8 encrypted; /* TLS: the hello has an encrypted one inside */
	__u8 connect;	/* HTTP: the method is CONNECT */
	__u8 matched;	/* HTTP: bytes of that word that fit */
	__u8 quiet;	/* HTTP: the host is whole */
	__u8 host;	/* HTTP: this header is Host */
	__u8 pad[2];
	__u8 text[STREAM_TEXT];
};

static __always_inline void stream_text(struct stream *s, __u8 byte)
{
	__u32 at = s->text_len;

	opaque(at);
	s->text[at & (TEXT_SIZE - 1)] = byte;
	s->text_len++;
}

#include "bpf/http.bpf.h"
#include "bpf/tls.bpf.h"

/* ---- DNS over TCP: two bytes of length, and the message ------------------------------------- */

static __always_inline void dns_stream_byte(struct stream *s, __u8 byte)
{
	__u32 at = s->text_len;

	if (s->at < 2) {
		s->number = s->number << 8 | byte;
		if (++s->at == 2) {
			s->left = s->number;
			s->text_len = 0;
			if (!s->left)
				s->at = 0;
		}
		return;
	}
	opaque(at);
	s->text[at & (STREAM_TEXT - 1)] = byte;
	s->text_len++;
	s->left--;
	if (s->left && s->text_len < STREAM_TEXT)
		return;
	/* Questions come first; what is behind them is not read. */
	s->skip = s->left;
	s->left = s->at = s->number = 0;
	s->found = STREAM_MESSAGE;
}

/* ---- any of them ---------------------------------------------------------------------------- */

/* How many of @available bytes need not be looked at. */
static __always_inline __u32 stream_skippable(struct stream *s, __u32 available)
{
	__u32 skip = s->skip < available ? s->skip : available;

	if (s->kind == STREAM_TLS && skip > s->left)
		skip = s->left;
	if (s->kind == STREAM_TLS && skip > s->inner)
		skip = s->inner;
	return skip;
}

static __always_inline void stream_skipped(struct stream *s, __u32 count)
{
	s->skip -= count;
	if (s->kind == STREAM_TLS) {
		s->left -= count;
		s->inner -= count;
	}
}

/* Functions of this kind are verified once, for any argument: see verdict.bpf.h. */
__weak int debar_stream_byte(struct stream *s, __u8 byte)
{
	if (!s)
		return 1;
	s->found = STREAM_MORE;
	if (s->kind == STREAM_TLS)
		tls_byte(s, byte);
	else if (s->kind == STREAM_HTTP)
		http_byte(s, byte);
	else
		dns_stream_byte(s, byte);
	return s->found != STREAM_MORE;
}

/* Between two requests there is nothing to remember. */
static __always_inline bool stream_idle(const struct stream *s)
{
	return s->kind == STREAM_NONE ||
	       (s->kind == STREAM_HTTP && s->state == HTTP_METHOD && !s->at);
}

/*
 * What the first bytes of a segment promise; @dns: to a port of DNS. A prefix of a promise is one,
 * since the rest may be in the next segment.
 */
static __always_inline __u8 stream_kind(const __u8 *bytes, __u32 len, bool dns)
{
	if (dns)
		return STREAM_DNS;
	if (bytes[0] == TLS_HANDSHAKE && (len < 2 || bytes[1] == 3)) {
		/* Servers pass over empty records before the hello. */
		bool empty = len > 4 && !(bytes[3] | bytes[4]);

		return len < 6 || empty || bytes[5] == TLS_CLIENT_HELLO ? STREAM_TLS : STREAM_NONE;
	}
	return http_begins(bytes[0]) ? STREAM_HTTP : STREAM_NONE;
}

static __always_inline void stream_begin(struct stream *s, __u8 kind)
{
	__builtin_memset(s, 0, __builtin_offsetof(struct stream, text));
	s->kind = kind;
}

/* Is one of the eight bytes this one? */
static __always_inline bool word_has(__u64 word, __u8 byte)
{
	const __u64 ones = 0x0101010101010101ULL;

	word ^= ones * byte;
	return (word - ones) & ~word & ones << 7;
}

#define CHUNK 256

/* Where in a payload the parse is, and what of it is in memory. */
struct chunk {
	__u32 offset; /* of the payload in the source */
	__u32 at;     /* next byte of it */
	__u32 end;
	__u32 from; /* what of it is in `bytes` */
	__u32 to;
	__u32 pad;
	__u8 bytes[CHUNK];
};

struct stream_walk {
	SOURCE *source;
	struct stream *stream;
	struct chunk *chunk;
};

static __always_inline bool chunk_load(struct stream_walk *walk)
{
	struct chunk *chunk = walk->chunk;
	__u32 at = chunk->at;
	__u64 len = chunk->end - at;

	if (len > CHUNK)
		len = CHUNK;
	chunk->from = at;
	chunk->to = at + len;
	/* Of 1 to CHUNK nothing changes; of 0 there is no call. So every verifier sees the bounds. */
	len--;
	opaque(len);
	len = (len & (CHUNK - 1)) + 1;
	return source_load(walk->source, chunk->offset + at, chunk->bytes, len);
}

/* bpf_loop body: one byte, or a skip. */
static long stream_step(__u32 i, struct stream_walk *walk)
{
	struct stream *s = walk->stream;
	struct chunk *chunk = walk->chunk;
	__u32 at = chunk->at, in, skip;

	if (at >= chunk->end)
		return 1;
	skip = stream_skippable(s, chunk->end - at);
	if (skip) {
		stream_skipped(s, skip);
		chunk->at = at + skip;
		return 0;
	}
	if (at >= chunk->to && !chunk_load(walk))
		return 1;
	in = at - chunk->from;
	opaque(in);
	in &= CHUNK - 1;
	/* Of a header that is not wanted, eight bytes at once. */
	if (s->kind == STREAM_HTTP && s->state == HTTP_LINE && at + 8 <= chunk->to &&
	    in <= CHUNK - 8 && !word_has(word_at(&chunk->bytes[in]), '\n')) {
		chunk->at = at + 8;
		return 0;
	}
	chunk->at = at + 1;
	return debar_stream_byte(s, chunk->bytes[in]) != 0;
}

/* Feed what is left of the payload, up to something found: returns what, and s->found says it. */
__weak int debar_stream_run(SOURCE *source, struct stream *s, struct chunk *chunk)
{
	struct stream_walk walk = { .source = source, .stream = s, .chunk = chunk };

	if (!s || !chunk)
		return 0;
	s->found = STREAM_MORE;
	bpf_loop(STREAM_STEPS_MAX, stream_step, &walk, 0);
	return s->found;
}

/* The payload at @offset of the source, from byte @at of it to @end. */
static __always_inline void chunk_begin(struct chunk *chunk, __u32 offset, __u32 at, __u32 end)
{
	chunk->offset = offset;
	chunk->at = at;
	chunk->end = end;
	chunk->from = chunk->to = 0;
}

#endif
