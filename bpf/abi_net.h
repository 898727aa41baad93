/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The part of the contract that is about names and addresses: how a policy's are looked up, what is kept
 * of sockets and questions, what is counted and told. Its rules are those of bpf/abi.h.
 */
#ifndef DEBAR_ABI_NET_H
#define DEBAR_ABI_NET_H

#include "bpf/abi.h"

/*
 * A name is kept as DNS has it, labels with their length in front ("\3www\7example\3com"), lower
 * case, without the root's zero: so no byte inside a label can be taken for a border.
 */
#define DEBAR_NAME_MAX 254
#define DEBAR_LABELS_MAX 127

/*
 * The names of a policy: buckets of slots, each with 32 bits of the hash and the first chunk of a
 * record in the pool. A record is struct debar_name_record and then the name, filled with zeroes to
 * a whole chunk; the name is always compared. A full bucket overflows into the next ones, at most
 * DEBAR_NAME_PROBES in all: the compiler of the table takes another key or more buckets until that
 * holds. So a name costs 20 bytes of slots at 40 % load, its chunks, and one rule.
 */
#define DEBAR_NAME_SLOTS 8
#define DEBAR_NAME_PROBES 4
#define DEBAR_NAME_CHUNK 32

struct debar_name_slot {
	__u32 tag;   /* 0: empty, and nothing follows in this or a later bucket */
	__u32 chunk; /* of the record */
};

struct debar_name_bucket {
	struct debar_name_slot slots[DEBAR_NAME_SLOTS];
};

struct debar_name_chunk {
	__u64 words[DEBAR_NAME_CHUNK / 8];
};

struct debar_name_record {
	__u32 first; /* of its rules */
	__u16 count; /* of its rules */
	__u8 len;    /* bytes of the name */
	__u8 pad;
};
_Static_assert(sizeof(struct debar_name_record) == 8, "debar_name_record has a hole");

enum debar_net_rule_flags {
	DEBAR_NET_EXCEPT = 1 << 0, /* an exception of the ban, not a rule */
	DEBAR_NET_EXACT = 1 << 1,  /* this name only, not what is below it */
};

/* One rule, or one exception, of a name or a network. */
struct debar_net_rule {
	__s64 until; /* exceptions: UTC nanoseconds */
	__u32 rule;  /* ordinal in the policy; exceptions: 0 */
	__u8 ban;
	__u8 network; /* enum debar_action: the rule's own, or INHERIT */
	__u8 flags;   /* enum debar_net_rule_flags */
	__u8 pad;
};
_Static_assert(sizeof(struct debar_net_rule) == 16, "debar_net_rule has a hole");

/* Most rules one name or one network may have, those of the networks around it included. */
#define DEBAR_NET_RULES_MAX 256

/*
 * An address, and a network as the tree has it. Addresses are canonical: ::ffff:a.b.c.d and NAT64's
 * 64:ff9b::a.b.c.d are IPv4. The longest prefix is found, so each network carries the rules of
 * those around it as well.
 */
struct debar_address {
	__u8 family; /* 4 or 6 */
	__u8 pad[3];
	__u8 bytes[16]; /* network order; IPv4 in the first four, then zeroes */
};

struct debar_network_key {
	__u32 prefix; /* bits that count of what follows: 32 and those of the network */
	struct debar_address address;
};
_Static_assert(sizeof(struct debar_network_key) == 24, "debar_network_key has a hole");

struct debar_network {
	__u32 first; /* of its rules */
	__u32 count;
};

#define DEBAR_DNS_PORTS_MAX 8
#define DEBAR_DNS_PORTS_EXTRA (DEBAR_DNS_PORTS_MAX - 2) /* besides 53 and 5353 */

/* One for each generation, element generation & 1 of the map `debar_nethead`. */
struct debar_net_head {
	__u64 seed;	  /* fresh at each load */
	__u64 multiplier; /* likewise, odd */
	__u64 depths[2];  /* bit n: some name has n labels */
	__u32 buckets;	  /* 0: no names */
	__u32 networks;	  /* entries of the tree of networks, 0: none */
	__u32 learn;	  /* 1: some ban learns addresses */
	__u32 port_count;
	__u16 ports[DEBAR_DNS_PORTS_MAX]; /* where queries go, host order */
};
_Static_assert(sizeof(struct debar_net_head) == 64, "debar_net_head has a hole");

/*
 * The hash of a name: each label's bytes, then the labels from the last to the first, so that every
 * suffix is met on the way. Both sides use these three.
 */
static inline __u64 debar_hash_byte(__u64 hash, __u8 byte, __u64 multiplier)
{
	return (hash ^ byte) * multiplier;
}

static inline __u64 debar_hash_label(__u64 hash, __u64 label, __u64 multiplier)
{
	hash = (hash ^ label ^ (label >> 32)) * multiplier;
	return hash ^ (hash >> 29);
}

/* Upper half: which bucket; lower half: tag. */
static inline __u64 debar_hash_final(__u64 hash)
{
	hash = (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15ULL;
	hash ^= hash >> 32;
	return (__u32)hash ? hash : hash + 1;
}

/* What is known of a socket besides its owner; in sk_storage, made when there is something to say. */
enum debar_socket_flags {
	DEBAR_SOCKET_REFUSED = 1 << 0, /* no data leaves any more */
	DEBAR_SOCKET_STREAM = 1 << 1,  /* a parse is under way, in debar_streams */
};

struct debar_socket {
	__u32 next;  /* TCP sequence number behind what was parsed */
	__u32 flags; /* enum debar_socket_flags */
	__u32 told; /* generation by which its address was audited: told once, not at each packet */
};
_Static_assert(sizeof(struct debar_socket) == 12, "debar_socket has a hole");

/* An address learnt from an answer about a banned name. */
#define DEBAR_LEARN_SECONDS_MAX 3600
#define DEBAR_LEARN_NAME_MAX 64

#define DEBAR_SPARED_MAX 4096 /* addresses that are never learnt */

struct debar_learned {
	__s64 until;		  /* boot clock, nanoseconds */
	struct debar_match match; /* the name's rule */
	__u32 generation;	  /* that counts the rules so: another one forgets it */
	__u32 pad;
};
_Static_assert(sizeof(struct debar_learned) == 24, "debar_learned has a hole");

/*
 * Where the canary connects to, host order: 192.0.2.1, for documentation (RFC 5737), nobody's. It is
 * counted each time, whatever the policy has: the question is whether the programs are called.
 */
#define DEBAR_NET_CANARY 0xc0000201u

/* Per-CPU counters of the network programs, in the map `debar_netcount`. */
enum debar_net_counter {
	DEBAR_NET_QUERY,     /* DNS questions looked up */
	DEBAR_NET_ANSWER,    /* DNS answers read */
	DEBAR_NET_TLS,	     /* TLS server names looked up */
	DEBAR_NET_HTTP,	     /* HTTP names looked up */
	DEBAR_NET_ADDRESS,   /* addresses looked up */
	DEBAR_NET_DENY,	     /* acts refused, repeated packets of a refused socket not counted */
	DEBAR_NET_AUDIT,     /* acts that would have been refused */
	DEBAR_NET_EXCEPTED,  /* acts that an exception let pass */
	DEBAR_NET_LOST,	     /* events that found the ring full */
	DEBAR_NET_RETRY,     /* decisions taken again because a swap passed by */
	DEBAR_NET_LEARNED,   /* addresses learnt */
	DEBAR_NET_UNLEARNED, /* addresses in a banned name's answer that may not be learnt */
	DEBAR_NET_ECH,	     /* hellos whose name is encrypted: the address alone decided */
	DEBAR_NET_FACT_MALFORMED, /* DNS that cannot be parsed: `malformed` decided */
	DEBAR_NET_FACT_GAP,	  /* segment ahead of its stream: dropped, TCP sends it again */
	DEBAR_NET_FACT_STORAGE,	  /* no memory for a socket's state: see packet.bpf.c */
	DEBAR_NET_FACT_SCRATCH,	  /* no buffer to parse in: dropped */
	DEBAR_NET_FACT_FRAGMENT,  /* later fragment made by hand: passed, its first one was read */
	DEBAR_NET_FACT_HEADERS,	  /* IP headers that cannot be walked: passed */
	DEBAR_NET_COUNTER_MAX
};

enum debar_net_flags {
	DEBAR_NETEV_REFUSED = 1 << 0, /* a TCP connection that the controller is to end */
	DEBAR_NETEV_NAME = 1 << 1,    /* `name` is set */
	DEBAR_NETEV_LEARNED = 1 << 2, /* the address was learnt from an answer */
	DEBAR_NETEV_INGRESS =
		1 << 3,		     /* an answer that came in; address and port are the sender's */
	DEBAR_NETEV_ANSWER = 1 << 4, /* a question whose asker waits for an answer */
};

/* What an answer to a refused question repeats, beside the name. */
struct debar_question {
	__u16 id;
	__u16 type;
	__u16 class;
	__u8 recursion; /* 1: desired */
	__u8 extended;	/* 1: the query has an OPT record, so the answer may have one */
};
_Static_assert(sizeof(struct debar_question) == 8, "debar_question has a hole");

/* A network event; begins like struct debar_event, whose size differs. */
struct debar_net_event {
	__u32 size;
	__u32 generation;
	__s64 when; /* UTC nanoseconds */
	struct debar_actor actor;
	struct debar_match match;
	__u64 cookie; /* of the socket */
	struct debar_address remote;
	struct debar_address local; /* family 0: not known */
	__u16 port;		    /* host order, of the other side */
	__u16 local_port;	    /* host order */
	__u8 protocol;		    /* IPPROTO_* */
	__u8 hook;		    /* enum debar_hook */
	__u8 outcome;		    /* enum debar_outcome */
	__u8 because;		    /* enum debar_because */
	__u32 error;		    /* errno the caller sees; 0: none */
	__u32 device;		    /* index of the one the socket is bound to; 0: none */
	__u8 flags;		    /* enum debar_net_flags */
	__u8 name_len;
	__u8 matched; /* where in `name` the part begins that a rule names */
	__u8 pad;
	struct debar_question question; /* with DEBAR_NETEV_ANSWER */
	__u8 name[256];			/* labels with their length in front */
	__u32 pad2;
};
_Static_assert(sizeof(struct debar_net_event) ==
		       4 + 4 + 8 + 40 + 8 + 8 + 40 + 8 + 4 + 4 + 8 + 256 + 8,
	       "debar_net_event has a hole");

#endif
