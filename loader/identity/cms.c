/* SPDX-License-Identifier: MIT */
#include "loader/identity/cms.h"

#include <errno.h>
#include <openssl/asn1.h>
#include <openssl/cms.h>
#include <openssl/objects.h>
#include <string.h>

#include "loader/identity/digest.h"
#include "loader/identity/identity.h"
#include "loader/identity/pkcs7.h"
#include "loader/identity/record.h"
#include "loader/identity/salvage.h"
#include "loader/identity/signer.h"
#include "policy/cleanup.h"

static void cleanup_cms(CMS_ContentInfo **cms)
{
	CMS_ContentInfo_free(*cms);
}

static void cleanup_bag(STACK_OF(X509) * *bag)
{
	sk_X509_pop_free(*bag, X509_free);
}

/* Only the detached content's digest against the signed attribute: what modules and others use. */
static void signer_check(struct identity_signer *signer, CMS_SignerInfo *info, X509 *leaf,
			 const X509_ALGOR *algorithm, const struct pkcs7_content *content)
{
	const ASN1_OBJECT *object;
	const ASN1_OCTET_STRING *said;
	enum digest_kind kind;

	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	kind = digest_kind_of(OBJ_obj2nid(object));
	said = CMS_signed_get0_data_by_OBJ(info, OBJ_nid2obj(NID_pkcs9_messageDigest), -3,
					   V_ASN1_OCTET_STRING);
	if (!said || !content->detached || kind == DIGEST_KIND_MAX || !content->digests->has[kind])
		return;
	signer->digest_ok = (size_t)ASN1_STRING_length(said) == digest_size(kind) &&
					    !memcmp(ASN1_STRING_get0_data(said),
						    content->digests->value[kind],
						    digest_size(kind)) ?
				    IDENTITY_GOOD :
				    IDENTITY_BAD;
	if (!leaf)
		return;
	CMS_SignerInfo_set1_signer_cert(info, leaf);
	signer->signature_ok = CMS_SignerInfo_verify(info) == 1 ? IDENTITY_GOOD : IDENTITY_BAD;
}

static int info_read(struct identity *identity, CMS_SignerInfo *info, STACK_OF(X509) * bag,
		     const struct pkcs7_content *content, unsigned int depth)
{
	ASN1_OCTET_STRING *keyid = NULL;
	ASN1_INTEGER *serial = NULL;
	X509_NAME *issuer = NULL;
	X509_ALGOR *digest_algorithm, *signature_algorithm;
	struct identity_signer *signer;
	struct signer_id id;
	X509 *leaf;
	int err;

	if (CMS_SignerInfo_get0_signer_id(info, &keyid, &issuer, &serial) != 1) {
		record_problem(identity, "a signature that does not name its signer");
		return 0;
	}
	id = (struct signer_id){ .issuer = issuer, .serial = serial, .keyid = keyid };
	err = signer_record(identity, &id, bag, &signer, &leaf);
	if (err || !signer)
		return err;
	CMS_SignerInfo_get0_algs(info, NULL, NULL, &digest_algorithm, &signature_algorithm);
	signer->depth = depth;
	signer->digest_algorithm = pkcs7_algorithm(digest_algorithm);
	signer->signature_algorithm = pkcs7_algorithm(signature_algorithm);
	if (content->verify)
		signer_check(signer, info, leaf, digest_algorithm, content);
	return 0;
}

int cms_read(struct identity *identity, const uint8_t *der, size_t len,
	     const struct pkcs7_content *content, unsigned int depth)
{
	const uint8_t *at = der;
	cleanup(cleanup_cms) CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)len);
	cleanup(cleanup_bag) STACK_OF(X509) *bag = NULL;
	STACK_OF(CMS_SignerInfo) * infos;
	int i, err;

	if (!cms) {
		err = salvage_read(identity, der, len, depth);
		if (err != -ENOENT)
			return err;
	}
	if (!cms || OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed) {
		record_problem(identity, "a signature that is not PKCS#7 or CMS signed data");
		return 0;
	}
	bag = CMS_get1_certs(cms);
	infos = CMS_get0_SignerInfos(cms);
	for (i = 0; i < sk_CMS_SignerInfo_num(infos); i++) {
		size_t before = identity->signer_count;

		err = info_read(identity, sk_CMS_SignerInfo_value(infos, i), bag, content, depth);

		if (err)
			return err;
		if (identity->signer_count == before)
			break;
	}
	return 0;
}
