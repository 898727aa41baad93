/* SPDX-License-Identifier: MIT */
/* The server name of a ClientHello, however its records are cut; empty ones are taken by OpenSSL. */
#include <string.h>

#include "bpf/stream.bpf.h"
#include "tests/unit/tap.h"

static const __u8 empty[] = { 22, 3, 1, 0, 0 };

/* The rest is no state of its own: no session, one suite, one method, one extension. */
static const __u8 hello[] = { 1, 0, 0,	 59,  3,   3,	[38] = 0, 0,   2,  0x13, 1,
			      1, 0, 0,	 16,  0,   0,	0,	  12,  0,  10,	 0,
			      0, 7, 'b', 'a', 'n', '.', 'o',	  'r', 'g' };

struct segment {
	__u8 bytes[256];
	__u32 len;
};

static void add(struct segment *segment, const __u8 *bytes, size_t len)
{
	memcpy(segment->bytes + segment->len, bytes, len);
	segment->len += len;
}

static void add_record(struct segment *segment, size_t from, size_t to)
{
	const __u8 header[] = { 22, 3, 1, 0, to - from };

	add(segment, header, sizeof(header));
	add(segment, hello + from, to - from);
}

/* Is the name found in the segment, looked at as the first of a connection? */
static bool named(const struct segment *segment)
{
	struct source source = { .bytes = segment->bytes, .len = segment->len };
	__u8 kind = stream_kind(segment->bytes, segment->len < 8 ? segment->len : 8, false);
	struct stream stream;
	struct chunk chunk;

	if (kind != STREAM_TLS)
		return false;
	stream_begin(&stream, kind);
	chunk_begin(&chunk, 0, 0, segment->len);
	return debar_stream_run(&source, &stream, &chunk) == STREAM_NAME && stream.text_len == 7 &&
	       !memcmp(stream.text, "ban.org", 7);
}

int main(void)
{
	struct segment plain = {}, before = {}, between = {}, other = {};

	add_record(&plain, 0, sizeof(hello));
	tap_ok(named(&plain), "a hello in one record");
	add(&before, empty, sizeof(empty));
	add(&before, empty, sizeof(empty));
	add_record(&before, 0, sizeof(hello));
	tap_ok(named(&before), "behind empty records");
	add_record(&between, 0, 3);
	add(&between, empty, sizeof(empty));
	add_record(&between, 3, sizeof(hello));
	tap_ok(named(&between), "with an empty record in it");
	add_record(&other, 0, sizeof(hello));
	other.bytes[5] = 2;
	tap_ok(!named(&other), "another message is none");
	return tap_done();
}
