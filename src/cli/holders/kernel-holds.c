/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * KernelHolds: see kernel-holds.h. Other modules, devices bound to its drivers, ciphers, and what an administrator has
 * chosen. Owns nothing.
 */

#include "cli/holders/kernel-holds.h"

#include <assert.h>
#include <limits.h>

#include "cli/machine/attribute.h"
#include "cli/machine/device-name.h"
#include "cli/machine/proc-file.h"

/* ---------------------------------------------------------------------------------------------------- modules */

static int add_module(Subject *s, const char *name) {
        Hold hold = { .kind = HOLD_MODULE, .references = 1 };

        if (hold_text(&hold.name, "%s", name) >= 0 && hold_text(&hold.how, "needs it") >= 0)
                (void) hold_text(&hold.next, "lkmctl unload %s", name);
        return holds_add(&s->holds, &hold);
}

static int find_modules(Subject *s) {
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX];
        struct dirent *entry;
        int r = 0;

        if (snprintf(path, sizeof(path), "%s/module/%s/holders", s->sys, s->module) < (int) sizeof(path))
                dir = opendir(path);
        while (r >= 0 && dir && (entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        r = add_module(s, entry->d_name);
        return r;
}

/* ---------------------------------------------------------------------------------------------------- devices */

/* They take no reference, and lose their driver. */
static int find_bound(Subject *s) {
        int r = 0;

        for (char **device = s->bound; r >= 0 && device && *device; device++) {
                _cleanup_(freep) char *path = NULL, *name = NULL;
                Hold hold = { .kind = HOLD_DEVICE };

                r = hold_text(&path, "%s%s", s->sys, *device);
                if (r >= 0)
                        r = device_name_new(path, &name);
                if (r < 0)
                        return r;
                if (hold_text(&hold.name, "%s", strrchr(*device, '/') + 1) >= 0)
                        (void) hold_text(&hold.how, name ? "%s, is driven by it" : "is driven by it", name);
                r = holds_add(&s->holds, &hold);
        }
        return r;
}

/* ---------------------------------------------------------------------------------------------------- ciphers */

typedef struct Cipher {
        const char *name, *driver, *module;
        unsigned long references;
} Cipher;

/* The count of an algorithm is one while nobody uses it: crypto_register_alg(). Each user holds the module, too. */
static int take_cipher(Subject *s, const Cipher *c) {
        Hold hold = { .kind = HOLD_CIPHER };

        if (!c->name || !c->driver || !c->module || !streq(c->module, s->module) || c->references <= 1)
                return 0;
        hold.references = (unsigned) (c->references - 1);
        if (hold_text(&hold.name, "%s", c->driver) >= 0)
                (void) hold_text(&hold.how, "computes %s for %s", c->name,
                                 hold.references == 1 ? "one user" : "several users");
        return holds_add(&s->holds, &hold);
}

/* /proc/crypto: paragraphs of lines "KEY : VALUE", crypto/proc.c. */
static int find_ciphers(Subject *s) {
        _cleanup_(freep) char *text = NULL;
        Cipher cipher = {};
        char *rest, *line;
        int r;

        r = proc_file_new(&text, "%s/crypto", s->proc);
        for (rest = text; r >= 0 && (line = proc_file_line(&rest));) {
                char *value = strstr(line, ": ");

                if (*line == '\0') {
                        r = take_cipher(s, &cipher);
                        cipher = (Cipher) {};
                }
                if (!value)
                        continue;
                value += 2;
                if (startswith(line, "name "))
                        cipher.name = value;
                else if (startswith(line, "driver "))
                        cipher.driver = value;
                else if (startswith(line, "module "))
                        cipher.module = value;
                else if (startswith(line, "refcnt "))
                        cipher.references = strtoul(value, NULL, 10);
        }
        if (r >= 0)
                r = take_cipher(s, &cipher);
        return r == -ENOMEM ? r : 0;
}

/* --------------------------------------------------------------------------------------------------- settings */

static int add_setting(Subject *s, const char *name, const char *how, const char *next) {
        Hold hold = { .kind = HOLD_SETTING, .references = 1 };

        if (hold_text(&hold.name, "%s", name) >= 0 && hold_text(&hold.how, "%s", how) >= 0)
                (void) hold_text(&hold.next, "%s", next);
        return holds_add(&s->holds, &hold);
}

/* Each policy has the module of its governor, cpufreq_init_governor(). */
static int find_governors(Subject *s) {
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX], directory[PATH_MAX];
        struct dirent *entry;
        int r = 0;

        if (snprintf(path, sizeof(path), "%s/devices/system/cpu/cpufreq", s->sys) < (int) sizeof(path))
                dir = opendir(path);
        while (r >= 0 && dir && (entry = readdir(dir))) {
                _cleanup_(freep) char *governor = NULL, *next = NULL;

                if (!startswith(entry->d_name, "policy") ||
                    snprintf(directory, sizeof(directory), "%s/%s", path, entry->d_name) >=
                            (int) sizeof(directory))
                        continue;
                r = attribute_new(directory, "scaling_governor", &governor);
                if (r < 0 && r != -ENOMEM)
                        r = 0;
                if (!governor || !subject_is_named(s, "cpufreq_", governor))
                        continue;
                r = hold_text(&next, "echo performance >%s/scaling_governor", directory);
                if (r >= 0)
                        r = add_setting(s, entry->d_name, "has it as the governor of processors", next);
        }
        return r;
}

static int find_congestion_control(Subject *s) {
        _cleanup_(freep) char *directory = NULL, *name = NULL;
        int r;

        r = hold_text(&directory, "%s/sys/net/ipv4", s->proc);
        if (r >= 0)
                r = attribute_new(directory, "tcp_congestion_control", &name);
        if (r < 0 || !subject_is_named(s, "tcp_", name))
                return r == -ENOMEM ? r : 0;
        return add_setting(s, "net.ipv4.tcp_congestion_control", "has it as the default of new connections",
                           "sysctl net.ipv4.tcp_congestion_control=cubic");
}

/* --------------------------------------------------------------------------------------------------- consoles */

/* Does a frame buffer belong to the module? */
static bool has_frame_buffer(const Subject *s) {
        for (unsigned i = 0; i < 32; i++) { /* FB_MAX, include/uapi/linux/fb.h */
                char path[PATH_MAX], target[PATH_MAX];
                const char *device;
                ssize_t n;

                if (snprintf(path, sizeof(path), "%s/class/graphics/fb%u", s->sys, i) >= (int) sizeof(path))
                        return false;
                n = readlink(path, target, sizeof(target) - 1);
                if (n <= 0)
                        continue;
                target[n] = '\0';
                device = strstr(target, "/devices/");
                if (device && subject_is_below(s, device))
                        return true;
        }
        return false;
}

/* The console on a frame buffer has it open, fbcon_open(). */
static int find_consoles(Subject *s) {
        if (!has_frame_buffer(s))
                return 0;
        for (unsigned i = 0; i < 16; i++) { /* MAX_NR_CON_DRIVER, drivers/tty/vt/vt.c */
                _cleanup_(freep) char *directory = NULL, *name = NULL;
                Hold hold = { .kind = HOLD_CONSOLE, .references = 1 };
                uint64_t is_bound;
                int r;

                r = hold_text(&directory, "%s/class/vtconsole/vtcon%u", s->sys, i);
                if (r >= 0)
                        r = attribute_new(directory, "name", &name);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 || !strstr(name, "frame buffer") ||
                    attribute_unsigned(directory, "bind", &is_bound) < 0 || !is_bound)
                        continue;
                if (hold_text(&hold.name, "vtcon%u", i) >= 0 &&
                    hold_text(&hold.how, "shows the text console on it") >= 0)
                        (void) hold_text(&hold.next, "echo 0 >%s/bind", directory);
                r = holds_add(&s->holds, &hold);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Return: 0; -ENOMEM. */
int kernel_holds_find(Subject *s) {
        static int (*const finders[])(Subject *s) = {
                find_modules,  find_bound, find_ciphers, find_governors, find_congestion_control,
                find_consoles,
        };

        assert(s);

        for (size_t i = 0; i < ARRAY_LEN(finders); i++) {
                int r = finders[i](s);

                if (r < 0)
                        return r;
        }
        return 0;
}
