/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * GateMaps: writes what the policy says into the maps of the gate. Owns nothing.
 *
 * A table is written into the bank that is not in force, and becomes the one in force by one write: there is neither
 * a moment in which something refused passes, nor one in which something is refused by halves of two policies. If a
 * table does not fit, nothing of its kind is refused in the kernel, since an entry that is missing may be the
 * exception of another. What is not refused there is asked.
 */

#include "daemon/gate/gate-maps.h"

#include <assert.h>
#include <linux/bpf.h>
#include <sys/syscall.h>

_Static_assert(GATE_LAYOUT_CLASSES == GATE_CLASSES_MAX, "a bit for each class");
_Static_assert(GATE_NAME_SIZE == GATE_ALIAS_MAX + 1, "an alias with its NUL");
_Static_assert(GATE_MAP_ALIASES >= GATE_ALIASES_MAX && GATE_MAP_SOCKETS >= GATE_SOCKETS_MAX, "a table fits");

/* ---------------------------------------------------------------------------------------------- the kernel */

static int call_bpf(int command, union bpf_attr *attributes) {
        return syscall(SYS_bpf, command, attributes, sizeof(*attributes)) < 0 ? -errno : 0;
}

static uint64_t address(const void *p) {
        return (uint64_t) (uintptr_t) p;
}

static int look_up(int fd, const void *key, void *ret_value) {
        union bpf_attr attributes = { .map_fd = (uint32_t) fd,
                                      .key = address(key),
                                      .value = address(ret_value) };

        return call_bpf(BPF_MAP_LOOKUP_ELEM, &attributes);
}

static int update(int fd, const void *key, const void *value) {
        union bpf_attr attributes = { .map_fd = (uint32_t) fd,
                                      .key = address(key),
                                      .value = address(value) };

        return call_bpf(BPF_MAP_UPDATE_ELEM, &attributes);
}

static int remove_key(int fd, const void *key) {
        union bpf_attr attributes = { .map_fd = (uint32_t) fd, .key = address(key) };

        return call_bpf(BPF_MAP_DELETE_ELEM, &attributes);
}

static int next(int fd, const void *key, void *ret_key) {
        union bpf_attr attributes = { .map_fd = (uint32_t) fd,
                                      .key = address(key),
                                      .next_key = address(ret_key) };

        return call_bpf(BPF_MAP_GET_NEXT_KEY, &attributes);
}

const GateMapOps gate_map_ops = { .look_up = look_up, .update = update, .remove = remove_key, .next = next };

static const struct {
        uint32_t type, key_bytes, value_bytes, entries;
} shapes[_GATE_MAP_MAX] = {
        [GATE_ACTIVE] = { BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(uint64_t), 1 },
        [GATE_CLASSES] = { BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(GateClasses), 2 },
        [GATE_ALIASES_0] = { BPF_MAP_TYPE_LPM_TRIE, sizeof(GateAliasKey), sizeof(GateEntry),
                             GATE_MAP_ALIASES },
        [GATE_ALIASES_1] = { BPF_MAP_TYPE_LPM_TRIE, sizeof(GateAliasKey), sizeof(GateEntry),
                             GATE_MAP_ALIASES },
        [GATE_SOCKETS_0] = { BPF_MAP_TYPE_HASH, sizeof(GateSocketKey), sizeof(GateEntry), GATE_MAP_SOCKETS },
        [GATE_SOCKETS_1] = { BPF_MAP_TYPE_HASH, sizeof(GateSocketKey), sizeof(GateEntry), GATE_MAP_SOCKETS },
        [GATE_SETTINGS] = { BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(GateSettings), 1 },
        [GATE_DENIED_FILES] = { BPF_MAP_TYPE_HASH, sizeof(GateFileKey), sizeof(uint32_t), GATE_MAP_FILES },
        [GATE_DENIED_NAMES] = { BPF_MAP_TYPE_HASH, sizeof(GateNameKey), sizeof(uint32_t),
                                GATE_MAP_NAMES_DENIED },
        [GATE_EVENTS] = { BPF_MAP_TYPE_RINGBUF, 0, 0, GATE_EVENTS_BYTES },
        [GATE_LOST] = { BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(uint64_t), 1 },
};

/**
 * gate_maps_check() - are these the maps that this lkmd knows?
 *
 * Return: 0; -EPROTO: at least one is another map; what bpf(2) says.
 */
int gate_maps_check(const GateMaps *m) {
        assert(m);

        for (size_t i = 0; i < _GATE_MAP_MAX; i++) {
                struct bpf_map_info info = {};
                union bpf_attr attributes = { .info = { .bpf_fd = (uint32_t) m->fds[i],
                                                        .info_len = sizeof(info),
                                                        .info = address(&info) } };
                int r = call_bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes);

                if (r < 0)
                        return r;
                if (info.type != shapes[i].type || info.key_size != shapes[i].key_bytes ||
                    info.value_size != shapes[i].value_bytes || info.max_entries != shapes[i].entries)
                        return -EPROTO;
        }
        return 0;
}

/* --------------------------------------------------------------------------------------------- the table */

#define KEY_MAX sizeof(GateAliasKey)
_Static_assert(KEY_MAX >= sizeof(GateNameKey) && KEY_MAX >= sizeof(GateSocketKey) &&
                       KEY_MAX >= sizeof(GateFileKey),
               "the largest key");

/* The first one again and again: the one that comes after it is not found once it is gone. */
static int clear(const GateMaps *m, int fd) {
        char key[KEY_MAX];
        int r;

        while ((r = m->ops->next(fd, NULL, key)) >= 0) {
                r = m->ops->remove(fd, key);
                if (r < 0)
                        return r;
        }
        return r == -ENOENT ? 0 : r;
}

static void make_alias_key(GateAliasKey *ret, const GateAlias *a) {
        size_t n = strlen(a->text);

        *ret = (GateAliasKey) { .n_bits = (uint32_t) (n + a->whole) * 8U };
        memcpy(ret->text, a->text, n);
}

static int fill_aliases(const GateMaps *m, int fd, const GateTable *table) {
        for (size_t i = 0; i < table->n_aliases; i++) {
                GateEntry entry = { .refused = table->aliases[i].refused, .entry = (uint32_t) i };
                GateAliasKey key;
                int r;

                make_alias_key(&key, table->aliases + i);
                r = m->ops->update(fd, &key, &entry);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int fill_sockets(const GateMaps *m, int fd, const GateTable *table) {
        for (size_t i = 0; i < table->n_sockets; i++) {
                const GateSocket *s = table->sockets + i;
                GateEntry entry = { .refused = s->refused, .entry = (uint32_t) i };
                GateSocketKey key = {
                        .family = s->family,
                        .protocol = s->protocol < 0 ? GATE_ANY_PROTOCOL : s->protocol,
                        .type = s->type > 0 ? (uint32_t) s->type : GATE_ANY_TYPE,
                };
                int r = m->ops->update(fd, &key, &entry);

                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_full(int r) {
        return r == -E2BIG || r == -ENOSPC || r == -ENOMEM;
}

/**
 * gate_maps_apply() - put a table into force
 * @ret_table: its number, as events have it
 * @ret_lacks: GATE_LACKS_ALIASES, GATE_LACKS_SOCKETS: nothing of these is refused, since not all of them fit
 *
 * Return: 0; what bpf(2) says: then the table that was in force still is.
 */
int gate_maps_apply(const GateMaps *m, const GateTable *table, uint64_t *ret_table, unsigned *ret_lacks) {
        GateClasses classes = { .n_classes = (uint32_t) table->n_classes,
                                .n_aliases = (uint32_t) table->n_aliases,
                                .n_sockets = (uint32_t) table->n_sockets };
        const uint32_t zero = 0;
        unsigned lacks = table->has_too_many_sockets ? GATE_LACKS_SOCKETS : 0;
        uint64_t number;
        uint32_t bank;
        int r;

        assert(m && ret_table && ret_lacks && table->n_classes <= GATE_LAYOUT_CLASSES);

        r = m->ops->look_up(m->fds[GATE_ACTIVE], &zero, &number);
        if (r < 0)
                return r;
        number++;
        bank = number & 1U;
        r = clear(m, m->fds[GATE_ALIASES_0 + bank]);
        if (r >= 0)
                r = clear(m, m->fds[GATE_SOCKETS_0 + bank]);
        if (r < 0)
                return r;

        r = fill_aliases(m, m->fds[GATE_ALIASES_0 + bank], table);
        if (is_full(r)) {
                lacks |= GATE_LACKS_ALIASES;
                classes.n_aliases = 0;
                r = 0;
        }
        if (r >= 0)
                r = fill_sockets(m, m->fds[GATE_SOCKETS_0 + bank], table);
        if (is_full(r)) {
                lacks |= GATE_LACKS_SOCKETS;
                classes.n_sockets = 0;
                r = 0;
        }
        if (r < 0)
                return r;

        memcpy(classes.starts, table->uid_starts, table->n_classes * sizeof(*classes.starts));
        r = m->ops->update(m->fds[GATE_CLASSES], &bank, &classes);
        if (r >= 0)
                r = m->ops->update(m->fds[GATE_ACTIVE], &zero, &number);
        if (r < 0)
                return r;
        *ret_table = number;
        *ret_lacks = lacks;
        return 0;
}

/* ------------------------------------------------------------------------------------- files and the rest */

/* @flags: GATE_REFUSE_FILES, GATE_REPORT_FILES. Return: 0; what bpf(2) says. */
int gate_maps_set_flags(const GateMaps *m, uint32_t flags) {
        const GateSettings settings = { .flags = flags };
        const uint32_t zero = 0;

        assert(m);

        return m->ops->update(m->fds[GATE_SETTINGS], &zero, &settings);
}

/* @keys: sorted by memcmp() */
static bool contains(const void *keys, size_t n_keys, size_t key_bytes, const void *key) {
        size_t low = 0, high = n_keys;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int c = memcmp((const char *) keys + middle * key_bytes, key, key_bytes);

                if (c == 0)
                        return true;
                if (c < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return false;
}

/* One that is to go is removed when the key behind it is known, from which the search goes on. */
static int remove_others(const GateMaps *m, int fd, const void *keys, size_t n_keys, size_t key_bytes) {
        char key[KEY_MAX], behind[KEY_MAX];
        int r = m->ops->next(fd, NULL, key);

        while (r >= 0) {
                int q = 0;

                r = m->ops->next(fd, key, behind);
                if (!contains(keys, n_keys, key_bytes, key))
                        q = m->ops->remove(fd, key);
                if (q < 0 && q != -ENOENT)
                        return q;
                memcpy(key, behind, key_bytes);
        }
        return r == -ENOENT ? 0 : r;
}

/* New ones first, so that what stays denied is denied at each moment. Return: 1 if not all of them fit. */
static int replace_set(const GateMaps *m, int fd, const void *keys, size_t n_keys, size_t key_bytes) {
        bool lacks = false;
        int r;

        for (int round = 0; round < 2; round++) {
                lacks = false;
                for (size_t i = 0; i < n_keys; i++) {
                        const uint32_t entry = (uint32_t) i;

                        r = m->ops->update(fd, (const char *) keys + i * key_bytes, &entry);
                        if (r < 0 && !is_full(r))
                                return r;
                        lacks = lacks || r < 0;
                }
                r = remove_others(m, fd, keys, n_keys, key_bytes);
                if (r < 0)
                        return r;
                if (!lacks)
                        break;          /* else there may be room now */
        }
        return lacks;
}

/**
 * gate_maps_deny_files() - which module files are refused while GATE_REFUSE_FILES is set
 * @files:     sorted by memcmp(), and so are @names
 * @ret_lacks: GATE_LACKS_FILES is set if some of them did not fit; the others are refused
 *
 * Return: 0; what bpf(2) says.
 */
int gate_maps_deny_files(const GateMaps *m, const GateFileKey *files, size_t n_files,
                         const GateNameKey *names, size_t n_names, unsigned *ret_lacks) {
        int r, q;

        assert(m && ret_lacks);

        r = replace_set(m, m->fds[GATE_DENIED_FILES], files, n_files, sizeof(*files));
        if (r < 0)
                return r;
        q = replace_set(m, m->fds[GATE_DENIED_NAMES], names, n_names, sizeof(*names));
        if (q < 0)
                return q;
        *ret_lacks = r > 0 || q > 0 ? GATE_LACKS_FILES : 0;
        return 0;
}

/* Events that had no room in the ring buffer, since the gate was attached. Return: 0; what bpf(2) says. */
int gate_maps_count_lost(const GateMaps *m, uint64_t *ret) {
        const uint32_t zero = 0;

        assert(m && ret);

        return m->ops->look_up(m->fds[GATE_LOST], &zero, ret);
}
