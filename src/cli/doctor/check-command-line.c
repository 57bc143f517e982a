/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* check_command_line(): what on the kernel command line decides about modules? Owns nothing. */

#include <assert.h>

#include "cli/doctor/checks.h"
#include "cli/machine/attribute.h"
#include "common/words/kernel-command-line.h"

#define WHERE "edit the kernel command line (in /etc/default/grub, then update-grub), and reboot"

/* The words that mean something, and what follows from them. */
static const struct {
        const char *name;               /* up to '=' */
        DiagnosisState state;
        const char *meaning;
} words[] = {
        { "lkmd.deny", DIAGNOSIS_NOTE, "its modules are denied" },
        { "lkmd.allow", DIAGNOSIS_NOTE, "its modules are allowed, whatever files say" },
        { "module_blacklist", DIAGNOSIS_NOTE, "the kernel refuses its modules, whoever asks" },
        { "modprobe.blacklist", DIAGNOSIS_NOTE, "its modules are not loaded for devices" },
        { "modules_load", DIAGNOSIS_NOTE, "its modules are loaded at boot" },
        { "modules-load", DIAGNOSIS_NOTE, "its modules are loaded at boot" },
        { "rd.modules_load", DIAGNOSIS_NOTE, "its modules are loaded in the initramfs" },
        { "rd.driver.blacklist", DIAGNOSIS_NOTE, "its modules are not loaded for devices in the initramfs" },
        { "rd.driver.pre", DIAGNOSIS_NOTE, "its modules are loaded first in the initramfs" },
        { "module.sig_enforce", DIAGNOSIS_NOTE, "the kernel takes only modules with a signature that it trusts" },
        { "lockdown", DIAGNOSIS_NOTE, "the kernel takes only modules with a signature that it trusts" },
        { "nomodule", DIAGNOSIS_REPAIR, "the kernel takes no module at all" },
};

static int on_gate(const char *value, Diagnoses *ret) {
        if (streq(value, "off") || streq(value, "0") || streq(value, "no"))
                return diagnoses_add(ret, DIAGNOSIS_NOTE, NULL,
                                     "lkmd.gate=%s: there is no gate in the kernel", value);
        return diagnoses_add(ret, DIAGNOSIS_REPAIR, WHERE,
                             "lkmd.gate=%s does nothing: 'off' would switch the gate off", value);
}

static int on_word(const char *word, Diagnoses *ret) {
        size_t length = strcspn(word, "=");
        const char *value = word[length] == '=' ? word + length + 1 : "";

        if (length == strlen("lkmd.gate") && startswith(word, "lkmd.gate"))
                return on_gate(value, ret);
        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                if (strlen(words[i].name) == length && startswith(word, words[i].name)) {
                        if (words[i].state != DIAGNOSIS_NOTE && (streq(value, "0") || streq(value, "n")))
                                return 0;
                        return diagnoses_add(ret, words[i].state,
                                             words[i].state == DIAGNOSIS_NOTE ? NULL : WHERE, "%s: %s", word,
                                             words[i].meaning);
                }
        if (startswith(word, "lkmd."))
                return diagnoses_add(ret, DIAGNOSIS_REPAIR, WHERE "; lkmd(8) has the words that lkmd knows",
                                     "%s does nothing: lkmd knows no such word", word);
        return 0;
}

int check_command_line(const Doctor *d, Diagnoses *ret) {
        _cleanup_(freep) char *line = NULL;
        size_t before = ret->n_items;
        int r;

        assert(d);

        r = attribute_new(d->asker->machine.proc, "cmdline", &line);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (char *rest = line, *word; r >= 0 && (word = strsep(&rest, " \t\n"));) {
                if (streq(word, "--"))
                        break;          /* the rest is for init */
                r = on_word(word, ret);
        }
        if (r >= 0 && ret->n_items == before)
                r = diagnoses_add(ret, DIAGNOSIS_OK, NULL, "nothing on it is about modules");
        return r;
}
