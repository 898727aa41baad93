/* SPDX-License-Identifier: MIT */
/* Signatures made here, by authorities made here: who counts as a signer, and what is bounded. */
#include <openssl/asn1.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "loader/identity/digest.h"
#include "loader/identity/pkcs7.h"
#include "loader/identity/record.h"
#include "tests/unit/identity_sample.h"
#include "tests/unit/tap.h"

struct authority {
	EVP_PKEY *key;
	X509 *cert;
};

static void name_add(X509_NAME *name, const char *attribute, int type, const char *value, int len)
{
	X509_NAME_add_entry_by_txt(name, attribute, type, (const unsigned char *)value, len, -1, 0);
}

/* @issuer NULL: signs itself. @add gives the subject more attributes. */
static struct authority authority_make(const char *cn, const struct authority *issuer, long serial,
				       void (*add)(X509_NAME *name))
{
	struct authority a = { EVP_EC_gen("P-256"), X509_new() };
	X509_NAME *name = X509_NAME_new();
	ASN1_OCTET_STRING *keyid = ASN1_OCTET_STRING_new();
	unsigned char id[20];

	name_add(name, "CN", MBSTRING_UTF8, cn, -1);
	if (add)
		add(name);
	X509_set_version(a.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(a.cert), serial);
	X509_gmtime_adj(X509_getm_notBefore(a.cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(a.cert), 3600);
	X509_set_subject_name(a.cert, name);
	X509_set_issuer_name(a.cert, issuer ? X509_get_subject_name(issuer->cert) : name);
	X509_set_pubkey(a.cert, a.key);
	memset(id, (int)serial, sizeof(id));
	ASN1_OCTET_STRING_set(keyid, id, sizeof(id));
	X509_add1_ext_i2d(a.cert, NID_subject_key_identifier, keyid, 0, 0);
	X509_sign(a.cert, issuer ? issuer->key : a.key, EVP_sha256());
	ASN1_OCTET_STRING_free(keyid);
	X509_NAME_free(name);
	return a;
}

static void authority_free(struct authority *a)
{
	EVP_PKEY_free(a->key);
	X509_free(a->cert);
}

static const char message[] = "what is signed";

static PKCS7 *sign(const struct authority *a, STACK_OF(X509) * others, int flags)
{
	BIO *bio = BIO_new_mem_buf(message, sizeof(message));
	PKCS7 *p7 = PKCS7_sign(a->cert, a->key, others, bio, PKCS7_BINARY | flags);

	BIO_free(bio);
	return p7;
}

static struct digest_set message_digests(void)
{
	struct digest_set set = { .has = { true, true, true, true } };
	unsigned int kind;

	for (kind = 0; kind < DIGEST_KIND_MAX; kind++)
		digest_memory(kind, message, sizeof(message), set.value[kind]);
	return set;
}

static struct identity *der_read(const uint8_t *der, size_t len, bool verify)
{
	struct digest_set digests = message_digests();
	struct pkcs7_content content = { .verify = verify, .detached = true, .digests = &digests };
	struct identity *identity = calloc(1, sizeof(*identity));

	if (pkcs7_read(identity, der, len, &content))
		abort();
	record_signer_keys(identity);
	return identity;
}

/* Frees @p7. */
static struct identity *p7_read(PKCS7 *p7)
{
	unsigned char *der = NULL;
	int len = i2d_PKCS7(p7, &der);
	struct identity *identity = der_read(der, (size_t)len, true);

	OPENSSL_free(der);
	PKCS7_free(p7);
	return identity;
}

static PKCS7_SIGNER_INFO *first_info(PKCS7 *p7)
{
	return sk_PKCS7_SIGNER_INFO_value(PKCS7_get_signer_info(p7), 0);
}

/* An attribute outside of the signature; @der is a whole SEQUENCE. */
static void attribute_add(PKCS7 *p7, const char *oid, const unsigned char *der, int len)
{
	PKCS7_SIGNER_INFO *info = first_info(p7);
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_STRING *value = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	X509_ATTRIBUTE *attribute;

	ASN1_STRING_set(value, der, len);
	attribute = X509_ATTRIBUTE_create_by_OBJ(NULL, object, V_ASN1_SEQUENCE, value->data,
						 value->length);
	if (!info->unauth_attr)
		info->unauth_attr = sk_X509_ATTRIBUTE_new_null();
	sk_X509_ATTRIBUTE_push(info->unauth_attr, attribute);
	ASN1_STRING_free(value);
	ASN1_OBJECT_free(object);
}

static void p7_attribute_add(PKCS7 *p7, const char *oid, PKCS7 *inner)
{
	unsigned char *der = NULL;
	int len = i2d_PKCS7(inner, &der);

	attribute_add(p7, oid, der, len);
	OPENSSL_free(der);
	PKCS7_free(inner);
}

static bool signed_by(const struct identity *identity, const char *cn)
{
	size_t i;

	for (i = 0; i < identity->signer_count; i++)
		if (identity->signers[i].cert && strstr(identity->signers[i].cert->subject, cn))
			return true;
	return false;
}

static void test_chain(void)
{
	struct authority root = authority_make("Root", NULL, 1, NULL);
	struct authority middle = authority_make("Middle", &root, 2, NULL);
	struct authority leaf = authority_make("Leaf", &middle, 3, NULL);
	struct authority other = authority_make("Nobody", NULL, 4, NULL);
	STACK_OF(X509) *others = sk_X509_new_null();
	struct identity *identity;

	sk_X509_push(others, other.cert);
	sk_X509_push(others, root.cert);
	sk_X509_push(others, middle.cert);
	identity = p7_read(sign(&leaf, others, PKCS7_DETACHED));
	tap_ok(identity->signer_count == 1 && identity->signers->chain_count == 3 &&
		       !strcmp(identity->signers->chain[2]->subject, "CN=Root"),
	       "the chain goes up to the root, in whatever order the certificates come");
	tap_ok(sample_count_keys(identity, DEBAR_KEY_CERT_LEAF) == 1 &&
		       sample_count_keys(identity, DEBAR_KEY_CERT_CHAIN) == 3 &&
		       identity->cert_count == 3,
	       "a certificate that is in no chain is no key");
	tap_ok(identity->signers->digest_ok == IDENTITY_GOOD &&
		       identity->signers->signature_ok == IDENTITY_GOOD,
	       "a detached signature is checked against the content's digest");
	identity_free(identity);

	identity = p7_read(sign(&leaf, NULL, PKCS7_DETACHED | PKCS7_NOCERTS));
	tap_ok(identity->signer_count == 1 && !identity->signers->cert &&
		       sample_count_keys(identity, DEBAR_KEY_CERT_ISSUER_SERIAL) == 1 &&
		       identity->keys.count == 1,
	       "without a certificate the signer is an issuer and a serial");
	tap_str(identity->signers->issuer, "CN=Middle", "the issuer is readable");
	tap_str(identity->signers->serial, "03", "a serial has an even number of digits");
	identity_free(identity);

	identity = p7_read(sign(&leaf, NULL, PKCS7_DETACHED | PKCS7_NOATTR));
	tap_ok(identity->signers->digest_ok == IDENTITY_GOOD,
	       "without signed attributes the signature is over the content");
	identity_free(identity);
	sk_X509_free(others);
	authority_free(&root);
	authority_free(&middle);
	authority_free(&leaf);
	authority_free(&other);
}

/* The same issuer and serial is one key, whether or not the certificate is there. */
static void test_absent_certificate(void)
{
	struct authority root = authority_make("Root", NULL, 1, NULL);
	struct authority leaf = authority_make("Leaf", &root, 77, NULL);
	struct identity *with = p7_read(sign(&leaf, NULL, PKCS7_DETACHED));
	struct identity *without = p7_read(sign(&leaf, NULL, PKCS7_DETACHED | PKCS7_NOCERTS));
	struct policy_cert_facts facts[3], fact[1];
	size_t count = identity_cert_facts(with->signers->cert, facts);
	BIO *bio = BIO_new_mem_buf(message, sizeof(message));
	CMS_ContentInfo *cms = CMS_sign(leaf.cert, leaf.key, NULL, bio,
					CMS_BINARY | CMS_DETACHED | CMS_USE_KEYID | CMS_NOCERTS);
	unsigned char *der = NULL;
	int len = i2d_CMS_ContentInfo(cms, &der);
	struct identity *keyid = der_read(der, (size_t)len, true);

	tap_ok(count == 3 && facts[0].key.kind == DEBAR_KEY_CERT_LEAF,
	       "a certificate is three keys: itself, its issuer and serial, its key identifier");
	tap_ok(sample_has_key(without, DEBAR_KEY_CERT_ISSUER_SERIAL, facts[1].key.value, 32),
	       "the second is what a signature without it has");
	tap_ok(identity_signer_facts(without->signers, fact) == 1 &&
		       !memcmp(&fact->key, &facts[1].key, sizeof(fact->key)) &&
		       fact->issuer_count == 1 && !strcmp(fact->serial, "4d"),
	       "such a signer has facts of its own");
	tap_ok(!identity_signer_facts(with->signers, fact), "a signer with a certificate has not");
	tap_ok(keyid->signer_count == 1 && keyid->signers->keyid_len == 20 &&
		       !*keyid->signers->issuer && !keyid->problem,
	       "a signer named by key identifier is read");
	tap_ok(sample_has_key(keyid, DEBAR_KEY_CERT_KEYID, facts[2].key.value, 32),
	       "the third key is what such a signature has");
	tap_ok(keyid->signers->digest_ok == IDENTITY_GOOD, "and its digest is checked");
	identity_free(with);
	identity_free(without);
	identity_free(keyid);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(bio);
	authority_free(&root);
	authority_free(&leaf);
}

static void test_countersignatures(void)
{
	struct authority vendor = authority_make("Vendor", NULL, 1, NULL);
	struct authority clock = authority_make("Clock", NULL, 2, NULL);
	PKCS7 *p7 = sign(&vendor, NULL, PKCS7_DETACHED),
	      *other = sign(&clock, NULL, PKCS7_DETACHED);
	unsigned char *der = NULL;
	int len = ASN1_item_i2d((ASN1_VALUE *)first_info(other), &der,
				ASN1_ITEM_rptr(PKCS7_SIGNER_INFO));
	struct identity *identity;

	attribute_add(p7, "1.2.840.113549.1.9.6", der, len);
	PKCS7_add_certificate(p7, clock.cert);
	OPENSSL_free(der);
	PKCS7_free(other);
	identity = p7_read(p7);
	tap_ok(identity->signer_count == 1 && !signed_by(identity, "Clock") &&
		       sample_count_keys(identity, DEBAR_KEY_CERT_CHAIN) == 1,
	       "a PKCS#9 countersigner is no signer");
	identity_free(identity);

	p7 = sign(&vendor, NULL, PKCS7_DETACHED);
	p7_attribute_add(p7, "1.3.6.1.4.1.311.3.3.1", sign(&clock, NULL, 0));
	identity = p7_read(p7);
	tap_ok(identity->signer_count == 1 && !signed_by(identity, "Clock"),
	       "an RFC 3161 time stamp is no signer");
	identity_free(identity);

	p7 = sign(&clock, NULL, PKCS7_DETACHED);
	p7_attribute_add(p7, "1.3.6.1.4.1.311.2.4.1", sign(&vendor, NULL, PKCS7_DETACHED));
	identity = p7_read(p7);
	tap_ok(identity->signer_count == 2 && signed_by(identity, "Vendor"),
	       "a nested signature is one of a signer");
	identity_free(identity);
	authority_free(&vendor);
	authority_free(&clock);
}

static void test_depth(void)
{
	struct authority a = authority_make("Deep", NULL, 1, NULL);
	struct authority b = authority_make("Outer", NULL, 2, NULL);
	int depth;

	for (depth = 8; depth <= 40; depth += 32) {
		PKCS7 *p7 = sign(&a, NULL, PKCS7_DETACHED);
		struct identity *identity;
		int i;

		for (i = 0; i < depth; i++) {
			PKCS7 *outer = sign(&b, NULL, PKCS7_DETACHED);

			p7_attribute_add(outer, "1.3.6.1.4.1.311.2.4.1", p7);
			p7 = outer;
		}
		identity = p7_read(p7);
		tap_ok(identity->keys.overflow == (depth > IDENTITY_DEPTH_MAX) &&
			       signed_by(identity, "Deep") == (depth <= IDENTITY_DEPTH_MAX),
		       "a signature %d deep is %s", depth,
		       depth > IDENTITY_DEPTH_MAX ? "an overflow" : "found");
		identity_free(identity);
	}
	authority_free(&a);
	authority_free(&b);
}

static void test_many(void)
{
	struct authority a = authority_make("Real", NULL, 1, NULL);
	PKCS7 *p7 = sign(&a, NULL, PKCS7_DETACHED);
	struct timespec before, after;
	struct identity *identity;
	unsigned char *der = NULL;
	long ms;
	int i, len;

	for (i = 0; i < 1100; i++)
		PKCS7_add_certificate(p7, a.cert);
	len = i2d_PKCS7(p7, &der);
	identity = der_read(der, (size_t)len, true);
	tap_ok(identity->signer_count == 1 && identity->keys.overflow &&
		       signed_by(identity, "Real"),
	       "1,100 certificates are an overflow, and who looks closely finds the signer");
	identity_free(identity);
	OPENSSL_free(der);
	der = NULL;
	for (; i < 10000; i++)
		PKCS7_add_certificate(p7, a.cert);
	len = i2d_PKCS7(p7, &der);
	clock_gettime(CLOCK_MONOTONIC, &before);
	identity = der_read(der, (size_t)len, false);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	tap_ok(identity->keys.overflow && !identity->signer_count && ms < 500,
	       "10,000 certificates are not parsed while somebody waits (%ld ms)", ms);
	identity_free(identity);
	identity = der_read(der, (size_t)len, true);
	tap_ok(identity->keys.overflow && identity->signer_count == 1 &&
		       signed_by(identity, "Real"),
	       "when nobody waits, they are, and the signer is found");
	identity_free(identity);
	OPENSSL_free(der);
	PKCS7_free(p7);
	authority_free(&a);
}

static void test_overflow(void)
{
	struct authority authorities[20];
	BIO *bio = BIO_new_mem_buf(message, sizeof(message));
	struct identity *identity;
	PKCS7 *p7 = NULL;
	size_t i;

	for (i = 0; i < 20; i++) {
		char cn[16];

		(void)snprintf(cn, sizeof(cn), "Signer %zu", i);
		authorities[i] = authority_make(cn, NULL, (long)i + 1, NULL);
		if (!p7)
			p7 = sign(&authorities[i], NULL, PKCS7_DETACHED | PKCS7_PARTIAL);
		else
			PKCS7_sign_add_signer(p7, authorities[i].cert, authorities[i].key, NULL, 0);
	}
	PKCS7_final(p7, bio, PKCS7_BINARY);
	BIO_free(bio);
	identity = p7_read(p7);
	tap_ok(identity->signer_count == 20 && identity->cert_count == 20, "20 signers are found");
	tap_ok(identity->keys.count == DEBAR_FILE_KEYS_MAX && identity->keys.overflow &&
		       sample_count_keys(identity, DEBAR_KEY_CERT_LEAF) == DEBAR_FILE_KEYS_MAX,
	       "of their keys 16 are kept, their own certificates first, and it is told");
	identity_free(identity);
	for (i = 0; i < 20; i++)
		authority_free(&authorities[i]);
}

static void names_add(X509_NAME *name)
{
	name_add(name, "O", V_ASN1_BMPSTRING, "\0A\0O\0 \0K\0 \x04\x1b", 12);
	name_add(name, "OU", V_ASN1_T61STRING, "caf\xe9", 4);
	name_add(name, "L", V_ASN1_UTF8STRING, "a\0b", 3);
	name_add(name, "1.2.3.4.5", V_ASN1_PRINTABLESTRING, "odd", 3);
}

static void test_names(void)
{
	struct authority a = authority_make("x, \"y\"", NULL, 1, names_add);
	struct identity *identity = p7_read(sign(&a, NULL, PKCS7_DETACHED));
	const struct identity_cert *cert = identity->signers->cert;

	tap_int((long long)cert->subject_count, 5, "every attribute is there");
	tap_str(cert->subject_attributes[0].value, "x, \"y\"", "values are not escaped");
	tap_str(cert->subject_attributes[1].value, "AO K \xd0\x9b", "a BMPString is UTF-8");
	tap_str(cert->subject_attributes[2].value, "caf\xc3\xa9", "a T61String is UTF-8");
	tap_str(cert->subject_attributes[3].value, "#610062", "a NUL does not shorten a value");
	tap_str(cert->subject_attributes[4].name, "1.2.3.4.5",
		"an unknown attribute has its number");
	tap_ok(strstr(cert->subject, "CN=x\\, \\\"y\\\"") != NULL, "names for people are escaped");
	identity_free(identity);
	authority_free(&a);
}

/* OpenSSL refuses such a certificate, so nothing of the signature can be read: that is told. */
static void test_no_text(void)
{
	struct authority a = authority_make("not any text", NULL, 1, NULL);
	PKCS7 *p7 = sign(&a, NULL, PKCS7_DETACHED);
	struct identity *identity;
	unsigned char *der = NULL, *at;
	int len = i2d_PKCS7(p7, &der);

	while ((at = memmem(der, (size_t)len, "not any text", 12)))
		memset(at, 0xff, 2);
	identity = der_read(der, (size_t)len, true);
	tap_ok(!identity->signer_count && identity->problem,
	       "a name that is no UTF-8 makes a signature unreadable, and it is told");
	identity_free(identity);
	OPENSSL_free(der);
	PKCS7_free(p7);
	authority_free(&a);
}

static void test_indefinite(void)
{
	struct sample der = sample_load(SAMPLE "pkcs7/m3");
	struct identity *identity = der_read(der.data + 1, der.len - 1, true);

	tap_ok(der.data[2] == 0x80 && identity->signer_count == 2 && identity->signers[0].cert &&
		       identity->signers[1].cert,
	       "BER of indefinite length is read, and both of its signers");
	identity_free(identity);
	free(der.data);
}

static void test_truncated(void)
{
	static const char *const files[] = { SAMPLE "pkcs7/m2", SAMPLE "pkcs7/m3",
					     SAMPLE "pkcs7/ab" };
	size_t i, len;

	for (i = 0; i < 3; i++) {
		struct sample der = sample_load(files[i]);
		size_t found = 0;

		for (len = 0; len + 1 < der.len; len++) {
			uint8_t *cut = malloc(len ? len : 1);
			struct identity *identity;

			memcpy(cut, der.data + 1, len);
			identity = der_read(cut, len, true);
			found += identity->signer_count > 0 || (len && !identity->problem);
			identity_free(identity);
			free(cut);
		}
		tap_ok(!found, "%s, cut at each of %zu bytes, has a problem and no signer",
		       files[i], der.len - 1);
		free(der.data);
	}
}

int main(void)
{
	test_chain();
	test_absent_certificate();
	test_countersignatures();
	test_depth();
	test_many();
	test_overflow();
	test_names();
	test_no_text();
	test_indefinite();
	test_truncated();
	return tap_done();
}
