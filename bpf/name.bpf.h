/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A name as it comes off the wire, in the form the tables keep: labels with their length in front,
 * lower case. The hash of each label is made on the way, so that matching costs one step a label.
 */
#ifndef DEBAR_NAME_BPF_H
#define DEBAR_NAME_BPF_H

#include "bpf/hosted.bpf.h"

#define NAME_LABEL_SLOTS 128 /* one more than can be: an index is masked, not tested */

struct name {
	__u64 hash[NAME_LABEL_SLOTS]; /* of each label */
	__u64 seed;
	__u64 multiplier;
	__u64 running; /* hash of the label being read */
	__u32 len;     /* bytes in wire */
	__u32 labels;
	__u32 begin; /* of the label being read */
	/*
	 * State of the walks below lies here and not with the other things a walk is given: of what
	 * is on the stack 6.1's verifier knows the value of the first round, takes that for every
	 * round's, and removes what only later rounds reach.
	 */
	__u32 at;    /* next byte to be read */
	__u32 left;  /* bytes left of the label being read */
	__u32 floor; /* DNS: pointers lead below this */
	__u32 done;  /* DNS: the end was there */
	__u32 after; /* DNS: behind the name where it stands; 0: no pointer yet */
	__u32 cut;   /* 1: front of the name is missing, so it equals no whole name */
	__u8 start[NAME_LABEL_SLOTS];	   /* of each label in wire */
	__u8 wire[256 + DEBAR_NAME_CHUNK]; /* zero behind the name for whole-word comparison */
};

static __always_inline void name_reset(struct name *name)
{
	name->len = 0;
	name->labels = 0;
	name->cut = 0;
	name->left = 0;
	name->after = 0;
	name->running = name->seed;
}

static __always_inline bool name_label_begin(struct name *name)
{
	__u32 at = name->len, label = name->labels;

	if (at >= DEBAR_NAME_MAX || label >= DEBAR_LABELS_MAX)
		return false;
	name->start[label & (NAME_LABEL_SLOTS - 1)] = at;
	name->begin = at;
	name->len = at + 1;
	name->running = name->seed;
	return true;
}

static __always_inline bool name_byte(struct name *name, __u8 byte)
{
	__u32 at = name->len;

	if (at >= DEBAR_NAME_MAX)
		return false;
	if (byte >= 'A' && byte <= 'Z')
		byte |= 0x20;
	opaque(at);
	name->wire[at & 255] = byte;
	name->len = at + 1;
	name->running = debar_hash_byte(name->running, byte, name->multiplier);
	return true;
}

static __always_inline void name_label_end(struct name *name)
{
	__u32 label = name->labels & (NAME_LABEL_SLOTS - 1), begin = name->begin & 255;

	name->hash[label] = name->running;
	name->wire[begin] = name->len - begin - 1;
	name->labels = label + 1;
}

/* Zeroes behind the name, as behind the names in the pool. */
static __always_inline void name_end(struct name *name)
{
	__u32 at = name->len & 255;

	__builtin_memset(&name->wire[at], 0, DEBAR_NAME_CHUNK);
}

static long name_rehash_step(__u32 i, struct name **of)
{
	struct name *name = *of;
	__u8 byte;

	if (name->at >= name->len)
		return 1;
	byte = name->wire[name->at++ & 255];
	if (!name->left) {
		name->left = byte;
		name->running = name->seed;
		return 0;
	}
	name->running = debar_hash_byte(name->running, byte, name->multiplier);
	if (!--name->left)
		name->hash[name->labels++ & (NAME_LABEL_SLOTS - 1)] = name->running;
	return 0;
}

/* The hashes again, after another seed came. */
static __always_inline void name_rehash(struct name *name)
{
	name->at = 0;
	name->labels = 0;
	name->left = 0;
	bpf_loop(256, name_rehash_step, &name, 0);
}

/* ---- from text: server names and hosts ------------------------------------------------------ */

/*
 * Text arrives in a ring, so that of a text longer than a name can be the end is kept: that is the
 * part a rule speaks about.
 */
#define TEXT_SIZE 256

struct text {
	__u8 bytes[TEXT_SIZE];
};

struct text_walk {
	struct name *name;
	const struct text *text;
	__u32 end;
	__u8 bad;
};

static long name_text_step(__u32 i, struct text_walk *walk)
{
	__u8 byte;

	if (walk->name->at >= walk->end)
		return 1;
	byte = walk->text->bytes[walk->name->at++ & (TEXT_SIZE - 1)];
	if (byte == '.') {
		if (walk->name->left)
			name_label_end(walk->name);
		walk->name->left = 0;
		return 0;
	}
	if (!walk->name->left) {
		if (!name_label_begin(walk->name))
			walk->bad = 1;
		walk->name->left = 1; /* inside a label */
	}
	if (!name_byte(walk->name, byte))
		walk->bad = 1;
	return !!walk->bad;
}

/* @len: of all the text, of which the last TEXT_SIZE bytes are there. 0: too many labels. */
__weak int debar_name_text(struct name *name, const struct text *text, __u32 len)
{
	struct text_walk walk = { .name = name, .text = text, .end = len };

	if (!name || !text)
		return 0;
	name_reset(name);
	name->at = 0;
	if (len > DEBAR_NAME_MAX - 1) {
		name->at = len - (DEBAR_NAME_MAX - 1);
		name->cut = 1;
	}
	bpf_loop(TEXT_SIZE, name_text_step, &walk, 0);
	if (walk.bad)
		return 0;
	if (name->left)
		name_label_end(name);
	name_end(name);
	return 1;
}

#endif
