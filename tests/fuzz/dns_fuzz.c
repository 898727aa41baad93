// SPDX-License-Identifier: MIT
/*
 * A DNS message, read as a query and as an answer: no byte outside of it, no walk without an end, and
 * no name but of legal lengths.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/dns.bpf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void name_check(const struct name *name)
{
	uint32_t at = 0, labels = 0;

	for (; at < name->len; at += 1 + name->wire[at], labels++)
		if (!name->wire[at] || name->wire[at] > 63)
			abort();
	if (at != name->len || labels != name->labels || name->len > DEBAR_NAME_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_message *message = calloc(1, sizeof(*message));
	struct name name = { .seed = 1, .multiplier = 3 };
	uint32_t end = size < DNS_MESSAGE_MAX ? size : DNS_MESSAGE_MAX, at = DNS_HEADER;
	struct dns_header header;

	memcpy(message->bytes, data, end);
	dns_header_read(message, &header);
	for (int i = 0; i < header.questions && i < DNS_QUESTIONS_MAX; i++) {
		at = debar_dns_name(message, &name, end, at);
		if (!at)
			break;
		name_check(&name);
		at += 4;
	}
	for (int i = 0; at && i < DNS_RECORDS_MAX; i++) {
		struct dns_record record;
		uint32_t target, after = dns_record(message, &name, end, at, &record);

		if (!after)
			break;
		if (after <= at || after > end)
			abort();
		at = after;
		target = dns_target(&record);
		if (target && debar_dns_name(message, &name, end, target))
			name_check(&name);
	}
	free(message);
	return 0;
}
