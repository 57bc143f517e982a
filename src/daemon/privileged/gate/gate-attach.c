/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * GateAttach: loads the programs, attaches them, has them prove that they act, and pins them. Each step undoes
 * itself if a later one fails, since what is not pinned ends with this process.
 *
 * If programs of the same layout are pinned already, the new ones get their maps, are pinned beside them, and take
 * their place by rename(2): there is no moment without a gate, and none with an empty one.
 */

#include "daemon/privileged/gate/gate-attach.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gate.skel.h>                  /* made of gate.bpf.c, by bpftool */

#include "common/base/hash.h"
#include "common/base/util.h"
#include "daemon/privileged/gate/gate-pins.h"
#include "daemon/privileged/gate/gate-proof.h"

#define INFO_MAP "info"
#define NEW_SUFFIX "-new"

static inline void gate_bpf__destroyp(struct gate_bpf **skeleton) {
        gate_bpf__destroy(*skeleton);
}

/* Programs that only make the answer to "who asked?" exact: kernels may not have what they are attached to. */
static const struct {
        const char *program, *pin;
        bool optional;
} programs[] = {
        { "gate_request", "request", false },
        { "gate_socket", "socket", false },
        { "gate_file", "file", false },
        { "gate_data", "data", false },
        { "gate_helper", "helper", true },
        { "gate_helper_starts", "helper_starts", true },
};

/* What outlives a change of the programs: the maps of the manager, and whose programs these are. */
static const char *const map_names[_GATE_MAP_MAX + 1] = GATE_MAP_NAMES;

static const char *pinned_map(size_t i) {
        return i < _GATE_MAP_MAX ? map_names[i] : INFO_MAP;
}

static bool be_quiet;                   /* while something is tried that may fail */

static int _printf_(2, 0)
        print_warning(enum libbpf_print_level level, const char *format, va_list arguments) {
        return level == LIBBPF_WARN && !be_quiet ? vfprintf(stderr, format, arguments) : 0;
}

/* Which programs these are: a hash of their code. */
static __u64 own_build(void) {
        size_t size;
        const void *bytes = gate_bpf__elf_bytes(&size);

        return hash_bytes(HASH_START, bytes, size);
}

/* ---------------------------------------------------------------------------------------- what is pinned */

/* Return: 0; -ENOENT. */
static int read_info(const char *root, GateInfo *ret) {
        char path[GATE_PIN_SIZE];
        _cleanup_(closep) int fd = -EBADF;

        gate_pin_path(path, root, "map", INFO_MAP);
        fd = bpf_obj_get(path);
        if (fd < 0 || bpf_map_lookup_elem(fd, &(__u32) { 0 }, ret) < 0)
                return -ENOENT;
        return 0;
}

/* Are these very programs pinned? */
bool gate_is_attached(const char *root) {
        GateInfo info;

        assert(root);

        return gate_pins_exist(root) && read_info(root, &info) >= 0 && info.layout == GATE_LAYOUT &&
               info.build == own_build();
}

/* The new programs go on with the maps of the old ones. */
static int reuse_maps(struct gate_bpf *skeleton, const char *root) {
        for (size_t i = 0; i <= _GATE_MAP_MAX; i++) {
                struct bpf_map *map = bpf_object__find_map_by_name(skeleton->obj, pinned_map(i));
                _cleanup_(closep) int fd = -EBADF;
                char path[GATE_PIN_SIZE];
                int r;

                gate_pin_path(path, root, "map", pinned_map(i));
                fd = bpf_obj_get(path);
                if (fd < 0 && errno == ENOENT)
                        continue;
                r = fd < 0 ? -errno : bpf_map__reuse_fd(map, fd);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --------------------------------------------------------------------------------------------- attaching */

static int open_programs(struct gate_bpf **ret, const char *root, bool with_optional) {
        _cleanup_(gate_bpf__destroyp) struct gate_bpf *skeleton = gate_bpf__open();
        int r;

        if (!skeleton)
                return -errno;
        for (size_t i = 0; i < ARRAY_LEN(programs); i++)
                if (programs[i].optional && !with_optional)
                        (void) bpf_program__set_autoload(
                                bpf_object__find_program_by_name(skeleton->obj, programs[i].program), false);
        r = reuse_maps(skeleton, root);
        if (r >= 0)
                r = gate_bpf__load(skeleton);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(skeleton);
        return 0;
}

static int attach(struct gate_bpf *skeleton, struct bpf_link *links[static ARRAY_LEN(programs)]) {
        for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
                struct bpf_program *program = bpf_object__find_program_by_name(skeleton->obj,
                                                                               programs[i].program);

                if (!bpf_program__autoload(program))
                        continue;
                be_quiet = programs[i].optional;
                links[i] = bpf_program__attach(program);
                be_quiet = false;
                if (!links[i] && !programs[i].optional) {
                        int r = -errno;

                        fprintf(stderr, "lkmd-gate: cannot attach %s: %s\n", programs[i].program,
                                strerror(-r));
                        return r;
                }
        }
        return 0;
}

/* The observer is attached meanwhile, and no longer. */
static int prove(struct gate_bpf *skeleton) {
        struct bpf_link *observer = bpf_program__attach(skeleton->progs.gate_observer);
        const char *hook = NULL;
        int r;

        if (!observer)
                return -errno;
        r = gate_prove(bpf_map__fd(skeleton->maps.proof), &hook);
        (void) bpf_link__destroy(observer);
        if (r == -ENOTSUP)
                fprintf(stderr,
                        "lkmd-gate: a program is attached to %s, but refuses nothing there, so the gate is taken away\n",
                        hook);
        return r;
}

static int pin_maps(struct gate_bpf *skeleton, const char *root) {
        for (size_t i = 0; i <= _GATE_MAP_MAX; i++) {
                struct bpf_map *map = bpf_object__find_map_by_name(skeleton->obj, pinned_map(i));
                char path[GATE_PIN_SIZE];

                gate_pin_path(path, root, "map", pinned_map(i));
                if (access(path, F_OK) < 0 && bpf_obj_pin(bpf_map__fd(map), path) < 0)
                        return -errno;
        }
        return 0;
}

/* The new one first, so that there is always one. */
static int pin_link(struct bpf_link *link, const char *root, const char *name) {
        char path[GATE_PIN_SIZE], new_path[GATE_PIN_SIZE + sizeof(NEW_SUFFIX)];

        gate_pin_path(path, root, "link", name);
        if (!link)
                return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
        (void) stpcpy(stpcpy(new_path, path), NEW_SUFFIX);
        (void) unlink(new_path);        /* of an attempt that was killed */
        if (bpf_obj_pin(bpf_link__fd(link), new_path) < 0 || rename(new_path, path) < 0)
                return -errno;
        return 0;
}

static int pin(struct gate_bpf *skeleton, struct bpf_link *links[static ARRAY_LEN(programs)],
               const char *root) {
        GateInfo info = { .layout = GATE_LAYOUT, .build = own_build() };
        int r;

        r = pin_maps(skeleton, root);
        for (size_t i = 0; i < ARRAY_LEN(programs) && r >= 0; i++)
                r = pin_link(links[i], root, programs[i].pin);
        if (r < 0)
                return r;
        return bpf_map_update_elem(bpf_map__fd(skeleton->maps.info), &(__u32) { 0 }, &info, BPF_ANY) < 0
                       ? -errno
                       : 0;
}

/**
 * gate_attach() - load, attach, prove and pin the programs
 * @root: LKMD_GATE_PIN_DIR
 *
 * Programs that are pinned already stay in force until the new ones are, and if these fail.
 *
 * Return: 0; -ENOTSUP if a program does not act; what went wrong. Both have been written to standard error.
 */
int gate_attach(const char *root) {
        _cleanup_(gate_bpf__destroyp) struct gate_bpf *skeleton = NULL;
        struct bpf_link *links[ARRAY_LEN(programs)] = {};
        int r;

        assert(root);

        (void) libbpf_set_print(print_warning);
        r = gate_pins_make_dir(root);
        if (r < 0) {
                fprintf(stderr, "lkmd-gate: cannot make %s: %s\n", root, strerror(-r));
                return r;
        }
        be_quiet = true;
        r = open_programs(&skeleton, root, /* with_optional= */ true);
        be_quiet = false;
        if (r < 0)
                r = open_programs(&skeleton, root, /* with_optional= */ false);
        if (r >= 0)
                r = attach(skeleton, links);
        if (r >= 0)
                r = prove(skeleton);
        if (r >= 0)
                r = pin(skeleton, links, root);
        for (size_t i = 0; i < ARRAY_LEN(programs); i++)
                (void) bpf_link__destroy(links[i]); /* what is pinned stays */
        if (r < 0 && r != -ENOTSUP)
                fprintf(stderr, "lkmd-gate: the programs for the kernel cannot be put into force: %s\n",
                        strerror(-r));
        if (r < 0 && !gate_pins_exist(root))
                (void) gate_pins_remove(root, GATE_PINS_OWN);
        return r;
}
