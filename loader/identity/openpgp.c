/* SPDX-License-Identifier: MIT */
/* RFC 9580: packets (4.2), signature packets (5.2) and their subpackets (5.2.3.7). */
#include "loader/identity/openpgp.h"

#include <stdbool.h>
#include <string.h>

#include "loader/identity/reader.h"

#define PACKET_SIGNATURE 2
#define SUBPACKET_ISSUER 16
#define SUBPACKET_FINGERPRINT 33
#define KEY_ID_SIZE 8

/* What is left to read; a step past the end makes it empty. */
struct bytes {
	const uint8_t *at;
	size_t left;
};

static bool take_bytes(struct bytes *from, size_t len, struct bytes *ret_bytes)
{
	if (len > from->left) {
		from->left = 0;
		return false;
	}
	*ret_bytes = (struct bytes){ from->at, len };
	from->at += len;
	from->left -= len;
	return true;
}

/* A big-endian number of @len bytes. */
static bool take_number(struct bytes *from, size_t len, size_t *ret_number)
{
	struct bytes number;
	size_t i, n = 0;

	if (!take_bytes(from, len, &number))
		return false;
	for (i = 0; i < len; i++)
		n = n << 8 | number.at[i];
	*ret_number = n;
	return true;
}

/* The length of packets and subpackets: one, two or five bytes. */
static bool take_length(struct bytes *from, size_t two_end, size_t *ret_len)
{
	size_t first, second;

	if (!take_number(from, 1, &first))
		return false;
	if (first < 192) {
		*ret_len = first;
		return true;
	}
	if (first < two_end) {
		if (!take_number(from, 1, &second))
			return false;
		*ret_len = ((first - 192) << 8) + second + 192;
		return true;
	}
	/* What is left are partial lengths, which no signature has. */
	return first == 255 && take_number(from, 4, ret_len);
}

static bool take_packet(struct bytes *from, size_t *ret_tag, struct bytes *ret_body)
{
	size_t head, len;

	if (!take_number(from, 1, &head) || !(head & 0x80))
		return false;
	if (head & 0x40) {
		*ret_tag = head & 0x3f;
		if (!take_length(from, 224, &len))
			return false;
	} else {
		*ret_tag = head >> 2 & 0xf;
		if ((head & 3) == 3)
			len = from->left;
		else if (!take_number(from, (size_t)1 << (head & 3), &len))
			return false;
	}
	return take_bytes(from, len, ret_body);
}

/* A fingerprint is worth more than a key id, wherever the two stand. */
static size_t subpackets_signer(struct bytes area, uint8_t ret_key[OPENPGP_KEY_MAX], size_t have)
{
	while (area.left) {
		struct bytes sub;
		size_t len, type, version;

		if (!take_length(&area, 255, &len) || !take_bytes(&area, len, &sub) ||
		    !take_number(&sub, 1, &type))
			break;
		type &= 0x7f; /* the high bit says critical */
		if (type == SUBPACKET_ISSUER && sub.left == KEY_ID_SIZE && !have) {
			memcpy(ret_key, sub.at, KEY_ID_SIZE);
			have = KEY_ID_SIZE;
		} else if (type == SUBPACKET_FINGERPRINT && take_number(&sub, 1, &version) &&
			   (sub.left == 20 || sub.left == 32)) {
			memcpy(ret_key, sub.at, sub.left);
			return sub.left;
		}
	}
	return have;
}

static size_t signature_signer(struct bytes body, uint8_t ret_key[OPENPGP_KEY_MAX])
{
	struct bytes skipped, area;
	size_t version, have = 0, len, i;

	if (!take_number(&body, 1, &version))
		return 0;
	if (version == 3) {
		/* the length 5, a type and a time, then the key id */
		if (!take_bytes(&body, 6, &skipped) || !take_bytes(&body, KEY_ID_SIZE, &area))
			return 0;
		memcpy(ret_key, area.at, KEY_ID_SIZE);
		return KEY_ID_SIZE;
	}
	/* type and two algorithms, then the hashed and the other subpackets */
	if ((version != 4 && version != 6) || !take_bytes(&body, 3, &skipped))
		return 0;
	for (i = 0; i < 2; i++) {
		if (!take_number(&body, version == 6 ? 4 : 2, &len) ||
		    !take_bytes(&body, len, &area))
			break;
		have = subpackets_signer(area, ret_key, have);
		if (have > KEY_ID_SIZE)
			break;
	}
	return have;
}

size_t openpgp_signer(const uint8_t *data, size_t len, uint8_t ret_key[OPENPGP_KEY_MAX])
{
	struct bytes all = { data, len }, body;
	size_t tag;

	while (all.left && take_packet(&all, &tag, &body)) {
		size_t have = tag == PACKET_SIGNATURE ? signature_signer(body, ret_key) : 0;

		if (have)
			return have;
	}
	return 0;
}
