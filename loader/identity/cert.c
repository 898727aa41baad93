/* SPDX-License-Identifier: MIT */
#include "loader/identity/cert.h"

#include <errno.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "loader/identity/digest.h"
#include "loader/identity/identity.h"
#include "policy/cleanup.h"

static void cleanup_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void cleanup_openssl(unsigned char **p)
{
	OPENSSL_free(*p);
}

static void cleanup_digest(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

static int hex_text(const unsigned char *data, size_t len, const char *prefix, char **ret_text)
{
	static const char digits[] = "0123456789abcdef";
	size_t start = strlen(prefix), i;
	char *text = malloc(start + 2 * len + 1);

	if (!text)
		return -ENOMEM;
	memcpy(text, prefix, start);
	for (i = 0; i < len; i++) {
		text[start + 2 * i] = digits[data[i] >> 4];
		text[start + 2 * i + 1] = digits[data[i] & 15];
	}
	text[start + 2 * len] = '\0';
	*ret_text = text;
	return 0;
}

int cert_name_text(const X509_NAME *name, char **ret_text)
{
	const unsigned long flags = XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_DN_REV | XN_FLAG_FN_SN |
				    XN_FLAG_DUMP_UNKNOWN_FIELDS | ASN1_STRFLGS_ESC_2253 |
				    ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_UTF8_CONVERT |
				    ASN1_STRFLGS_DUMP_UNKNOWN | ASN1_STRFLGS_DUMP_DER;
	cleanup(cleanup_bio) BIO *bio = BIO_new(BIO_s_mem());
	cleanup(cleanup_free) char *text = NULL;
	char *data;
	long len;

	if (!bio)
		return -ENOMEM;
	/* A string that is no valid string of its own type stops the printing: keep what came. */
	(void)X509_NAME_print_ex(bio, name, 0, flags);
	len = BIO_get_mem_data(bio, &data);
	text = strndup(len > 0 ? data : "", len > 0 ? (size_t)len : 0);
	if (!text)
		return -ENOMEM;
	*ret_text = take(text);
	return 0;
}

/* As UTF-8 whatever its string type; what is no valid text is "#" and hex. */
static int value_text(const ASN1_STRING *value, char **ret_text)
{
	cleanup(cleanup_openssl) unsigned char *utf8 = NULL;
	int len = ASN1_STRING_to_UTF8(&utf8, value);
	char *text;

	/* A NUL inside would end the C string and make a longer name look like a shorter one. */
	if (len < 0 || memchr(utf8, 0, (size_t)len))
		return hex_text(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value),
				"#", ret_text);
	text = strndup((const char *)utf8, (size_t)len);
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}

/* OpenSSL's short name, or the dotted number. */
static int attribute_name(const ASN1_OBJECT *object, char **ret_name)
{
	int nid = OBJ_obj2nid(object);
	char dotted[128], *name;

	if (nid != NID_undef) {
		name = strdup(OBJ_nid2sn(nid));
	} else {
		if (OBJ_obj2txt(dotted, sizeof(dotted), object, 1) <= 0)
			strcpy(dotted, "?");
		name = strdup(dotted);
	}
	if (!name)
		return -ENOMEM;
	*ret_name = name;
	return 0;
}

void cert_attributes_free(struct policy_attribute *attributes, size_t count)
{
	size_t i;

	for (i = 0; attributes && i < count; i++) {
		free((char *)attributes[i].name);
		free((char *)attributes[i].value);
	}
	free(attributes);
}

int cert_name_attributes(const X509_NAME *name, struct policy_attribute **ret_attributes,
			 size_t *ret_count)
{
	int entries = X509_NAME_entry_count(name);
	size_t all = entries < 0 ? 0 : (size_t)entries;
	size_t count = all < CERT_ATTRIBUTES_MAX ? all : CERT_ATTRIBUTES_MAX;
	struct policy_attribute *attributes = calloc(count + 1, sizeof(*attributes));
	size_t i;

	if (!attributes)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, (int)i);
		char *key = NULL, *value = NULL;
		int err = attribute_name(X509_NAME_ENTRY_get_object(entry), &key);

		if (!err)
			err = value_text(X509_NAME_ENTRY_get_data(entry), &value);
		attributes[i].name = key;
		attributes[i].value = value;
		if (err) {
			cert_attributes_free(attributes, count);
			return err;
		}
	}
	*ret_attributes = attributes;
	*ret_count = count;
	return count < all ? -E2BIG : 0;
}

int cert_serial_text(const ASN1_INTEGER *serial, char **ret_text)
{
	const unsigned char *data = ASN1_STRING_get0_data(serial);
	int len = ASN1_STRING_length(serial);

	while (len > 1 && !*data) {
		data++;
		len--;
	}
	if (len < 1)
		return hex_text((const unsigned char *)"", 1, "", ret_text);
	return hex_text(data, (size_t)len, "", ret_text);
}

int cert_issuer_serial_key(const X509_NAME *issuer, const ASN1_INTEGER *serial,
			   struct debar_key *ret_key)
{
	cleanup(cleanup_digest) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	cleanup(cleanup_openssl) unsigned char *der = NULL;
	int len = i2d_X509_NAME(issuer, &der);
	struct debar_key key = { .kind = DEBAR_KEY_CERT_ISSUER_SERIAL };

	if (!ctx || len < 0)
		return -ENOMEM;
	if (EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, der, (size_t)len) != 1 ||
	    EVP_DigestUpdate(ctx, ASN1_STRING_get0_data(serial),
			     (size_t)ASN1_STRING_length(serial)) != 1 ||
	    EVP_DigestFinal_ex(ctx, key.value, NULL) != 1)
		return -EIO;
	*ret_key = key;
	return 0;
}

int cert_keyid_key(const unsigned char *keyid, size_t len, struct debar_key *ret_key)
{
	struct debar_key key = { .kind = DEBAR_KEY_CERT_KEYID };

	if (len > sizeof(key.value)) {
		uint8_t digest[DIGEST_SIZE_MAX];
		int err = digest_memory(DIGEST_SHA256, keyid, len, digest);

		if (err)
			return err;
		memcpy(key.value, digest, sizeof(key.value));
	} else {
		memcpy(key.value, keyid, len);
	}
	*ret_key = key;
	return 0;
}

static int64_t seconds(const ASN1_TIME *when)
{
	struct tm tm;

	if (!when || ASN1_TIME_to_tm(when, &tm) != 1)
		return 0;
	return timegm(&tm);
}

static int cert_digests(struct identity_cert *cert, X509 *x509)
{
	cleanup(cleanup_openssl) unsigned char *spki = NULL;
	uint8_t value[DIGEST_SIZE_MAX];
	int err, len;

	err = digest_memory(DIGEST_SHA256, cert->der, cert->der_len, value);
	if (err)
		return err;
	memcpy(cert->sha256, value, sizeof(cert->sha256));
	err = digest_memory(DIGEST_SHA1, cert->der, cert->der_len, value);
	if (err)
		return err;
	memcpy(cert->sha1, value, sizeof(cert->sha1));
	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &spki);
	if (len < 0)
		return -ENOMEM;
	err = digest_memory(DIGEST_SHA256, spki, (size_t)len, value);
	if (err)
		return err;
	memcpy(cert->spki_sha256, value, sizeof(cert->spki_sha256));
	return 0;
}

static int cert_der(struct identity_cert *cert, X509 *x509)
{
	unsigned char *at;
	int len = i2d_X509(x509, NULL);

	if (len <= 0)
		return -EINVAL;
	at = cert->der = malloc((size_t)len);
	if (!at)
		return -ENOMEM;
	cert->der_len = (size_t)len;
	return i2d_X509(x509, &at) == len ? 0 : -EINVAL;
}

static void cert_keyid(struct identity_cert *cert, X509 *x509)
{
	const ASN1_OCTET_STRING *keyid = X509_get0_subject_key_id(x509);
	int len = keyid ? ASN1_STRING_length(keyid) : 0;

	if (len <= 0 || (size_t)len > sizeof(cert->keyid))
		return;
	memcpy(cert->keyid, ASN1_STRING_get0_data(keyid), (size_t)len);
	cert->keyid_len = (size_t)len;
}

static void cleanup_cert(struct identity_cert **cert)
{
	cert_free(*cert);
}

int cert_new(struct identity_cert **ret_cert, X509 *x509)
{
	cleanup(cleanup_cert) struct identity_cert *cert = calloc(1, sizeof(*cert));
	const X509_NAME *subject = X509_get_subject_name(x509);
	const X509_NAME *issuer = X509_get_issuer_name(x509);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
	int cut, err;

	if (!cert)
		return -ENOMEM;
	err = cert_der(cert, x509);
	if (!err)
		err = cert_digests(cert, x509);
	if (!err)
		err = cert_name_text(subject, &cert->subject);
	if (!err)
		err = cert_name_text(issuer, &cert->issuer);
	if (!err)
		err = cert_serial_text(serial, &cert->serial);
	if (!err)
		err = cert_issuer_serial_key(issuer, serial, &cert->issuer_serial);
	if (err)
		return err;
	cert_keyid(cert, x509);
	cert->not_before = seconds(X509_get0_notBefore(x509));
	cert->not_after = seconds(X509_get0_notAfter(x509));
	cut = cert_name_attributes(subject, &cert->subject_attributes, &cert->subject_count);
	if (cut && cut != -E2BIG)
		return cut;
	err = cert_name_attributes(issuer, &cert->issuer_attributes, &cert->issuer_count);
	if (err && err != -E2BIG)
		return err;
	*ret_cert = take(cert);
	return cut ? cut : err;
}

void cert_free(struct identity_cert *cert)
{
	if (!cert)
		return;
	free(cert->der);
	free(cert->subject);
	free(cert->issuer);
	free(cert->serial);
	cert_attributes_free(cert->subject_attributes, cert->subject_count);
	cert_attributes_free(cert->issuer_attributes, cert->issuer_count);
	free(cert);
}
