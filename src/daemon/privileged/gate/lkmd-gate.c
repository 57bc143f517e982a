/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * lkmd-gate: puts the programs of the gate into the kernel and takes them away, and passes their maps to the manager.
 * Run by lkmd-gate.service and lkmd.service; see lkmd-gate(8). It runs and ends, and what it leaves is in the kernel.
 */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/paths.h"
#include "common/base/util.h"
#include "daemon/privileged/gate/gate-attach.h"
#include "daemon/privileged/gate/gate-give.h"
#include "daemon/privileged/gate/gate-off.h"
#include "daemon/privileged/gate/gate-pins.h"

#define USAGE_ERROR 2
#define FAILED "lkmd-gate could not put it into force: journalctl -u lkmd-gate -u lkmd says why"

static void say(const char *what, int error) {
        fprintf(stderr, "lkmd-gate: %s: %s\n", what, strerror(-error));
}

/* Nobody may have made the directory yet. */
static int leave_reason(const char *reason) {
        int r;

        if (reason && mkdir(LKMD_RUN_DIR, 0755) >= 0)
                (void) chmod(LKMD_RUN_DIR, 0755); /* whatever the umask */
        r = gate_write_off(LKMD_GATE_OFF_FILE, reason);
        if (r < 0)
                say("cannot write " LKMD_GATE_OFF_FILE, r);
        return r;
}

/* That there is no gate here is no failure: lkmd works without. */
static int attach(void) {
        const char *reason = NULL;
        int r;

        r = gate_why_off("", &reason);
        if (r < 0) {
                say("cannot find out whether there is to be a gate", r);
                return r;
        }
        if (reason) {
                fprintf(stderr,
                        "lkmd-gate: off: %s. lkmd works without; it does not know who asks the kernel, and refuses no socket\n",
                        reason);
                (void) gate_pins_remove(LKMD_GATE_PIN_DIR, GATE_PINS_ALL);
                return leave_reason(reason);
        }
        r = gate_attach(LKMD_GATE_PIN_DIR);
        (void) leave_reason(r < 0 && !gate_pins_exist(LKMD_GATE_PIN_DIR) ? FAILED : NULL);
        return r;
}

/* The manager may be newer than the gate: programs of its own version take the place of the old ones first. */
static int give(void) {
        int r;

        if (gate_pins_exist(LKMD_GATE_PIN_DIR) && !gate_is_attached(LKMD_GATE_PIN_DIR))
                (void) attach();
        r = gate_give(LKMD_GATE_PIN_DIR);
        if (r < 0)
                say("cannot pass the maps of the gate to lkmd", r);
        return r;
}

static int detach(void) {
        int r = gate_pins_remove(LKMD_GATE_PIN_DIR, GATE_PINS_ALL);

        if (r < 0)
                say("cannot remove " LKMD_GATE_PIN_DIR, r);
        (void) gate_write_off(LKMD_GATE_OFF_FILE, NULL);
        return r;
}

/* The manager has filled the new maps: another layout's are not needed any more. */
static int settle(void) {
        int r = gate_pins_exist(LKMD_GATE_PIN_DIR) ? gate_pins_remove(LKMD_GATE_PIN_DIR, GATE_PINS_OTHERS)
                                                   : 0;

        if (r < 0)
                say("cannot remove the gate of another version", r);
        return r;
}

static const struct {
        const char *name;
        int (*run)(void);
        const char *help;
} verbs[] = {
        { "attach", attach, "put the gate into the kernel, or its programs in the place of older ones" },
        { "detach", detach, "take it away" },
        { "give", give, "pass its maps to the service that runs this as ExecStartPre=" },
        { "settle", settle, "take away what an lkmd of another version has left" },
};

static void print_help(void) {
        puts("lkmd-gate refuses requests for modules in the kernel. It is run by systemd; see lkmd-gate(8).\n");
        for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
                printf("  lkmd-gate %-7s %s\n", verbs[i].name, verbs[i].help);
}

int main(int argc, char **argv) {
        for (size_t i = 0; i < ARRAY_LEN(verbs) && argc == 2; i++)
                if (streq(argv[1], verbs[i].name))
                        return verbs[i].run() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (argc == 2 && streq(argv[1], "--help")) {
                print_help();
                return EXIT_SUCCESS;
        }
        if (argc == 2 && streq(argv[1], "--version")) {
                puts("lkmd-gate " LKMD_VERSION);
                return EXIT_SUCCESS;
        }
        fprintf(stderr, "lkmd-gate: takes one of attach, detach, give, settle, --help, --version\n");
        return USAGE_ERROR;
}
