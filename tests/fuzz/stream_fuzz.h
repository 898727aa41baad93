/* SPDX-License-Identifier: MIT */
/* The fuzzers of byte streams; the includer names the protocol. */
#ifndef DEBAR_TESTS_STREAM_FUZZ_H
#define DEBAR_TESTS_STREAM_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/stream.bpf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Everything found, as one number. */
struct finding {
	struct stream stream;
	uint64_t hash;
	uint32_t count;
};

static void finding_add(struct finding *finding)
{
	struct stream *s = &finding->stream;
	uint32_t len = s->text_len < TEXT_SIZE ? s->text_len : TEXT_SIZE;
	struct name name = { .seed = 1, .multiplier = 3 };
	struct text text;

	memcpy(text.bytes, s->text, sizeof(text.bytes));
	debar_name_text(&name, &text, s->text_len);
	if (name.len > DEBAR_NAME_MAX || name.labels > DEBAR_LABELS_MAX)
		abort();
	for (uint32_t i = 0; i < len; i++)
		finding->hash = (finding->hash ^ s->text[i]) * 0x100000001b3ULL;
	finding->count++;
}

/* One segment; true: the stream goes on. */
static bool finding_feed(struct finding *finding, const uint8_t *data, size_t size)
{
	struct source source = { .bytes = data, .len = size };
	struct chunk chunk = {};

	chunk_begin(&chunk, 0, 0, size);
	for (;;) {
		int found = debar_stream_run(&source, &finding->stream, &chunk);

		if (found == STREAM_OVER)
			return false;
		if (found == STREAM_MORE)
			return true;
		finding_add(finding);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct finding whole = { .hash = 7 }, parts = { .hash = 7 };
	size_t step = size ? 1 + data[0] % 13 : 1;

	if (!size)
		return 0;
	data++;
	size--;
	stream_begin(&whole.stream, STREAM_UNDER_TEST);
	stream_begin(&parts.stream, STREAM_UNDER_TEST);
	finding_feed(&whole, data, size);
	for (size_t at = 0; at < size; at += step)
		if (!finding_feed(&parts, data + at, size - at < step ? size - at : step))
			break;
	if (whole.hash != parts.hash || whole.count != parts.count)
		abort();
	return 0;
}

#endif
