/* SPDX-License-Identifier: MIT */
#include "loader/identity/module.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "loader/identity/digest.h"
#include "loader/identity/elf.h"
#include "loader/identity/identity.h"
#include "loader/identity/pkcs7.h"
#include "loader/identity/reader.h"
#include "loader/identity/record.h"
#include "loader/identity/unpack.h"
#include "policy/cleanup.h"

/* content, signature, struct module_signature (include/linux/module_signature.h), magic */
static const char magic[] = "~Module signature appended~\n";

#define MAGIC_SIZE (sizeof(magic) - 1)
#define INFO_SIZE 12
#define INFO_ID_TYPE 2
#define INFO_SIG_LEN 8
#define ID_TYPE_PKCS7 2

/* Enough of an unpacked file to see whether it is an object file. */
#define PEEK_SIZE 64

int module_is_signed(const struct identity_reader *reader, bool *ret_signed)
{
	char tail[MAGIC_SIZE];
	int err;

	*ret_signed = false;
	if (reader->size < MAGIC_SIZE + INFO_SIZE)
		return 0;
	err = reader_read(reader, tail, sizeof(tail), reader->size - sizeof(tail));
	if (!err)
		*ret_signed = !memcmp(tail, magic, sizeof(tail));
	return err;
}

static int signature_read(struct identity *identity, const uint8_t *data, size_t content_len,
			  size_t sig_len, unsigned int flags)
{
	cleanup(digest_release) struct digest_set digests = {};
	struct pkcs7_content content = { .detached = true, .digests = &digests };
	int err;

	if (flags & IDENTITY_VERIFY) {
		content.verify = true;
		err = digest_start(&digests, (1u << DIGEST_KIND_MAX) - 1);
		if (!err)
			err = digest_update(&digests, data, content_len);
		if (!err)
			err = digest_finish(&digests);
		if (err)
			return err;
	}
	return pkcs7_read(identity, data + content_len, sig_len, &content);
}

int module_read(struct identity *identity, const uint8_t *data, size_t len, unsigned int flags)
{
	unsigned int depth;

	/* The kernel looks at the last one only; one put on top must not hide the one beneath. */
	for (depth = 0;; depth++) {
		const uint8_t *info;
		size_t sig_len;
		int err;

		if (len < MAGIC_SIZE + INFO_SIZE ||
		    memcmp(data + len - MAGIC_SIZE, magic, MAGIC_SIZE))
			return 0;
		if (depth == IDENTITY_DEPTH_MAX) {
			record_overflow(identity, "more than 8 signatures appended");
			return 0;
		}
		len -= MAGIC_SIZE + INFO_SIZE;
		info = data + len;
		sig_len = be32(info + INFO_SIG_LEN);
		if (sig_len > len) {
			record_problem(identity, "an appended signature larger than its file");
			return 0;
		}
		if (sig_len > IDENTITY_SIGNATURE_MAX) {
			record_overflow(identity, "signatures of more than 16 MiB");
			return 0;
		}
		len -= sig_len;
		if (info[INFO_ID_TYPE] != ID_TYPE_PKCS7) {
			record_problem(identity, "an appended signature that is not PKCS#7");
			continue;
		}
		err = signature_read(identity, data, len, sig_len, flags);
		if (err)
			return err;
	}
}

int module_read_packed(struct identity *identity, const struct identity_reader *reader,
		       const uint8_t *head, size_t head_len, unsigned int flags)
{
	cleanup(cleanup_free) uint8_t *bytes = NULL;
	struct identity_memory memory;
	Elf64_Ehdr peek;
	size_t len;
	int err;

	err = unpack_peek(head, head_len, (uint8_t *)&peek, PEEK_SIZE);
	if (err == -ENOMEM)
		return err;
	/* Byte order does not matter: ET_REL is 1, and neither order of another type has both. */
	if (err || memcmp(peek.e_ident, ELFMAG, SELFMAG) ||
	    (peek.e_type != ET_REL && peek.e_type != __builtin_bswap16(ET_REL)))
		return 0;
	err = unpack(reader, 0, reader->size, IDENTITY_PRIVATE_MAX, &bytes, &len);
	if (err == -EFBIG)
		record_overflow(identity, "a compressed module of more than 64 MiB");
	else if (err == -EINVAL)
		record_problem(identity, "a compressed module that cannot be unpacked");
	else if (err)
		return err;
	identity->type = IDENTITY_MODULE;
	if (err)
		return 0;
	memory = (struct identity_memory){ bytes, len };
	err = elf_read_memory(identity, &memory, flags);
	identity->type = IDENTITY_MODULE;
	return err;
}
