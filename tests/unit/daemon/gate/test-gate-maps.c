/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Maps in memory stand for the kernel's. After each change, what a program would find there is looked at. */

#include "daemon/gate/gate-maps.h"

#include "test.h"

#define ENTRIES_MAX 64U

typedef struct Entry {
        bool used;
        char key[sizeof(GateAliasKey)], value[sizeof(GateClasses)];
} Entry;

typedef struct FakeMap {
        size_t key_bytes, value_bytes, room;
        Entry entries[ENTRIES_MAX];
} FakeMap;

static FakeMap maps[_GATE_MAP_MAX];
static int fail_at;                     /* the change that fails, counted from 1 */
static void (*after_change)(void);

static Entry *find(int fd, const void *key) {
        for (size_t i = 0; i < ENTRIES_MAX; i++)
                if (maps[fd].entries[i].used &&
                    memcmp(maps[fd].entries[i].key, key, maps[fd].key_bytes) == 0)
                        return maps[fd].entries + i;
        return NULL;
}

static int changed(void) {
        if (fail_at > 0 && --fail_at == 0)
                return -EPERM;
        if (after_change)
                after_change();
        return 0;
}

static int look_up(int fd, const void *key, void *ret_value) {
        const Entry *e = find(fd, key);

        if (!e)
                return -ENOENT;
        memcpy(ret_value, e->value, maps[fd].value_bytes);
        return 0;
}

static int update(int fd, const void *key, const void *value) {
        Entry *e = find(fd, key);

        for (size_t i = 0; i < maps[fd].room && !e; i++)
                if (!maps[fd].entries[i].used)
                        e = maps[fd].entries + i;
        if (!e)
                return -ENOSPC;
        e->used = true;
        memcpy(e->key, key, maps[fd].key_bytes);
        memcpy(e->value, value, maps[fd].value_bytes);
        return changed();
}

static int remove_key(int fd, const void *key) {
        Entry *e = find(fd, key);

        if (!e)
                return -ENOENT;
        e->used = false;
        return changed();
}

static int next(int fd, const void *key, void *ret_key) {
        const Entry *e = key ? find(fd, key) : NULL;

        for (size_t i = e ? (size_t) (e - maps[fd].entries) + 1 : 0; i < ENTRIES_MAX; i++)
                if (maps[fd].entries[i].used) {
                        memcpy(ret_key, maps[fd].entries[i].key, maps[fd].key_bytes);
                        return 0;
                }
        return -ENOENT;
}

static const GateMapOps fake_ops = {
        .look_up = look_up, .update = update, .remove = remove_key, .next = next
};

static GateMaps open_maps(void) {
        static const size_t sizes[_GATE_MAP_MAX][2] = {
                [GATE_ACTIVE] = { sizeof(uint32_t), sizeof(uint64_t) },
                [GATE_CLASSES] = { sizeof(uint32_t), sizeof(GateClasses) },
                [GATE_ALIASES_0] = { sizeof(GateAliasKey), sizeof(GateEntry) },
                [GATE_ALIASES_1] = { sizeof(GateAliasKey), sizeof(GateEntry) },
                [GATE_SOCKETS_0] = { sizeof(GateSocketKey), sizeof(GateEntry) },
                [GATE_SOCKETS_1] = { sizeof(GateSocketKey), sizeof(GateEntry) },
                [GATE_SETTINGS] = { sizeof(uint32_t), sizeof(GateSettings) },
                [GATE_DENIED_FILES] = { sizeof(GateFileKey), sizeof(uint32_t) },
                [GATE_DENIED_NAMES] = { sizeof(GateNameKey), sizeof(uint32_t) },
                [GATE_LOST] = { sizeof(uint32_t), sizeof(uint64_t) },
        };
        const uint64_t none = 0;
        GateMaps m = { .ops = &fake_ops };

        after_change = NULL;
        fail_at = 0;
        memset(maps, 0, sizeof(maps));
        for (int i = 0; i < _GATE_MAP_MAX; i++) {
                maps[i].key_bytes = sizes[i][0];
                maps[i].value_bytes = sizes[i][1];
                maps[i].room = ENTRIES_MAX;
                m.fds[i] = i;
        }
        assert_ok(update(GATE_ACTIVE, &(uint32_t) { 0 }, &none));
        assert_ok(update(GATE_LOST, &(uint32_t) { 0 }, &(uint64_t) { 7 }));
        for (uint32_t bank = 0; bank < 2; bank++)
                assert_ok(update(GATE_CLASSES, &bank, &(GateClasses) {}));
        return m;
}

/* ----------------------------------------------------------------------- what the programs do with them */

static uint32_t class_of(const GateClasses *c, uint32_t uid) {
        uint32_t bit = 0;

        for (uint32_t i = 0; i < c->n_classes && c->starts[i] <= uid; i++)
                bit = 1U << i;
        return bit;
}

static void read_active(uint64_t *ret_table, GateClasses *ret) {
        uint32_t bank;

        assert_ok(look_up(GATE_ACTIVE, &(uint32_t) { 0 }, ret_table));
        bank = *ret_table & 1U;
        assert_ok(look_up(GATE_CLASSES, &bank, ret));
}

static bool refuses(const char *alias, uint32_t uid) {
        size_t longest = 0, n = strlen(alias) + 1;
        GateEntry found = {};
        GateClasses classes;
        uint64_t table;
        const FakeMap *map;

        read_active(&table, &classes);
        if (classes.n_aliases == 0)
                return false;
        map = maps + GATE_ALIASES_0 + (table & 1U);
        for (size_t i = 0; i < ENTRIES_MAX; i++) {
                GateAliasKey key;

                memcpy(&key, map->entries[i].key, sizeof(key));
                if (!map->entries[i].used || key.n_bits / 8 > n ||
                    memcmp(key.text, alias, key.n_bits / 8) != 0 || key.n_bits + 1 <= longest)
                        continue;
                longest = key.n_bits + 1;
                memcpy(&found, map->entries[i].value, sizeof(found));
        }
        return found.refused & class_of(&classes, uid);
}

static bool refuses_socket(int family, int protocol, int type, uint32_t uid) {
        GateSocketKey keys[] = { { family, protocol, (uint32_t) type },
                                 { family, protocol, GATE_ANY_TYPE },
                                 { family, GATE_ANY_PROTOCOL, GATE_ANY_TYPE } };
        GateClasses classes;
        uint64_t table;

        read_active(&table, &classes);
        for (size_t i = 0; i < ARRAY_LEN(keys) && classes.n_sockets > 0; i++) {
                GateEntry entry;

                if (look_up(GATE_SOCKETS_0 + (int) (table & 1U), keys + i, &entry) >= 0)
                        return entry.refused & class_of(&classes, uid);
        }
        return false;
}

/* ------------------------------------------------------------------------------------------------ tables */

static GateAlias aliases[] = {
        { .text = "net_pf_", .refused = 2 },
        { .text = "net_pf_1", .whole = true },
        { .text = "net_pf_38", .whole = true, .refused = 3 },
};
static GateSocket sockets[] = {
        { .family = 2, .protocol = 132, .refused = 2 },
        { .family = 2, .protocol = 132, .type = 5 },
        { .family = 38, .protocol = -1, .refused = 2 },
};
static const GateTable some = { .uid_starts = { 0, 1 },
                                .n_classes = 2,
                                .aliases = aliases,
                                .n_aliases = 3,
                                .sockets = sockets,
                                .n_sockets = 3 };
static GateAlias other_aliases[] = { { .text = "net_pf_38", .refused = 4 },
                                     { .text = "fs_", .refused = 2 } };
static const GateTable other = {
        .uid_starts = { 0, 1, 1000 }, .n_classes = 3, .aliases = other_aliases, .n_aliases = 2
};
static const GateTable nothing = { .n_classes = 1 };

static void expect_some(void) {
        assert_false(refuses("net_pf_37", 0));
        assert_true(refuses("net_pf_37", 1));
        assert_false(refuses("net_pf_1", 65534));
        assert_true(refuses("net_pf_10", 65534));
        assert_true(refuses("net_pf_38", 0));
        assert_true(refuses("net_pf_", 4294967295U));
        assert_false(refuses("net_p", 1));
        assert_true(refuses_socket(2, 132, 1, 1));
        assert_false(refuses_socket(2, 132, 5, 1));
        assert_false(refuses_socket(2, 132, 1, 0));
        assert_false(refuses_socket(2, 6, 1, 1));
        assert_true(refuses_socket(38, 0, 5, 1));
}

static void test_apply(void **state) {
        GateMaps m = open_maps();
        unsigned lacks = 99;
        uint64_t number;

        assert_false(refuses("net_pf_38", 1));
        assert_ok(gate_maps_apply(&m, &some, &number, &lacks));
        assert_int_equal(number, 1);
        assert_int_equal(lacks, 0);
        expect_some();
        assert_ok(gate_maps_apply(&m, &other, &number, &lacks));
        assert_int_equal(number, 2);
        assert_false(refuses("net_pf_38", 999));
        assert_true(refuses("net_pf_38", 1000));
        assert_true(refuses("net_pf_380", 1000));
        assert_true(refuses("fs_x", 999));
        assert_false(refuses("fs_x", 1000));
        assert_false(refuses_socket(38, 0, 5, 1));
        assert_ok(gate_maps_apply(&m, &nothing, &number, &lacks));
        assert_false(refuses("fs_x", 999));
}

/* Both tables refuse this to user 1000, and neither refuses that. */
static void check_at_each_moment(void) {
        assert_true(refuses("net_pf_38", 1000));
        assert_false(refuses("net_pf_1", 999));
        assert_false(refuses("ext4", 1000));
}

static void test_no_moment_in_between(void **state) {
        GateMaps m = open_maps();
        unsigned lacks;
        uint64_t number;

        assert_ok(gate_maps_apply(&m, &some, &number, &lacks));
        after_change = check_at_each_moment;
        for (int i = 0; i < 4; i++)
                assert_ok(gate_maps_apply(&m, i % 2 == 0 ? &other : &some, &number, &lacks));
}

/* Whatever fails, the table before holds. */
static void test_failure(void **state) {
        for (int at = 1; at <= 9; at++) {
                GateMaps m = open_maps();
                unsigned lacks;
                uint64_t number = 0;

                assert_ok(gate_maps_apply(&m, &other, &number, &lacks));
                assert_ok(gate_maps_apply(&m, &some, &number, &lacks));
                fail_at = at;           /* 2 are removed, 2 come, the classes: then it is in force */
                if (gate_maps_apply(&m, &other, &number, &lacks) < 0) {
                        assert_int_equal(number, 2);
                        if (at < 6)
                                expect_some();
                } else
                        assert_true(refuses("fs_x", 999));
        }
}

/* Without the exception net_pf_1, all of net_pf_ must not be refused. */
static void test_full(void **state) {
        GateMaps m = open_maps();
        unsigned lacks;
        uint64_t number;

        maps[GATE_ALIASES_1].room = 2;
        assert_ok(gate_maps_apply(&m, &some, &number, &lacks));
        assert_int_equal(lacks, GATE_LACKS_ALIASES);
        assert_false(refuses("net_pf_37", 1));
        assert_true(refuses_socket(38, 0, 5, 1));

        m = open_maps();
        maps[GATE_SOCKETS_1].room = 2;
        assert_ok(gate_maps_apply(&m, &some, &number, &lacks));
        assert_int_equal(lacks, GATE_LACKS_SOCKETS);
        assert_true(refuses("net_pf_37", 1));
        assert_false(refuses_socket(38, 0, 5, 1));
        assert_ok(gate_maps_apply(&m, &other, &number, &lacks));
        assert_int_equal(lacks, 0);
}

/* ------------------------------------------------------------------------------------------------- files */

static bool denies_name(const char *name) {
        GateNameKey key = {};

        (void) snprintf(key.text, sizeof(key.text), "%s", name);
        return find(GATE_DENIED_NAMES, &key);
}

static void check_b_is_denied(void) {
        assert_true(denies_name("b"));
        assert_non_null(find(GATE_DENIED_FILES, &(GateFileKey) { 1, 2 }));
}

static void test_files(void **state) {
        static const GateNameKey ab[] = { { "a" }, { "b" } }, bc[] = { { "b" }, { "c" } };
        static const GateFileKey one[] = { { 1, 2 } }, two[] = { { 1, 2 }, { 1, 3 } };
        GateMaps m = open_maps();
        unsigned lacks;

        assert_ok(gate_maps_deny_files(&m, two, 2, ab, 2, &lacks));
        assert_int_equal(lacks, 0);
        after_change = check_b_is_denied;
        assert_ok(gate_maps_deny_files(&m, one, 1, bc, 2, &lacks));
        assert_false(denies_name("a"));
        assert_true(denies_name("c"));
        assert_null(find(GATE_DENIED_FILES, &two[1]));
        after_change = NULL;
        assert_ok(gate_maps_deny_files(&m, NULL, 0, NULL, 0, &lacks));
        assert_false(denies_name("b") || denies_name("c"));

        maps[GATE_DENIED_NAMES].room = 2;
        assert_ok(gate_maps_deny_files(&m, NULL, 0, ab, 2, &lacks));
        assert_ok(gate_maps_deny_files(&m, NULL, 0, bc, 2, &lacks)); /* there is room once "a" is gone */
        assert_int_equal(lacks, 0);
        assert_true(denies_name("b") && denies_name("c"));
        maps[GATE_DENIED_NAMES].room = 1;
        assert_ok(gate_maps_deny_files(&m, NULL, 0, NULL, 0, &lacks));
        assert_ok(gate_maps_deny_files(&m, NULL, 0, ab, 2, &lacks));
        assert_int_equal(lacks, GATE_LACKS_FILES);
}

static void test_flags_and_lost(void **state) {
        GateMaps m = open_maps();
        GateSettings settings;
        uint64_t n;

        assert_ok(gate_maps_set_flags(&m, GATE_REFUSE_FILES));
        assert_ok(look_up(GATE_SETTINGS, &(uint32_t) { 0 }, &settings));
        assert_int_equal(settings.flags, GATE_REFUSE_FILES);
        assert_ok(gate_maps_count_lost(&m, &n));
        assert_int_equal(n, 7);
}

/* These are no maps at all. */
static void test_check(void **state) {
        GateMaps m = { .ops = &gate_map_ops };

        for (size_t i = 0; i < _GATE_MAP_MAX; i++)
                m.fds[i] = STDIN_FILENO;
        assert_true(gate_maps_check(&m) < 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_apply),
                cmocka_unit_test(test_no_moment_in_between),
                cmocka_unit_test(test_failure),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_flags_and_lost),
                cmocka_unit_test(test_check),
        };

        return RUN_TESTS(tests);
}
