/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HTTP/1: the host of a request's target (CONNECT, or the absolute URI that a proxy is given) and of
 * its Host header. Nothing is taken for HTTP whose first line does not end in HTTP/. Behind the
 * headers the next request may follow at once; behind a body it is found at a segment's begin.
 * Included by stream.bpf.h.
 */
#ifndef DEBAR_HTTP_BPF_H
#define DEBAR_HTTP_BPF_H

#include "bpf/stream.bpf.h"

#define HTTP_METHOD_MAX 32

enum http_state {
	HTTP_METHOD,
	HTTP_TARGET,	/* its first byte */
	HTTP_SCHEME,	/* up to :// */
	HTTP_AUTHORITY, /* host, with what may stand before and behind it */
	HTTP_PATH,	/* up to the version */
	HTTP_VERSION,
	HTTP_LINE,   /* of a header, up to its end */
	HTTP_HEADER, /* name of a header */
	HTTP_HOST,   /* value of Host */
};

/* Words as numbers, first byte lowest: a string would be a section that old libbpf cannot place. */
#define HTTP_CONNECT 0x5443454e4e4f43ULL
#define HTTP_SLASH 0x2f50545448ULL /* HTTP/ */
#define HTTP_NAME_HOST 0x74736f68ULL
#define letter(word, at) ((__u8)((word) >> ((at)&7) * 8))

static __always_inline bool http_begins(__u8 byte)
{
	return (byte >= 'A' && byte <= 'Z') || byte == '\r' || byte == '\n';
}

static __always_inline void http_next(struct stream *s, __u8 state)
{
	s->state = state;
	s->at = 0;
}

static __always_inline void http_method(struct stream *s, __u8 byte)
{
	__u32 at = s->at;

	if (!at && (byte == '\r' || byte == '\n'))
		return;
	if (byte == ' ' && at) {
		s->connect = s->matched == 7 && at == 7;
		s->text_len = s->quiet = 0;
		http_next(s, HTTP_TARGET);
		return;
	}
	if (!((byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_') ||
	    at >= HTTP_METHOD_MAX) {
		s->found = STREAM_OVER;
		return;
	}
	if (!at)
		s->matched = 0;
	if (s->matched == at && byte == letter(HTTP_CONNECT, at))
		s->matched++;
	s->at++;
}

/* A byte of "user:password@host:port"; what is behind the host is not kept. */
static __always_inline void http_authority(struct stream *s, __u8 byte)
{
	if (byte == '@') {
		s->text_len = s->quiet = 0;
	} else if (byte == ':') {
		s->quiet = 1;
	} else if (byte == ' ') {
		http_next(s, HTTP_VERSION);
	} else if (byte == '/' || byte == '?' || byte == '#') {
		http_next(s, HTTP_PATH);
	} else if (!s->quiet) {
		stream_text(s, byte);
	}
}

static __always_inline void http_target(struct stream *s, __u8 byte)
{
	if (s->state == HTTP_TARGET) {
		if (s->connect) {
			http_next(s, HTTP_AUTHORITY);
			http_authority(s, byte);
			return;
		}
		http_next(s, byte == '/' || byte == '*' ? HTTP_PATH : HTTP_SCHEME);
	} else if (byte == ' ') {
		http_next(s, HTTP_VERSION);
	} else if (s->state == HTTP_SCHEME) {
		/* "://": a colon, then two slashes */
		s->at = byte == ':' ? 1 : byte == '/' && s->at ? s->at + 1 : 0;
		if (s->at == 3)
			http_next(s, HTTP_AUTHORITY);
	}
}

static __always_inline void http_version(struct stream *s, __u8 byte)
{
	__u32 at = s->at;

	if (byte == '\n') {
		if (at < 5) {
			s->found = STREAM_OVER;
			return;
		}
		if (s->text_len)
			s->found = STREAM_NAME;
		s->host = 0;
		http_next(s, HTTP_HEADER);
		return;
	}
	if (at >= 5)
		return;
	if (byte == letter(HTTP_SLASH, at))
		s->at++;
	else if (at || byte != ' ')
		s->found = STREAM_OVER;
}

static __always_inline void http_header(struct stream *s, __u8 byte)
{
	__u32 at = s->at;

	if (!at && byte == '\n') {
		http_next(s, HTTP_METHOD);
		s->text_len = 0;
	} else if (!at && byte == '\r') {
		return;
	} else if (!at && (byte == ' ' || byte == '\t')) {
		/* A line that goes on: still the value, if it was Host's. */
		http_next(s, s->host ? HTTP_HOST : HTTP_LINE);
	} else if (at < 4 && (byte | 0x20) == letter(HTTP_NAME_HOST, at)) {
		s->at++;
	} else if (at == 4 && byte == ':') {
		s->host = 1;
		s->text_len = s->quiet = 0;
		http_next(s, HTTP_HOST);
	} else if (at != 4 || (byte != ' ' && byte != '\t')) {
		s->host = 0;
		http_next(s, byte == '\n' ? HTTP_HEADER : HTTP_LINE);
	}
}

static __always_inline void http_host(struct stream *s, __u8 byte)
{
	if (byte == '\n') {
		if (s->text_len)
			s->found = STREAM_NAME;
		http_next(s, HTTP_HEADER);
	} else if (byte == ':' || (s->text_len && (byte == ' ' || byte == '\t'))) {
		s->quiet = 1;
	} else if (byte != '\r' && byte != ' ' && byte != '\t' && !s->quiet) {
		stream_text(s, byte);
	}
}

static __always_inline void http_byte(struct stream *s, __u8 byte)
{
	/* A first line has no other end than its version's. */
	if (byte == '\n' && s->state >= HTTP_TARGET && s->state <= HTTP_PATH) {
		s->found = STREAM_OVER;
		return;
	}
	switch (s->state) {
	case HTTP_METHOD:
		http_method(s, byte);
		break;
	case HTTP_TARGET:
	case HTTP_SCHEME:
	case HTTP_PATH:
		http_target(s, byte);
		break;
	case HTTP_AUTHORITY:
		http_authority(s, byte);
		break;
	case HTTP_VERSION:
		http_version(s, byte);
		break;
	case HTTP_HEADER:
		http_header(s, byte);
		break;
	case HTTP_HOST:
		http_host(s, byte);
		break;
	default: /* HTTP_LINE */
		if (byte == '\n')
			http_next(s, HTTP_HEADER);
		break;
	}
}

#endif
