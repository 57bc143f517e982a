/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * KernelRequests: goes through depmod's aliases once. A module with an alias of the kernel's own requests
 * (request_module()) and none of a device is asked for by the kernel alone. Owns the aliases that it shows.
 */

#include "cli/offline/kernel-requests.h"

#include <assert.h>

#include "common/base/glob.h"
#include "common/base/name-table.h"
#include "common/base/origin.h"
#include "common/index/index-file.h"

typedef struct Asked {
        char *alias;                    /* by which the kernel asks; NULL: it does not */
        bool by_device;
} Asked;

struct KernelRequests {
        const Index *index;
        NameTable *names;
        Asked *modules;                 /* by the number in the index */
        size_t n_modules;
};

/*
 * What request_module() is called with, normalised. Whatever has a colon is of a device (MODULE_DEVICE_TABLE()).
 * Return: bytes of what all of the family begin with; 0: it is of none.
 */
static size_t kernel_family(const char *alias) {
        static const char *const families[] = {
                "net_pf_",   "net_sch_", "net_act_",  "net_cls_", "rtnl_link_",  "netdev_",   "crypto_",    "algif_",
                "fs_",       "binfmt_",  "nls_",      "iocharset_", "char_major_", "block_major_", "tty_ldisc_", "ip_set_",
                "ipt_",      "ip6t_",    "arpt_",     "ebt_",     "xt_",         "nft_",      "nfct_helper_", "nf_",
                "ip_conntrack_", "ip_nat_", "ip_vs_", "tcp_",     "dm_",         "md_",       "sound_slot_", "sound_service_",
                "snd_card_", "snd_seq_client_", "key_type_", "bt_proto_", "can_proto_", "rxrpc_",
        };

        for (size_t i = 0; i < ARRAY_LEN(families); i++)
                if (startswith(alias, families[i]))
                        return strlen(families[i]);
        return 0;
}

/* As the kernel writes it: "net-pf-10". */
static char *spell_alias(const char *alias, size_t family) {
        char *text = strdup(alias);

        for (size_t i = 0; text && i < family; i++)
                if (text[i] == '_')
                        text[i] = '-';
        return text;
}

static int on_alias(const char *key, const char *value, uint32_t priority, void *userdata) {
        KernelRequests *k = userdata;
        Asked *asked;
        size_t i;

        if (!name_table_find(k->names, value, &i))
                return 0;
        asked = k->modules + i;
        if (strchr(key, ':') && !startswith(key, "devname:"))
                asked->by_device = true;
        else if (!asked->alias && kernel_family(key) > 0) {
                asked->alias = spell_alias(key, kernel_family(key));
                if (!asked->alias)
                        return -ENOMEM;
        }
        return 0;
}

/**
 * kernel_requests_new() - find out who asks for what
 * @index: borrowed
 *
 * Without modules.alias.bin nothing is known to be the kernel's alone.
 *
 * Return: 0; -ENOMEM.
 */
int kernel_requests_new(KernelRequests **ret, const Index *index) {
        _cleanup_(kernel_requests_freep) KernelRequests *k = NULL;
        _cleanup_(index_file_freep) IndexFile *file = NULL;
        _cleanup_(freep) char *path = NULL;
        int r;

        assert(ret && index);

        k = calloc(1, sizeof(*k));
        if (!k)
                return -ENOMEM;
        k->index = index;
        k->n_modules = index_count_modules(index);
        k->modules = calloc(k->n_modules + 1, sizeof(*k->modules));
        if (!k->modules)
                return -ENOMEM;
        r = name_table_new(&k->names);
        for (size_t i = 0; r >= 0 && i < k->n_modules; i++) {
                r = name_table_add(k->names, index_get_module(index, i)->name, i);
                r = r == -EEXIST ? 0 : r;
        }
        if (r < 0)
                return r;
        if (asprintf(&path, "%s/modules.alias.bin", index_get_module_dir(index)) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        r = index_file_open(&file, path, NULL);
        if (r >= 0)
                r = index_file_foreach(file, on_alias, k);
        if (r == -ENOMEM)
                return r;
        *ret = STEAL_PTR(k);
        return 0;
}

KernelRequests *kernel_requests_free(KernelRequests *k) {
        if (!k)
                return NULL;
        for (size_t i = 0; k->modules && i < k->n_modules; i++)
                free(k->modules[i].alias);
        free(k->modules);
        name_table_free(k->names);
        free(k);
        return NULL;
}

/* ----------------------------------------------------------------------------------------------------- rules */

static bool names_origin_kernel(const PolicyRule *rule) {
        const PolicyPatterns *patterns = rule->match + POLICY_KEY_ORIGIN;

        for (size_t i = 0; i < patterns->n_items; i++)
                if (patterns->items[i].negated ||
                    !streq(patterns->items[i].glob, request_origin_to_string(ORIGIN_KERNEL)))
                        return false;
        return patterns->n_items > 0;
}

/* Are all aliases that it names such that only the kernel uses them? */
static bool names_kernel_aliases(const PolicyRule *rule) {
        const PolicyPatterns *patterns = rule->match + POLICY_KEY_ALIAS;

        for (size_t i = 0; i < patterns->n_items; i++)
                if (patterns->items[i].negated || kernel_family(patterns->items[i].glob) == 0)
                        return false;
        return patterns->n_items > 0;
}

/* Does it name modules, and does only the kernel ask for all of them? */
static bool names_kernel_modules(const KernelRequests *k, const PolicyRule *rule, size_t *ret_first) {
        const PolicyPatterns *patterns = rule->match + POLICY_KEY_MODULE;
        size_t n = 0;

        for (size_t i = 0; i < patterns->n_items; i++) {
                if (patterns->items[i].negated)
                        return false;
                for (size_t m = 0; m < k->n_modules; m++) {
                        const IndexModule *module = index_get_module(k->index, m);

                        if (!module->path || !glob_match(patterns->items[i].glob, module->name))
                                continue;
                        if (!k->modules[m].alias || k->modules[m].by_device)
                                return false;
                        if (n++ == 0)
                                *ret_first = m;
                }
        }
        return n > 0;
}

/*
 * Does it go by the process that the kernel asks for? "!0" is not meant: a process that is not known counts as one
 * without privilege.
 */
static bool names_process(const PolicyRule *rule) {
        const PolicyPatterns *uids = rule->match + POLICY_KEY_UID;

        for (size_t i = 0; i < uids->n_items; i++)
                if (!uids->items[i].negated)
                        return true;
        return rule->match[POLICY_KEY_UNIT].n_items > 0 || rule->match[POLICY_KEY_COMMAND].n_items > 0;
}

/**
 * kernel_requests_describe() - why a rule that denies may not apply to requests of the kernel, which it is about
 * @k:   NULL: the modules are not known; what the rule itself says is
 * @ret: a sentence, to be freed; NULL: nothing needs saying
 *
 * Return: 0; -ENOMEM.
 */
int kernel_requests_describe(const KernelRequests *k, const PolicyRule *rule, char **ret) {
        static const char *const what =
                "goes by the process for which the kernel asks, which lkmd knows only while its gate is in the kernel "
                "(lkmctl status): where it is not known, the rule does not apply";
        size_t first;
        int n;

        assert(rule && ret);

        *ret = NULL;
        if (rule->verdict != POLICY_DENY || !names_process(rule))
                return 0;
        if (names_origin_kernel(rule) ||
            (names_kernel_aliases(rule) && rule->match[POLICY_KEY_ORIGIN].n_items == 0))
                n = asprintf(ret, "this rule %s", what);
        else if (k && rule->match[POLICY_KEY_ORIGIN].n_items == 0 && names_kernel_modules(k, rule, &first))
                n = asprintf(ret, "only the kernel asks for %s (%s), and this rule %s",
                             index_get_module(k->index, first)->name, k->modules[first].alias, what);
        else
                return 0;
        if (n < 0)
                *ret = NULL;
        return n < 0 ? -ENOMEM : 0;
}
