/* SPDX-License-Identifier: MIT */
#include "loader/identity/rpm_header.h"

#include <string.h>

#include "loader/identity/reader.h"

#define ENTRY_SIZE 16 /* tag, type, offset into the data, count */

uint64_t rpm_header_size(const uint8_t sizes[8])
{
	return (uint64_t)be32(sizes) * ENTRY_SIZE + be32(sizes + 4);
}

struct rpm_header rpm_header_at(const uint8_t sizes[8], const uint8_t *bytes)
{
	return (struct rpm_header){
		.entries = bytes,
		.count = be32(sizes),
		.data = bytes + (size_t)be32(sizes) * ENTRY_SIZE,
		.data_len = be32(sizes + 4),
	};
}

bool rpm_header_find(const struct rpm_header *header, enum rpm_tag tag, enum rpm_type type,
		     struct rpm_values *ret_values)
{
	uint32_t i;

	for (i = 0; i < header->count; i++) {
		const uint8_t *entry = header->entries + (size_t)i * ENTRY_SIZE;
		uint32_t off = be32(entry + 8);

		if (be32(entry) != (uint32_t)tag || be32(entry + 4) != (uint32_t)type ||
		    off > header->data_len)
			continue;
		*ret_values = (struct rpm_values){ header->data + off, header->data_len - off,
						   be32(entry + 12) };
		return true;
	}
	return false;
}

bool rpm_values_string(struct rpm_values *values, const char **ret_string)
{
	const uint8_t *end = values->count ? memchr(values->at, '\0', values->len) : NULL;

	if (!end)
		return false;
	*ret_string = (const char *)values->at;
	values->len -= (size_t)(end - values->at) + 1;
	values->at = end + 1;
	values->count--;
	return true;
}
