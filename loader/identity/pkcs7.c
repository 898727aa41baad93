/* SPDX-License-Identifier: MIT */
/*
 * Two readers of one syntax. Authenticode puts a bare SEQUENCE where CMS wants an OCTET STRING, so
 * it is read as PKCS#7; a signer named by key identifier is CMS only. What the first cannot read
 * is tried with the second (cms.c).
 */
#include "loader/identity/pkcs7.h"

#include <errno.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "loader/identity/cms.h"
#include "loader/identity/digest.h"
#include "loader/identity/identity.h"
#include "loader/identity/record.h"
#include "loader/identity/signer.h"
#include "policy/cleanup.h"

/* Microsoft's numbers, which OpenSSL has no names for. */
#define OID_NESTED_SIGNATURE "1.3.6.1.4.1.311.2.4.1"
#define OID_INDIRECT_DATA "1.3.6.1.4.1.311.2.1.4"

static void cleanup_pkcs7(PKCS7 **p7)
{
	PKCS7_free(*p7);
}

static void cleanup_types(STACK_OF(ASN1_TYPE) * *types)
{
	sk_ASN1_TYPE_pop_free(*types, ASN1_TYPE_free);
}

static void cleanup_sig(X509_SIG **sig)
{
	X509_SIG_free(*sig);
}

static void cleanup_openssl(unsigned char **p)
{
	OPENSSL_free(*p);
}

static void cleanup_key_ctx(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

static bool object_is(const ASN1_OBJECT *object, const char *oid)
{
	char text[64];
	int len = OBJ_obj2txt(text, sizeof(text), object, 1);

	return len > 0 && (size_t)len < sizeof(text) && !strcmp(text, oid);
}

static enum identity_check equal(const ASN1_OCTET_STRING *signed_digest, const uint8_t *digest,
				 size_t len)
{
	return (size_t)ASN1_STRING_length(signed_digest) == len &&
			       !memcmp(ASN1_STRING_get0_data(signed_digest), digest, len) ?
		       IDENTITY_GOOD :
		       IDENTITY_BAD;
}

/* Both have to hold: bad is bad, and unknown is not good. */
static enum identity_check both(enum identity_check a, enum identity_check b)
{
	if (a == IDENTITY_BAD || b == IDENTITY_BAD)
		return IDENTITY_BAD;
	return a == IDENTITY_GOOD && b == IDENTITY_GOOD ? IDENTITY_GOOD : IDENTITY_UNKNOWN;
}

/* Only then is d.other what OpenSSL took the content for. */
static bool is_indirect(const PKCS7 *inner)
{
	return object_is(inner->type, OID_INDIRECT_DATA) && inner->d.other &&
	       inner->d.other->type == V_ASN1_SEQUENCE;
}

/* SpcIndirectDataContent ::= SEQUENCE { data, messageDigest DigestInfo }: the file's digest. */
static enum identity_check indirect_check(const PKCS7 *inner, const struct pkcs7_content *content)
{
	cleanup(cleanup_types) STACK_OF(ASN1_TYPE) *types = NULL;
	cleanup(cleanup_sig) X509_SIG *info = NULL;
	const ASN1_STRING *spc = inner->d.other->value.sequence;
	const unsigned char *at = ASN1_STRING_get0_data(spc);
	const ASN1_OCTET_STRING *digest;
	const X509_ALGOR *algorithm;
	const ASN1_OBJECT *object;
	enum digest_kind kind;
	ASN1_TYPE *second;

	types = d2i_ASN1_SEQUENCE_ANY(NULL, &at, ASN1_STRING_length(spc));
	if (sk_ASN1_TYPE_num(types) < 2)
		return IDENTITY_UNKNOWN;
	second = sk_ASN1_TYPE_value(types, 1);
	if (second->type != V_ASN1_SEQUENCE)
		return IDENTITY_UNKNOWN;
	at = ASN1_STRING_get0_data(second->value.sequence);
	info = d2i_X509_SIG(NULL, &at, ASN1_STRING_length(second->value.sequence));
	if (!info)
		return IDENTITY_UNKNOWN;
	X509_SIG_get0(info, &algorithm, &digest);
	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	kind = digest_kind_of(OBJ_obj2nid(object));
	if (kind == DIGEST_KIND_MAX || content->detached || !content->digests->has[kind])
		return IDENTITY_UNKNOWN;
	return equal(digest, content->digests->value[kind], digest_size(kind));
}

/* The content without its outermost tag and length, which digests leave out. */
static bool sequence_inside(const ASN1_STRING *sequence, const unsigned char **ret_data,
			    size_t *ret_len)
{
	const unsigned char *at = ASN1_STRING_get0_data(sequence);
	int tag, class;
	long len;

	/* 0x80: broken; 1: of indefinite length, which nobody signs */
	if (ASN1_get_object(&at, &len, &tag, &class, ASN1_STRING_length(sequence)) & 0x81)
		return false;
	*ret_data = at;
	*ret_len = (size_t)len;
	return true;
}

/* The digest of what this signature is about: the content inside of it, or the detached one. */
static bool content_digest(const PKCS7 *inner, const struct pkcs7_content *content,
			   enum digest_kind kind, uint8_t ret_digest[DIGEST_SIZE_MAX])
{
	const unsigned char *data;
	size_t len;

	if (kind == DIGEST_KIND_MAX)
		return false;
	if (!inner->d.ptr) {
		if (!content->detached || !content->digests->has[kind])
			return false;
		memcpy(ret_digest, content->digests->value[kind], DIGEST_SIZE_MAX);
		return true;
	}
	if (PKCS7_type_is_data(inner)) {
		data = ASN1_STRING_get0_data(inner->d.data);
		len = (size_t)ASN1_STRING_length(inner->d.data);
	} else if (!is_indirect(inner) ||
		   !sequence_inside(inner->d.other->value.sequence, &data, &len)) {
		return false;
	}
	return !digest_memory(kind, data, len, ret_digest);
}

/* Is this the key's signature over the signed attributes, or without them over the content? */
static enum identity_check key_check(PKCS7_SIGNER_INFO *info, X509 *leaf, enum digest_kind kind,
				     const uint8_t *digest)
{
	cleanup(cleanup_openssl) unsigned char *attributes = NULL;
	cleanup(cleanup_key_ctx) EVP_PKEY_CTX *ctx = NULL;
	uint8_t attributes_digest[DIGEST_SIZE_MAX];
	EVP_PKEY *key = X509_get0_pubkey(leaf);
	int type = key ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE;

	if (kind == DIGEST_KIND_MAX || (type != EVP_PKEY_RSA && type != EVP_PKEY_EC))
		return IDENTITY_UNKNOWN;
	if (sk_X509_ATTRIBUTE_num(info->auth_attr) > 0) {
		int size = ASN1_item_i2d((ASN1_VALUE *)info->auth_attr, &attributes,
					 ASN1_ITEM_rptr(PKCS7_ATTR_VERIFY));

		if (size <= 0 || digest_memory(kind, attributes, (size_t)size, attributes_digest))
			return IDENTITY_UNKNOWN;
		digest = attributes_digest;
	}
	ctx = EVP_PKEY_CTX_new(key, NULL);
	if (!digest || !ctx || EVP_PKEY_verify_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, digest_md(kind)) != 1)
		return IDENTITY_UNKNOWN;
	return EVP_PKEY_verify(ctx, ASN1_STRING_get0_data(info->enc_digest),
			       (size_t)ASN1_STRING_length(info->enc_digest), digest,
			       digest_size(kind)) == 1 ?
		       IDENTITY_GOOD :
		       IDENTITY_BAD;
}

static void signer_check(struct identity_signer *signer, const PKCS7 *p7, PKCS7_SIGNER_INFO *info,
			 X509 *leaf, const struct pkcs7_content *content)
{
	enum digest_kind kind = digest_kind_of(OBJ_obj2nid(info->digest_alg->algorithm));
	ASN1_TYPE *attribute = PKCS7_get_signed_attribute(info, NID_pkcs9_messageDigest);
	const PKCS7 *inner = p7->d.sign->contents;
	uint8_t digest[DIGEST_SIZE_MAX];
	bool here = content_digest(inner, content, kind, digest);
	enum identity_check said = IDENTITY_UNKNOWN;

	if (here && attribute && attribute->type == V_ASN1_OCTET_STRING)
		said = equal(attribute->value.octet_string, digest, digest_size(kind));
	if (leaf)
		signer->signature_ok = key_check(info, leaf, kind, here ? digest : NULL);
	/* Without signed attributes the digest is only inside of the signature. */
	if (!attribute)
		said = signer->signature_ok;
	signer->digest_ok = is_indirect(inner) ? both(said, indirect_check(inner, content)) : said;
}

static int pkcs7_walk(struct identity *identity, const uint8_t *der, size_t len,
		      const struct pkcs7_content *content, unsigned int depth);

static int nested_walk(struct identity *identity, const PKCS7_SIGNER_INFO *info,
		       const struct pkcs7_content *content, unsigned int depth)
{
	int i, j;

	for (i = 0; i < sk_X509_ATTRIBUTE_num(info->unauth_attr); i++) {
		X509_ATTRIBUTE *attribute = sk_X509_ATTRIBUTE_value(info->unauth_attr, i);

		if (!object_is(X509_ATTRIBUTE_get0_object(attribute), OID_NESTED_SIGNATURE))
			continue;
		for (j = 0; j < X509_ATTRIBUTE_count(attribute); j++) {
			const ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(attribute, j);
			int err;

			if (!value || value->type != V_ASN1_SEQUENCE)
				continue;
			err = pkcs7_walk(identity, ASN1_STRING_get0_data(value->value.sequence),
					 (size_t)ASN1_STRING_length(value->value.sequence), content,
					 depth + 1);
			if (err)
				return err;
			if (identity->signer_count == IDENTITY_SIGNERS_MAX)
				return 0;
		}
	}
	return 0;
}

const char *pkcs7_algorithm(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *object;
	int nid;

	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	nid = OBJ_obj2nid(object);
	return nid == NID_undef ? "unknown" : OBJ_nid2ln(nid);
}

/* What will be parsed of @len bytes: behind a signature there may be any amount of padding. */
static size_t der_size(const uint8_t *der, size_t len)
{
	const uint8_t *at = der;
	int tag, class, form;
	long inside;

	form = ASN1_get_object(&at, &inside, &tag, &class, (long)len);
	return form & 0x81 ? len : (size_t)(at - der) + (size_t)inside;
}

static int pkcs7_walk(struct identity *identity, const uint8_t *der, size_t len,
		      const struct pkcs7_content *content, unsigned int depth)
{
	cleanup(cleanup_pkcs7) PKCS7 *p7 = NULL;
	const uint8_t *start = der;
	int i, err;

	if (depth > IDENTITY_DEPTH_MAX) {
		record_overflow(identity, "signatures nested more than 8 deep");
		return 0;
	}
	identity->parsed += der_size(der, len);
	if (identity->parsed > (content->verify ? IDENTITY_SIGNATURE_MAX : IDENTITY_PARSED_MAX)) {
		record_overflow(identity, "more bytes of signatures than anybody needs");
		return 0;
	}
	p7 = d2i_PKCS7(NULL, &der, (long)len);
	if (!p7)
		return cms_read(identity, start, len, content, depth);
	if (!PKCS7_type_is_signed(p7) || !p7->d.sign || !p7->d.sign->contents) {
		record_problem(identity, "a signature that is not signed data");
		return 0;
	}
	for (i = 0; i < sk_PKCS7_SIGNER_INFO_num(p7->d.sign->signer_info); i++) {
		PKCS7_SIGNER_INFO *info = sk_PKCS7_SIGNER_INFO_value(p7->d.sign->signer_info, i);
		struct signer_id id = {
			.issuer = info->issuer_and_serial->issuer,
			.serial = info->issuer_and_serial->serial,
		};
		struct identity_signer *signer;
		X509 *leaf;

		err = signer_record(identity, &id, p7->d.sign->cert, &signer, &leaf);
		if (err)
			return err;
		if (!signer)
			return 0;
		signer->depth = depth;
		signer->digest_algorithm = pkcs7_algorithm(info->digest_alg);
		signer->signature_algorithm = pkcs7_algorithm(info->digest_enc_alg);
		if (content->verify)
			signer_check(signer, p7, info, leaf, content);
		err = nested_walk(identity, info, content, depth);
		if (err)
			return err;
	}
	return 0;
}

int pkcs7_read(struct identity *identity, const uint8_t *der, size_t len,
	       const struct pkcs7_content *content)
{
	int err = pkcs7_walk(identity, der, len, content, 0);

	/* OpenSSL keeps a queue of what it did not like; nobody reads it. */
	ERR_clear_error();
	return err;
}
