/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * DeviceKeys: what to look up for a device. The rules are those of udev's 80-drivers.rules, which do nothing
 * while lkmd is in charge: lkmd loads for a device what udev would load. Owns nothing; keys are constant or
 * borrowed from the facts.
 */

#include "common/device/device-keys.h"

#include <assert.h>
#include <fnmatch.h>

#include "common/base/util.h"

/* One line of 80-drivers.rules besides that of MODALIAS. NULL: the line does not check it. */
typedef struct DeviceRule {
        const char *subsystem;
        const char *sysname;            /* glob */
        const char *tifm_card_type;
        const char *mtd_ftl;
        const char *keys[2];
} DeviceRule;

static const DeviceRule device_rules[] = {
        { .subsystem = "tifm", .tifm_card_type = "SD", .keys = { "tifm_sd" } },
        { .subsystem = "tifm", .tifm_card_type = "MS", .keys = { "tifm_ms" } },
        { .subsystem = "memstick", .keys = { "ms_block", "mspro_block" } },
        { .subsystem = "i2o", .keys = { "i2o_block" } },
        { .subsystem = "module", .sysname = "parport_pc", .keys = { "ppdev" } },
        { .sysname = "mtd*ro", .mtd_ftl = "smartmedia", .keys = { "sm_ftl" } },
};

static bool is_met(const char *wanted, const char *fact) {
        return !wanted || (fact && streq(wanted, fact));
}

static bool rule_applies(const DeviceRule *rule, const DeviceFacts *facts) {
        if (rule->sysname && (!facts->sysname || fnmatch(rule->sysname, facts->sysname, 0) != 0))
                return false;

        return is_met(rule->subsystem, facts->subsystem) &&
               is_met(rule->tifm_card_type, facts->tifm_card_type) &&
               is_met(rule->mtd_ftl, facts->mtd_ftl);
}

/**
 * device_keys() - what to look up for a device that appeared
 * @facts: of the uevent; borrowed, and so are the keys
 * @ret:   modaliases and module names, in the order in which udev would load them
 *
 * Return: number of keys, 0 for any action but "add".
 */
size_t device_keys(const DeviceFacts *facts, const char *ret[static DEVICE_KEYS_MAX]) {
        size_t n = 0;

        assert(facts);

        if (!facts->action || !streq(facts->action, "add"))
                return 0;

        if (facts->modalias && facts->modalias[0] != '\0')
                ret[n++] = facts->modalias;

        for (size_t i = 0; i < ARRAY_LEN(device_rules); i++) {
                if (!rule_applies(&device_rules[i], facts))
                        continue;
                for (size_t k = 0; k < ARRAY_LEN(device_rules[i].keys) && device_rules[i].keys[k]; k++) {
                        assert(n < DEVICE_KEYS_MAX);
                        ret[n++] = device_rules[i].keys[k];
                }
        }

        return n;
}
