/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "loader/trust.h"
#include "policy/cleanup.h"

static void cleanup_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void cleanup_cms(CMS_ContentInfo **cms)
{
	CMS_ContentInfo_free(*cms);
}

static void cleanup_store(X509_STORE **store)
{
	X509_STORE_free(*store);
}

static void cleanup_x509(X509 **x509)
{
	X509_free(*x509);
}

static void cleanup_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

__attribute__((format(printf, 4, 5))) static int fail(struct policy_error *reterr, int error,
						      const char *file, const char *format, ...)
{
	va_list args;

	*reterr = (struct policy_error){};
	(void)snprintf(reterr->file, sizeof(reterr->file), "%s", file);
	va_start(args, format);
	(void)vsnprintf(reterr->text, sizeof(reterr->text), format, args);
	va_end(args);
	return -error;
}

/* libcrypto's last reason, in its own words. */
static const char *reason(void)
{
	const char *words = ERR_reason_error_string(ERR_peek_last_error());

	return words ? words : "no reason given";
}

void trust_manifest_release(struct trust_manifest *manifest)
{
	for (size_t i = 0; i < manifest->count; i++)
		free(manifest->files[i].path);
	free(manifest->files);
	*manifest = (struct trust_manifest){};
}

int trust_manifest_add(struct trust_manifest *manifest, const char *path, const char *bytes,
		       size_t len)
{
	struct trust_file file = { .path = strdup(path) };

	if (manifest->count == manifest->room) {
		size_t room = manifest->room ? manifest->room * 2 : 8;
		struct trust_file *files = reallocarray(manifest->files, room, sizeof(*files));

		if (!files) {
			free(file.path);
			return -ENOMEM;
		}
		manifest->files = files;
		manifest->room = room;
	}
	if (!file.path || !SHA256((const unsigned char *)bytes, len, file.sha256)) {
		free(file.path);
		return -ENOMEM;
	}
	manifest->files[manifest->count++] = file;
	return 0;
}

/* Names are as seen from the policy's directory, so that the whole of it can be moved. */
int trust_manifest_text(const struct trust_manifest *manifest, char **ret_text)
{
	cleanup(cleanup_free) char *text = NULL;
	const char *slash = strrchr(manifest->files[0].path, '/');
	size_t dir = slash ? (size_t)(slash + 1 - manifest->files[0].path) : 0, len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return -ENOMEM;
	fputs("# debar policy 1\n", out);
	for (size_t i = 0; i < manifest->count; i++) {
		for (size_t j = 0; j < sizeof(manifest->files[i].sha256); j++)
			fprintf(out, "%02x", manifest->files[i].sha256[j]);
		fprintf(out, "  %s\n", manifest->files[i].path + dir);
	}
	if (fclose(out))
		return -ENOMEM;
	*ret_text = take(text);
	return 0;
}

/* ---- anchors ------------------------------------------------------------------------------ */

static const char *trust_dir(void)
{
	const char *dir = secure_getenv("DEBAR_TRUST");

	return dir ? dir : TRUST_DIR;
}

static int is_anchor(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 &&
	       (!strcmp(entry->d_name + len - 4, ".pem") ||
		!strcmp(entry->d_name + len - 4, ".crt"));
}

/* What only may vouch; count 0: whatever lies in the directory. */
static struct {
	struct debar_digest anchors[TRUST_ANCHORS_MAX];
	size_t count;
} only;

void trust_only(const struct debar_digest *anchors, size_t count)
{
	only.count = count < TRUST_ANCHORS_MAX ? count : TRUST_ANCHORS_MAX;
	memcpy(only.anchors, anchors, only.count * sizeof(*anchors));
}

bool trust_is_only(void)
{
	return only.count > 0;
}

static bool digest_of(const X509 *x509, struct debar_digest *ret_digest)
{
	unsigned int len = sizeof(ret_digest->bytes);

	return X509_digest(x509, EVP_sha256(), ret_digest->bytes, &len) == 1;
}

static bool may_vouch(const X509 *x509)
{
	struct debar_digest digest;
	size_t i;

	if (!only.count)
		return true;
	for (i = 0; digest_of(x509, &digest) && i < only.count; i++)
		if (!memcmp(&only.anchors[i], &digest, sizeof(digest)))
			return true;
	return false;
}

int trust_required(struct policy_error *reterr)
{
	struct dirent **entries;
	int n;

	if (trust_is_only())
		return 1;
	n = scandir(trust_dir(), &entries, is_anchor, alphasort);
	if (n < 0)
		return errno == ENOENT ? 0 :
					 fail(reterr, errno, trust_dir(), "%s", strerror(errno));
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	return n > 0;
}

/* An anchor that cannot be read is an error: what it vouches for would be refused unexplained. */
static int add_anchor(X509_STORE *store, const char *path, struct policy_error *reterr)
{
	cleanup(cleanup_bio) BIO *bio = BIO_new_file(path, "r");
	int count = 0;

	for (;; count++) {
		cleanup(cleanup_x509) X509 *x509 = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) :
							 NULL;

		if (!x509)
			break;
		if (may_vouch(x509) && !X509_STORE_add_cert(store, x509))
			return fail(reterr, EINVAL, path, "cannot be an anchor: %s", reason());
	}
	if (!count)
		return fail(reterr, EINVAL, path, "holds no certificate: %s", reason());
	ERR_clear_error();
	return 0;
}

static int add_anchors(X509_STORE *store, struct policy_error *reterr)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int n = scandir(trust_dir(), &entries, is_anchor, alphasort), err = 0;

	if (n < 0)
		return fail(reterr, errno, trust_dir(),
			    "cannot be read: %s; the certificates that may sign policies lie there",
			    strerror(errno));
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", trust_dir(), entries[i]->d_name);
		if (!err)
			err = add_anchor(store, path, reterr);
		free(entries[i]);
	}
	free(entries);
	if (!err && !n)
		return fail(reterr, ENOENT, trust_dir(),
			    "holds no certificate that may sign policies (*.pem, *.crt)");
	return err;
}

/* Whatever lies in the directory is trusted, be it a root, an intermediate or a signer itself. */
static int open_store(X509_STORE **ret_store, struct policy_error *reterr)
{
	cleanup(cleanup_store) X509_STORE *store = X509_STORE_new();
	int err;

	if (!store)
		return fail(reterr, ENOMEM, trust_dir(), "not enough memory");
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	X509_STORE_set_purpose(store, X509_PURPOSE_ANY);
	err = add_anchors(store, reterr);
	if (!err)
		*ret_store = take(store);
	return err;
}

int trust_anchors(struct debar_digest ret_anchors[TRUST_ANCHORS_MAX], struct policy_error *reterr)
{
	cleanup(cleanup_store) X509_STORE *store = NULL;
	STACK_OF(X509_OBJECT) * objects;
	int err = trust_required(reterr), i;

	if (err <= 0)
		return err;
	err = open_store(&store, reterr);
	if (err)
		return err;
	objects = X509_STORE_get0_objects(store);
	for (i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *x509 = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

		if (i == TRUST_ANCHORS_MAX || !x509 || !digest_of(x509, &ret_anchors[i]))
			return fail(reterr, E2BIG, trust_dir(), "holds more than %d certificates",
				    TRUST_ANCHORS_MAX);
	}
	return i;
}

/* ---- sign, verify ------------------------------------------------------------------------- */

int trust_verify(const struct trust_manifest *manifest, struct policy_error *reterr)
{
	const char *policy = manifest->files[0].path;
	cleanup(cleanup_store) X509_STORE *store = NULL;
	cleanup(cleanup_free) char *text = NULL;
	cleanup(cleanup_bio) BIO *file = NULL;
	cleanup(cleanup_bio) BIO *content = NULL;
	cleanup(cleanup_cms) CMS_ContentInfo *cms = NULL;
	char path[PATH_MAX];
	int err = open_store(&store, reterr);

	if (err)
		return err;
	if (snprintf(path, sizeof(path), "%s.sig", policy) >= (int)sizeof(path))
		return fail(reterr, ENAMETOOLONG, policy, "has too long a name");
	file = BIO_new_file(path, "rb");
	if (!file)
		return fail(reterr, ENOENT, policy,
			    "is not signed: there is no %s, and %s asks for signatures", path,
			    trust_dir());
	cms = d2i_CMS_bio(file, NULL);
	if (!cms)
		return fail(reterr, EINVAL, path, "is not a CMS signature in DER: %s", reason());
	err = trust_manifest_text(manifest, &text);
	if (err)
		return fail(reterr, -err, policy, "%s", strerror(-err));
	content = BIO_new_mem_buf(text, -1);
	if (!content)
		return fail(reterr, ENOMEM, policy, "not enough memory");
	if (CMS_verify(cms, NULL, store, content, NULL, CMS_BINARY) != 1)
		return fail(reterr, EKEYREJECTED, policy,
			    "its signature is refused: %s (the policy, its includes and its lists "
			    "must be as they were signed, by whom %s vouches for)",
			    reason(), trust_dir());
	return 0;
}

static int write_signature(CMS_ContentInfo *cms, const char *path, struct policy_error *reterr)
{
	cleanup(cleanup_bio) BIO *out = BIO_new_file(path, "wb");

	if (!out)
		return fail(reterr, errno ? errno : EIO, path, "cannot be written: %s",
			    strerror(errno));
	if (!i2d_CMS_bio(out, cms) || BIO_flush(out) != 1)
		return fail(reterr, EIO, path, "cannot be written: %s", reason());
	return 0;
}

int trust_sign(const struct trust_manifest *manifest, const char *key, const char *certificate,
	       const char *output, struct policy_error *reterr)
{
	cleanup(cleanup_bio) BIO *key_file = BIO_new_file(key, "r");
	cleanup(cleanup_bio) BIO *cert_file = BIO_new_file(certificate, "r");
	cleanup(cleanup_key) EVP_PKEY *pkey = NULL;
	cleanup(cleanup_x509) X509 *x509 = NULL;
	cleanup(cleanup_bio) BIO *content = NULL;
	cleanup(cleanup_cms) CMS_ContentInfo *cms = NULL;
	cleanup(cleanup_free) char *text = NULL;
	char path[PATH_MAX];
	int err;

	pkey = key_file ? PEM_read_bio_PrivateKey(key_file, NULL, NULL, NULL) : NULL;
	if (!pkey)
		return fail(reterr, EINVAL, key, "holds no private key in PEM: %s", reason());
	x509 = cert_file ? PEM_read_bio_X509(cert_file, NULL, NULL, NULL) : NULL;
	if (!x509)
		return fail(reterr, EINVAL, certificate, "holds no certificate in PEM: %s",
			    reason());
	if (!X509_check_private_key(x509, pkey))
		return fail(reterr, EINVAL, key, "is not the key of %s", certificate);
	err = trust_manifest_text(manifest, &text);
	content = text ? BIO_new_mem_buf(text, -1) : NULL;
	if (err || !content)
		return fail(reterr, ENOMEM, manifest->files[0].path, "not enough memory");
	cms = CMS_sign(x509, pkey, NULL, content, CMS_DETACHED | CMS_BINARY | CMS_NOSMIMECAP);
	if (!cms)
		return fail(reterr, EINVAL, key, "cannot sign: %s", reason());
	(void)snprintf(path, sizeof(path), "%s.sig", manifest->files[0].path);
	return write_signature(cms, output ? output : path, reterr);
}
