/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The contract between the programs in the kernel and the controller: every struct, number and
 * limit that crosses, and nothing else. Both compilers check every layout.
 *
 * A file is a set of keys. A policy is a table from key to match. A hook looks every key of the
 * file up; a match names a rule and its ban; the ban's phase, its exceptions and the clock make
 * it allow, audit or deny. Numbers are in host byte order and times in nanoseconds unless a field
 * says otherwise. No struct has a hole: padding is named, and zero, because keys are compared
 * whole.
 */
#ifndef DEBAR_ABI_H
#define DEBAR_ABI_H

#include <linux/types.h>

/* Raised by every change of a layout or a meaning below. Pins of another number are not used. */
#define DEBAR_ABI_VERSION 4

/* ---- keys: facts about content ------------------------------------------------------------ */

enum debar_key_kind {
	DEBAR_KEY_NONE,
	DEBAR_KEY_SHA256,	     /* sha256 of the file's bytes */
	DEBAR_KEY_AUTHENTICODE,	     /* PE image digest without its signatures, sha256 */
	DEBAR_KEY_AUTHENTICODE_SHA1, /* the same, sha1, 20 bytes then zeroes */
	DEBAR_KEY_CERT_LEAF,	     /* sha256 of the DER of a signer's own certificate */
	DEBAR_KEY_CERT_CHAIN,	     /* sha256 of the DER of any certificate of a signer's chain */
	DEBAR_KEY_CERT_ISSUER_SERIAL, /* sha256 of issuer DER, then serial bytes: no certificate there */
	DEBAR_KEY_CERT_KEYID, /* key identifier of a signature without certificate, zero padded */
	DEBAR_KEY_BUILDID,    /* GNU build-id, zero padded; longer than 32 bytes: its sha256 */
	DEBAR_KEY_FSVERITY,   /* fs-verity digest, sha256 */
	DEBAR_KEY_PACKAGE,    /* sha256 of the package name; a fact of an inode, not of content */
	DEBAR_KEY_PATH,	      /* sha256 of the path; likewise */
	DEBAR_KEY_UID,	      /* exceptions only: real uid in bytes 0..3, host order */
	DEBAR_KEY_CGROUP,     /* exceptions only: cgroup id in bytes 0..7, host order */
	DEBAR_KEY_KIND_MAX
};

/* What a policy bans, what a file is. A table holds several matches of one key under nth 0, 1, ... */
struct debar_key {
	__u8 value[32];
	__u8 kind; /* enum debar_key_kind */
	__u8 nth;  /* exceptions: the ban they speak for */
	__u8 pad[2];
};
_Static_assert(sizeof(struct debar_key) == 36, "debar_key has a hole");

/* The keys of one content, as the controller found them; value of the map `contents`. */
#define DEBAR_FILE_KEYS_MAX 16
struct debar_file_keys {
	__u32 count;	/* keys in use */
	__u32 overflow; /* the file has more keys than fit: denied when a derived rule could match */
	struct debar_key keys[DEBAR_FILE_KEYS_MAX];
};
_Static_assert(sizeof(struct debar_file_keys) == 8 + 36 * DEBAR_FILE_KEYS_MAX, "file_keys hole");

/* sha256 of a file's bytes. */
struct debar_digest {
	__u8 bytes[32];
};

/*
 * What the kernel remembers of an inode's content, in inode storage. PENDING is written before the
 * file is hashed; whoever opens the file for writing deletes the element; it becomes KNOWN only if
 * it is still there with the same cookie. (Publishing after the hash instead leaves a hole: a
 * writer that opens, writes and closes between the two.) The controller reads the cookie of a
 * PENDING element by the descriptor of a fanotify event.
 */
enum debar_memo {
	DEBAR_MEMO_CLEAN = 1,	     /* no rule of that generation matches any of its keys */
	DEBAR_MEMO_UNCLASSIFIED = 2, /* its keys are not known, and that has been told */
};

enum debar_file_state {
	DEBAR_FILE_NONE, /* being made: nobody has looked yet whether there are writers */
	DEBAR_FILE_PENDING,
	DEBAR_FILE_KNOWN,
};

struct debar_file {
	__u64 cookie; /* unique in this boot */
	__u64 size;   /* bytes, when it was hashed */
	__s64 ctime;  /* inode's change time, nanoseconds, likewise: a second line of defence */
	__u64 real;   /* overlay: address of the real inode; else 0 */
	__u64 epoch;  /* overlay: epoch of the real inode's content; else 0 */
	__u64 memo; /* generation << 32 | enum debar_memo; one word so that two writers cannot mix */
	struct debar_digest digest;
	__u32 state;		/* enum debar_file_state, written last */
	__u32 placed;		/* generation that `place` is true of; 0: not known */
	struct debar_key place; /* see struct debar_answer */
	__u32 pad;
};
_Static_assert(sizeof(struct debar_file) == 128, "debar_file has a hole");

/*
 * How keys other than the digest get in. The controller is asked by a fanotify permission event
 * before the exec, when the element of the inode is there already (debar_open made it): it reads
 * the cookie, then the content, and writes answers[cookie]. The exec hook, which alone knows the
 * digest of what will run, binds contents[digest] to the answer, if the element with that cookie is
 * still there: so keys can not be bound to other bytes. Where nobody was held that way the hook
 * itself asks, by an event with a cookie, and waits. A count of DEBAR_ANSWER_LATE means that the
 * controller cannot say, or not in time: `unclassified` decides.
 */
#define DEBAR_ANSWER_LATE 0xffffffffu

/*
 * Longest wait of a hook for an answer that it asks for through the ring, nanoseconds; and a bound
 * on its rounds, of which each takes about a microsecond.
 */
#define DEBAR_ASK_LIMIT 1000000000LL
#define DEBAR_ASK_ROUNDS (1 << 23)

/* A controller not heard of for this long is gone: nobody is held for it any more. */
#define DEBAR_HEARTBEAT_MAX 2000000000LL

/*
 * And one not heard of for this long is lost: where nobody can classify, `on_controller_loss` says what
 * becomes of what is not, in the place of `unclassified`.
 */
#define DEBAR_GRACE 60000000000LL

/*
 * What the controller found for a cookie. Path and package are facts about one inode, and only as
 * the policy in force asks: they are kept with the inode and never under a digest.
 */
struct debar_answer {
	struct debar_file_keys keys;
	struct debar_key place; /* path or package that a rule names; kind NONE: no rule does */
	__u32 generation;	/* of the policy that `place` was looked up in */
};
_Static_assert(sizeof(struct debar_answer) == sizeof(struct debar_file_keys) + 40,
	       "debar_answer has a hole");

/* ---- verdicts ----------------------------------------------------------------------------- */

/* Ordered: the strictest of several is the largest. INHERIT: what the ban's phase says. */
enum debar_action {
	DEBAR_INHERIT,
	DEBAR_OFF,
	DEBAR_AUDIT,
	DEBAR_DENY,
	DEBAR_ACTION_MAX
};

/* A rule that a key met. Rules are numbered in policy order, so the smallest is the first. */
struct debar_match {
	__u32 rule;   /* ordinal of the rule in the whole policy */
	__u8 ban;     /* index into the table of bans */
	__u8 exec;    /* enum debar_action: the rule's own, or INHERIT */
	__u8 network; /* enum debar_action: likewise */
	__u8 more;    /* 1: the same key has another match under nth + 1 */
};
_Static_assert(sizeof(struct debar_match) == 8, "debar_match has a hole");

/* Most matches one key can have: one for every ban, and one with an override of its own. */
#define DEBAR_MATCHES_MAX 64

/*
 * The rule of the canary, a random content that every generation refuses in every mode, so that
 * whoever published it can try whether the programs run at all. It is never reported.
 */
#define DEBAR_RULE_CANARY 0xffffffffu

/* ---- bans --------------------------------------------------------------------------------- */

#define DEBAR_BANS_MAX 32
#define DEBAR_PHASES_MAX 8

struct debar_phase {
	__s64 from;   /* UTC nanoseconds since 1970; the first phase of a ban without phases: min */
	__u8 exec;    /* enum debar_action, never INHERIT */
	__u8 network; /* enum debar_action, never INHERIT */
	__u8 pad[6];
};
_Static_assert(sizeof(struct debar_phase) == 16, "debar_phase has a hole");

enum debar_ban_flags {
	DEBAR_BAN_UNCLASSIFIED_DENY = 1 << 0,
	DEBAR_BAN_OVERSIZE_DENY = 1 << 1,
	DEBAR_BAN_MALFORMED_DENY = 1 << 2,
	DEBAR_BAN_LEARN = 1 << 3,
	DEBAR_BAN_KILL = 1 << 4,	 /* on_running: kill */
	DEBAR_BAN_LOSS_DENY = 1 << 5,	 /* on_controller_loss: deny */
	DEBAR_BAN_DERIVED = 1 << 6,	 /* has rules of a key kind other than sha256 */
	DEBAR_BAN_EXCEPTS_TASK = 1 << 7, /* has uid or cgroup exceptions */
	DEBAR_BAN_EXCEPTS_KEY = 1 << 8,	 /* has exceptions by key of a file */
	DEBAR_BAN_EXCEPTS_NAME = 1 << 9, /* has domain or network exceptions */
	DEBAR_BAN_FILES = 1 << 10,	 /* has rules about files of any kind */
};

/* One ban, element of the inner map of `bans`. Phases are in time order. */
struct debar_ban {
	__u32 phase_count;
	__u32 flags;   /* enum debar_ban_flags */
	__u32 entered; /* written by the hooks: phases entered so far, and never left */
	__u32 pad;
	struct debar_phase phases[DEBAR_PHASES_MAX];
};
_Static_assert(sizeof(struct debar_ban) == 16 + 16 * DEBAR_PHASES_MAX, "debar_ban has a hole");

/* An exception: value of the inner map of `excepts`, whose key is the excepted key with nth = ban. */
struct debar_except {
	__s64 until; /* UTC nanoseconds; DEBAR_FOREVER: no end */
};
#define DEBAR_FOREVER ((__s64)0x7fffffffffffffffLL)

/* ---- the policy in force ------------------------------------------------------------------ */

enum debar_policy_flags {
	DEBAR_POLICY_DERIVED = 1 << 0,		 /* some rule needs keys beyond the digest */
	DEBAR_POLICY_OVERSIZE_DENY = 1 << 1,	 /* some ban says oversize: deny */
	DEBAR_POLICY_UNCLASSIFIED_DENY = 1 << 2, /* some ban says unclassified: deny */
	DEBAR_POLICY_PATHS = 1 << 3,		 /* some rule is a path */
	DEBAR_POLICY_NAMES = 1 << 4,		 /* some rule is a domain */
	DEBAR_POLICY_NETWORKS = 1 << 5,		 /* some rule is a network */
	DEBAR_POLICY_EXEC = 1 << 6,		 /* some rule is about files */
	DEBAR_POLICY_PLACES = 1 << 7,		 /* some rule is a path or a package */
};

/* Head of one generation, element of `heads` at its slot; read back by status. */
struct debar_head {
	__u32 generation;
	__u32 flags; /* enum debar_policy_flags */
	__u32 ban_count;
	__u32 rule_count; /* rules as the policy numbers them */
	__u8 digest[32];  /* sha256 of the policy's canonical text */
	__s64 loaded;	  /* UTC nanoseconds */
	__u32 key_count;  /* entries of the table of keys */
	__u32 pad;
	__u8 canary[32]; /* content of the canary, see DEBAR_RULE_CANARY */
};
_Static_assert(sizeof(struct debar_head) == 96, "debar_head has a hole");

/*
 * The one element of the map `state`. A generation lives in slot generation & 1 of the outer maps.
 * The controller raises `filling` before it touches a slot and `generation` when the slot is whole;
 * a hook that sees filling >= generation + 2 after it read a slot has read one that was being
 * rewritten, and decides again. So no decision mixes two policies and nobody waits.
 */
struct debar_state {
	__u32 abi;	  /* DEBAR_ABI_VERSION */
	__u32 generation; /* in force; 0: no policy yet */
	__u32 filling;	  /* generation whose slot is being written, or was last */
	__u32 mode;	  /* enum debar_mode: a ceiling above every phase */
	__s64 utc_offset; /* UTC minus TAI in nanoseconds, as it was at load */
	__s64 deny_until; /* boot clock; after it deny becomes audit; 0: no such end */
	__u32 controller; /* pid of a running controller in the initial namespace, 0: none */
	__u32 parts;	  /* which halves of the programs are loaded; for the controller's use */
	__s64 heartbeat;  /* boot clock of the controller's last sign of life */
	__u64 scope;	  /* cgroup id that --cgroup limits enforcement to; 0: everywhere */
	__u32 stale;	  /* tests only, 1: writers do not end a cached digest */
	__u32 flags; /* enum debar_policy_flags of the generation in force, for a hook's first look */
};
_Static_assert(sizeof(struct debar_state) == 64, "debar_state has a hole");

enum debar_mode {
	DEBAR_MODE_OFF,
	DEBAR_MODE_AUDIT,
	DEBAR_MODE_ENFORCE,
	DEBAR_MODE_MAX
};

/*
 * Most contents that are never refused by what is derived from them, nor for not being known; a
 * rule by their sha256 is meant, and refuses.
 */
#define DEBAR_NEVER_MAX 1024

/* Largest file the kernel hashes: a hash cannot be killed, and 512 MiB take about a second. */
#define DEBAR_HASH_MAX (512ULL << 20)

/* ---- the guard ---------------------------------------------------------------------------- */

/* What is debar's, and so refused to others. */
enum debar_own_kind {
	DEBAR_OWN_MAP = 1,
	DEBAR_OWN_PROGRAM,
	DEBAR_OWN_LINK,
	DEBAR_OWN_INODE, /* a pin, or the directory of them */
	DEBAR_OWN_MOUNT, /* of the bpf file system, and those above it */
	DEBAR_OWN_CODE,	 /* file that the controller's code is mapped from */
	DEBAR_OWN_SIZE,	 /* bytes of a program that may be the controller: only such are hashed */
};

struct debar_own {
	__u64 id;     /* map, program, link or mount id, inode number, or bytes */
	__u32 device; /* of an inode: kernel dev_t */
	__u32 kind;   /* enum debar_own_kind */
};
_Static_assert(sizeof(struct debar_own) == 16, "debar_own has a hole");

enum debar_trust {
	DEBAR_TRUST_CONTROLLER = 1,
	DEBAR_TRUST_LIBRARY,
	DEBAR_TRUST_ANCHOR, /* a certificate of trust.d: no other vouches while the guard is armed */
};

/* What root can do to the kernel itself; each is refused only where it was named. */
enum debar_guard_switch {
	DEBAR_GUARD_MODULES = 1 << 0,
	DEBAR_GUARD_KEXEC = 1 << 1,
	DEBAR_GUARD_MEM = 1 << 2,
	DEBAR_GUARD_LOCKDOWN = 1 << 3,
};

/* Written once, before it is armed; from then on only by who is trusted. */
struct debar_guard {
	__u32 switches;	       /* enum debar_guard_switch */
	__u32 mount_namespace; /* inode number of the initial one */
	__u32 armed;
	__u32 pad;
};
_Static_assert(sizeof(struct debar_guard) == 16, "debar_guard has a hole");

/* What the guard refused: in its events, match.rule. */
enum debar_guard_act {
	DEBAR_ACT_MAP,
	DEBAR_ACT_PROGRAM,
	DEBAR_ACT_LINK,
	DEBAR_ACT_PIN,
	DEBAR_ACT_MOUNT,
	DEBAR_ACT_SIGNAL,
	DEBAR_ACT_LIMIT,
	DEBAR_ACT_TRACE,
	DEBAR_ACT_CODE,
	DEBAR_ACT_SWITCH,
	DEBAR_ACT_MODULE,
	DEBAR_ACT_KEXEC,
	DEBAR_ACT_MEM,
	DEBAR_ACT_LOCKDOWN,
	DEBAR_ACT_MAX
};

/* ---- counters ----------------------------------------------------------------------------- */

/* Per-CPU, element per name. FACT_*: a fact could not be obtained; status names every one. */
enum debar_counter {
	DEBAR_COUNT_HIT,	       /* digest came from the cache */
	DEBAR_COUNT_HASH,	       /* file was hashed */
	DEBAR_COUNT_RACE,	       /* content changed while it was hashed: not cached */
	DEBAR_COUNT_UNCACHEABLE,       /* file system whose writers are not counted here */
	DEBAR_COUNT_DENY,	       /* acts refused */
	DEBAR_COUNT_AUDIT,	       /* acts that would have been refused */
	DEBAR_COUNT_EXCEPTED,	       /* acts that an exception let pass */
	DEBAR_COUNT_LOST,	       /* events that found the ring full */
	DEBAR_COUNT_RETRY,	       /* decisions taken again because a swap passed by */
	DEBAR_COUNT_BUSY,	       /* refused with ETXTBSY: a writer beneath an overlay */
	DEBAR_COUNT_ASKED,	       /* gate mode: acts that waited for the controller */
	DEBAR_COUNT_FACT_NOHASH,       /* the kernel could not hash (O_DIRECT, read error) */
	DEBAR_COUNT_FACT_OVERSIZE,     /* above DEBAR_HASH_MAX */
	DEBAR_COUNT_FACT_NOSTATE,      /* mprotect of a mapping whose file has no cached digest */
	DEBAR_COUNT_FACT_NOREAL,       /* overlay inode whose real inode could not be found */
	DEBAR_COUNT_FACT_BUFFER,       /* module or firmware loaded from memory, not from a file */
	DEBAR_COUNT_FACT_TORN,	       /* swaps overtook one decision several times: denied */
	DEBAR_COUNT_FACT_UNCLASSIFIED, /* keys not known in time: `unclassified` decided */
	DEBAR_COUNT_FACT_OVERFLOW,     /* file with more keys than fit */
	DEBAR_COUNT_FACT_STORAGE,      /* inode storage could not be had: hashed each time */
	DEBAR_COUNTER_MAX
};

/* ---- events ------------------------------------------------------------------------------- */

enum debar_hook {
	DEBAR_HOOK_NONE,
	DEBAR_HOOK_EXEC,
	DEBAR_HOOK_MMAP,
	DEBAR_HOOK_MPROTECT,
	DEBAR_HOOK_MODULE,
	DEBAR_HOOK_FIRMWARE,
	DEBAR_HOOK_RUNNING,
	DEBAR_HOOK_CONNECT,
	DEBAR_HOOK_SENDMSG,
	DEBAR_HOOK_DNS,
	DEBAR_HOOK_TLS,
	DEBAR_HOOK_HTTP,
	DEBAR_HOOK_QUIC,
	DEBAR_HOOK_KILL,
	DEBAR_HOOK_GUARD,
	DEBAR_HOOK_POLICY,
	DEBAR_HOOK_PHASE,
	DEBAR_HOOK_MAX
};

enum debar_outcome {
	DEBAR_OUTCOME_UNKNOWN, /* nothing was decided */
	DEBAR_OUTCOME_AUDITED,
	DEBAR_OUTCOME_DENIED,
	DEBAR_OUTCOME_MAX
};

/* Why there is no rule in an event: a refusal that no rule names. */
enum debar_because {
	DEBAR_BECAUSE_RULE,	    /* a rule matched; `match` and `key` name it */
	DEBAR_BECAUSE_NOHASH,	    /* cannot be hashed while rules could match */
	DEBAR_BECAUSE_OVERSIZE,	    /* above the cap and a ban says oversize: deny */
	DEBAR_BECAUSE_UNCLASSIFIED, /* keys unknown and a ban says unclassified: deny */
	DEBAR_BECAUSE_OVERFLOW,	    /* more keys than fit */
	DEBAR_BECAUSE_NOSTATE, /* made executable by mprotect, never seen by a hook that can hash */
	DEBAR_BECAUSE_BUSY, /* a writer beneath an overlay, or while it was asked about: ETXTBSY */
	DEBAR_BECAUSE_TORN, /* swaps overtook the decision */
	DEBAR_BECAUSE_BUFFER,	 /* module or firmware from memory */
	DEBAR_BECAUSE_MALFORMED, /* DNS that cannot be parsed */
	DEBAR_BECAUSE_GUARD, /* it would have taken debar off; match.rule: enum debar_guard_act */
	DEBAR_BECAUSE_MAX
};

#define DEBAR_COMM_LEN 16
#define DEBAR_PATH_LEN 256
#define DEBAR_CGROUP_LEN 96

/* Who acted; also kept with a socket, because a packet does not know its process. */
struct debar_actor {
	__u64 cgroup; /* cgroup v2 id */
	__u32 pid;    /* thread group id in the initial namespace; 0: unknown */
	__u32 ppid;
	__u32 uid; /* real uid in the initial user namespace */
	__u32 pad;
	char comm[DEBAR_COMM_LEN];
};
_Static_assert(sizeof(struct debar_actor) == 40, "debar_actor has a hole");

/*
 * One record of the ring, always written whole. Network events of net.bpf.c use a record of
 * their own (struct debar_net_event); the first word tells which.
 */
struct debar_event {
	__u32 size;	  /* bytes of the record: tells struct debar_event from the network's */
	__u32 generation; /* the policy it was judged by */
	__s64 when;	  /* UTC nanoseconds */
	struct debar_actor actor;
	struct debar_key key;	  /* what matched */
	__u32 device;		  /* of the file: kernel dev_t, major << 20 | minor */
	struct debar_match match; /* which rule */
	__u64 inode;
	__u64 file_size; /* bytes */
	__u64 cookie;	 /* a hook waits for answers[cookie]; 0: nobody waits */
	__u8 hook;	 /* enum debar_hook */
	__u8 outcome;	 /* enum debar_outcome */
	__u8 because;	 /* enum debar_because */
	__u8 has_digest; /* 1: `digest` is the file's sha256 */
	__u16 error;	 /* errno the caller sees; 0: none */
	__u16 foreign;	 /* 1: the file system was mounted in a user namespace below the first */
	__u8 digest[32];
	char path[DEBAR_PATH_LEN]; /* as the actor's mount namespace has it; basename at mprotect */
	char cgroup[2][DEBAR_CGROUP_LEN]; /* name of the actor's cgroup, and of its parent */
};
_Static_assert(sizeof(struct debar_event) ==
		       8 + 8 + 40 + 36 + 4 + 8 + 8 + 8 + 8 + 8 + 32 + 256 + 192,
	       "debar_event has a hole");

/* Bytes of the ring. Full: the event is dropped and counted, the verdict stands. */
#define DEBAR_RING_SIZE (1 << 20)

#endif
