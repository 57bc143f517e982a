/* SPDX-License-Identifier: LGPL-2.1-or-later OR GPL-2.0-only */

/*
 * Gate: the programs in the kernel. They run where somebody asks for a module, wants a socket or passes a module to
 * the kernel, in the process that does so. What the maps say is refused there; all else goes on, and the manager is
 * told who it was.
 *
 * They are attached as fmod_ret, not as lsm: programs of the latter kind are attached without an error, and never
 * called, on a kernel whose lsm= does not list bpf. The kernel lends its text functions to programs under the GPL
 * alone, which is why they are under that licence, too.
 *
 * Structs of the kernel have only the members that are used: where these are is taken from its BTF when it is loaded.
 */

#include <linux/bpf.h>
#include <linux/errno.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "daemon/privileged/gate/gate-layout.h"

char LICENSE[] SEC("license") = "GPL";

#define AF_INET 2
#define AF_INET6 10
#define BANK(table) ((__u32) ((table) & 1U))
#define PATH_STEPS 24                   /* names and mounts on the way to the root directory */
#define LAST_OF_PATH (GATE_PATH_SIZE - 1U)
#define TRIES 3                         /* a policy that changes twice within one look-up is not followed */

/* ------------------------------------------------------------------------------------- of the kernel's */

struct loginuid___gate {
        __u32 val;
};

struct mm_struct {
        struct file *exe_file;
} __attribute__((preserve_access_index));

struct task_struct {
        struct mm_struct *mm;
        struct task_struct *group_leader;
        __u64 start_boottime;
        struct loginuid___gate loginuid;
} __attribute__((preserve_access_index));

struct qstr {
        __u32 len;
        const unsigned char *name;
} __attribute__((preserve_access_index));

struct dentry {
        struct qstr d_name;
        struct dentry *d_parent;
} __attribute__((preserve_access_index));

struct vfsmount {
        struct dentry *mnt_root;
} __attribute__((preserve_access_index));

struct mount {
        struct mount *mnt_parent;
        struct dentry *mnt_mountpoint;
        struct vfsmount mnt;
} __attribute__((preserve_access_index));

struct path {
        struct vfsmount *mnt;
        struct dentry *dentry;
} __attribute__((preserve_access_index));

struct super_block {
        __u32 s_dev;
} __attribute__((preserve_access_index));

struct inode {
        struct super_block *i_sb;
        unsigned long i_ino;
} __attribute__((preserve_access_index));

struct file {
        struct inode *f_inode;
        struct path f_path;
} __attribute__((preserve_access_index));

struct subprocess_info;

enum kernel_read_file_id {
        READING_MODULE = 2,
};

enum kernel_load_data_id {
        LOADING_MODULE = 2,
};

/* ------------------------------------------------------------------------------------------------ maps */

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, __u64);
} active SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 2);
        __type(key, __u32);
        __type(value, GateClasses);
} classes SEC(".maps");

struct gate_aliases {
        __uint(type, BPF_MAP_TYPE_LPM_TRIE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __uint(max_entries, GATE_MAP_ALIASES);
        __type(key, GateAliasKey);
        __type(value, GateEntry);
} aliases_0 SEC(".maps"), aliases_1 SEC(".maps");

struct gate_sockets {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __uint(max_entries, GATE_MAP_SOCKETS);
        __type(key, GateSocketKey);
        __type(value, GateEntry);
} sockets_0 SEC(".maps"), sockets_1 SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, GateSettings);
} settings SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __uint(max_entries, GATE_MAP_FILES);
        __type(key, GateFileKey);
        __type(value, __u32);
} denied_files SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __uint(max_entries, GATE_MAP_NAMES_DENIED);
        __type(key, GateNameKey);
        __type(value, __u32);
} denied_names SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, GATE_EVENTS_BYTES);
} events SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, __u64);
} lost SEC(".maps");

struct refusal_key {
        __u64 table;
        __u32 kind;
        __u32 uid;
        __u32 entry;
        __u32 what;                     /* hash of what was asked for */
};

struct refusal {
        __u64 count;
        __u64 reported_nsec;
};

struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, GATE_MAP_REFUSALS);
        __type(key, struct refusal_key);
        __type(value, struct refusal);
} refusals SEC(".maps");

struct user_reports {
        __u64 began_nsec;
        __u64 n;                        /* since then */
};

/* User -> how much was reported of it within a second: it may ask for a thousand things. */
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, GATE_MAP_REFUSALS);
        __type(key, __u32);
        __type(value, struct user_reports);
} reports SEC(".maps");

struct request_id {
        __u64 id;
        __u64 tid;
};

/* Thread -> its request, which has passed. */
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, GATE_MAP_REQUESTS);
        __type(key, __u32);
        __type(value, __u64);
} passed SEC(".maps");

/* subprocess_info of the kernel -> the request that it belongs to. */
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, GATE_MAP_REQUESTS);
        __type(key, __u64);
        __type(value, struct request_id);
} helpers SEC(".maps");

/* Never pinned. */
struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, GateProof);
} proof SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, GateInfo);
} info SEC(".maps");

/* --------------------------------------------------------------------------------------------- helpers */

static __always_inline __u32 own_tgid(void) {
        return (__u32) (bpf_get_current_pid_tgid() >> 32);
}

/* Is it lkmd-gate, which wants to see that the hook refuses? */
static __always_inline int is_proof(__u32 hook) {
        __u32 zero = 0;
        GateProof *p = bpf_map_lookup_elem(&proof, &zero);

        if (!p || !(p->hooks & hook) || p->tgid != own_tgid())
                return 0;
        __sync_fetch_and_add(&p->hits, 1);
        return 1;
}

static __always_inline __u64 active_table(void) {
        __u32 zero = 0;
        __u64 *table = bpf_map_lookup_elem(&active, &zero);

        return table ? *(volatile __u64 *) table : 0;
}

static __always_inline GateClasses *classes_of(__u64 table) {
        __u32 bank = BANK(table);

        return bpf_map_lookup_elem(&classes, &bank);
}

/* Return: the bit of the class; 0: there are no classes. */
static __always_inline __u32 class_bit(const GateClasses *c, __u32 uid) {
        __u32 bit = 0;

        for (__u32 i = 0; i < GATE_LAYOUT_CLASSES; i++) {
                if (i >= c->n_classes || c->starts[i] > uid)
                        break;
                bit = 1U << i;
        }
        return bit;
}

static __always_inline __u32 own_uid(void) {
        return (__u32) bpf_get_current_uid_gid();
}

static __always_inline char normalised(char c) {
        return c == '-' ? '_' : c;
}

static __always_inline void count_lost(void) {
        __u32 zero = 0;
        __u64 *n = bpf_map_lookup_elem(&lost, &zero);

        if (n)
                __sync_fetch_and_add(n, 1);
}

/*
 * The path of the program that the process runs, written from its end. bpf_d_path() would do this, but may not be
 * called at the functions that the gate is attached to.
 *
 * A function of its own, which the verifier looks at once. To it, other members of the event might be overwritten, so
 * this is called before they are set; and start has the same bounds in each step, so that 24 of them look like one.
 */
__attribute__((noinline)) int write_executable(GateEvent *e) {
        const struct file *file = BPF_CORE_READ(bpf_get_current_task_btf(), mm, exe_file);
        struct vfsmount *vfs = BPF_CORE_READ(file, f_path.mnt);
        struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
        struct mount *mount = (void *) ((char *) vfs - bpf_core_field_offset(struct mount, mnt));
        __u32 start = GATE_PATH_SIZE - 1U; /* of what is written, which a NUL follows */

        if (!e || !file)
                return 0;
        for (int i = 0; i < PATH_STEPS; i++) {
                struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
                __u32 n = BPF_CORE_READ(dentry, d_name.len);

                if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
                        struct mount *above = BPF_CORE_READ(mount, mnt_parent);

                        if (above == mount)
                                return 0;
                        dentry = BPF_CORE_READ(mount, mnt_mountpoint);
                        mount = above;
                        continue;
                }
                if (dentry == parent || n >= start)
                        return 0;
                start = (start - n) & LAST_OF_PATH;
                bpf_probe_read_kernel(e->executable + start, n & LAST_OF_PATH,
                                      BPF_CORE_READ(dentry, d_name.name));
                start = (start - 1U) & LAST_OF_PATH;
                e->executable[start] = '/';
                dentry = parent;
        }
        return 0;
}

/* Return: NULL if there is no room, which is counted. Everything in it is set. */
static __always_inline GateEvent *event_begin(__u32 kind, __u64 now) {
        GateEvent *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
        struct task_struct *task = bpf_get_current_task_btf();
        __u64 process = bpf_get_current_pid_tgid();

        if (!e) {
                count_lost();
                return 0;
        }
        __builtin_memset(e, 0, sizeof(*e));
        (void) write_executable(e);
        e->kind = kind;
        e->id = now;
        e->start_nsec = task->group_leader->start_boottime;
        e->cgroup_id = bpf_get_current_cgroup_id();
        e->tgid = (__u32) (process >> 32);
        e->tid = (__u32) process;
        e->uid = own_uid();
        e->login_uid = GATE_NO_ENTRY;
        if (bpf_core_field_exists(task->loginuid))
                e->login_uid = task->loginuid.val;
        e->entry = GATE_NO_ENTRY;
        bpf_get_current_comm(e->command, sizeof(e->command));
        return e;
}

static __always_inline int may_report(__u64 now) {
        struct user_reports first = { .began_nsec = now, .n = 1 }, *r;
        __u32 uid = own_uid();

        r = bpf_map_lookup_elem(&reports, &uid);
        if (!r) {
                bpf_map_update_elem(&reports, &uid, &first, BPF_ANY);
                return 1;
        }
        if (now - *(volatile __u64 *) &r->began_nsec >= GATE_REPORT_NSEC) {
                r->began_nsec = now;
                r->n = 0;
        }
        return __sync_fetch_and_add(&r->n, 1) < GATE_REPORTS_OF_USER;
}

/*
 * A refusal is reported the first time, and then once a second at most, with the number of them so far.
 * Return: that number; 0: not now.
 */
static __always_inline __u64 count_refusal(__u32 kind, __u64 table, __u32 entry, __u32 what, __u64 now) {
        struct refusal_key key = {
                .table = table, .kind = kind, .uid = own_uid(), .entry = entry, .what = what
        };
        struct refusal first = { .count = 1, .reported_nsec = now };
        struct refusal *r = bpf_map_lookup_elem(&refusals, &key);
        __u64 count, reported;

        if (!r) {
                bpf_map_update_elem(&refusals, &key, &first, BPF_ANY);
                return may_report(now);
        }
        count = __sync_fetch_and_add(&r->count, 1) + 1;
        reported = *(volatile __u64 *) &r->reported_nsec;
        if (now - reported < GATE_REPORT_NSEC)
                return 0;
        if (__sync_val_compare_and_swap(&r->reported_nsec, reported, now) != reported)
                return 0;
        return may_report(now) ? count : 0;
}

/* Return: the event of a refusal that is to be reported, or NULL. */
static __always_inline GateEvent *refusal_begin(__u32 kind, __u64 table, __u32 entry, __u32 what) {
        __u64 now = bpf_ktime_get_ns(), count = count_refusal(kind, table, entry, what, now);
        GateEvent *e = count > 0 ? event_begin(kind, now) : 0;

        if (!e)
                return 0;
        e->refused = 1;
        e->entry = entry;
        e->table = table;
        e->count = count;
        return e;
}

/* -------------------------------------------------------------------------------------------- requests */

/* Return: 0; 1: with a pattern in it, which maps do not know. */
static __always_inline int normalise(char *text, __u32 *ret_hash) {
        int has_pattern = 0;

        *ret_hash = 0;
        for (__u32 i = 0; i < GATE_NAME_SIZE; i++) {
                *ret_hash = *ret_hash * 31U + (__u8) text[i];
                if (text[i] == '[' || text[i] == ']')
                        has_pattern = 1;
                text[i] = normalised(text[i]);
        }
        return has_pattern;
}

/* Return: the number of the entry that refuses it, or GATE_NO_ENTRY, and the table that said so. */
static __always_inline __u32 find_alias(const GateAliasKey *key, __u64 *ret_table) {
        __u32 uid = own_uid();

        for (int i = 0; i < TRIES; i++) {
                __u64 table = active_table();
                GateClasses *c = classes_of(table);
                GateEntry *entry;
                __u32 found = GATE_NO_ENTRY;

                *ret_table = table;
                if (!c || c->n_aliases == 0)
                        return GATE_NO_ENTRY;
                if (BANK(table))
                        entry = bpf_map_lookup_elem(&aliases_1, key);
                else
                        entry = bpf_map_lookup_elem(&aliases_0, key);
                if (entry && (entry->refused & class_bit(c, uid)))
                        found = entry->entry;
                if (active_table() == table)
                        return found;
        }
        return GATE_NO_ENTRY;
}

SEC("fmod_ret/security_kernel_module_request")
int BPF_PROG(gate_request, char *kmod_name, int ret) {
        GateAliasKey key = { .n_bits = GATE_NAME_SIZE * 8U };
        __u64 table = 0, now;
        __u32 entry = GATE_NO_ENTRY, tid = (__u32) bpf_get_current_pid_tgid(), hash;
        GateEvent *e;

        if (ret)
                return ret;
        if (is_proof(GATE_PROOF_REQUEST))
                return -EPERM;
        if (bpf_probe_read_kernel_str(key.text, sizeof(key.text), kmod_name) < 0)
                return 0;
        if (!normalise(key.text, &hash))
                entry = find_alias(&key, &table);
        if (entry != GATE_NO_ENTRY) {
                e = refusal_begin(GATE_EVENT_REQUEST, table, entry, hash);
                if (e) {
                        bpf_probe_read_kernel_str(e->name, sizeof(e->name), kmod_name);
                        bpf_ringbuf_submit(e, 0);
                }
                return -EPERM;
        }

        now = bpf_ktime_get_ns();
        e = event_begin(GATE_EVENT_REQUEST, now);
        if (e) {
                e->table = table;
                bpf_probe_read_kernel_str(e->name, sizeof(e->name), kmod_name);
                bpf_ringbuf_submit(e, 0);
        }
        bpf_map_update_elem(&passed, &tid, &now, BPF_ANY);
        return 0;
}

/* The requester has the kernel start a program, and waits for it. */
SEC("fentry/call_usermodehelper_exec")
int BPF_PROG(gate_helper, struct subprocess_info *sub_info) {
        __u32 tid = (__u32) bpf_get_current_pid_tgid();
        __u64 *id = bpf_map_lookup_elem(&passed, &tid), key = (__u64) sub_info;
        struct request_id request;

        if (!id)
                return 0;               /* a program for something else */
        request = (struct request_id) { .id = *id, .tid = tid };
        bpf_map_delete_elem(&passed, &tid);
        bpf_map_update_elem(&helpers, &key, &request, BPF_ANY);
        return 0;
}

/* The process of that program, before it becomes the program. */
SEC("fentry/call_usermodehelper_exec_async")
int BPF_PROG(gate_helper_starts, void *data) {
        __u64 key = (__u64) data;
        struct request_id *found = bpf_map_lookup_elem(&helpers, &key), request;
        GateEvent *e;

        if (!found)
                return 0;
        request = *found;
        bpf_map_delete_elem(&helpers, &key);
        e = event_begin(GATE_EVENT_HELPER, request.id);
        if (!e)
                return 0;
        e->helper = e->tgid;
        e->tid = (__u32) request.tid;
        bpf_ringbuf_submit(e, 0);
        return 0;
}

/* Attached only while lkmd-gate looks: it is called for what the hook has let pass. */
SEC("tp_btf/module_request")
int BPF_PROG(gate_observer) {
        __u32 zero = 0;
        GateProof *p = bpf_map_lookup_elem(&proof, &zero);

        if (p && p->hooks && p->tgid == own_tgid())
                __sync_fetch_and_add(&p->passed, 1);
        return 0;
}

/* --------------------------------------------------------------------------------------------- sockets */

/*
 * Protocol 0 is the protocol that a type has in the internet families, inet_create() in net/ipv4/af_inet.c: a socket
 * of SCTP is also socket(AF_INET, SOCK_SEQPACKET, 0).
 */
static __always_inline int protocol_meant(int family, int type, int protocol) {
        if (protocol != 0 || (family != AF_INET && family != AF_INET6))
                return protocol;
        switch (type) {
        case 1:                         /* SOCK_STREAM */
                return 6;
        case 2:                         /* SOCK_DGRAM */
                return 17;
        case 5:                         /* SOCK_SEQPACKET */
                return 132;
        case 6:                         /* SOCK_DCCP */
                return 33;
        default:
                return 0;
        }
}

static __always_inline GateEntry *find_socket(__u64 table, const GateSocketKey *key) {
        return BANK(table) ? bpf_map_lookup_elem(&sockets_1, key) : bpf_map_lookup_elem(&sockets_0, key);
}

/* Return: the number of the entry that refuses it, or GATE_NO_ENTRY; *ret_error is what the program is to see. */
static __always_inline __u32 judge_socket(__u64 table, const GateClasses *c, GateSocketKey key,
                                          int *ret_error) {
        GateEntry *entry = find_socket(table, &key);

        *ret_error = -EPROTONOSUPPORT;
        if (!entry) {
                key.type = GATE_ANY_TYPE;
                entry = find_socket(table, &key);
        }
        if (!entry) {
                key.protocol = GATE_ANY_PROTOCOL;
                entry = find_socket(table, &key);
                *ret_error = -EAFNOSUPPORT;
        }
        return entry && (entry->refused & class_bit(c, own_uid())) ? entry->entry : GATE_NO_ENTRY;
}

SEC("fmod_ret/security_socket_create")
int BPF_PROG(gate_socket, int family, int type, int protocol, int kern, int ret) {
        __u32 found = GATE_NO_ENTRY;
        __u64 table = 0;
        int error = 0;
        GateEvent *e;

        if (ret || kern)
                return ret;
        if (is_proof(GATE_PROOF_SOCKET))
                return -EPERM;
        for (int i = 0; i < TRIES; i++) {
                GateSocketKey key = { .family = family,
                                      .protocol = protocol_meant(family, type, protocol),
                                      .type = type };
                GateClasses *c;

                table = active_table();
                c = classes_of(table);
                if (!c || c->n_sockets == 0)
                        return 0;
                found = judge_socket(table, c, key, &error);
                if (active_table() == table)
                        break;
                found = GATE_NO_ENTRY;
        }
        if (found == GATE_NO_ENTRY)
                return 0;
        e = refusal_begin(GATE_EVENT_SOCKET, table, found,
                          (__u32) family << 20 ^ (__u32) protocol << 8 ^ (__u32) type);
        if (e) {
                e->family = family;
                e->protocol = protocol;
                e->type = type;
                bpf_ringbuf_submit(e, 0);
        }
        return error;
}

/* ----------------------------------------------------------------------------------------------- files */

/* "af-alg.ko.xz" is af_alg. What follows stays NUL. */
static __always_inline void module_of_file(GateNameKey *ret, const char *name) {
        for (__u32 i = 0; i < GATE_NAME_SIZE - 4U; i++) {
                if (name[i] == '\0' || (name[i] == '.' && name[i + 1] == 'k' && name[i + 2] == 'o' &&
                                        (name[i + 3] == '\0' || name[i + 3] == '.')))
                        break;
                ret->text[i] = normalised(name[i]);
        }
}

static __always_inline __u32 judge_file(const GateFileKey *file, const char *name) {
        GateNameKey key = {};
        __u32 *entry = bpf_map_lookup_elem(&denied_files, file);

        if (entry)
                return *entry;
        module_of_file(&key, name);
        entry = bpf_map_lookup_elem(&denied_names, &key);
        return entry ? *entry : GATE_NO_ENTRY;
}

static __always_inline __u32 settings_flags(void) {
        __u32 zero = 0;
        GateSettings *s = bpf_map_lookup_elem(&settings, &zero);

        return s ? s->flags : 0;
}

SEC("fmod_ret/security_kernel_read_file")
int BPF_PROG(gate_file, struct file *file, enum kernel_read_file_id id, _Bool contents, int ret) {
        __u32 entry = GATE_NO_ENTRY, flags;
        char name[GATE_NAME_SIZE] = {};
        GateFileKey key = {};
        GateEvent *e;

        if (ret || id != bpf_core_enum_value(enum kernel_read_file_id, READING_MODULE))
                return ret;
        if (is_proof(GATE_PROOF_FILE))
                return -EPERM;
        flags = settings_flags();
        if (!file || flags == 0)
                return 0;
        key.device = file->f_inode->i_sb->s_dev;
        key.inode = file->f_inode->i_ino;
        bpf_probe_read_kernel_str(name, sizeof(name), file->f_path.dentry->d_name.name);
        if (flags & GATE_REFUSE_FILES)
                entry = judge_file(&key, name);
        if (entry == GATE_NO_ENTRY && !(flags & GATE_REPORT_FILES))
                return 0;

        e = event_begin(GATE_EVENT_FILE, bpf_ktime_get_ns());
        if (e) {
                e->refused = entry != GATE_NO_ENTRY;
                e->entry = entry;
                e->device = key.device;
                e->inode = key.inode;
                __builtin_memcpy(e->name, name, sizeof(name));
                bpf_ringbuf_submit(e, 0);
        }
        return entry != GATE_NO_ENTRY ? -EPERM : 0;
}

SEC("fmod_ret/security_kernel_load_data")
int BPF_PROG(gate_data, enum kernel_load_data_id id, _Bool contents, int ret) {
        GateEvent *e;

        if (ret || id != bpf_core_enum_value(enum kernel_load_data_id, LOADING_MODULE))
                return ret;
        if (is_proof(GATE_PROOF_DATA))
                return -EPERM;
        if (!(settings_flags() & GATE_REPORT_FILES))
                return 0;
        e = event_begin(GATE_EVENT_DATA, bpf_ktime_get_ns());
        if (e)
                bpf_ringbuf_submit(e, 0);
        return 0;
}
