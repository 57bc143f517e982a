/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a file of udev's rules and, behind the first NUL, one of the hardware database. The grammar: each rule
 * has keys with a name and a value, further down in the file than the one before. What is found: the subsystems that
 * lkmd listens for are those whose devices wait, or no device would ever be answered; a rule of the administrator's
 * counts where one of a package does; a comment before all of it changes nothing but line numbers.
 */

#include "common/device/udev-rules.h"

#include "common/base/string-list.h"
#include "common/device/udev-deed.h"
#include "common/device/udev-line.h"
#include "scratch.h"
#include "support.h"

#define WORDS_MAX 256U                  /* of udev-rules.c, where a file may add one more for all devices */
#define COMMENT "# a comment\n"

static const char *const subsystems[] = { "usb", "pci", "mtd", "net", "block", "scsi", "x", "" };

static Scratch scratch;

static void at_exit(void) {
        scratch_close(&scratch);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        scratch_open(&scratch);
        must(atexit(at_exit) == 0);
        return 0;
}

static void check_key(const UdevKey *key) {
        must(key->name[0] != '\0' && !strpbrk(key->name, " \t\n\r={") && key->value);
        must(!key->negated || key->matches);
        must(!udev_key_deed(key, /* local= */ false) || udev_key_deed(key, /* local= */ true));
}

static void check_lines(const char *text) {
        _cleanup_(udev_lines_clear) UdevLines lines = { .next = text };
        unsigned before = 0;
        int r;

        while ((r = udev_lines_next(&lines)) > 0) {
                must(lines.n_keys > 0 && lines.number > before && lines.number <= lines.n_read);
                before = lines.number;
                for (size_t i = 0; i < lines.n_keys; i++)
                        check_key(lines.keys + i);
        }
        must(r == 0);
}

static void check_listening(const UdevRules *rules) {
        _cleanup_(string_list_freep) char **list = NULL;

        must(udev_rules_get_subsystems(rules, &list) == 0);
        must((udev_rules_find(rules, NULL) != NULL) == (rules->n_items > 0));
        for (size_t i = 0; list && i < ARRAY_LEN(subsystems); i++) {
                bool listed = false;

                for (char **s = list; *s; s++)
                        listed |= streq(*s, subsystems[i]);
                must(listed || !udev_rules_find(rules, subsystems[i]));
        }
}

static void check_rules(const UdevRules *rules) {
        must(rules->n_items <= WORDS_MAX + 2);
        for (size_t i = 0; i < rules->n_items; i++) {
                _cleanup_(freep) char *text = NULL;

                must(rules->items[i].file[0] == '/' && rules->items[i].deed);
                must(udev_word_describe(rules->items + i, &text) == 0 && strstr(text, " devices"));
        }
        check_listening(rules);
}

static void parse(UdevRules *rules, bool local, const char *text) {
        must(udev_rules_parse(rules, "/a.rules", local, text) == 0);
        check_rules(rules);
}

static void check_text(const char *text) {
        _cleanup_(udev_rules_clear) UdevRules own = {}, package = {}, commented = {};
        _cleanup_(freep) char *more = NULL;

        check_lines(text);
        parse(&own, true, text);
        parse(&package, false, text);
        for (size_t i = 0; i < ARRAY_LEN(subsystems); i++)
                must(!udev_rules_find(&package, subsystems[i]) || udev_rules_find(&own, subsystems[i]));

        must(asprintf(&more, COMMENT "%s", text) >= 0);
        parse(&commented, true, more);
        for (size_t i = 0; i < commented.n_items; i++)
                commented.items[i].line--;
        must(udev_rules_equal(&commented, &own));
}

static void check_files(const char *rules_text, const uint8_t *hwdb, size_t size) {
        _cleanup_(udev_rules_clear) UdevRules rules = {};

        scratch_write(&scratch, "etc/udev/rules.d/50-a.rules", rules_text);
        scratch_write(&scratch, "usr/lib/udev/rules.d/60-a.rules", rules_text);
        scratch_write_bytes(&scratch, "etc/udev/hwdb.d/a.hwdb", hwdb, size);
        must(udev_rules_read(&rules, scratch.dir) == 0);
        check_rules(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = fuzz_text(data, size);
        size_t n = strlen(text);

        check_text(text);
        if (n < size)
                check_files(text, data + n + 1, size - n - 1);
        return 0;
}
